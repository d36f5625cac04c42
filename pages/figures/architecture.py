"""Pictures of a transformer's sizes, of one token's way through it, and of where norms stand."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.figures.distribution import percent
from pages.figures.palette import ATTENTION, NEUTRAL, PREDICTION, ROLES, TRAIN, VALUE

_CLIPPED = 0.99  # of the numbers lie inside a strip's scale; a few outliers would leave it pale
_COLOURS = {"attention": ATTENTION, "cross_attention": ATTENTION, "output": PREDICTION}


def split_figure(
    names: Sequence[str], labels: Sequence[str], parameters: Sequence[int], flops: Sequence[int]
) -> go.Figure:
    """Draw each part's share of a model's parameters, and of its floating-point operations.

    names: of the parts, as in `llm_core.inspection.anatomy`; labels: what to write for them.
    """
    figure = make_subplots(
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
    )
    named = (("parameters", parameters), ("FLOPs", flops))
    for column, (title, numbers) in enumerate(named, start=1):
        total = sum(numbers) or 1
        shares = [number / total for number in numbers]
        figure.add_bar(
            orientation="h",
            x=shares,
            y=list(labels),
            text=[percent(share) for share in shares],
            textposition="outside",
            cliponaxis=False,
            marker_color=[_COLOURS.get(name, NEUTRAL) for name in names],
            customdata=[f"{number:,}" for number in numbers],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
            showlegend=False,
            row=1,
            col=column,
        )
        figure.update_xaxes(
            title_text=f"share of {title}",
            range=[0, 1.45 * max(shares, default=1)],
            tickformat=".0%",
            nticks=3,
            zeroline=False,
            row=1,
            col=column,
        )
    figure.update_yaxes(autorange="reversed", automargin=True)
    height = 30 * len(names) + 70
    figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 8, "b": 50}, bargap=0.3)
    return figure


def split_alt_text(labels: Sequence[str], parameters: Sequence[int], flops: Sequence[int]) -> str:
    """Say which part is the largest, and which the dearest."""
    said = []
    for what, numbers in (("parameters", parameters), ("FLOPs", flops)):
        order = sorted(range(len(labels)), key=lambda n: -numbers[n])[:2]
        total = sum(numbers) or 1
        parts = [f"{labels[n].lower()} ({numbers[n] / total:.0%})" for n in order]
        said.append(f"Most {what}: {', then '.join(parts)}.")
    return " ".join(said)


def strip_figure(rows: Sequence[str], vectors: np.ndarray, *, roles: Sequence[str]) -> go.Figure:
    """Draw vectors (R, C) as strips of colour under each other, all on one scale.

    Positive numbers have the colour of the row's role, negative ones are grey; the deeper, the
    further from 0. What lies beyond 99% of all numbers has the colour of the end.
    """
    values = np.asarray(vectors, dtype=np.float32)
    most = float(np.quantile(np.abs(values), _CLIPPED)) or 1.0
    figure = make_subplots(rows=len(rows), shared_xaxes=True, vertical_spacing=0.06)
    for place, (label, role) in enumerate(zip(rows, roles, strict=True)):
        figure.add_heatmap(
            z=values[place : place + 1],
            y=[label],
            zmin=-most,
            zmax=most,
            colorscale=_from_grey(ROLES[role]),
            showscale=False,
            hovertemplate=f"{label}, number %{{x}}: %{{z:.4g}}<extra></extra>",
            row=place + 1,
            col=1,
        )
    figure.update_yaxes(showgrid=False, zeroline=False, ticklabelstandoff=4, automargin=True)
    figure.update_xaxes(showgrid=False, zeroline=False, nticks=6)
    height = 46 * len(rows) + 44
    figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 6, "b": 28})
    return figure


def _from_grey(colour: str) -> list[list[object]]:
    """Grey for the lowest, nothing at all for 0, a role's colour for the highest number."""

    def with_alpha(hexadecimal: str, alpha: float) -> str:
        red, green, blue = (int(hexadecimal[at : at + 2], 16) for at in (1, 3, 5))
        return f"rgba({red},{green},{blue},{alpha})"

    return [
        [0.0, with_alpha(NEUTRAL, 1)],
        [0.5, with_alpha(NEUTRAL, 0)],
        [0.5, with_alpha(colour, 0)],
        [1.0, with_alpha(colour, 1)],
    ]


def journey_figure(
    names: Sequence[str], lengths: Sequence[float], shares: Sequence[float], *, chosen: int
) -> go.Figure:
    """Draw, stage by stage, the probability of the final answer and the vector's length.

    names: of the stages; shares: what the model would give its own final answer if it stopped
    there. The stage `chosen` is marked.
    """
    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.12,
    )
    looks = (
        ("final answer", shares, PREDICTION, "circle"),
        ("length", lengths, TRAIN, "square"),
    )
    for row, (title, numbers, colour, symbol) in enumerate(looks, start=1):
        figure.add_scatter(
            x=list(range(1, len(names) + 1)),
            y=list(numbers),
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"symbol": symbol, "size": 7},
            customdata=list(names),
            hovertemplate="%{customdata}: %{y:.3g}<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
        figure.update_yaxes(title_text=title, row=row, col=1)
        figure.add_vline(x=chosen + 1, line={"color": NEUTRAL, "dash": "dot"}, row=row, col=1)
    figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%", zeroline=False, row=1, col=1)
    figure.update_yaxes(rangemode="tozero", zeroline=False, row=2, col=1)
    figure.update_xaxes(title_text="stage", zeroline=False, row=2, col=1)
    figure.update_layout(height=360, margin={"l": 62, "r": 12, "t": 8, "b": 44})
    return figure


def lengths_figure(curves: Sequence[tuple[str, Sequence[float]]]) -> go.Figure:
    """Draw the length of the stream after each block, for some models (name, lengths)."""
    figure = go.Figure()
    looks = (  # models are no roles; each has a dash and a marker besides its colour
        (TRAIN, "solid", "circle"),
        (NEUTRAL, "dash", "square"),
        (VALUE, "dot", "diamond"),
    )
    for (name, lengths), (colour, dash, symbol) in zip(curves, looks, strict=False):
        figure.add_scatter(
            x=list(range(len(lengths))),
            y=list(lengths),
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8},
            hovertemplate=f"{name}, after block %{{x}}: %{{y:.3g}}<extra></extra>",
        )
    figure.update_xaxes(title_text="blocks passed", zeroline=False, dtick=2)
    figure.update_yaxes(title_text="length of a vector", type="log", dtick=1, zeroline=False)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    figure.update_layout(height=330, margin={"l": 60, "r": 12, "t": 40, "b": 46}, legend=legend)
    return figure
