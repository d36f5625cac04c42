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
    ordered = -np.sort(-step.probabilities)
    first, second = (round(float(p), 3) for p in ordered[:2])
    second = max(second, 0.001)
    ratio = round(first / second, 2)
    sums = np.cumsum(ordered)
    best = step.best(1)[0]
    p_1 = round(float(step.probabilities[best]), 3)
    p_2 = round(float(step_after(step, best).probabilities.max()), 3)
    labels = [step.writer.label(index) for index in step.best(2)]
    return {
        "token_1": labels[0],
        "token_2": labels[1],
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
        "greedy_1": p_1,
        "greedy_2": p_2,
        "product": round(p_1 * p_2, 3),
        "sum": round(p_1 + p_2, 3),
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
