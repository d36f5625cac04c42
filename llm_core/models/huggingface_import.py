"""config.json of transformers, read into our config."""

from typing import Any

from llm_core.models.config import TransformerConfig
from llm_core.models.huggingface_export import ACTIVATION_NAMES, BIAS_FREE
from llm_core.models.huggingface_names import LLAMA_LIKE

_ACTIVATIONS = {theirs: ours for ours, theirs in ACTIVATION_NAMES.items()}
_ACTIVATIONS["gelu_pytorch_tanh"] = "gelu_tanh"
_GATED = ("llama", "mistral", "qwen3")


def from_huggingface(content: dict[str, Any], names: set[str]) -> TransformerConfig:
    """Read the content of config.json; `names` of the tensors tell which heads there are.

    Raises ValueError for a family or a feature that our models lack, and for missing entries.
    """
    family = content.get("model_type")
    try:
        if family == "gpt2":
            return _read_gpt2(content)
        if family == "mpt":
            return _read_mpt(content)
        if family == "bert":
            return _read_bert(content, names)
        if family in LLAMA_LIKE:
            return _read_llama(content, str(family))
    except (KeyError, TypeError) as error:
        raise ValueError(f"config.json is incomplete or damaged: {error}.") from error
    known = ", ".join(("gpt2", "mpt", "bert", *LLAMA_LIKE))
    raise ValueError(f"A checkpoint of type {family!r} cannot be read here, only {known}.")


def _require(content: dict[str, Any], key: str, *allowed: Any) -> None:
    """Refuse a feature that we lack; a missing entry stands for the first of those allowed."""
    if content.get(key, allowed[0]) not in allowed:
        raise ValueError(f"config.json asks for {key} = {content[key]!r}: our models have no such.")


def _activation(name: str, *, gated: bool) -> str:
    if name not in _ACTIVATIONS or (_ACTIVATIONS[name] == "swiglu") != gated:
        raise ValueError(f"config.json asks for the activation {name!r}: our models have no such.")
    return _ACTIVATIONS[name]


def _read_gpt2(content: dict[str, Any]) -> TransformerConfig:
    _require(content, "scale_attn_weights", True)
    _require(content, "scale_attn_by_inverse_layer_idx", False)
    _require(content, "add_cross_attention", False)
    return TransformerConfig(
        vocab_size=content["vocab_size"],
        context_length=content["n_positions"],
        d_model=content["n_embd"],
        n_layers=content["n_layer"],
        n_heads=content["n_head"],
        d_ff=content.get("n_inner") or 0,
        activation=_activation(content.get("activation_function", "gelu_new"), gated=False),
        norm_eps=content.get("layer_norm_epsilon", 1e-5),
        dropout=content.get("resid_pdrop", 0.0),
        bias=not content.get(BIAS_FREE, False),
        tie_embeddings=content.get("tie_word_embeddings", True),
    )


def _read_mpt(content: dict[str, Any]) -> TransformerConfig:
    attention = content.get("attn_config") or {}
    _require(attention, "alibi", True)
    _require(attention, "alibi_bias_max", 8)
    _require(attention, "qk_ln", False)
    for key in ("clip_qkv", "softmax_scale"):
        _require(attention, key, None)
    _require(content, "no_bias", True)
    _require(content, "expansion_ratio", 4)
    return TransformerConfig(
        vocab_size=content["vocab_size"],
        context_length=content["max_seq_len"],
        d_model=content["d_model"],
        n_layers=content["n_layers"],
        n_heads=content["n_heads"],
        position="alibi",
        norm_eps=content.get("layer_norm_epsilon", 1e-5),
        bias=False,
        tie_embeddings=content.get("tie_word_embeddings", True),
    )


def _read_llama(content: dict[str, Any], family: str) -> TransformerConfig:
    width, heads = content["hidden_size"], content["num_attention_heads"]
    _require(content, "head_dim", width // heads, None)
    _require(content, "use_sliding_window", False)
    bias = content.get("attention_bias", False)
    _require(content, "mlp_bias", *((bias,) if family in ("llama", "arcee") else (False,)))
    if family not in ("llama", "arcee"):
        _require(content, "attention_bias", False)
    rope = content.get("rope_parameters") or content.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ("default", "linear"):
        raise ValueError(f"config.json asks for RoPE of type {kind!r}: our models have no such.")
    gated = family in _GATED
    return TransformerConfig(
        vocab_size=content["vocab_size"],
        context_length=content["max_position_embeddings"],
        d_model=width,
        n_layers=content["num_hidden_layers"],
        n_heads=heads,
        n_kv_heads=content.get("num_key_value_heads") or heads,
        d_ff=content["intermediate_size"],
        position="rope",
        rope_base=float(rope.get("rope_theta", content.get("rope_theta", 10_000.0))),
        rope_scaling=float(rope.get("factor", 1.0)),
        norm="rmsnorm",
        norm_eps=content["rms_norm_eps"],
        activation=_activation(content["hidden_act"], gated=gated),
        qk_norm=family in ("qwen3", "apertus"),
        window=content.get("sliding_window") if family == "mistral" else None,
        bias=bias,
        dropout=content.get("attention_dropout", 0.0),
        tie_embeddings=content.get("tie_word_embeddings", False),
    )


def _read_bert(content: dict[str, Any], names: set[str]) -> TransformerConfig:
    _require(content, "position_embedding_type", "absolute")
    _require(content, "is_decoder", False)
    return TransformerConfig(
        kind="encoder",
        vocab_size=content["vocab_size"],
        context_length=content["max_position_embeddings"],
        d_model=content["hidden_size"],
        n_layers=content["num_hidden_layers"],
        n_heads=content["num_attention_heads"],
        d_ff=content["intermediate_size"],
        activation=_activation(content.get("hidden_act", "gelu"), gated=False),
        norm_placement="post",
        norm_eps=content.get("layer_norm_eps", 1e-12),
        embedding_norm=True,
        n_token_types=content["type_vocab_size"],
        dropout=content.get("hidden_dropout_prob", 0.0),
        mlm_head=any(name.startswith("cls.predictions.") for name in names),
        pooler=any("pooler.dense" in name for name in names),
        tie_embeddings=content.get("tie_word_embeddings", True),
    )
