"""Pictures of drawing a token: the long tail, the bar that a dart hits, and what comes of many."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from pages.figures.distribution import percent
from pages.figures.palette import KEY, NEUTRAL, PREDICTION, QUERY, TRAIN, VALIDATION

_MARGIN = {"l": 60, "r": 12, "t": 12, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_REFERENCE = {"color": NEUTRAL, "dash": "dot"}
MOST_POINTS = 160  # of a curve over a whole vocabulary
ROOM_FOR_LABEL = 0.055  # of the bar; a shorter piece is named on hover only
# Ways to write are no roles; each has a dash and a marker besides its colour.
LOOKS = (
    (PREDICTION, "solid", "circle"),
    (QUERY, "dash", "square"),
    (TRAIN, "dot", "diamond"),
    (VALIDATION, "dashdot", "triangle-up"),
)


def rank_figure(probabilities: np.ndarray, *, listed: int) -> go.Figure:
    """Draw the probability of every token of a vocabulary (V,), the likeliest first.

    Both axes are logarithmic; the first `listed` tokens are those that bars show.
    """
    ordered = -np.sort(-probabilities.astype(np.float64))
    places = _spread(len(ordered), MOST_POINTS)
    shown = np.maximum(ordered[places], 1e-30)  # a logarithmic axis has no place for 0
    figure = go.Figure(
        go.Scatter(
            x=(places + 1).tolist(),
            y=[float(f"{p:.4g}") for p in shown],
            mode="lines",
            line={"color": PREDICTION, "width": 2},
            hovertemplate="token %{x} by rank: %{y:.2g}<extra></extra>",
            showlegend=False,
        )
    )
    if listed < len(ordered):
        edge = listed + 0.5
        figure.add_shape(type="line", x0=edge, x1=edge, y0=0, y1=1, yref="paper", line=_REFERENCE)
        figure.add_annotation(
            text="◂ bars | tail ▸",
            x=float(np.log10(edge)),  # plotly takes places on a logarithmic axis so
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
        )
    powers = [10**n for n in range(len(str(len(ordered))))]
    figure.update_xaxes(
        title_text="rank of the token",
        type="log",
        range=[0, float(np.log10(1.15 * len(ordered)))],
        tickvals=powers,
        ticktext=[f"{power:,}" for power in powers],
        zeroline=False,
    )
    figure.update_yaxes(
        title_text="probability", type="log", exponentformat="power", nticks=6, zeroline=False
    )
    figure.update_layout(height=260, margin=_MARGIN | {"t": 30, "l": 70})
    return figure


def rank_alt_text(probabilities: np.ndarray, *, share: float = 0.99) -> str:
    """Say how few tokens hold nearly all of the probability, and how small the others are."""
    ordered = -np.sort(-probabilities.astype(np.float64))
    enough = int(np.searchsorted(np.cumsum(ordered), share * ordered.sum())) + 1
    return (
        f"All {len(ordered):,} tokens have a probability above 0 before filtering. The "
        f"{enough:,} likeliest have {share:.0%} of it together; the least likely token has "
        f"{ordered[-1]:.1e}."
    )


def dart_figure(
    labels: Sequence[str], probabilities: Sequence[float], *, tail: float, dart: float
) -> go.Figure:
    """Draw the bar of length 1 on which all tokens lie end to end, and the dart that lands on it.

    labels, probabilities: the likeliest first; tail: what is left for all others; dart: its place
    on the bar, from 0 to 1. Tokens of probability 0 take no room.
    """
    figure = go.Figure()
    ends = np.cumsum([*probabilities, tail])
    for place, (label, p) in enumerate(
        zip([*labels, "all others"], [*probabilities, tail], strict=True)
    ):
        if p <= 0:
            continue
        start = float(ends[place] - p)
        hit = start <= dart < ends[place]
        opacity = 0.85 if hit else (0.5 if place % 2 == 0 else 0.3)
        figure.add_trace(_piece(label, start, p, opacity=opacity, last=place == len(labels)))
    figure.add_scatter(
        x=[dart],
        y=[0.62],
        mode="markers+text",
        marker={"symbol": "triangle-down", "size": 15, "color": KEY},
        text=[f"dart {dart:.3f}"],
        textposition="top center",
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    figure.add_shape(type="line", x0=dart, x1=dart, y0=-0.5, y1=0.55, line={"color": KEY})
    figure.update_xaxes(range=[-0.02, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 1], zeroline=False)
    figure.update_yaxes(visible=False, range=[-0.55, 1.25])
    figure.update_layout(height=170, barmode="overlay", margin={"l": 12, "r": 12, "t": 6, "b": 30})
    return figure


def _piece(label: str, start: float, p: float, *, opacity: float, last: bool) -> go.Bar:
    """A token's piece of the bar; the last one is that of all other tokens."""
    name = html.escape(label, quote=False)
    return go.Bar(
        orientation="h",
        x=[p],
        y=[0],
        base=[start],
        width=0.9,
        text=[name if p >= ROOM_FOR_LABEL else ""],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="none",
        marker={
            "color": NEUTRAL if last else PREDICTION,
            "opacity": opacity,
            "pattern": {"shape": "/" if last else ""},
            "line": {"width": 0},
        },
        hovertemplate=f"{name}: {percent(p)}, from {start:.3f} to {start + p:.3f}<extra></extra>",
        showlegend=False,
    )


