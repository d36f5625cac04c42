"""The picture of a training run: its loss curves over the steps, between labelled landmarks."""

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pages.figures.curve import STEPS, Axis, Curve, rounded, thin
from pages.figures.palette import NEUTRAL, PREDICTION, TRAIN, VALIDATION

MOST_CHANGES = 8  # marks in the picture: more would hide it
DASHES = ("dash", "dot", "dashdot", "longdash")
MARGIN = {"l": 52, "r": 12, "t": 34, "b": 46}  # pixels around the plot
LABEL_HEIGHT, LABEL_CHARACTER = 19, 6.4  # pixels of a landmark's label, and of one letter in it
PHONE_WIDTH = 390 - 32 - MARGIN["l"] - MARGIN["r"]  # pixels of the plot on the narrowest screen
HOVER = "%{{x:{}}} · %{{y:.3f}} · %{{customdata:.3~s}}"


@dataclass(frozen=True)
class Reference:
    """A landmark to read a loss against, such as the bigram model's 2.45 nats per token."""

    label: str
    loss: float


@dataclass(frozen=True)
class Change:
    """What was changed about a run while it trained, after which step."""

    step: float
    label: str


def loss_figure(
    train: Curve,
    validation: Curve,
    references: Sequence[Reference],
    *,
    total_steps: float,
    **options: Any,
) -> go.Figure:
    """Return what `loss_plot` describes as a figure, checked by plotly: ten times as slow."""
    plot = loss_plot(train, validation, references, total_steps=total_steps, **options)
    return go.Figure(plot)


def loss_plot(
    train: Curve,
    validation: Curve,
    references: Sequence[Reference],
    *,
    total_steps: float,
    run: str = "run",
    height: int = 380,
    changes: Sequence[Change] = (),
    axis: Axis = STEPS,
    picked: Change | None = None,
) -> dict[str, Any]:
    """Draw both curves over the whole run, from step 0 to `total_steps`, among the landmarks.

    Returns plotly's description of the figure as plain data: a page that draws every second has no
    time for more.

    Along another `axis` than the steps, all places, the total too, are places on that. `picked`
    is a place that the reader has chosen.

    The horizontal axis does not move, so a running curve grows into the picture. `run` names the
    run: as long as it stays the same, the browser keeps what the reader zoomed to or switched off.
    Losses are in nats per token, `height` in pixels. Colours of text and grid are left to the page.
    Points that are no finite number are left out; curves are thinned to `MOST_POINTS`. `changes`
    stand where they were made, the last few of them.
    """
    train, validation = train.finite(), validation.finite()
    low, high = loss_range(train, validation, references)
    shown = thin(train), thin(validation)
    scale = (high - low) / (height - MARGIN["t"] - MARGIN["b"])
    places = _place_labels(shown, references, total_steps, scale)
    shapes, labels = [], []
    for index, (reference, (side, edge)) in enumerate(zip(references, places, strict=True)):
        shapes.append(_landmark_line(reference, DASHES[index % len(DASHES)]))
        labels.append(_landmark_label(reference, side, edge))
    marks = [(change, NEUTRAL) for change in changes[-MOST_CHANGES:]]
    for change, color in [*marks, *([(picked, PREDICTION)] if picked else [])]:
        shapes.append(upright_line(change.step, color))
        labels.append(_change_label(change))
    layout = _layout(total_steps, (low, high), run, height, axis)
    return {
        "data": [
            _trace(shown[0], "training", TRAIN, axis, marked=False),
            _trace(shown[1], "validation", VALIDATION, axis, marked=True),
            *_newest_point(train),
        ],
        "layout": layout | {"shapes": shapes, "annotations": labels},
    }


