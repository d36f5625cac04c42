"""Pictures of a translator that learns: its loss, and the shares it gets right, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.curve import Curve, thin
from pages.figures.palette import TRAIN, VALIDATION

HEIGHT = 330  # pixels
_MARGIN = {"l": 56, "r": 12, "t": 58, "b": 46}
# Three measures of one thing, on data that is not trained on: one colour, told apart by the dash.
_SHARES = (
    ("forced", "signs, teacher forcing", "dot", "square"),
    ("free", "signs, free running", "dash", "diamond"),
    ("whole", "whole answers", "solid", "circle"),
)


@dataclass(frozen=True)
class Shares:
    """Shares right on unseen inputs after some steps, each from 0 to 1."""

    steps: Sequence[int]
    forced: Sequence[float]
    free: Sequence[float]
    whole: Sequence[float]


def translation_loss_figure(losses: Curve, *, total_steps: int, run: str) -> go.Figure:
    """Draw the training loss over the whole training, in nats a sign.

    `run` names the training: as long as it stays, the browser keeps what the reader zoomed to.
    """
    curve = thin(losses.finite())
    trace = go.Scatter(
        x=list(curve.steps),
        y=[round(loss, 4) for loss in curve.losses],
        name="training loss",
        mode="lines",
        line={"color": TRAIN, "width": 2.5},
        hovertemplate="%{x:,d} steps: %{y:.3f}<extra></extra>",
        showlegend=True,
    )
    figure = go.Figure([trace], layout=_layout(total_steps, run))
    figure.update_yaxes(title_text="loss, nats a sign", rangemode="tozero")
    return figure


def shares_figure(shares: Shares, *, total_steps: int, run: str) -> go.Figure:
    """Draw the three shares right over the whole training; `run` as above."""
    traces = [
        go.Scatter(
            x=list(shares.steps),
            y=[round(share, 4) for share in getattr(shares, field)],
            name=name,
            mode="lines+markers",
            line={"color": VALIDATION, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 7},
            hovertemplate=f"{name}, %{{x:,d}} steps: %{{y:.1%}}<extra></extra>",
        )
        for field, name, dash, symbol in _SHARES
    ]
    figure = go.Figure(traces, layout=_layout(total_steps, run))
    figure.update_yaxes(title_text="right, of unseen inputs", range=[-0.03, 1.03], tickformat=".0%")
    return figure


def _layout(total_steps: int, run: str) -> dict[str, object]:
    return {
        "height": HEIGHT,
        "margin": _MARGIN,
        "uirevision": run,
        "font": {"size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {
            "title": {"text": "training step"},
            "range": [0, 1.02 * total_steps],
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {"zeroline": False},
    }


def learning_alt_text(losses: Curve, shares: Shares, *, total_steps: int) -> str:
    """Say in a sentence or two what both figures show."""
    if not losses.steps or not shares.steps:
        return f"Training has not begun: 0 of {total_steps} steps."
    return (
        f"After {losses.steps[-1]} of {total_steps} steps the loss is {losses.losses[-1]:.3f}. "
        f"Of unseen inputs, {shares.whole[-1]:.1%} are right to the last sign; of single signs, "
        f"{shares.forced[-1]:.1%} with teacher forcing and {shares.free[-1]:.1%} in free running."
    )
