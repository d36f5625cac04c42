"""A probability distribution as bars: the most probable outcomes, and one bar for all others."""

import html
import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.figures.palette import NEUTRAL, ROLES

BAR_HEIGHT = 27  # pixels
MOST_TICKS = 5  # on a phone they must not overlap
LONGEST_LABEL = 18  # characters; a phone must have room for the bars
TAIL_LABEL = "all others"


def top_outcomes(probabilities: np.ndarray, count: int) -> tuple[list[int], float]:
    """The `count` most probable outcomes, and the probability of all others together.

    probabilities: (V,). Returns indices, the most probable first (of equals the first), and the
    tail, which is 0 if nothing is left over.
    """
    order = np.argsort(-probabilities, kind="stable")
    rest = np.asarray(probabilities, dtype=np.float64)[order[count:]]
    return order[:count].tolist(), float(rest.sum())


def distribution_figure(
    labels: Sequence[str],
    probabilities: Sequence[float],
    *,
    tail: float | None = None,
    tail_label: str = TAIL_LABEL,
    chosen: int | None = None,
    log: bool = False,
    role: str = "prediction",
    mark: str = "chosen",
) -> go.Figure:
    """Draw one bar an outcome, from the top in the given order, and a hatched one for the tail.

    tail: probability of all outcomes that are not listed. chosen: the outcome that was picked; its
    bar is full and marked in words, by `mark`. log: a logarithmic axis, on which rare outcomes
    can be seen. role: whose colour the bars have (see `palette.ROLES`).

    Raises ValueError if these are no probabilities, or more than 1 together.
    """
    _check(labels, probabilities, tail, chosen)
    shown = [*probabilities] if tail is None else [*probabilities, tail]
    names = [*labels] if tail is None else [*labels, tail_label]
    bars = _bars(names, shown, len(labels), chosen, mark)
    bars.marker.color = [ROLES[role]] * len(labels) + [NEUTRAL] * (tail is not None)
    figure = go.Figure(bars)
    figure.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[_short(name) for name in names],
        range=[len(shown) - 0.45, -0.55],
        automargin=True,
        zeroline=False,
        showgrid=False,
    )
    figure.update_xaxes(title_text="probability", zeroline=False, **_axis(shown, log))
    height = BAR_HEIGHT * len(shown) + 64
    figure.update_layout(height=height, margin={"l": 8, "r": 12, "t": 8, "b": 46})
    return figure


def _bars(
    names: Sequence[str],
    probabilities: Sequence[float],
    outcomes: int,
    chosen: int | None,
    mark: str,
) -> go.Bar:
    """The bars; what comes after the first `outcomes` of them is the tail, and hatched."""
    places = range(len(probabilities))
    return go.Bar(
        orientation="h",
        x=list(probabilities),
        y=list(places),
        width=0.72,
        text=[
            percent(p) + (f" ◂ {mark}" if n == chosen else "") for n, p in enumerate(probabilities)
        ],
        textposition="outside",
        cliponaxis=False,
        marker={
            "opacity": [1.0 if chosen in (None, n) else 0.55 for n in places],
            "pattern": {"shape": ["" if n < outcomes else "/" for n in places]},
        },
        customdata=[
            [html.escape(name, quote=False), f"{p:.4g}"]
            for name, p in zip(names, probabilities, strict=True)
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        showlegend=False,
    )


def distribution_alt_text(
    labels: Sequence[str],
    probabilities: Sequence[float],
    *,
    tail: float | None = None,
    tail_label: str = TAIL_LABEL,
    chosen: int | None = None,
    mark: str = "chosen",
) -> str:
    """Say in two or three sentences what `distribution_figure` shows."""
    if not labels:
        return "There is nothing to choose from."
    order = sorted(range(len(labels)), key=lambda n: -probabilities[n])
    said = [f"“{labels[n]}” with {percent(probabilities[n])}" for n in order[:3]]
    text = f"The most probable is {said[0]}"
    if said[1:]:
        text += f", followed by {' and '.join(said[1:])}"
    text += "."
    if tail is not None:
        text += f" Together, {tail_label} have {percent(tail)}."
    if chosen is not None:
        text += f" {mark[:1].upper()}{mark[1:]} was “{labels[chosen]}”."
    return text


def percent(probability: float) -> str:
    """A probability in per cent, to three significant digits."""
    if probability == 0:
        return "0 %"
    value = 100 * probability
    return f"{value:.3g} %" if value >= 0.001 else f"{value:.1e} %"


def _check(
    labels: Sequence[str], probabilities: Sequence[float], tail: float | None, chosen: int | None
) -> None:
    if len(labels) != len(probabilities):
        raise ValueError(
            f"Each outcome needs a probability: there are {len(labels)} outcomes, and "
            f"{len(probabilities)} probabilities."
        )
    together = [*probabilities, tail or 0.0]
    if not all(0 <= p <= 1 + 1e-6 for p in together):  # also refuses what is not a number
        raise ValueError("A probability lies between 0 and 1.")
    if sum(together) > 1 + 1e-3:
        raise ValueError(f"Probabilities are 1 together, not {sum(together):.4g}.")
    if chosen is not None and not 0 <= chosen < len(labels):
        raise ValueError("The chosen outcome is not among those shown.")


def _axis(probabilities: Sequence[float], log: bool) -> dict[str, object]:
    """From 0 to the longest bar, or down to the rarest outcome; with room for the bars' texts."""
    top = max(probabilities, default=0) or 1.0
    if log:
        rarest = min((p for p in probabilities if p > 0), default=0.1)
        low, high = math.log10(rarest) - 0.3, math.log10(top)
        powers = range(math.ceil(low), math.floor(high) + 1)
        ticks = [10.0**power for power in powers][:: -(-len(powers) // MOST_TICKS) or 1]
        shape: dict[str, object] = {"type": "log", "range": [low, high + 0.3 * (high - low)]}
    else:
        unit = 10 ** math.floor(math.log10(top))
        step = next(s for s in (unit / 5, unit / 2, unit, 2 * unit) if top / s < MOST_TICKS)
        ticks = [step * n for n in range(MOST_TICKS + 1) if step * n <= min(1, 1.05 * top)]
        shape = {"range": [0, 1.3 * top]}
    return shape | {"tickvals": ticks, "ticktext": [percent(tick) for tick in ticks]}


def _short(label: str) -> str:
    """A label that leaves the bars room, and that plotly takes for text, not for its own markup."""
    cut = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    return html.escape(cut, quote=False)