def loss_alt_text(
    train: Curve, validation: Curve, references: Sequence[Reference], *, total_steps: int
) -> str:
    """Say in one sentence what the picture of `loss_figure` shows, for those who cannot see it."""
    train, validation = train.finite(), validation.finite()
    if not train.losses:
        return f"Training has not started: 0 of {total_steps} steps."
    text = f"After {train.steps[-1]} of {total_steps} steps training loss is {train.losses[-1]:.2f}"
    newest = train.losses[-1]
    if validation.losses:
        text += f" and validation loss {validation.losses[-1]:.2f}"
        newest = max(newest, validation.losses[-1])
    beaten = [each for each in references if newest < each.loss]
    if beaten:
        best = min(beaten, key=lambda each: each.loss)
        text += f", below {best.loss:.2f} ({best.label})"
    elif references:
        nearest = min(references, key=lambda each: each.loss)
        text += f", still above {nearest.loss:.2f} ({nearest.label})"
    return text + _overfitting(validation) + "."


def _overfitting(validation: Curve) -> str:
    """Half a sentence, if validation loss is clearly past its lowest value."""
    if not validation.losses:
        return ""
    lowest = min(validation.losses)
    if validation.losses[-1] < 1.02 * lowest:
        return ""
    step = validation.steps[list(validation.losses).index(lowest)]
    return f"; validation loss was lowest, {lowest:.2f}, at step {step} and has risen since"


def loss_range(
    train: Curve, validation: Curve, references: Sequence[Reference]
) -> tuple[float, float]:
    """The lowest and the highest loss to show: all points and landmarks, and a little air.

    Below the lowest landmark there is room from the start, so the axis stands still while the curve
    comes down. A run that breaks down leaves at the top: it must not flatten everything else.
    """
    landmarks = [each.loss for each in references]
    seen = [*train.losses, *validation.losses, *landmarks]
    if not seen:
        return 0.0, 5.0
    low, high = min(seen), max(seen)
    if landmarks:
        low, high = min(low, 0.5 * min(landmarks)), min(high, 2 * max(landmarks))
    air = max(high - low, 0.1)
    return rounded(max(low - 0.08 * air, 0.0)), rounded(high + 0.1 * air)


def _trace(curve: Curve, name: str, color: str, axis: Axis, *, marked: bool) -> dict[str, Any]:
    """A curve. Its perplexities travel along, to three digits: the browser computes nothing."""
    # exp overflows a float at 710, and no reader compares perplexities beyond e^50
    perplexities = [float(f"{math.exp(min(loss, 50)):.3g}") for loss in curve.losses]
    trace = {
        "type": "scatter",
        "x": list(map(rounded, curve.steps)) if axis is not STEPS else list(curve.steps),
        "y": list(map(rounded, curve.losses)),
        "customdata": perplexities,
        "name": name,
        "mode": "lines+markers" if marked else "lines",
        "line": {"color": color, "width": 2.5, "dash": "solid"},
        "hovertemplate": HOVER.format(axis.place),
    }
    marker = {"color": color, "size": 6, "symbol": "diamond"}
    return trace | {"marker": marker} if marked else trace


def _newest_point(train: Curve) -> Iterator[dict[str, Any]]:
    """A dot where training stands: a curve of one point would else be invisible."""
    if train.losses:
        yield {
            "type": "scatter",
            "x": [train.steps[-1]],
            "y": [rounded(train.losses[-1])],
            "mode": "markers",
            "marker": {"color": TRAIN, "size": 10},
            "showlegend": False,
            "hoverinfo": "skip",
        }


