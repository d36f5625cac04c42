"""Texts of a model as HTML: each token in the depth of its surprise, light enough to stream."""

import html
from collections.abc import Sequence

from llm_core.generation.sample import TokenStep
from pages.figures.palette import PREDICTION

LIMITS = (1.0, 3.0, 6.0, 10.0)  # bits: where one depth of colour ends and the next begins
_DEPTHS = ("00", "26", "40", "59", "73")  # of the colour, as hexadecimal opacity
STYLE = (
    "<style>.written{white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid "
    + PREDICTION
    + ";padding:.25rem .75rem;font-size:.95rem;line-height:1.55;max-height:24rem;overflow-y:auto}"
    + ".written i{font-style:normal;border-radius:2px}"
    + "".join(
        f".written .s{depth}{{background:{PREDICTION}{opacity}"
        + (";text-decoration:underline dotted" if depth >= 3 else "")
        + "}"
        for depth, opacity in enumerate(_DEPTHS)
        if depth
    )
    + "</style>"
)


def written_html(prompt: str, steps: Sequence[TokenStep], label: str) -> str:
    """The prompt in bold, then the tokens; neighbours of one depth share an element.

    label: what the text is, for those who do not see where it stands.
    """
    parts: list[tuple[int, str]] = []
    for step in steps:
        depth = _depth(step.model_probability)
        if parts and parts[-1][0] == depth:
            parts[-1] = (depth, parts[-1][1] + step.text)
        else:
            parts.append((depth, step.text))
    marked = "".join(
        f"<i class=s{depth}>{html.escape(text)}</i>" if depth else html.escape(text)
        for depth, text in parts
        if text
    )
    return (
        f'<div class="written" role="region" tabindex="0" aria-label="{html.escape(label)}">'
        f"<b>{html.escape(prompt)}</b>{marked}</div>"
    )


def legend_html() -> str:
    """What the depths of colour mean."""
    names = ["under 1 bit", "to 3", "to 6", "to 10", "more bits of surprise"]
    marks = "".join(
        f"<i class=s{depth} style='padding:0 .4rem'>{name}</i> " for depth, name in enumerate(names)
    )
    return f'<p class="written" style="border:0;padding:0;margin:0;max-height:none">{marks}</p>'


def _depth(probability: float) -> int:
    """How many limits the surprise, -log2 of the probability, has passed."""
    return sum(probability < 2**-limit for limit in LIMITS)
