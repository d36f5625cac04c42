import dataclasses
import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from llm_core.models.config import TransformerConfig, preset
from llm_core.models.encoder import Encoder
from llm_core.models.gpt import GPT
from llm_core.models.huggingface import load_huggingface, save_huggingface
from llm_core.models.huggingface_import import from_huggingface

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

TINY = {"vocab_size": 61, "context_length": 24, "d_model": 32, "n_layers": 2, "n_heads": 4}
LLAMA = {"position": "rope", "norm": "rmsnorm", "norm_eps": 1e-6, "bias": False}
BERT = {"kind": "encoder", "norm_placement": "post", "embedding_norm": True, "n_token_types": 2}

# What is trained here, and the class of transformers that opens it.
OURS = {
    "gpt2": (TINY | {"activation": "gelu_tanh"}, "GPT2LMHeadModel"),
    "gpt2, untied, d_ff": (TINY | {"tie_embeddings": False, "d_ff": 50}, "GPT2LMHeadModel"),
    "the sandbox's": (TINY | {"bias": False}, "GPT2LMHeadModel"),
    "ALiBi": (TINY | {"bias": False, "position": "alibi", "n_heads": 8}, "MptForCausalLM"),
    "ALiBi, 6 heads": (
        TINY | {"bias": False, "position": "alibi", "n_heads": 6, "d_model": 36},
        "MptForCausalLM",
    ),
    "llama": (TINY | LLAMA | {"activation": "swiglu", "n_kv_heads": 2}, "LlamaForCausalLM"),
    "llama with biases": (
        TINY | LLAMA | {"activation": "swiglu", "bias": True, "rope_base": 500.0, "d_ff": 40},
        "LlamaForCausalLM",
    ),
    "llama stretched": (
        TINY | LLAMA | {"activation": "swiglu", "rope_scaling": 4.0, "tie_embeddings": False},
        "LlamaForCausalLM",
    ),
    "llama with a window": (
        TINY | LLAMA | {"activation": "swiglu", "n_kv_heads": 1, "window": 5},
        "MistralForCausalLM",
    ),
    "llama with query-key norm": (
        TINY | LLAMA | {"activation": "swiglu", "qk_norm": True, "n_kv_heads": 2},
        "Qwen3ForCausalLM",
    ),
    "without a gate": (TINY | LLAMA | {"activation": "relu_squared"}, "ArceeForCausalLM"),
    "the modern recipe's": (
        TINY | LLAMA | {"activation": "relu_squared", "qk_norm": True},
        "ApertusForCausalLM",
    ),
    "bert": (TINY | BERT | {"pooler": True}, "BertModel"),
    "bert that guesses": (TINY | BERT | {"mlm_head": True}, "BertForMaskedLM"),
}


def build(shape):
    config = TransformerConfig(**shape)
    return Encoder(config) if config.kind == "encoder" else GPT(config)


def first_output(output):
    """Logits, or the hidden vectors of a model without a head: ours or theirs."""
    logits = getattr(output, "logits", None)
    if logits is not None:
        return logits
    return output.hidden if hasattr(output, "hidden") else output.last_hidden_state


def ids_of(length=24, seed=5):
    return torch.randint(61, (2, length), generator=torch.Generator().manual_seed(seed))


