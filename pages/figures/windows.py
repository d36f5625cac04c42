"""How windows lie on a text: one bar a window, and how often each token is read."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.figures.palette import NEUTRAL, PREDICTION, TRAIN

MOST_ROWS = 40  # windows drawn; more would be lines too thin to tell apart


def windows_figure(
    starts: Sequence[int], context_length: int, coverage: Sequence[int], *, chosen: int = 0
) -> go.Figure:
    """Draw windows (at most MOST_ROWS of them, the first ones) above the tokens they read.

    starts: place of each window's first token; coverage: in how many windows each token of the
    text is read. The window `chosen` is drawn full, with the token it ends by predicting.
    """
    rows = min(len(starts), MOST_ROWS)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.05
    )
    figure.add_trace(_bars(starts[:rows], context_length, chosen), row=1, col=1)
    if chosen < rows:
        figure.add_trace(_target(starts[chosen] + context_length, chosen), row=1, col=1)
    figure.add_trace(_reads(coverage), row=2, col=1)
    unread = [place for place, reads in enumerate(coverage) if not reads]
    figure.add_trace(_unread(unread), row=2, col=1)
    figure.update_xaxes(range=[-0.5, len(coverage) - 0.5], zeroline=False)
    figure.update_xaxes(title_text="place in the text", row=2, col=1)
    figure.update_yaxes(title_text="window", range=[rows + 0.5, 0.5], row=1, col=1)
    most = max(coverage)
    figure.update_yaxes(
        title_text="times read",
        range=[-0.2 * most, 1.05 * most],
        dtick=max(1, round(most / 4)),
        tick0=0,
        row=2,
        col=1,
    )
    figure.update_yaxes(zeroline=False)
    figure.update_layout(
        barmode="overlay",
        showlegend=False,
        height=420,
        margin={"l": 52, "r": 12, "t": 12, "b": 46},
    )
    return figure


def _bars(starts: Sequence[int], context_length: int, chosen: int) -> go.Bar:
    numbers = [index + 1 for index in range(len(starts))]
    return go.Bar(
        orientation="h",
        y=numbers,
        x=[context_length] * len(starts),
        base=[start - 0.5 for start in starts],
        width=0.7,
        marker={
            "color": TRAIN,
            "opacity": [1.0 if index == chosen else 0.4 for index in range(len(starts))],
        },
        customdata=[[start, start + context_length - 1] for start in starts],
        hovertemplate="window %{y}: places %{customdata[0]} to %{customdata[1]}<extra></extra>",
    )


def _target(place: int, chosen: int) -> go.Scatter:
    return go.Scatter(
        x=[place],
        y=[chosen + 1],
        mode="markers",
        marker={"color": PREDICTION, "symbol": "diamond", "size": 9},
        hovertemplate="its last target: place %{x}<extra></extra>",
    )


def _reads(coverage: Sequence[int]) -> go.Bar:
    return go.Bar(
        x=list(range(len(coverage))),
        y=list(coverage),
        marker={"color": TRAIN, "line": {"width": 0}},
        hovertemplate="place %{x}: read by %{y} windows<extra></extra>",
    )


def _unread(places: Sequence[int]) -> go.Scatter:
    return go.Scatter(
        x=list(places),
        y=[0] * len(places),
        mode="markers",
        marker={"color": NEUTRAL, "symbol": "x-thin-open", "size": 7},
        hovertemplate="place %{x}: never read<extra></extra>",
    )


def windows_alt_text(
    windows: int, context_length: int, stride: int, coverage: Sequence[int]
) -> str:
    """Say in a sentence or two what `windows_figure` shows."""
    read = [reads for reads in coverage if reads]
    unread = len(coverage) - len(read)
    overlap = max(0, context_length - stride)
    often = f"{min(read)} to {max(read)} times" if min(read) < max(read) else _times(read[0])
    shown = f" The first {MOST_ROWS} are drawn." if windows > MOST_ROWS else ""
    return (
        f"{windows} windows of {context_length} tokens, {stride} apart; neighbours share {overlap} "
        f"tokens.{shown} {len(read)} tokens are read {often}, and {unread} never, among "
        "them the last one, which is only an answer."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
