"""How a run learns, as controls: rate, schedule, optimizer, batches, precision, and when it stops.

What is not set is as in the recipe.
"""

from dataclasses import replace
from typing import Any

import streamlit as st

from llm_core.training.recipes import MATRIX_OPTIMIZERS, SCHEDULES, Recipe

BATCH = 16  # windows in a batch, unless set
SEED = 1337
AS_USUAL = "as in the recipe"
LEARNING_KEYS = {
    *("rate", "schedule", "optimizer", "warmup", "decay", "clip"),
    *("batch", "accumulation", "seed", "precision", "minutes", "stop_loss"),
}
_SCHEDULES = {"cosine": "down in a curve", "wsd": "high for long, then down"}
_OPTIMIZERS = {"adamw": "AdamW for all weights", "muon": "Muon for matrices"}
_PRECISIONS = {"auto": "the faster one here", "float32": "32 bits", "bfloat16": "16 bits"}


def choose_learning(recipe: Recipe) -> dict[str, Any]:
    """Ask how it learns; return recipe, batch, accumulation, seed and precision by name."""
    left, middle, right = st.columns(3)
    with left:
        recipe = _rate_and_optimizer(recipe)
    with middle:
        batch, accumulation = _batches()
        recipe = _warmup(recipe)
    with right:
        recipe = _limits_of_weights(recipe)
        precision = st.selectbox(
            "Precision",
            list(_PRECISIONS),
            format_func=_PRECISIONS.__getitem__,
            key="precision",
            bind="query-params",
            help="Bits of a number in products. 16 are faster on some machines, and coarse.",
        )
        seed = whole_number(
            "seed",
            "Seed",
            0,
            10**6,
            SEED,
            "Decides all that is random: the first weights, and the windows. The same seed, the "
            "same run.",
        )
    return {
        "recipe": recipe,
        "batch": batch,
        "accumulation": accumulation,
        "seed": SEED if seed is None else seed,
        "precision": precision,
    }


def choose_end() -> dict[str, Any]:
    """Ask when it stops, if not at its last step; return minutes and loss by name."""
    left, right = st.columns(2)
    with left:
        minutes = _amount(
            "minutes",
            "Stop after minutes",
            (0.1, 10_000.0),
            "no limit",
            "Of training; while it is paused, the clock stands still. The schedule of the rate is "
            "made for all steps, so a run that ends early has not come down yet.",
        )
    with right:
        loss = _amount(
            "stop_loss",
            "Stop at a validation loss of",
            (0.01, 20.0),
            "no limit",
            "It looks at each evaluation, some twenty times a run.",
        )
    return {"stop_minutes": minutes, "stop_loss": loss}


def changed_recipe(recipe: Recipe, **settings: Any) -> Recipe:
    """Return the recipe with other settings; what is None, or as usual, stays.

    With another peak rate, Muon's changes in the same proportion.
    """
    given = {name: value for name, value in settings.items() if value not in (None, AS_USUAL)}
    rate = given.pop("rate", None)
    if rate is not None and rate != recipe.learning_rate:
        share = rate / recipe.learning_rate
        given["learning_rate"] = float(rate)
        given["matrix_learning_rate"] = recipe.matrix_learning_rate * share
    return replace(recipe, **given)


def whole_number(key: str, label: str, least: int, most: int, usual: int, tip: str) -> int | None:
    """Ask for a whole number that is also in the address; None stands for the usual one."""
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


def _amount(
    key: str, label: str, bounds: tuple[float, float], usual: str, tip: str
) -> float | None:
    value = st.number_input(
        label,
        *bounds,
        None,
        step=bounds[0],
        format="%g",
        placeholder=usual,
        key=key,
        bind="query-params",
        help=tip,
    )
    return None if value is None else float(value)


def _rate_and_optimizer(recipe: Recipe) -> Recipe:
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
    optimizer = st.selectbox(
        "Optimizer",
        [AS_USUAL, *MATRIX_OPTIMIZERS],
        format_func=lambda each: _OPTIMIZERS.get(each, each),
        key="optimizer",
        bind="query-params",
        help="AdamW scales each number's step by how much its gradients vary. Muon turns a whole "
        "matrix's step so that all directions count alike; it needs fewer steps.",
    )
    return changed_recipe(recipe, rate=rate, schedule=schedule, matrix_optimizer=optimizer)


def _batches() -> tuple[int, int]:
    batch = whole_number(
        "batch",
        "Windows a batch",
        1,
        128,
        BATCH,
        "How many windows are read side by side. More make the steps steadier, and slower.",
    )
    accumulation = whole_number(
        "accumulation",
        "Batches a step",
        1,
        64,
        1,
        "How many batches are read, one after the other, before the weights change: as good as one "
        "batch that many times larger, and it takes no more memory.",
    )
    return batch or BATCH, accumulation or 1


def _warmup(recipe: Recipe) -> Recipe:
    steps = whole_number(
        "warmup",
        "Warm-up steps",
        0,
        10_000,
        recipe.warmup_steps,
        "The rate rises to its peak over so many steps, at most a tenth of the run: the very first "
        "gradients point far and wide.",
    )
    return changed_recipe(recipe, warmup_steps=steps)


def _limits_of_weights(recipe: Recipe) -> Recipe:
    decay = _amount(
        "decay",
        "Weight decay",
        (0.0, 1.0),
        f"{recipe.weight_decay:g}, as in the recipe",
        "Pulls matrices towards 0 in every step, so that no input weighs too much.",
    )
    clip = _amount(
        "clip",
        "Clip gradients at",
        (0.01, 1000.0),
        f"{recipe.clip_norm:g}, as in the recipe",
        "A gradient longer than this is shortened to it: a single odd batch cannot throw the run "
        "off.",
    )
    return changed_recipe(recipe, weight_decay=decay, clip_norm=clip)