def assert_same_outputs(ours, theirs):
    with torch.no_grad():
        torch.testing.assert_close(
            first_output(ours(ids_of())), first_output(theirs(ids_of())), atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("name", OURS)
def test_saved_here_opened_there_and_back_again_unchanged(name, shaken, tmp_path):
    shape, class_name = OURS[name]
    ours = shaken(build(shape))
    save_huggingface(ours, None, tmp_path / "ours")
    theirs, report = getattr(transformers, class_name).from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert json.loads((tmp_path / "ours/config.json").read_text())["architectures"] == [class_name]
    assert_same_outputs(ours, theirs.eval())
    theirs.save_pretrained(tmp_path / "theirs")
    back = load_huggingface(tmp_path / "theirs")
    assert back.config == ours.config
    assert not back.training
    for weight, expected in zip(back.state_dict().items(), ours.state_dict().items(), strict=True):
        assert weight[0] == expected[0]
        assert torch.equal(weight[1], expected[1]), weight[0]
    save_huggingface(back, None, tmp_path / "again")
    first, again = (
        load_file(tmp_path / which / "model.safetensors") for which in ("ours", "again")
    )
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize("name", OURS)
def test_the_auto_class_finds_the_right_one(name, tmp_path):
    shape, class_name = OURS[name]
    save_huggingface(build(shape), None, tmp_path)
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    assert config.architectures == [class_name]


def their_checkpoints():
    common = {"vocab_size": 61, "num_hidden_layers": 2, "num_attention_heads": 4}
    t = transformers
    gpt2 = {"vocab_size": 61, "n_positions": 24, "n_embd": 32, "n_layer": 2, "n_head": 4}
    sizes = common | {"hidden_size": 32, "intermediate_size": 48, "max_position_embeddings": 24}
    return {
        "GPT2LMHeadModel": t.GPT2LMHeadModel(t.GPT2Config(**gpt2)),
        "GPT2Model": t.GPT2Model(t.GPT2Config(**gpt2)),
        "LlamaForCausalLM": t.LlamaForCausalLM(t.LlamaConfig(**sizes, num_key_value_heads=2)),
        "LlamaForCausalLM, tied": t.LlamaForCausalLM(
            t.LlamaConfig(**sizes, tie_word_embeddings=True)
        ),
        "BertModel": t.BertModel(t.BertConfig(**sizes)),
        "BertForMaskedLM": t.BertForMaskedLM(t.BertConfig(**sizes)),
        "BertForPreTraining": t.BertForPreTraining(t.BertConfig(**sizes)),
    }


@pytest.mark.parametrize(
    "name",
    [
        "GPT2LMHeadModel",
        "GPT2Model",
        "LlamaForCausalLM",
        "LlamaForCausalLM, tied",
        "BertModel",
        "BertForMaskedLM",
        "BertForPreTraining",
    ],
)
def test_checkpoints_made_by_transformers_open_here(name, shaken, tmp_path):
    torch.manual_seed(0)
    theirs = shaken(their_checkpoints()[name])
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    with torch.no_grad():
        expected, output = theirs(ids_of()), ours(ids_of())
    if name == "GPT2Model":
        logits = expected.last_hidden_state @ theirs.wte.weight.T
    elif name == "BertModel":
        logits = None
        torch.testing.assert_close(output.pooled, expected.pooler_output, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(output.hidden, expected[0], atol=1e-4, rtol=1e-4)
    else:
        logits = getattr(expected, "logits", getattr(expected, "prediction_logits", None))
    if logits is not None:
        torch.testing.assert_close(output.logits, logits, atol=1e-4, rtol=1e-4)


def test_smollm2s_published_config_is_our_preset():
    # As in the model's own config.json, written by transformers 4.
    published = {
        "model_type": "llama",
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "max_position_embeddings": 8192,
        "rope_theta": 100000,
        "rope_scaling": None,
        "rms_norm_eps": 1e-05,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
    }
    assert from_huggingface(published, set()) == preset("smollm2-135m", vocab_size=49152)


def test_half_precision_survives(shaken, tmp_path):
    model = shaken(build(OURS["llama"][0])).to(torch.bfloat16)
    save_huggingface(model, None, tmp_path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert theirs.dtype == torch.bfloat16
    back = load_huggingface(tmp_path, dtype=torch.bfloat16)
    assert all(
        torch.equal(a, b)
        for a, b in zip(back.state_dict().values(), model.state_dict().values(), strict=True)
    )
    assert load_huggingface(tmp_path).token_embedding.weight.dtype == torch.float32


def test_a_loaded_model_can_be_trained(tmp_path):
    save_huggingface(build(OURS["llama"][0]), None, tmp_path)
    model = load_huggingface(tmp_path).train()
    model(ids_of(), ids_of(seed=6)).loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_biases_that_were_trained_since_are_kept(tmp_path):
    save_huggingface(build(OURS["the sandbox's"][0]), None, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["transformer.h.1.mlp.c_fc.bias"][3] = 0.5
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    model = load_huggingface(tmp_path)
    assert model.config.bias
    assert model.blocks[1].feedforward.widen.bias[3] == 0.5


class Characters:
    def to_huggingface(self):
        vocabulary = {character: index for index, character in enumerate("abc")}
        model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "a"}
        splitter = {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated"}
        return json.dumps(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": [],
                "normalizer": None,
                "pre_tokenizer": splitter | {"invert": False},
                "post_processor": None,
                "decoder": None,
                "model": model,
            }
        )


def test_the_tokenizer_goes_along(tmp_path):
    save_huggingface(build(OURS["gpt2"][0]), Characters(), tmp_path)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tmp_path / "tokenizer.json")
    )
    assert tokenizer.encode("cab") == [2, 0, 1]


@pytest.fixture
def checkpoint(tmp_path):
    """A saved GPT-2, and a way to change its tensors or its config."""
    save_huggingface(build(OURS["gpt2"][0]), None, tmp_path)

    def change(tensors=None, config=None):
        path = tmp_path / "model.safetensors"
        stored = load_file(path)
        for name, tensor in (tensors or {}).items():
            if tensor is None:
                del stored[name]
            else:
                stored[name] = tensor
        save_file(stored, path, metadata={"format": "pt"})
        path = tmp_path / "config.json"
        content = json.loads(path.read_text()) | (config or {})
        path.write_text(json.dumps({k: v for k, v in content.items() if v != "gone"}))
        return tmp_path

    return change


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"transformer.h.0.ln_1.bias": None}, r"missing: transformer\.h\.0\.ln_1\.bias\."),
        ({"lm_head.bias": torch.zeros(3)}, r"surplus: lm_head\.bias\."),
        ({"transformer.h.9.ln_1.bias": torch.zeros(32)}, r"surplus: transformer\.h\.9"),
        (
            {"transformer.ln_f.bias": torch.zeros(31)},
            r"misshapen: transformer\.ln_f\.bias \(\(31,\) instead of \(32,\)\)",
        ),
        ({"lm_head.weight": torch.zeros(61, 32)}, "lm_head.weight should be a copy"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(checkpoint, tensors, words):
    with pytest.raises(ValueError, match=words):
        load_huggingface(checkpoint(tensors))


def test_buffers_and_copies_of_old_checkpoints_are_no_surplus(checkpoint):
    folder = checkpoint()
    table = load_file(folder / "model.safetensors")["transformer.wte.weight"]
    extra = {"lm_head.weight": table, "transformer.h.0.attn.bias": torch.ones(1, 1, 24, 24)}
    assert torch.equal(load_huggingface(checkpoint(extra)).token_embedding.weight, table)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "mamba"}, "type 'mamba' cannot be read"),
        ({"model_type": "gone"}, "type None cannot be read"),
        ({"activation_function": "silu"}, "activation 'silu'"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx = True"),
        ({"n_embd": "gone"}, "incomplete or damaged"),
        ({"n_head": 5}, "cannot be split evenly"),
        ({"model_type": "llama"}, "incomplete or damaged"),
    ],
)
def test_configs_that_our_models_cannot_be_are_refused(checkpoint, config, words):
    with pytest.raises(ValueError, match=words):
        load_huggingface(checkpoint(config=config))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rope_parameters": {"rope_type": "yarn"}}, "RoPE of type 'yarn'"),
        ({"head_dim": 16}, "head_dim = 16"),
        ({"mlp_bias": True}, "mlp_bias = True"),
    ],
)
def test_features_of_llama_that_we_lack_are_refused(tmp_path, change, words):
    save_huggingface(build(OURS["llama"][0]), None, tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=words):
        load_huggingface(tmp_path)