def _layout(
    total_steps: float, losses: tuple[float, float], run: str, height: int, along: Axis
) -> dict[str, object]:
    """Axes, legend and hover."""
    axis = {"zeroline": False, "ticks": "", "ticklabelstandoff": 4, "automargin": False}
    return {
        "height": height,
        "margin": MARGIN,
        "uirevision": run,
        "hovermode": "x unified",
        "hoverdistance": 60,  # pixels; validation points are far apart
        "font": {"size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": axis
        | {
            "range": [0, rounded(1.012 * total_steps)],  # room for half of the last marker
            "title": {"text": along.title, "standoff": 8, "font": {"size": 13}},
            "showgrid": False,
            "tickformat": along.tick,
            # A row each, step and all: the two curves are not measured at the same steps.
            "unifiedhovertitle": {"text": f"{along.word} · loss · perplexity"},
            "showspikes": True,
            "spikemode": "across",
            "spikedash": "solid",
            "spikethickness": 1,
            "spikecolor": NEUTRAL,
        },
        "yaxis": axis
        | {
            "range": list(losses),
            "title": {"text": "loss (nats per token)", "standoff": 8, "font": {"size": 13}},
            "showspikes": False,
        },
    }


def _landmark_line(reference: Reference, dash: str) -> dict[str, Any]:
    """A dashed line across the plot."""
    loss = rounded(reference.loss)
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": loss,
        "y1": loss,
        "line": {"color": NEUTRAL, "width": 1.5, "dash": dash},
        "layer": "below",
    }


def _landmark_label(reference: Reference, side: str, edge: str) -> dict[str, Any]:
    """Its label, above or below it at the left or right edge."""
    return {
        "text": f"{html.escape(reference.label, quote=False)}: {reference.loss:.2f}",
        "xref": "paper",
        "x": 0 if edge == "left" else 1,
        "xanchor": edge,
        "y": rounded(reference.loss),
        "yanchor": "bottom" if side == "above" else "top",
        "showarrow": False,
    }


def upright_line(place: float, color: str) -> dict[str, Any]:
    """A line from the bottom to the top of a plot, as plotly's data."""
    line = {"color": color, "width": 1.5}
    return {
        "type": "line",
        "yref": "paper",
        "x0": rounded(place),
        "x1": rounded(place),
        "y0": 0,
        "y1": 1,
        "line": line,
    }


def _change_label(change: Change) -> dict[str, Any]:
    """What was changed, written along its line."""
    return {
        "text": html.escape(change.label, quote=False),
        "x": rounded(change.step),
        "xanchor": "right",
        "yref": "paper",
        "y": 1,
        "yanchor": "top",
        "textangle": -90,
        "showarrow": False,
    }


def _place_labels(
    curves: Sequence[Curve], references: Sequence[Reference], total_steps: float, scale: float
) -> list[tuple[str, str]]:
    """A place for each label, ("above" or "below" its line, "right" or "left" edge).

    Taken is the first place with the least in its way: other landmarks' lines and labels, and the
    points of the curves. `scale` is nats a pixel. Widths are those of a phone, the hardest case.
    """
    points = [
        (step / max(total_steps, 1), loss)
        for curve in curves
        for step, loss in zip(curve.steps, curve.losses, strict=True)
    ]
    taken: list[tuple[str, float, float]] = []  # edge, bottom and top of the labels placed so far
    places = []
    for reference in references:
        width = min(LABEL_CHARACTER * (len(reference.label) + 6) / PHONE_WIDTH, 1.0)
        lines = [each.loss for each in references if each is not reference]

        def in_the_way(
            place: tuple[str, str],
            loss: float = reference.loss,
            width: float = width,
            lines: list[float] = lines,
        ) -> int:
            side, edge = place
            bottom, top = _band(side, loss, scale)
            near = [x if edge == "left" else 1 - x for x, y in points if bottom < y < top]
            cost = sum(x < width for x in near) + 20 * sum(bottom < y < top for y in lines)
            return cost + 50 * sum(edge == e and bottom < t and b < top for e, b, t in taken)

        best = min(
            [("above", "right"), ("below", "right"), ("above", "left"), ("below", "left")],
            key=in_the_way,
        )
        taken.append((best[1], *_band(best[0], reference.loss, scale)))
        places.append(best)
    return places


def _band(side: str, loss: float, scale: float) -> tuple[float, float]:
    """The losses between which a label lies that stands above or below the line at `loss`."""
    height = LABEL_HEIGHT * scale
    return (loss, loss + height) if side == "above" else (loss - height, loss)