def draws_figure(
    labels: Sequence[str], probabilities: Sequence[float], counts: Sequence[int], *, draws: int
) -> go.Figure:
    """Draw how often each token came, beside its probability and what chance alone may add.

    Of `draws` draws, a token of probability p comes p of the time, give or take two standard
    errors, which is where 95 of 100 such experiments end.
    """
    names = [html.escape(label, quote=False) for label in labels]
    places = list(range(len(names)))
    p = np.asarray(probabilities, dtype=np.float64)
    error = 2 * np.sqrt(p * (1 - p) / draws)
    figure = go.Figure()
    figure.add_bar(
        x=places,
        y=[count / draws for count in counts],
        name="drawn",
        marker={"color": PREDICTION},
        customdata=[[name, f"{count:,}"] for name, count in zip(names, counts, strict=True)],
        hovertemplate="%{customdata[0]}: %{customdata[1]} times<extra></extra>",
    )
    figure.add_scatter(
        x=places,
        y=p.tolist(),
        name="probability ± 2 standard errors",
        mode="markers",
        marker={"symbol": "line-ew", "size": 16, "line": {"width": 3, "color": NEUTRAL}},
        error_y={"array": error.tolist(), "color": NEUTRAL, "thickness": 2, "width": 5},
        hovertemplate="probability %{y:.3g}<extra></extra>",
    )
    figure.update_xaxes(tickvals=places, ticktext=names, tickangle=-40, automargin=True)
    top = max([count / draws for count in counts] + (p + error).tolist())
    figure.update_yaxes(title_text="share", range=[0, 1.08 * top], zeroline=False, tickformat=".0%")
    figure.update_layout(height=320, margin=_MARGIN | {"t": 30}, legend=_LEGEND, bargap=0.3)
    return figure


def within_errors(probabilities: Sequence[float], counts: Sequence[int], *, draws: int) -> int:
    """Return how many of the counts lie within two standard errors of what is expected."""
    p = np.asarray(probabilities, dtype=np.float64)
    error = 2 * np.sqrt(p * (1 - p) / draws)
    return int((np.abs(np.asarray(counts) / draws - p) <= error + 1e-12).sum())


def surprise_figure(surprises: Mapping[str, Sequence[float]]) -> go.Figure:
    """Draw the surprise of each token of several texts, in bits, over its place in the text."""
    figure = go.Figure()
    for (name, bits), (colour, dash, symbol) in zip(surprises.items(), LOOKS, strict=False):
        figure.add_scatter(
            x=list(range(1, len(bits) + 1)),
            y=[round(bit, 3) for bit in bits],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 6},
            hovertemplate=f"{html.escape(name)}, token %{{x}}: %{{y:.2f}} bits<extra></extra>",
        )
    figure.update_xaxes(title_text="place in the text", zeroline=False)
    figure.update_yaxes(title_text="surprise in bits", rangemode="tozero", zeroline=False)
    figure.update_layout(height=320, margin=_MARGIN | {"t": 40}, legend=_LEGEND)
    return figure


def _spread(count: int, most: int) -> np.ndarray:
    """Places from 0 to count - 1, at most so many, dense at the start as a logarithmic axis is."""
    spread = np.geomspace(1, count, num=min(count, most)).round().astype(np.int64) - 1
    return np.unique(np.append(spread, np.arange(min(count, 20))))