def test_damaged_and_pickled_files_are_refused(checkpoint):
    folder = checkpoint()
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for part in (whole[:40], whole[: len(whole) // 2], b"", b"\x80\x04 a pickle"):
        weights.write_bytes(part)
        with pytest.raises(ValueError, match="damaged or incomplete"):
            load_huggingface(folder)
    weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="pickled one is never opened"):
        load_huggingface(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        load_huggingface(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"no config\.json"):
        load_huggingface(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"position": "shaw"},
        {"position": "sinusoidal"},
        {"norm_placement": "post"},
        {"qk_norm": True},
        {"n_kv_heads": 2},
        {"window": 4},
        {"activation": "swiglu"},
        {"position": "alibi"},
        {"position": "rope"},
        LLAMA | {"position": "none"},
        LLAMA | {"qk_norm": True, "bias": True},
        {"kind": "encoder"},
        {"kind": "encoder-decoder"},
        BERT | {"bias": False},
    ],
)
def test_shapes_that_transformers_lacks_are_refused(change, tmp_path):
    model = build(TINY)
    model.config = dataclasses.replace(model.config, **change)
    with pytest.raises(ValueError, match="transformers has no model of these parts"):
        save_huggingface(model, None, tmp_path / "new")
    assert not (tmp_path / "new").exists()
