"""The other curves of a training run: one measure over the steps, and all layers as a strip."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from pages.figures.curve import STEPS, Axis, Curve, rounded, thin
from pages.figures.palette import PREDICTION
from pages.figures.training import MARGIN, Change, upright_line

_CELLS = 800  # of a strip: each travels twice, as colour and as number
_MOST_COLUMNS = 120
_FEW = 40  # points of a curve, each with a mark of its own
_LABEL_MARGIN = 88  # pixels, for the names of layers


def measure_figure(curve: Curve, **options: Any) -> go.Figure:
    """Return what `measure_plot` describes as a figure, checked by plotly."""
    return go.Figure(measure_plot(curve, **options))


def measure_plot(
    curve: Curve,
    *,
    name: str,
    color: str,
    total: float,
    axis: Axis = STEPS,
    run: str = "run",
    height: int = 380,
    share: bool = False,
    picked: Change | None = None,
) -> dict[str, Any]:
    """Draw one measure over the whole run, from 0 to `total` on `axis`, and from 0 upwards.

    Plain data, as `loss_plot` returns.

    `name` says what it is, with its unit; `share`: it is one, from 0 to 1. `run` as in
    `loss_figure`. Points that are no finite number are left out.
    """
    shown = thin(curve.finite())
    top = 1.0 if share else max(shown.losses, default=1.0) or 1.0
    layout = _layout(total, axis, run, height, MARGIN)
    layout["yaxis"] |= {
        "range": [0, rounded(1.05 * top)],
        "title": {"text": name, "standoff": 8, "font": {"size": 13}},
        "tickformat": ".0%" if share else "~g",
    }
    trace = {
        "type": "scatter",
        "x": list(map(rounded, shown.steps)),
        "y": list(map(rounded, shown.losses)),
        "mode": "lines+markers" if len(shown.steps) < _FEW else "lines",
        "line": {"color": color, "width": 2.5},
        "marker": {"color": color, "size": 6},
        "hovertemplate": f"%{{x:{axis.place}}} · %{{y:{'.0%' if share else '.4~g'}}}"
        "<extra></extra>",
    }
    return {"data": [trace], "layout": layout | _mark(picked)}


def layers_figure(
    steps: Sequence[float],
    values: Sequence[Sequence[float]],
    names: Sequence[str],
    **options: Any,
) -> go.Figure:
    """Return what `layers_plot` describes as a figure, checked by plotly."""
    return go.Figure(layers_plot(steps, values, names, **options))


def layers_plot(
    steps: Sequence[float],
    values: Sequence[Sequence[float]],
    names: Sequence[str],
    *,
    what: str,
    total: float,
    axis: Axis = STEPS,
    run: str = "run",
    height: int = 380,
    picked: Change | None = None,
) -> dict[str, Any]:
    """Draw values (steps, layers) as a strip: a row a layer, a column a step, colour by powers.

    `what` names the values. Only evenly spread columns are kept, the first and the last of them
    always. Values that are 0 or no number stay blank.
    """
    columns = _spread(len(steps), min(_MOST_COLUMNS, max(2, _CELLS // max(1, len(names)))))
    kept = [values[column] for column in columns]
    powers = [[_power(row[layer]) for row in kept] for layer in range(len(names))]
    known = [each for row in powers for each in row if each is not None]
    low, high = math.floor(min(known, default=-4)), math.ceil(max(known, default=0))
    layout = _layout(total, axis, run, height, MARGIN | {"l": _LABEL_MARGIN, "r": 70})
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
    strip = {
        "type": "heatmap",
        "x": [rounded(steps[column]) for column in columns],
        "y": list(names),
        "z": powers,
        "customdata": [[f"{row[layer]:.3g}" for row in kept] for layer in range(len(names))],
        "zmin": low,
        "zmax": max(high, low + 1),
        "colorscale": "Viridis",
        "hovertemplate": f"%{{y}} · {axis.word} %{{x:{axis.place}}}<br>{what} %{{customdata}}"
        "<extra></extra>",
        "colorbar": {
            "thickness": 12,
            "tickvals": list(range(low, high + 1)),
            "ticktext": [f"{10.0**power:g}" for power in range(low, high + 1)],
        },
    }
    return {"data": [strip], "layout": layout | _mark(picked)}


def layers_alt_text(values: Sequence[Sequence[float]], names: Sequence[str], *, what: str) -> str:
    """Say which layer has the largest and the smallest of these values at the end."""
    if not values:
        return "Nothing has been measured yet."
    last = dict(zip(names, values[-1], strict=True))
    shown = {name: value for name, value in last.items() if value > 0 and math.isfinite(value)}
    if not shown:
        return f"The {what} is 0 in all layers."
    high, low = max(shown, key=shown.__getitem__), min(shown, key=shown.__getitem__)
    return (
        f"By layer, over the run: the {what} is largest in {high} ({shown[high]:.2g}) and smallest "
        f"in {low} ({shown[low]:.2g}) at the newest step."
    )


def _power(value: float) -> float | None:
    return round(math.log10(value), 2) if value > 0 and math.isfinite(value) else None


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})


def _mark(picked: Change | None) -> dict[str, Any]:
    return {"shapes": [upright_line(picked.step, PREDICTION)]} if picked else {}


def _layout(
    total: float, along: Axis, run: str, height: int, margin: dict[str, int]
) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "zeroline": False,
        "ticks": "",
        "ticklabelstandoff": 4,
        "automargin": False,
    }
    return {
        "height": height,
        "margin": margin,
        "uirevision": run,
        "hovermode": "closest",
        "font": {"size": 12},
        "showlegend": False,
        "xaxis": axis
        | {
            "range": [0, rounded(1.012 * total)],
            "title": {"text": along.title, "standoff": 8, "font": {"size": 13}},
            "showgrid": False,
            "tickformat": along.tick,
            "showspikes": False,
        },
        "yaxis": dict(axis),
    }
