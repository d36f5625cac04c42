"""Every setting of a run as a control, in the address too; what is not set is as usual."""

from dataclasses import replace
from typing import Any

import streamlit as st

from llm_core.models.config import ACTIVATIONS, NORMS, POSITIONS, PRESETS
from llm_core.training.machine import possible_devices
from llm_core.training.recipes import RECIPES, SCHEDULES, Recipe

BATCH = 16  # windows a step, unless set
SEED = 1337
AS_USUAL = "as in the recipe"
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
)
# What an address may set.
_HIDDEN_KEYS = {
    *("layers", "heads", "width", "dropout", "position", "norm", "activation", "output"),
    *("rate", "schedule", "batch", "seed", "precision", "device"),
    *("context_length", "window_stride"),
}
_SHOWN_KEYS = {"size", "recipe", "steps", "text", "amount", "tokenizer"}
_SCHEDULES = {"cosine": "down in a curve", "wsd": "high for long, then down"}
_PRECISIONS = {"auto": "the faster one here", "float32": "32 bits", "bfloat16": "16 bits"}


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
                shape[key] = value
    with right:
        shape |= _output_and_dropout()
    return shape


def _sizes(size: str) -> dict[str, Any]:
    chosen = {
        field: _number(key, label, 1, most, PRESETS[size][field], tip)
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
        chosen = _number(
            "context_length",
            "Context length",
            4,
            256,
            usual,
            "How many characters the model sees at once. Twice as many cost at least twice the "
            "time.",
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
            f"The stride skips {stride - context_length} of every {stride} characters: "
            "the model never reads them."
        )
    return context_length, stride


def choose_learning(recipe: Recipe) -> tuple[Recipe, int, int, str]:
    """Ask how it learns; return the recipe as changed, windows a step, seed and precision."""
    left, middle, right = st.columns(3)
    with left:
        recipe = _learning_rate(recipe)
    with middle:
        batch = _number(
            "batch",
            "Windows a step",
            1,
            128,
            BATCH,
            "How many windows a step reads before it changes the weights. More make the steps "
            "steadier, and slower.",
        )
        seed = _number(
            "seed",
            "Seed",
            0,
            10**6,
            SEED,
            "Decides all that is random: the first weights, and the windows. The same seed, the "
            "same run.",
        )
    with right:
        precision = st.selectbox(
            "Precision",
            list(_PRECISIONS),
            format_func=_PRECISIONS.__getitem__,
            key="precision",
            bind="query-params",
            help="Bits of a number in products. 16 are faster on some machines, and coarse.",
        )
    seed = SEED if seed is None else seed
    return recipe, batch or BATCH, seed, precision


def _learning_rate(recipe: Recipe) -> Recipe:
    rate = st.number_input(
        "Learning rate",
        1e-5,
        30.0,
        None,
        step=0.001,
        format="%g",
        placeholder=f"{recipe.learning_rate:g}, as in the recipe",
        key="rate",
        bind="query-params",
        help="How far a step goes, at its highest. Three times too low learns slowly, three times "
        "too high jumps about.",
    )
    schedule = st.selectbox(
        "Schedule",
        [AS_USUAL, *SCHEDULES],
        format_func=lambda each: _SCHEDULES.get(each, each),
        key="schedule",
        bind="query-params",
        help="How the rate changes over the run. It starts low, and must come down at the end for "
        "the loss to settle.",
    )
    return changed_recipe(recipe, rate, schedule)


def changed_recipe(recipe: Recipe, rate: float | None, schedule: str | None) -> Recipe:
    """Return the recipe with another peak rate (Muon's in the same proportion) or schedule."""
    if rate is not None and rate != recipe.learning_rate:
        share = rate / recipe.learning_rate
        recipe = replace(
            recipe,
            learning_rate=float(rate),
            matrix_learning_rate=recipe.matrix_learning_rate * share,
        )
    if schedule in SCHEDULES:
        recipe = replace(recipe, schedule=schedule)
    return recipe


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


def _number(key: str, label: str, least: int, most: int, usual: int, tip: str) -> int | None:
    value = st.number_input(
        label,
        least,
        most,
        None,
        placeholder=f"{usual:,}, as usual",
        key=key,
        bind="query-params",
        help=tip,
    )
    return None if value is None else int(value)
