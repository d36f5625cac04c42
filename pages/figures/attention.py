"""Pictures of attention: what it reaches, why it is scaled, what it costs, who looks at whom."""

import base64
import math
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.figures.palette import ATTENTION, KEY, NEUTRAL, QUERY, VALUE

_MARGIN = {"l": 60, "r": 12, "t": 36, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
LOWEST = 1e-8  # of the last token's own; a logarithmic axis has no place for 0
# Kinds of layer are no roles; each has a dash and a marker besides its colour.
_REACH = {
    "attention": ("attention over all", ATTENTION, "solid", "circle"),
    "window": ("attention in a window", QUERY, "dash", "square"),
    "recurrent": ("recurrent network", KEY, "dot", "diamond"),
}
LEVELS = 16  # shades of the grid of heads


def reach_figure(influences: Mapping[str, Sequence[float]], *, distance: int) -> go.Figure:
    """Draw how much the last token's output depends on tokens further and further back.

    influences: by kind of layer, (T,) from the first token to the last, as
    `llm_core.inspection.attention.compare_reach` gives them. `distance` is marked.
    """
    figure = go.Figure()
    for kind, (name, colour, dash, symbol) in _REACH.items():
        back = np.asarray(influences[kind])[::-1]
        figure.add_scatter(
            x=list(range(len(back))),
            y=[share if share >= LOWEST else None for share in (back / back[0]).tolist()],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 5},
            hovertemplate=f"{name}, %{{x}} back: %{{y:.2g}}<extra></extra>",
        )
    figure.add_vline(x=distance, line={"color": NEUTRAL, "dash": "dot"})
    figure.update_xaxes(title_text="tokens back", zeroline=False)
    figure.update_yaxes(
        title_text="influence, own = 1", type="log", exponentformat="power", zeroline=False
    )
    figure.update_layout(height=320, margin=_MARGIN, legend=_LEGEND)
    return figure


def reach_alt_text(influences: Mapping[str, Sequence[float]], *, distance: int) -> str:
    """Say what comes through from `distance` tokens back."""
    said = []
    for kind, (name, *_) in _REACH.items():
        back = np.asarray(influences[kind])[::-1]
        share = float(back[distance] / back[0])
        said.append(f"{name}: {'nothing at all' if share == 0 else f'{share:.2g}'}")
    return (
        f"What comes through from {distance} tokens back, compared with the token itself: "
        f"{'; '.join(said)}."
    )


def spread_figure(
    widths: Sequence[int],
    variances: Sequence[Sequence[float]],
    entropies: Sequence[Sequence[float]],
    *,
    most: float,
    chosen: int,
) -> go.Figure:
    """Draw the scores' variance and the weights' entropy over the width D, plain and scaled.

    variances, entropies: two rows each, first of plain q·k, then of q·k / √D. most: the entropy
    of equal weights. The width `chosen` is marked.
    """
    figure = make_subplots(cols=2, subplot_titles=("variance of scores", "entropy of weights"))
    looks = (("q·k", KEY, "dot", "diamond"), ("q·k / √D", ATTENTION, "solid", "circle"))
    for column, rows in enumerate((variances, entropies), start=1):
        for numbers, (name, colour, dash, symbol) in zip(rows, looks, strict=True):
            figure.add_scatter(
                x=list(widths),
                y=list(numbers),
                name=name,
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 2},
                marker={"symbol": symbol, "size": 7},
                showlegend=column == 1,
                hovertemplate=f"{name}, D = %{{x}}: %{{y:.3g}}<extra></extra>",
                row=1,
                col=column,
            )
        figure.add_vline(x=chosen, line={"color": NEUTRAL, "dash": "dot"}, row=1, col=column)
    figure.add_hline(y=most, line={"color": NEUTRAL, "dash": "dash"}, row=1, col=2)
    figure.update_xaxes(
        title_text="width D of a head",
        type="log",
        tickvals=[2, 8, 32, 128, 512],
        ticktext=["2", "8", "32", "128", "512"],
    )
    figure.update_yaxes(type="log", dtick=1, row=1, col=1)
    figure.update_yaxes(title_text="bits", rangemode="tozero", row=1, col=2)
    legend = _LEGEND | {"y": 1.14}
    figure.update_layout(height=340, margin=_MARGIN | {"t": 64}, legend=legend)
    return figure


