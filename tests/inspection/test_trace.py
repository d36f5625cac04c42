import pytest
import torch
import transformers
from transformers import GPT2LMHeadModel

from llm_core.inspection.trace import trace_model
from llm_core.layers.trace import Trace
from llm_core.models.config import POSITIONS, TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.models.huggingface import save_huggingface
from tests.inspection.shapes import CLASSES

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

SHAPE = {"vocab_size": 43, "context_length": 16, "d_model": 32, "n_layers": 2, "n_heads": 4}
IDS = torch.tensor([[1, 5, 2, 40, 7, 7, 3]])


def build(**changes):
    config = TransformerConfig(**(SHAPE | changes))
    return CLASSES[config.kind](config).eval()


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


def test_intermediates_equal_those_that_transformers_gives(tmp_path):
    ours = build(activation="gelu_tanh")
    save_huggingface(ours, None, tmp_path)
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    with torch.no_grad():
        expected = theirs(IDS, output_hidden_states=True, output_attentions=True)
    output, trace = trace_model(ours, IDS)
    close(trace["embedding"], expected.hidden_states[0])
    close(trace["blocks.0.after_feedforward"], expected.hidden_states[1])
    close(trace["final_norm"], expected.hidden_states[2])
    close(trace["logits"], expected.logits)
    assert trace["logits"] is output.logits
    for layer in range(2):
        close(trace[f"blocks.{layer}.attention.weights"], expected.attentions[layer])


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("placement", ["pre", "post"])
def test_intermediates_fit_together(position, placement):
    model = build(position=position, norm_placement=placement, n_kv_heads=2)
    output, trace = trace_model(model, IDS)
    close(output.logits, model(IDS).logits)
    for layer in range(2):
        block, attention = model.blocks[layer], trace.at(f"blocks.{layer}.attention")
        before = trace["embedding" if layer == 0 else f"blocks.{layer - 1}.after_feedforward"]
        hidden = torch.ones(7, 7, dtype=torch.bool).triu(1)
        masked = attention["scores"].masked_fill(hidden, float("-inf"))
        close(masked.softmax(-1), attention["weights"])
        values = attention["v"].repeat_interleave(2, dim=1)
        if position != "shaw":  # whose values have an addend
            close(attention["weights"] @ values, attention["heads"])
        joined = attention["heads"].transpose(1, 2).flatten(2)
        close(block.attention.output(joined), attention["output"])
        middle, after = (trace[f"blocks.{layer}.after_{s}"] for s in ("attention", "feedforward"))
        feedforward = trace.at(f"blocks.{layer}.feedforward")
        close(block.feedforward.narrow(feedforward["activations"]), feedforward["output"])
        if placement == "pre":
            close(before + attention["output"], middle)
            close(middle + feedforward["output"], after)
        else:
            close(block.attention_norm(before + attention["output"]), middle)
            close(block.feedforward_norm(middle + feedforward["output"]), after)


def test_every_documented_name_is_there_and_no_other():
    block = ("attention", "feedforward")
    attention = {"q", "k", "v", "scores", "weights", "heads", "output"}
    expected = {"embedding.tokens", "embedding.sum", "embedding", "final_norm", "logits"}
    for layer in range(2):
        expected |= {f"blocks.{layer}.attention.{name}" for name in attention}
        expected |= {f"blocks.{layer}.feedforward.{name}" for name in ("activations", "output")}
        expected |= {f"blocks.{layer}.after_{name}" for name in block}
    assert set(trace_model(build(), IDS)[1]) == expected
    cross = {f"cross_attention.{name}" for name in attention} | {"after_cross_attention"}
    both = {f"{side}.{name}" for side in ("encoder", "decoder") for name in expected - {"logits"}}
    both |= {f"decoder.blocks.{layer}.{name}" for layer in range(2) for name in cross}
    assert set(trace_model(build(kind="encoder-decoder"), IDS, IDS)[1]) == both | {"logits"}
    with_heads = build(kind="encoder", pooler=True, mlm_head=True)
    assert set(trace_model(with_heads, IDS)[1]) == expected | {"pooled"}


def test_cross_attention_shows_who_looked_at_what():
    model = build(kind="encoder-decoder")
    source = torch.tensor([[4, 9, 3, 0, 0]])
    mask = torch.tensor([[True, True, True, False, False]])
    _, trace = trace_model(model, source, IDS, source_mask=mask)
    weights = trace["decoder.blocks.1.cross_attention.weights"]
    assert weights.shape == (1, 4, 7, 5)
    assert (weights[..., 3:] == 0).all()
    close(weights.sum(-1), torch.ones(1, 4, 7))


def test_a_trace_leaves_training_as_it_was():
    model = build(dropout=0.5).train()
    first, _ = trace_model(model, IDS)
    assert model.training
    assert torch.equal(first.logits, trace_model(model, IDS)[0].logits)
    assert not first.logits.requires_grad


def test_a_trace_is_asked_for_in_training_too():
    model, trace = GPT(TransformerConfig(**SHAPE)), Trace(only=("embedding",))
    loss = model(IDS, IDS, trace=trace).loss
    (gradient,) = torch.autograd.grad(loss, trace["embedding"])
    assert (gradient.abs().amax(-1) > 0).all()


def test_scores_that_nobody_wants_are_not_computed(monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("computed in the open")

    monkeypatch.setattr("llm_core.layers.attention.attention_scores", forbidden)
    trace_model(build(), IDS, only=("*.after_feedforward", "logits"))
    with pytest.raises(AssertionError, match="in the open"):
        trace_model(build(), IDS, only=("*.weights",))


def test_an_edit_of_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"nothing called blocks\.7\.attention\.heads"):
        trace_model(build(), IDS, edits={"blocks.7.attention.heads": torch.zeros_like})
