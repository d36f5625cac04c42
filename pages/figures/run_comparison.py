"""Several runs in one picture: their validation losses over the steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.curve import Curve, thin
from pages.figures.palette import ATTENTION, KEY, PREDICTION, QUERY, TRAIN, VALUE
from pages.figures.training import MARGIN, loss_range

MOST_RUNS = 6
# Runs have no role of their own: each gets a colour, a dash, a sign, and its number at the end.
_LOOKS = (
    (QUERY, "solid", "circle"),
    (KEY, "dash", "square"),
    (VALUE, "dot", "diamond"),
    (ATTENTION, "dashdot", "triangle-up"),
    (PREDICTION, "longdash", "x"),
    (TRAIN, "longdashdot", "cross"),
)
_SIGNS = ("●", "■", "◆", "▲", "✕", "✚")
_POINTS = 60  # of a curve: 20 evaluations a run are usual


@dataclass(frozen=True)
class NamedCurve:
    """A run's validation losses under its name."""

    name: str
    curve: Curve


def run_sign(index: int) -> tuple[str, str]:
    """Return sign and colour of the run that is drawn as number `index` (from 0)."""
    return _SIGNS[index], _LOOKS[index][0]


def runs_figure(runs: Sequence[NamedCurve], *, height: int = 380) -> go.Figure:
    """Draw at most MOST_RUNS validation curves; losses in nats per token.

    Raises ValueError for more of them.
    """
    if len(runs) > MOST_RUNS:
        raise ValueError(f"The picture holds {MOST_RUNS} runs: choose so many of them.")
    figure = go.Figure(layout=_layout(runs, height))
    for index, run in enumerate(runs):
        colour, dash, symbol = _LOOKS[index]
        curve = thin(run.curve.finite(), _POINTS)
        figure.add_scatter(
            x=list(curve.steps),
            y=[float(f"{loss:.5g}") for loss in curve.losses],
            name=f"{index + 1}  {run.name}",
            mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"color": colour, "size": 7, "symbol": symbol},
            hovertemplate="%{y:.3f} after %{x:,d} steps",
        )
        if curve.steps:
            figure.add_annotation(
                x=curve.steps[-1],
                y=curve.losses[-1],
                text=f"<b>{index + 1}</b>",
                xanchor="left",
                xshift=6,
                showarrow=False,
            )
    return figure


def runs_alt_text(runs: Sequence[NamedCurve]) -> str:
    """Say which of the runs came lowest, and where the others did."""
    lows = sorted(
        (min(curve.losses), curve.steps[list(curve.losses).index(min(curve.losses))], run.name)
        for run in runs
        if (curve := run.curve.finite()).losses
    )
    if not lows:
        return "No validation loss has been measured yet."
    loss, step, name = lows[0]
    text = f"The lowest validation loss is {loss:.2f}: {name}, after {step:,} steps"
    if len(lows) > 1:
        text += f"; next comes {lows[1][2]} with {lows[1][0]:.2f}"
    return text + "."


def _layout(runs: Sequence[NamedCurve], height: int) -> dict[str, object]:
    steps = max((step for run in runs for step in run.curve.steps), default=1)
    everything = Curve(
        [step for run in runs for step in run.curve.finite().steps],
        [loss for run in runs for loss in run.curve.finite().losses],
    )
    axis = {"zeroline": False, "automargin": False}
    return {
        "height": height,
        "margin": MARGIN | {"t": 34 + 20 * len(runs)},
        "uirevision": "runs",
        "hovermode": "closest",
        "font": {"size": 12},
        "legend": {"orientation": "v", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": axis
        | {
            "range": [0, float(f"{1.05 * steps:.5g}")],
            "title": {"text": "training step", "standoff": 8, "font": {"size": 13}},
            "showgrid": False,
            "tickformat": ",d",
        },
        "yaxis": axis
        | {
            "range": list(loss_range(Curve([], []), everything, [])),
            "title": {"text": "validation loss", "standoff": 8, "font": {"size": 13}},
        },
    }
