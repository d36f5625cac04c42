"""The plan of a learning rate: how high it is at each step of a run."""

from collections.abc import Sequence

import plotly.graph_objects as go

from pages.figures.palette import TRAIN


def schedule_figure(
    steps: Sequence[int], rates: Sequence[float], *, height: int = 150
) -> go.Figure:
    """Draw learning rates over the steps at which they hold."""
    if len(steps) != len(rates):
        raise ValueError(f"Each step needs a rate: {len(steps)} steps, {len(rates)} rates.")
    figure = go.Figure(
        go.Scatter(
            x=list(steps),
            y=[float(f"{rate:.4g}") for rate in rates],
            mode="lines",
            line={"color": TRAIN, "width": 2.5},
            hovertemplate="step %{x:,d}: %{y:.2e}<extra></extra>",
        )
    )
    figure.update_layout(
        height=height,
        margin={"l": 52, "r": 12, "t": 8, "b": 40},
        xaxis={"title": {"text": "training step"}, "tickformat": ",d", "showgrid": False},
        yaxis={"rangemode": "tozero", "tickformat": ".0e", "nticks": 4},
        showlegend=False,
    )
    return figure


def schedule_alt_text(steps: Sequence[int], rates: Sequence[float]) -> str:
    """Say how the rate goes, in a sentence."""
    peak = max(rates)
    first = steps[rates.index(peak)]
    last = steps[len(rates) - 1 - list(reversed(rates)).index(peak)]
    text = f"The learning rate rises to {peak:.2g} until step {first:,}"
    text += f", stays there until step {last:,}" if last > first else ""
    return f"{text}, and ends at {rates[-1]:.2g}."
