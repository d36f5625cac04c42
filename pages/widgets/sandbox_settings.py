"""Parts of the model, windows and device as controls, in the address too.

What is not set is as usual.
"""

from typing import Any

import streamlit as st

from llm_core.models.config import ACTIVATIONS, NORMS, PLACEMENTS, POSITIONS, PRESETS
from llm_core.training.machine import possible_devices
from llm_core.training.recipes import RECIPES, Recipe
from pages.widgets.sandbox_learning import AS_USUAL, LEARNING_KEYS, whole_number

_BIASES = {"with biases": True, "without biases": False}
_TIED = {"the same numbers as the input's": True, "numbers of their own": False}
# Key in the address, field of TransformerConfig, label, largest value, what it does.
_NUMBERS = (
    (
        "layers",
        "n_layers",
        "Layers",
        12,
        "Blocks on top of each other: each reads what the one below wrote. More see deeper "
        "patterns, and take longer.",
    ),
    (
        "heads",
        "n_heads",
        "Heads",
        16,
        "Ways of looking back, in each layer, side by side. They share the width: it must divide "
        "evenly.",
    ),
    (
        "width",
        "d_model",
        "Width",
        512,
        "Numbers for each token. Twice the width makes about four times the parameters.",
    ),
    (
        "kv_heads",
        "n_kv_heads",
        "Key-value heads",
        16,
        "Heads may share their keys and values in groups, so that less must be kept while it "
        "writes. As usual, each has its own.",
    ),
)
_PARTS = (
    (
        "position",
        "Positions",
        POSITIONS,
        "How it is told where a token stands. Without any, it sees earlier tokens as a heap, not "
        "as a row.",
    ),
    (
        "norm",
        "Norm",
        NORMS,
        "How numbers are kept in bounds between layers. RMSNorm leaves out the mean, and learns "
        "as well.",
    ),
    (
        "activation",
        "Activation",
        ACTIVATIONS,
        "The bend in the feed-forward network. Differences are small; SwiGLU has a third matrix.",
    ),
    (
        "placement",
        "Norms stand",
        PLACEMENTS,
        "Before each part of a block (pre), or after it (post), as in 2017: that one needs a "
        "careful warm-up.",
    ),
)
_FIELDS = {"placement": "norm_placement"}  # keys that are not called like their field
# What an address may set.
_HIDDEN_KEYS = {
    *("layers", "heads", "width", "dropout", "position", "norm", "activation", "output"),
    *("kv_heads", "placement", "biases", "device", "context_length", "window_stride"),
    *LEARNING_KEYS,
}
_SHOWN_KEYS = {"size", "recipe", "steps", "text", "amount", "tokenizer", "cut", "vocabulary"}


def choose_shape(size: str) -> dict[str, Any]:
    """Ask for the parts of the model; return the fields that were set to something unusual."""
    left, middle, right = st.columns(3)
    with left:
        shape = _sizes(size)
    with middle:
        for key, label, choices, tip in _PARTS:
            value = st.selectbox(
                label, [AS_USUAL, *choices], key=key, bind="query-params", help=tip
            )
            if value in choices:
                shape[_FIELDS.get(key, key)] = value
    with right:
        shape |= _output_and_dropout()
    return shape


def _sizes(size: str) -> dict[str, Any]:
    heads = PRESETS[size]["n_heads"]
    chosen = {
        field: whole_number(key, label, 1, most, PRESETS[size].get(field, heads), tip)
        for key, field, label, most, tip in _NUMBERS
    }
    return {field: value for field, value in chosen.items() if value is not None}


def _output_and_dropout() -> dict[str, Any]:
    shape: dict[str, Any] = {}
    tied = st.selectbox(
        "Output weights",
        ["as usual", *_TIED],
        key="output",
        bind="query-params",
        help="Reading a token in and writing one out can share one table. Tied, the model is "
        "smaller.",
    )
    if tied in _TIED:
        shape["tie_embeddings"] = _TIED[tied]
    biases = st.selectbox(
        "Biases",
        ["as usual", *_BIASES],
        key="biases",
        bind="query-params",
        help="Whether linear layers and norms add a number of their own. They can do without.",
    )
    if biases in _BIASES:
        shape["bias"] = _BIASES[biases]
    dropout = st.slider(
        "Dropout",
        0.0,
        0.9,
        0.0,
        0.05,
        key="dropout",
        bind="query-params",
        help="The share of numbers that are set to 0 at random in each step. It slows learning "
        "down, and learning by heart even more.",
    )
    if dropout:
        shape["dropout"] = float(dropout)
    return shape


def choose_windows(size: str) -> tuple[int, int]:
    """Ask how the text is cut into windows; return context length and stride."""
    usual = int(PRESETS[size]["context_length"])
    left, right = st.columns(2)
    with left:
        chosen = whole_number(
            "context_length",
            "Context length",
            4,
            256,
            usual,
            "How many tokens (as usual: characters) the model sees at once. Twice as many cost at "
            "least twice the time.",
        )
    with right:
        stride = st.number_input(
            "Stride",
            1,
            256,
            1,
            key="window_stride",
            bind="query-params",
            help="Windows begin at multiples of it. With 1 they begin anywhere.",
        )
    context_length, stride = chosen or usual, int(stride)
    if stride > context_length:
        st.caption(
            f"The stride skips {stride - context_length} of every {stride} tokens: "
            "the model never reads them."
        )
    return context_length, stride


def choose_device() -> str:
    """Ask where to compute, if this machine may have more than a processor."""
    devices = possible_devices()
    if len(devices) == 2:
        return "auto"
    names = {"auto": "The fastest", "cpu": "Processor", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}
    name = st.selectbox(
        "Compute on", devices, format_func=names.__getitem__, key="device", bind="query-params"
    )
    return name or "auto"


def any_set() -> bool:
    """Does the address set any of what is usually out of sight?"""
    return bool(_HIDDEN_KEYS & set(st.query_params))


def set_up_asked() -> bool:
    """Does the address ask for settings, and for no run?"""
    asked = set(st.query_params)
    return "run" not in asked and bool((_HIDDEN_KEYS | _SHOWN_KEYS) & asked)


def recipe_named(name: str) -> Recipe:
    """Return a recipe; the classic one for a name that is none."""
    return RECIPES.get(name, RECIPES["classic"])
