"""From a distribution over tokens to a sentence: one draw, many, four ways, a beam, a chat."""

from typing import Any

import numpy as np

from pages.widgets.frame import open_lesson
from pages.widgets.sampling_beam import show_beam, show_dullness
from pages.widgets.sampling_chat import show_chat
from pages.widgets.sampling_four import show_four
from pages.widgets.sampling_pipeline import show_pipeline
from pages.widgets.sampling_step import Step, choose_step, step_after
from pages.widgets.sampling_write import write_together


def filter_and_draw(step: Step) -> None:
    """What becomes of the scores, up to the token that is drawn."""
    if page.predict("half_temperature", settings(step)):
        show_pipeline(step)


def four_ways(step: Step) -> None:
    """Four settings at once."""
    if page.predict("who_repeats", {}):
        show_four(step)


def search(step: Step) -> None:
    """The tree of beam search."""
    if page.predict("beam_or_greedy", {}):
        show_beam(step)


def settings(step: Step) -> dict[str, Any]:
    """The values on screen that questions ask about, as they are shown."""
    order = step.best(step.writer.vocab_size)
    ordered = step.probabilities[order]
    # Two equal ones have nothing to tell: the first that is clearly less likely.
    other = int(np.argmax(ordered * 1.3 <= ordered[0])) or 1
    first, second = round(float(ordered[0]), 3), max(round(float(ordered[other]), 3), 0.001)
    ratio = round(first / second, 2)
    sums = np.cumsum(ordered)
    then = round(float(step_after(step, order[0]).probabilities.max()), 3)
    return {
        "token_1": step.writer.label(order[0]),
        "token_2": step.writer.label(order[other]),
        "p_1": first,
        "p_2": second,
        "ratio": ratio,
        "squared": round(ratio**2, 2),
        "doubled": 2 * ratio,
        "root": round(ratio**0.5, 2),
        "top_p_count": int(np.searchsorted(sums, 0.8)) + 1,
        "top_p_before": int(np.searchsorted(sums, 0.8)),
        "min_p_count": int((ordered >= 0.5 * ordered[0]).sum()),
        "min_p_plain": int((ordered >= 0.5).sum()),
        "vocab_size": step.writer.vocab_size,
        "surprise": round(float(-np.log2(max(first, 1e-9))), 2) + 0.0,
        "nats": round(float(-np.log(max(first, 1e-9))), 2) + 0.0,
        "dart_rank": int(np.searchsorted(sums, 0.6, side="right")) + 1,
        "p_then": then,
        "product": round(first * then, 3),
        "sum": round(first + then, 3),
    }


page = open_lesson("sampling")
step = page.show("step", choose_step)
page.show("pipeline", filter_and_draw, step)
page.show("write", write_together, step)
page.show("four", four_ways, step)
page.show("beam", search, step)
page.show("dull", show_dullness, step)
page.show("chat", show_chat)
page.close(settings(step) if step else None)
