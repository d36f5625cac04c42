"""Pictures of positions: what they change, how tables and turns look, and how far they carry."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.figures.palette import (
    ATTENTION,
    KEY,
    NEUTRAL,
    PREDICTION,
    QUERY,
    TRAIN,
    VALIDATION,
    VALUE,
)

# Kinds of position are no roles; each has a dash and a marker besides its colour.
LOOKS: dict[str, tuple[str, str, str, str]] = {
    "none": ("no positions", NEUTRAL, "dash", "x-thin-open"),
    "learned": ("learned table", TRAIN, "solid", "square"),
    "sinusoidal": ("sinusoids", VALIDATION, "dot", "diamond"),
    "shaw": ("Shaw", VALUE, "dashdot", "triangle-up"),
    "t5": ("T5", KEY, "longdash", "triangle-down"),
    "alibi": ("ALiBi", ATTENTION, "solid", "circle"),
    "rope": ("RoPE", QUERY, "solid", "star"),
    "scaled": ("RoPE, places ÷ 4", PREDICTION, "dot", "star-open"),
}
_MARGIN = {"l": 60, "r": 14, "t": 40, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def name_of(position: str) -> str:
    """How a kind of position is called on screen."""
    return LOOKS[position][0]


def differences_figure(
    plain: Mapping[str, float], causal: Mapping[str, float], *, chosen: str
) -> go.Figure:
    """Draw how far outputs moved when words were shuffled, on a logarithmic axis.

    plain, causal: the largest difference by kind of position, without and with a causal mask.
    The kind `chosen` is drawn full.
    """
    figure = go.Figure()
    names = [name_of(position) for position in plain]
    shades = [1.0 if position == chosen else 0.45 for position in plain]
    for title, values, symbol in (("no mask", plain, "circle"), ("causal mask", causal, "diamond")):
        colour = QUERY if title == "no mask" else KEY
        figure.add_scatter(
            x=[max(value, 1e-8) for value in values.values()],
            y=names,
            name=title,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 13, "opacity": shades},
            hovertemplate=f"%{{y}}, {title}: %{{x:.2g}}<extra></extra>",
        )
    figure.update_xaxes(
        type="log", title_text="largest difference", exponentformat="power", range=[-8, 1.2]
    )
    figure.update_yaxes(autorange="reversed", ticksuffix=" ", zeroline=False)
    figure.update_layout(height=330, margin=_MARGIN | {"l": 105}, legend=_LEGEND)
    return figure


def rows_figure(counts: Sequence[float], pulls: Sequence[float]) -> go.Figure:
    """Draw how many texts reach each row of a learned table, and how hard they pull at it."""
    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=("texts that reach the place", "length of the gradient at its row"),
    )
    places = list(range(len(counts)))
    for row, (numbers, colour) in enumerate(((counts, NEUTRAL), (pulls, TRAIN)), start=1):
        figure.add_bar(
            x=places,
            y=[float(f"{number:.4g}") for number in numbers],
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="place %{x}: %{y:.3g}<extra></extra>",
            row=row,
            col=1,
        )
    figure.update_xaxes(zeroline=False)
    figure.update_xaxes(title_text="place", row=2, col=1)
    figure.update_layout(height=340, showlegend=False, bargap=0.1, margin=_MARGIN)
    return figure


def neighbours_figure(cosines: Sequence[float], norms: Sequence[float]) -> go.Figure:
    """Draw, for each row of a table, its likeness to the next row, and its length."""
    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=("cosine with the next row", "length of the row"),
    )
    for row, (numbers, colour) in enumerate(((cosines, ATTENTION), (norms, TRAIN)), start=1):
        figure.add_scatter(
            x=list(range(len(numbers))),
            y=[float(f"{number:.4g}") for number in numbers],
            mode="lines",
            line={"color": colour, "width": 1.5},
            hovertemplate="place %{x}: %{y:.3f}<extra></extra>",
            row=row,
            col=1,
        )
    figure.update_xaxes(zeroline=False)
    figure.update_xaxes(title_text="place", row=2, col=1)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(height=340, showlegend=False, margin=_MARGIN)
    return figure


def bias_figure(biases: Mapping[str, Sequence[float]], *, trained: int) -> go.Figure:
    """Draw what is added to a score over the distance, one line a head.

    biases: by the head's name, numbers for the distances 0, 1, 2, ...; those up to `trained` are
    marked.
    """
    figure = go.Figure()
    for index, (name, numbers) in enumerate(biases.items()):
        figure.add_scatter(
            x=list(range(len(numbers))),
            y=[float(f"{number:.4g}") for number in numbers],
            name=name,
            mode="lines",
            line={"color": ATTENTION, "dash": _DASHES[index % len(_DASHES)], "width": 2},
            hovertemplate=f"{name}, %{{x}} back: %{{y:.3f}}<extra></extra>",
        )
    _mark_trained(figure, trained)
    figure.update_xaxes(title_text="tokens back", zeroline=False)
    figure.update_yaxes(title_text="added to the score")
    figure.update_layout(height=310, margin=_MARGIN, legend=_LEGEND)
    return figure


def arrows_figure(
    query: Sequence[float], key: Sequence[float], *, places: tuple[int, int], turn: float
) -> go.Figure:
    """Draw the arrows of one pair of numbers, turned at the query's and the key's place.

    query, key: their tips (x, y) on the circle of radius 1; turn: the angle of one place, radians.
    The arc between them is their distance, times `turn`.
    """
    figure = go.Figure()
    angles = [index * math.tau / 72 for index in range(73)]
    figure.add_scatter(
        x=[math.cos(angle) for angle in angles],
        y=[math.sin(angle) for angle in angles],
        mode="lines",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(_arc(places, turn))
    for name, tip, place, colour, dash in (
        ("query", query, places[0], QUERY, "solid"),
        ("key", key, places[1], KEY, "dash"),
    ):
        figure.add_scatter(
            x=[0, tip[0]],
            y=[0, tip[1]],
            name=f"{name} at place {place}",
            mode="lines+markers",
            line={"color": colour, "width": 4, "dash": dash},
            marker={"size": [0, 14], "symbol": "circle", "color": colour},
            hovertemplate=f"{name} at place {place}: (%{{x:.3f}}, %{{y:.3f}})<extra></extra>",
        )
    axis = {"range": [-1.15, 1.15], "zeroline": False, "showgrid": False, "showticklabels": False}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis, scaleanchor="x")
    figure.update_layout(height=330, margin={"l": 8, "r": 8, "t": 40, "b": 8}, legend=_LEGEND)
    return figure


def _arc(places: tuple[int, int], turn: float) -> go.Scatter:
    """The angle from key to query, wound as often as it goes round, on a growing radius."""
    start, end = places[1] * turn, places[0] * turn
    steps = min(400, max(2, round(abs(end - start) * 12)))
    angles = [start + (end - start) * index / steps for index in range(steps + 1)]
    radii = [0.35 + 0.3 * index / steps for index in range(steps + 1)]
    return go.Scatter(
        x=[round(r * math.cos(a), 4) for r, a in zip(radii, angles, strict=True)],
        y=[round(r * math.sin(a), 4) for r, a in zip(radii, angles, strict=True)],
        name="the angle between",
        mode="lines",
        line={"color": ATTENTION, "width": 2},
        hoverinfo="skip",
    )


def turning_figure(curves: Mapping[str, Sequence[float]], *, trained: int) -> go.Figure:
    """Draw how alike a vector is to itself, turned by RoPE, over the distance; one line a setting.

    Distances up to `trained` are marked.
    """
    figure = go.Figure()
    colours = (QUERY, NEUTRAL)
    for index, (name, numbers) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(range(len(numbers))),
            y=[float(f"{number:.4g}") for number in numbers],
            name=name,
            mode="lines",
            line={"color": colours[index % 2], "dash": _DASHES[index], "width": 2},
            hovertemplate=f"{name}, %{{x}} apart: %{{y:.3f}}<extra></extra>",
        )
    _mark_trained(figure, trained, side="right")
    figure.update_xaxes(title_text="distance", zeroline=False)
    figure.update_yaxes(title_text="q·k, at distance 0 = 1", range=[-0.6, 1.08])
    figure.update_layout(height=310, margin=_MARGIN, legend=_LEGEND)
    return figure


def reading_figure(
    lines: Mapping[str, Sequence[float]], *, width: int, trained: int, chosen: str, top: float
) -> go.Figure:
    """Draw the loss over the place in a long text, one line a kind of position.

    lines: by kind, mean losses of `width` places each, as far as the kind can read. Losses above
    `top` leave the picture. The kind `chosen` is drawn full.
    """
    figure = go.Figure()
    for position, losses in lines.items():
        name, colour, dash, symbol = LOOKS[position]
        strong = position == chosen
        figure.add_scatter(
            x=[(index + 0.5) * width for index in range(len(losses))],
            y=[float(f"{loss:.4g}") for loss in losses],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 4 if strong else 2},
            marker={"symbol": symbol, "size": 8 if strong else 5, "color": colour},
            opacity=1 if strong else 0.75,
            hovertemplate=f"{name}, around place %{{x:.0f}}: %{{y:.3f}}<extra></extra>",
        )
    _mark_trained(figure, trained)
    longest = max(len(losses) for losses in lines.values()) * width
    figure.update_xaxes(
        title_text="place in the text", range=[0, longest], zeroline=False, dtick=trained
    )
    lowest = min(min(losses) for losses in lines.values())
    figure.update_yaxes(title_text="loss (nats per token)", range=[0.9 * lowest, top])
    figure.update_layout(height=430, margin=_MARGIN | {"t": 76}, legend=_LEGEND)
    return figure


def learning_figure(
    lines: Mapping[str, Sequence[tuple[int, float]]], *, chosen: str, top: float = 3.0
) -> go.Figure:
    """Draw validation losses over the steps, one line a kind of position."""
    figure = go.Figure()
    for position, points in lines.items():
        name, colour, dash, symbol = LOOKS[position]
        strong = position == chosen
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[loss for _, loss in points],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 4 if strong else 2},
            marker={"symbol": symbol, "size": 7 if strong else 4, "color": colour},
            opacity=1 if strong else 0.75,
            hovertemplate=f"{name}, step %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    lowest = min(loss for points in lines.values() for _, loss in points)
    figure.update_xaxes(title_text="training step", zeroline=False)
    figure.update_yaxes(title_text="loss (nats per token)", range=[0.9 * lowest, top])
    figure.update_layout(height=380, margin=_MARGIN | {"t": 76}, legend=_LEGEND)
    return figure


def _mark_trained(figure: go.Figure, trained: int, *, side: str = "left") -> None:
    """A line where the windows of training ended, with a word beside it."""
    figure.add_vline(x=trained, line={"color": NEUTRAL, "dash": "dot"})
    figure.add_annotation(
        x=trained,
        y=1,
        yref="paper",
        text="trained up to here",
        showarrow=False,
        xanchor="right" if side == "left" else "left",
        yanchor="top",
        xshift=-4 if side == "left" else 4,
    )
