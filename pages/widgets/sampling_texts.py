"""Texts of a model as HTML: each token in the depth of its surprise, light enough to stream."""

import html
import math
from collections.abc import Sequence

from llm_core.generation.sample import TokenStep
from pages.figures.palette import PREDICTION
from pages.widgets.sampling_models import Writer

LIMITS = (1.0, 3.0, 6.0, 10.0)  # bits: where one depth of colour ends and the next begins
_DEPTHS = ("00", "26", "40", "59", "73")  # of the colour, as hexadecimal opacity
STYLE = (
    "<style>.written{white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid "
    + PREDICTION
    + ";padding:.25rem .75rem;font-size:.95rem;line-height:1.55;max-height:40rem;overflow-y:auto}"
    + ".written i{font-style:normal;border-radius:2px}"
    + "".join(
        f".written .s{depth}{{background:{PREDICTION}{opacity}"
        + (";text-decoration:underline dotted" if depth >= 3 else "")
        + "}"
        for depth, opacity in enumerate(_DEPTHS)
        if depth
    )
    + "@media print{.written{max-height:none}}"
    # Streamlit's grey for words in a figure is too pale to be read.
    + ":is(.st-key-story_tree,.st-key-beam_tree,.st-key-dart_figure,.st-key-step_ranks)"
    " :is(.textpoint text,.annotation text,.bartext-inside){fill:currentColor !important}</style>"
)


def written_html(prompt: str, texts: Sequence[str], bits: Sequence[float], label: str) -> str:
    """The prompt in bold, then what each token adds to the text, and its surprise in bits.

    Neighbours of one depth share an element. label: what the text is, for those who do not see
    where it stands.
    """
    parts: list[tuple[int, str]] = []
    for text, bit in zip(texts, bits, strict=True):
        depth = sum(bit > limit for limit in LIMITS)
        if parts and parts[-1][0] == depth:
            parts[-1] = (depth, parts[-1][1] + text)
        else:
            parts.append((depth, text))
    marked = "".join(
        f"<i class=s{depth}>{html.escape(text)}</i>" if depth else html.escape(text)
        for depth, text in parts
    )
    return (
        f'<div class="written" role="region" tabindex="0" aria-label="{html.escape(label)}">'
        f"<b>{html.escape(prompt)}</b>{marked}</div>"
    )


def steps_html(writer: Writer, prompt: str, steps: Sequence[TokenStep], label: str) -> str:
    """`written_html` of what a model wrote; a stop token is a sign, and no text."""
    shown = [step for step in steps if step.end != "stop token"]
    bits = [surprise_bits(step) for step in shown]
    return written_html(prompt, writer.texts([step.id for step in shown]), bits, label)


def surprise_bits(step: TokenStep) -> float:
    """How surprising the token was to the model: -log2 of its probability."""
    return -math.log2(max(step.model_probability, 1e-30)) + 0.0  # not -0


def legend_html() -> str:
    """What the depths of colour mean."""
    names = ["under 1 bit", "to 3", "to 6", "to 10", "more bits of surprise"]
    marks = "".join(
        f"<i class=s{depth} style='padding:0 .4rem'>{name}</i> " for depth, name in enumerate(names)
    )
    return f'<p class="written" style="border:0;padding:0;margin:0;max-height:none">{marks}</p>'
