"""Shapes by name, as plain data: those of the sandbox, and those of models that made history."""

from typing import Any

_GPT2: dict[str, Any] = {"context_length": 1024, "activation": "gelu_tanh"}
_BERT: dict[str, Any] = {
    "kind": "encoder",
    "context_length": 512,
    "norm_placement": "post",
    "norm_eps": 1e-12,
    "embedding_norm": True,
    "n_token_types": 2,
    "pooler": True,
}
_LLAMA: dict[str, Any] = {
    "position": "rope",
    "norm": "rmsnorm",
    "activation": "swiglu",
    "bias": False,
}
_ENCODER_DECODER: dict[str, Any] = {
    "kind": "encoder-decoder",
    "context_length": 512,
    "d_model": 512,
    "n_layers": 6,
    "n_heads": 8,
    "activation": "relu",
}

# Shapes without a vocabulary: the tokenizer decides that. The small ones are for the sandbox.
PRESETS: dict[str, dict[str, Any]] = {
    "pico": {"n_layers": 2, "n_heads": 4, "d_model": 64, "context_length": 64, "bias": False},
    "nano": {"n_layers": 4, "n_heads": 4, "d_model": 128, "context_length": 64, "bias": False},
    "micro": {"n_layers": 6, "n_heads": 6, "d_model": 192, "context_length": 128, "bias": False},
    "gpt2": _GPT2 | {"n_layers": 12, "n_heads": 12, "d_model": 768},
    "gpt2-medium": _GPT2 | {"n_layers": 24, "n_heads": 16, "d_model": 1024},
    "gpt2-large": _GPT2 | {"n_layers": 36, "n_heads": 20, "d_model": 1280},
    "gpt2-xl": _GPT2 | {"n_layers": 48, "n_heads": 25, "d_model": 1600},
    # Table 2.1 of "Language Models are Few-Shot Learners" (2020). In every other of its layers
    # tokens look at fewer others, in patterns that the paper does not give: here, at all.
    "gpt3-175b": _GPT2 | {"n_layers": 96, "n_heads": 96, "d_model": 12288, "context_length": 2048},
    "smollm2-135m": _LLAMA
    | {
        "n_layers": 30,
        "n_heads": 9,
        "n_kv_heads": 3,
        "d_model": 576,
        "d_ff": 1536,
        "context_length": 8192,
        "rope_base": 100_000.0,
    },
    "minilm": _BERT | {"n_layers": 6, "n_heads": 12, "d_model": 384},
    "bert": _BERT | {"n_layers": 12, "n_heads": 12, "d_model": 768},
    "transformer": _ENCODER_DECODER | {"position": "sinusoidal", "norm_placement": "post"},
    "t5-small": _ENCODER_DECODER
    | {"position": "t5", "norm": "rmsnorm", "norm_eps": 1e-6, "bias": False},
}

# How many tokens the published models know; `preset` still wants to be told.
PUBLISHED_VOCAB_SIZES = {
    "gpt2": 50257,
    "gpt2-medium": 50257,
    "gpt2-large": 50257,
    "gpt2-xl": 50257,
    "gpt3-175b": 50257,
    "smollm2-135m": 49152,
    "minilm": 30522,
    "bert": 30522,
    "transformer": 37000,
    "t5-small": 32128,
}
