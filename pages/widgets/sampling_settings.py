"""The controls of all filters, in the address, and the settings as Python."""

from typing import Any

import streamlit as st

from llm_core.generation.settings import SamplingSettings

# Name of the setting, label, lowest, highest, default, step, key in the address, help.
_TEMPERATURE = ("temperature", "Temperature", 0.0, 2.0, 0.8, 0.1, "t", "0 takes the likeliest.")
_CUTS = (
    ("top_k", "Top-k (0: off)", 0, 50, 0, 1, "k", "Keep the k likeliest."),
    (
        "top_p",
        "Top-p (1: off)",
        0.05,
        1.0,
        0.9,
        0.05,
        "p",
        "Keep the fewest likeliest tokens that hold this probability together.",
    ),
    (
        "min_p",
        "Min-p (0: off)",
        0.0,
        0.5,
        0.0,
        0.05,
        "m",
        "Keep what is at least this share as likely as the likeliest.",
    ),
    (
        "repetition_penalty",
        "Repetition penalty (1: off)",
        1.0,
        2.0,
        1.0,
        0.1,
        "r",
        "Lowers the logits of all tokens that the text already holds.",
    ),
)
_MORE = (
    (
        "typical_p",
        "Typical (1: off)",
        0.05,
        1.0,
        1.0,
        0.05,
        "y",
        "Keep tokens of the most usual surprise that hold this probability together.",
    ),
    (
        "presence_penalty",
        "Presence penalty (0: off)",
        0.0,
        3.0,
        0.0,
        0.5,
        "presence",
        "Taken off the logit of each token that the text already holds.",
    ),
    (
        "frequency_penalty",
        "Frequency penalty (0: off)",
        0.0,
        3.0,
        0.0,
        0.5,
        "frequency",
        "Taken off for each time that the text holds the token.",
    ),
)


def choose_settings() -> tuple[SamplingSettings, int]:
    """Ask for temperature, filters and the seed of the dart."""
    left, middle, right = st.columns(3, gap="medium")
    chosen: dict[str, Any] = {}
    with left:
        chosen |= _slider(_TEMPERATURE)
        seed = st.number_input("Seed of the dart", 0, 9999, 5, key="dart", bind="query-params")
    for column, cuts in ((middle, _CUTS[:2]), (right, _CUTS[2:])):
        with column:
            for cut in cuts:
                chosen |= _slider(cut)
    with st.expander("More filters", key="more_filters"):
        for column, cut in zip(st.columns(3, gap="medium"), _MORE, strict=True):
            with column:
                chosen |= _slider(cut)
    return SamplingSettings(**chosen), int(seed)


def settings_code(settings: SamplingSettings) -> str:
    """The settings as Python that makes them; what is switched off is left out."""
    plain = SamplingSettings()
    changed = [
        f"{name}={getattr(settings, name)!r}"
        for name in settings.__dataclass_fields__
        if getattr(settings, name) != getattr(plain, name)
    ]
    return f"SamplingSettings({', '.join(changed)})"


def _slider(control: tuple[Any, ...]) -> dict[str, Any]:
    name, label, lowest, highest, default, step, key, explained = control
    value = st.slider(
        label, lowest, highest, default, step, key=key, bind="query-params", help=explained
    )
    return {name: value}
