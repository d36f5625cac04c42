import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llm_core.models.config import preset
from llm_core.models.gpt import GPT

# Where our parameters are found in transformers' GPT-2, and whether its matrix lies transposed.
BLOCK_NAMES = {
    "attention_norm": ("ln_1", False),
    "attention.query_key_value": ("attn.c_attn", True),
    "attention.output": ("attn.c_proj", True),
    "feedforward_norm": ("ln_2", False),
    "feedforward.widen": ("mlp.c_fc", True),
    "feedforward.narrow": ("mlp.c_proj", True),
}


def small_gpt2(**changes):
    return preset(
        "gpt2", vocab_size=101, n_layers=3, n_heads=4, d_model=32, context_length=24, **changes
    )


def weights_of(theirs):
    """The state of our GPT, taken from transformers' model."""
    source = theirs.state_dict()
    state = {
        "token_embedding.weight": source["transformer.wte.weight"],
        "positions.weight": source["transformer.wpe.weight"],
    }
    for kind in ("weight", "bias"):
        state[f"final_norm.{kind}"] = source[f"transformer.ln_f.{kind}"]
        for layer in range(theirs.config.n_layer):
            for ours, (name, transposed) in BLOCK_NAMES.items():
                tensor = source[f"transformer.h.{layer}.{name}.{kind}"]
                matrix = transposed and kind == "weight"
                state[f"blocks.{layer}.{ours}.{kind}"] = tensor.T if matrix else tensor
    return state


def test_logits_and_loss_equal_transformers_gpt2():
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=101, n_positions=24, n_embd=32, n_layer=3, n_head=4)
    theirs = GPT2LMHeadModel(config).eval()
    with torch.no_grad():  # biases start at 0 there: a forgotten one must show
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    ours = GPT(small_gpt2()).eval()
    ours.load_state_dict(weights_of(theirs))
    ids = torch.randint(101, (2, 24))
    with torch.no_grad():
        expected = theirs(ids, labels=ids)
        output = ours(ids[:, :-1], ids[:, 1:])
        torch.testing.assert_close(ours(ids).logits, expected.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(output.loss, expected.loss, atol=1e-5, rtol=1e-5)


def test_the_same_seed_gives_the_same_weights():
    def build(seed):
        return GPT(small_gpt2(), generator=torch.Generator().manual_seed(seed)).state_dict()

    first, again, other = build(1), build(1), build(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["token_embedding.weight"], other["token_embedding.weight"])


def test_weights_start_as_gpt2_prescribes():
    state = GPT(
        preset("gpt2", vocab_size=500, n_layers=8, n_heads=4, d_model=128),
        generator=torch.Generator().manual_seed(0),
    ).state_dict()
    for name, tensor in state.items():
        if name.endswith(".bias"):
            assert (tensor == 0).all(), name
        elif "norm" in name:
            assert (tensor == 1).all(), name
        else:
            writes = name.endswith(("attention.output.weight", "narrow.weight"))
            assert float(tensor.std()) == pytest.approx(0.02 / (4 if writes else 1), rel=0.03), name


def test_too_long_an_input_is_refused():
    with pytest.raises(ValueError, match="25 tokens, and the model has places for 24"):
        GPT(small_gpt2())(torch.zeros(1, 25, dtype=torch.long))


def test_untied_output_is_a_matrix_of_its_own():
    model = GPT(small_gpt2(tie_embeddings=False))
    assert model.unembedding.weight.shape == (101, 32)
    before = model(torch.tensor([[1, 2]])).logits
    with torch.no_grad():
        model.unembedding.weight.zero_()
    assert (model(torch.tensor([[1, 2]])).logits == 0).all()
    assert not (before == 0).all()


def test_dropout_acts_in_training_only():
    model = GPT(small_gpt2(dropout=0.5))
    ids = torch.tensor([[1, 2, 3]])
    assert not torch.equal(model(ids).logits, model(ids).logits)
    model.eval()
    assert torch.equal(model(ids).logits, model(ids).logits)
