"""Which model of transformers computes what ours does, and what its config.json says."""

from typing import Any

from llm_core.models.config import TransformerConfig

BIAS_FREE = "bias_free"  # our own entry: the biases that GPT-2's format asks for are only zeros

ACTIVATION_NAMES = {
    "gelu": "gelu",
    "gelu_tanh": "gelu_new",
    "relu": "relu",
    "relu_squared": "relu2",
    "swiglu": "silu",
}
_ARCHITECTURES = {
    "gpt2": "GPT2LMHeadModel",
    "mpt": "MptForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "arcee": "ArceeForCausalLM",
    "apertus": "ApertusForCausalLM",
}


def family_of(config: TransformerConfig) -> str:
    """Return transformers' model type that computes the same; ValueError if there is none."""
    family = None
    if config.kind == "decoder" and not config.scale_embeddings:
        family = _decoder_family(config)
    elif config.kind == "encoder" and not config.scale_embeddings:
        family = _encoder_family(config)
    if family is None:
        raise ValueError(
            f"transformers has no model of these parts: {config.kind}, position {config.position}, "
            f"{config.norm_placement}-{config.norm}, {config.activation}, bias {config.bias}, "
            f"{config.n_kv_heads} of {config.n_heads} heads, qk_norm {config.qk_norm}, window "
            f"{config.window}, embedding_norm {config.embedding_norm}, token types "
            f"{config.n_token_types}, scaled embeddings {config.scale_embeddings}."
        )
    return family


def _decoder_family(config: TransformerConfig) -> str | None:
    gated = config.activation == "swiglu"
    if config.norm_placement == "post" or config.embedding_norm:
        return None
    if config.norm == "layernorm":
        if gated or config.qk_norm or config.window or config.n_kv_heads != config.n_heads:
            return None
        if config.position == "learned":
            return "gpt2"
        wide = config.d_ff == 4 * config.d_model
        mpt = config.position == "alibi" and wide and config.activation == "gelu"
        return "mpt" if mpt and not config.bias else None
    if config.position != "rope" or (config.qk_norm and config.bias):
        return None
    if config.window is not None:
        return "mistral" if gated and not (config.qk_norm or config.bias) else None
    if config.qk_norm:
        return "qwen3" if gated else "apertus"
    return "llama" if gated else "arcee"


def _encoder_family(config: TransformerConfig) -> str | None:
    like_bert = (
        config.position == "learned"
        and config.norm == "layernorm"
        and config.norm_placement == "post"
        and config.activation != "swiglu"
        and config.n_kv_heads == config.n_heads
        and config.n_token_types > 0
        and (config.embedding_norm and config.bias)
        and not (config.qk_norm or config.window)
    )
    return "bert" if like_bert else None


def to_huggingface(config: TransformerConfig, dtype: str) -> dict[str, Any]:
    """Return the content of config.json; ValueError for a shape that transformers lacks."""
    family = family_of(config)
    content: dict[str, Any] = {
        "model_type": family,
        "vocab_size": config.vocab_size,
        "tie_word_embeddings": config.tie_embeddings,
        "dtype": dtype,
    }
    # Their defaults are ids of other vocabularies.
    content |= dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"))
    if family == "bert":
        head = "BertForMaskedLM" if config.mlm_head else "BertModel"
        return content | {"architectures": [head]} | _write_bert(config)
    content["architectures"] = [_ARCHITECTURES[family]]
    if family == "gpt2":
        return content | _write_gpt2(config)
    return content | (_write_mpt(config) if family == "mpt" else _write_llama(config, family))


def _write_gpt2(config: TransformerConfig) -> dict[str, Any]:
    return {
        "n_positions": config.context_length,
        "n_embd": config.d_model,
        "n_layer": config.n_layers,
        "n_head": config.n_heads,
        "n_inner": config.d_ff,
        "activation_function": ACTIVATION_NAMES[config.activation],
        "layer_norm_epsilon": config.norm_eps,
        "resid_pdrop": config.dropout,
        "embd_pdrop": config.dropout,
        "attn_pdrop": config.dropout,
        BIAS_FREE: not config.bias,
    }


def _write_mpt(config: TransformerConfig) -> dict[str, Any]:
    return {
        "max_seq_len": config.context_length,
        "d_model": config.d_model,
        "n_layers": config.n_layers,
        "n_heads": config.n_heads,
        "layer_norm_epsilon": config.norm_eps,
        "no_bias": True,
        "attn_config": {"alibi": True},  # its dropout must be a whole number: it is left out
    }


def _write_llama(config: TransformerConfig, family: str) -> dict[str, Any]:
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": config.rope_base}
    if config.rope_scaling != 1:
        rope |= {"rope_type": "linear", "factor": config.rope_scaling}
    content = {
        "max_position_embeddings": config.context_length,
        "hidden_size": config.d_model,
        "intermediate_size": config.d_ff,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.d_head,
        "hidden_act": ACTIVATION_NAMES[config.activation],
        "rms_norm_eps": config.norm_eps,
        "rope_parameters": rope,
        "rope_theta": config.rope_base,  # where transformers 4 looks for it
        "attention_bias": config.bias,
        "attention_dropout": config.dropout,
    }
    if family in ("llama", "arcee"):
        content["mlp_bias"] = config.bias
    if family == "mistral":
        content["sliding_window"] = config.window
    return content


def _write_bert(config: TransformerConfig) -> dict[str, Any]:
    return {
        "hidden_size": config.d_model,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "intermediate_size": config.d_ff,
        "hidden_act": ACTIVATION_NAMES[config.activation],
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "max_position_embeddings": config.context_length,
        "type_vocab_size": config.n_token_types,
        "layer_norm_eps": config.norm_eps,
    }