def cost_figure(
    lengths: Sequence[int], explicit: Sequence[float], fused: Sequence[float], *, unit: str
) -> go.Figure:
    """Draw time or memory over the length, with the curve T² through the last explicit point."""
    last, top = lengths[-1], explicit[-1]
    curve = [top * (length / last) ** 2 for length in lengths]
    figure = go.Figure()
    for name, numbers, colour, dash, symbol in (
        ("in the open", explicit, ATTENTION, "solid", "circle"),
        ("fused", fused, VALUE, "dash", "square"),
        ("T² curve", curve, NEUTRAL, "dot", "line-ew"),
    ):
        figure.add_scatter(
            x=list(lengths),
            y=list(numbers),
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8},
            hovertemplate=f"{name}, %{{x}} tokens: %{{y:.3g}} {unit}<extra></extra>",
        )
    figure.update_xaxes(title_text="tokens T", rangemode="tozero", tickvals=list(lengths)[-3:])
    figure.update_yaxes(title_text=unit, rangemode="tozero")
    figure.update_layout(height=300, margin=_MARGIN, legend=_LEGEND)
    return figure


def arcs_figure(labels: Sequence[str], weights: Sequence[float], *, query: int) -> go.Figure:
    """Draw arcs over the text from the token at place `query` to those it looks at.

    weights: (T,) of that query. An arc is as wide as its weight; a dot stands for a look at itself.
    """
    figure = go.Figure()
    for place, weight in enumerate(weights):
        if weight < 0.01:
            continue
        angles = np.linspace(0, math.pi, 25)
        middle, radius = (place + query) / 2, abs(place - query) / 2
        look = {"color": ATTENTION, "width": 1 + 9 * weight}
        figure.add_scatter(
            x=(middle + radius * np.cos(angles)).tolist(),
            y=(radius * np.sin(angles)).tolist(),
            mode="lines" if radius else "markers",
            line=look,
            marker={"color": ATTENTION, "size": 6 + 14 * weight},
            opacity=0.35 + 0.65 * weight,
            hoverinfo="text",
            hovertext=f"place {place}: {weight:.3f}",
        )
    figure.update_xaxes(
        tickvals=list(range(len(labels))),
        ticktext=[label.replace("<", "&lt;") for label in labels],
        tickangle=-90,
        range=[-0.7, len(labels) - 0.3],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(visible=False, rangemode="tozero")
    figure.update_layout(showlegend=False, height=300, margin={"l": 8, "r": 8, "t": 8, "b": 90})
    return figure


def parting_figure(free: Sequence[float], hidden: Sequence[float], *, causal: bool) -> go.Figure:
    """Draw how like a word's vectors in two texts are, layer by layer, under two masks.

    free, hidden: (L + 1,) cosines, from the embedding on, when all tokens are seen, and when only
    those before are. causal: is the second one looked at?
    """
    figure = go.Figure()
    kinds = (("all tokens", free, "solid", "circle"), ("only before", hidden, "dash", "square"))
    for position, (name, cosines, dash, symbol) in enumerate(kinds):
        figure.add_scatter(
            x=["embedding", *(f"layer {n}" for n in range(1, len(cosines)))],
            y=list(cosines),
            name=name,
            mode="lines+markers",
            line={"color": ATTENTION if position == causal else NEUTRAL, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8},
            hovertemplate=f"{name}, %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    figure.update_yaxes(title_text="cosine of the two vectors", zeroline=False)
    figure.update_layout(height=300, margin=_MARGIN, legend=_LEGEND)
    return figure


def heads_picture(maps: np.ndarray) -> str:
    """Return all heads' weights (L, H, T, T) as one picture, in the form of a data: address.

    A row of tiles is a layer, a column a head; a pixel is a weight, in 16 shades of the colour of
    attention, so that the whole stays small. Between tiles is a gap of two pixels.
    """
    layers, heads, length, _ = maps.shape
    tile = length + 2
    shades = np.zeros((layers * tile - 2, heads * tile - 2), dtype=np.uint8)
    levels = np.ceil(np.clip(maps, 0, 1) ** 0.5 * (LEVELS - 2)).astype(np.uint8) + 1
    for layer in range(layers):
        for head in range(heads):
            top, left = layer * tile, head * tile
            shades[top : top + length, left : left + length] = levels[layer, head]
    return "data:image/png;base64," + base64.b64encode(_png(shades)).decode()


def _png(shades: np.ndarray) -> bytes:
    """A PNG with one byte a pixel: 0 lets the page through, 1 is faint, LEVELS - 1 is full."""
    red, green, blue = (int(ATTENTION[at : at + 2], 16) for at in (1, 3, 5))
    alphas = bytes([0, *(20 + 235 * level // (LEVELS - 2) for level in range(LEVELS - 1))])
    height, width = shades.shape
    rows = np.pad(shades, ((0, 0), (1, 0))).tobytes()  # each row begins with "no filter"
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, content)
        for name, content in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", bytes([red, green, blue]) * LEVELS),
            (b"tRNS", alphas),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
