"""Pictures of fine-tuning: accuracy among its baselines, what is forgotten, ways compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.curve import Curve, thin
from pages.figures.palette import NEUTRAL, PREDICTION, QUERY, TRAIN, VALIDATION

HEIGHT = 320  # pixels
_MARGIN = {"l": 56, "r": 14, "t": 58, "b": 46}


@dataclass(frozen=True)
class Landmark:
    """A share that others reach without fine-tuning, to compare with."""

    label: str
    share: float


@dataclass(frozen=True)
class Way:
    """A way to fine-tune as measured: its mean share right, the lowest and the highest."""

    name: str
    mean: float
    lowest: float
    highest: float
    is_baseline: bool = False


def loss_figure(losses: Curve, *, total_steps: int, run: str) -> go.Figure:
    """Draw the training loss; `run` names the training, for which the reader's zoom is kept."""
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
    figure.update_yaxes(title_text="loss, nats", rangemode="tozero")
    return figure


def share_figure(
    steps: Sequence[int],
    shares: Sequence[float],
    landmarks: Sequence[Landmark],
    *,
    total_steps: int,
    run: str,
) -> go.Figure:
    """Draw the share right on unseen texts over the training, with dashed lines to compare."""
    traces = [
        go.Scatter(
            x=[0, total_steps],
            y=[mark.share, mark.share],
            name=f"{mark.label} ({mark.share:.0%})",
            mode="lines",
            line={"color": NEUTRAL, "dash": dash, "width": 1.5},
            hoverinfo="skip",
        )
        for mark, dash in zip(landmarks, ("dot", "dash", "dashdot"), strict=False)
    ]
    figure = go.Figure([_shares(steps, shares), *traces], layout=_layout(total_steps, run))
    figure.update_yaxes(title_text="right, of unseen ones", range=[-0.03, 1.03], tickformat=".0%")
    return figure


def forgetting_figure(
    curves: Sequence[tuple[str, Sequence[int], Sequence[float]]],
    *,
    before: float,
    total_steps: int,
    run: str = "forgetting",
    height: int = HEIGHT,
) -> go.Figure:
    """Draw the pretraining loss while something else is learnt; `before` is where it stood.

    curves: name, steps and losses in nats a token of up to three trainings.
    """
    looks = ((PREDICTION, "solid", "circle"), (QUERY, "dash", "square"), (TRAIN, "dot", "diamond"))
    traces = [
        go.Scatter(
            x=list(steps),
            y=[round(loss, 4) for loss in losses],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 7},
            hovertemplate=f"{name}, %{{x:,d}} steps: %{{y:.3f}}<extra></extra>",
            showlegend=True,
        )
        for (name, steps, losses), (colour, dash, symbol) in zip(curves, looks, strict=False)
    ]
    figure = go.Figure(traces, layout=_layout(total_steps, run) | {"height": height})
    figure.add_hline(y=before, line={"color": NEUTRAL, "dash": "dot", "width": 1.5}, layer="below")
    high = max([before + 0.1, *(loss for _, _, losses in curves for loss in losses)])
    figure.update_yaxes(
        title_text="loss on tales, nats a token", range=[0.8 * before, high + 0.1 * (high - before)]
    )
    return figure


def task_figure(
    curves: Sequence[tuple[str, Sequence[int], Sequence[float]]], *, total_steps: int
) -> go.Figure:
    """Draw shares right over several trainings, in the looks of `forgetting_figure`."""
    figure = forgetting_figure(curves, before=0.0, total_steps=total_steps)
    figure.layout.shapes = ()
    figure.update_yaxes(title_text="right, of unseen ones", range=[-0.03, 1.03], tickformat=".0%")
    figure.update_traces(hovertemplate="%{x:,d} steps: %{y:.1%}<extra></extra>")
    return figure


def ways_figure(ways: Sequence[Way]) -> go.Figure:
    """Draw ways beside each other: a dot at the mean, a line from the lowest to the highest."""
    ordered = list(reversed(ways))
    names = [way.name for way in ordered]
    figure = go.Figure(
        go.Scatter(
            x=[round(way.mean, 4) for way in ordered],
            y=names,
            mode="markers+text",
            text=[f" {way.mean:.0%}" for way in ordered],
            textposition="top center",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [round(way.highest - way.mean, 4) for way in ordered],
                "arrayminus": [round(way.mean - way.lowest, 4) for way in ordered],
                "color": NEUTRAL,
                "thickness": 2,
            },
            marker={
                "size": 11,
                "color": [NEUTRAL if way.is_baseline else VALIDATION for way in ordered],
                "symbol": ["square" if way.is_baseline else "circle" for way in ordered],
            },
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        ),
        layout=_layout(1, "ways"),
    )
    figure.update_layout(height=70 + 44 * len(ordered), showlegend=False)
    figure.update_layout(margin={"l": 112, "r": 20, "t": 24, "b": 46})
    figure.update_xaxes(
        title_text="right, of unseen texts", range=[-0.02, 1.06], tickformat=".0%", showgrid=True
    )
    return figure


def padding_figure(
    padding: Sequence[int], last_token: Sequence[float], last_place: Sequence[float]
) -> go.Figure:
    """Draw the probability of a text's right label over how much padding stands behind it."""
    traces = [
        go.Scatter(
            x=list(padding),
            y=[round(value, 4) for value in values],
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate=f"{name}, %{{x}} padding tokens: %{{y:.1%}}<extra></extra>",
        )
        for name, values, colour, dash in (
            ("the last token pooled", last_token, VALIDATION, "solid"),
            ("the last place pooled", last_place, PREDICTION, "dash"),
        )
    ]
    figure = go.Figure(traces, layout=_layout(max(padding), "padding"))
    figure.update_xaxes(title_text="padding tokens behind the text")
    figure.update_yaxes(title_text="of the right label", range=[-0.03, 1.03], tickformat=".0%")
    return figure


def learning_alt_text(
    losses: Curve,
    steps: Sequence[int],
    shares: Sequence[float],
    landmarks: Sequence[Landmark],
    *,
    total_steps: int,
) -> str:
    """Say in a sentence or two what the figures of a training show."""
    if not losses.steps or not steps:
        return f"Training has not begun: 0 of {total_steps} steps."
    text = (
        f"After {losses.steps[-1]} of {total_steps} steps the training loss is "
        f"{losses.losses[-1]:.3f}, and {shares[-1]:.1%} of what it has not learnt from is right."
    )
    if landmarks:
        text += f" To compare: {', '.join(f'{m.label} {m.share:.1%}' for m in landmarks)}."
    return text


def _shares(steps: Sequence[int], shares: Sequence[float]) -> go.Scatter:
    return go.Scatter(
        x=list(steps),
        y=[round(share, 4) for share in shares],
        name="fine-tuned",
        mode="lines+markers",
        line={"color": VALIDATION, "width": 2.5},
        marker={"symbol": "diamond", "size": 7},
        hovertemplate="%{x:,d} steps: %{y:.1%}<extra></extra>",
    )


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
