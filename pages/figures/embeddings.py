"""Pictures of a token table: its share of a model, its groups, and what a step of training does."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.figures.palette import KEY, NEUTRAL, PREDICTION, TRAIN, VALUE

_MARGIN = {"l": 60, "r": 12, "t": 36, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
Look = tuple[str, str, str]  # a group's name, colour and shape
_CUBE = {
    "aspectmode": "manual",
    "aspectratio": dict.fromkeys("xyz", 1.25),
    "dragmode": "turntable",
}
_TANGENT = (-0.6, 0.6)  # from where to where it is drawn
# plotly has fewer shapes in space than on a plane.
_IN_SPACE = {
    "triangle-up": "circle-open",
    "triangle-down": "square-open",
    "star": "diamond-open",
}


def share_figure(
    widths: Sequence[int], tables: Sequence[int], rest: Sequence[int], *, chosen: int
) -> go.Figure:
    """Draw which part of a model's parameters is the token table, over d_model.

    tables, rest: the parameters of the token table, and all others, one a width.
    """
    shares = [100 * a / (a + b) for a, b in zip(tables, rest, strict=True)]
    at = list(widths).index(chosen)
    figure = go.Figure(
        [
            go.Scatter(
                x=list(widths),
                y=shares,
                mode="lines+markers",
                line={"color": TRAIN, "width": 2},
                marker={"size": 6},
                hovertemplate="d_model %{x}: %{y:.1f}%<extra></extra>",
            ),
            go.Scatter(
                x=[chosen],
                y=[shares[at]],
                mode="markers",
                marker={"color": TRAIN, "size": 14, "symbol": "diamond"},
                hovertemplate="yours: %{y:.1f}%<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(
        title_text="d_model", type="log", tickvals=list(widths)[::2], ticktext=list(widths)[::2]
    )
    figure.update_yaxes(title_text="share of the token table, %", range=[0, 100])
    figure.update_layout(showlegend=False, height=300, margin=_MARGIN)
    return figure


def groups_figure(
    steps: Sequence[int],
    measures: Mapping[str, Sequence[float]],
    *,
    chance: float,
    chosen: int,
) -> go.Figure:
    """Draw how the groups form over the snapshots.

    measures: "alike", "within" and "between", one number a snapshot; chance: of "alike" for
    vectors that know nothing of groups; chosen: the place of the snapshot to mark.
    """
    looks = (
        ("alike", "nearest is of its group", TRAIN, "solid", "circle"),
        ("within", "cosine within a group", VALUE, "dash", "square"),
        ("between", "cosine between groups", KEY, "dot", "diamond"),
    )
    names = [f"{step:,}" for step in steps]
    figure = go.Figure()
    for key, name, colour, dash, symbol in looks:
        figure.add_scatter(
            x=names,
            y=list(measures[key]),
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 7},
            hovertemplate=f"step %{{x}}, {name}: %{{y:.2f}}<extra></extra>",
        )
    figure.add_hline(y=chance, line={"color": NEUTRAL, "dash": "dot"})
    figure.add_vline(x=chosen, line={"color": NEUTRAL, "width": 1})
    figure.update_xaxes(title_text="training step", type="category", zeroline=False)
    figure.update_yaxes(range=[-0.1, 1.05], zeroline=False)
    figure.update_layout(height=300, margin=_MARGIN, legend=_LEGEND)
    return figure


def space_figure(
    names: Sequence[str],
    places: Sequence[Sequence[float]],
    groups: Sequence[int],
    looks: Sequence[Look],
    *,
    limit: float,
    chosen: int,
    named: Sequence[int],
) -> go.Figure:
    """Draw points (N, 3) in space, in a cube that reaches `limit` to every side of 0.

    groups: of each point, as a place in `looks`; chosen: the point that is larger than the others;
    named: points whose names stand beside them, as the chosen one's does.
    """
    figure = go.Figure()
    for number, (group, colour, symbol) in enumerate(looks):
        members = [place for place, each in enumerate(groups) if each == number]
        size = 7 if symbol in _IN_SPACE else 4  # hollow ones are faint
        x, y, z = ([places[member][axis] for member in members] for axis in range(3))
        figure.add_scatter3d(
            x=x,
            y=y,
            z=z,
            name=group,
            mode="markers+text",
            marker={
                "color": colour,
                "symbol": _IN_SPACE.get(symbol, symbol),
                "size": [11 if member == chosen else size for member in members],
                "opacity": 1,
                "line": {"color": colour, "width": 2},
            },
            text=[names[member] if member in (chosen, *named) else "" for member in members],
            textfont={"color": colour},
            customdata=[names[member] for member in members],
            hovertemplate=f"%{{customdata}}, {group}<extra></extra>",
        )
    axis = {"range": [-limit, limit], "showticklabels": False, "showspikes": False, "title": ""}
    # Nothing is said of the camera: it stays where the reader has turned it to.
    scene = {f"{letter}axis": axis for letter in "xyz"} | _CUBE
    figure.update_layout(
        height=460,
        scene=scene,
        margin={"l": 0, "r": 0, "t": 8, "b": 8},
        legend={"orientation": "h", "itemsizing": "constant"},
        uirevision="space",
    )
    return figure


def rows_figure(labels: Sequence[str], lengths: Sequence[float], roles: Sequence[str]) -> go.Figure:
    """Draw how far rows of the table are pulled: a bar each, the longest on top.

    roles: "input", "target" or "other" of each row.
    """
    looks = (("input", TRAIN, ""), ("target", PREDICTION, "/"), ("other", NEUTRAL, "."))
    figure = go.Figure()
    for role, colour, shape in looks:
        places = [place for place, each in enumerate(roles) if each == role]
        figure.add_bar(
            x=[lengths[place] for place in places],
            y=places,
            name=role,
            orientation="h",
            marker={
                "color": colour,
                "pattern": {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.25},
            },
            hovertemplate="%{x:.4g}<extra></extra>",
        )
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[label.replace("<", "&lt;") for label in labels],
        autorange="reversed",
        automargin=True,
    )
    figure.update_xaxes(title_text="length of the row's gradient", rangemode="tozero")
    figure.update_layout(height=90 + 26 * len(labels), margin=_MARGIN, legend=_LEGEND)
    return figure


def descent_figure(
    ids: Sequence[int],
    id_losses: Sequence[float],
    distances: Sequence[float],
    vector_losses: Sequence[float],
    *,
    chosen: int,
    slope: float,
) -> go.Figure:
    """Draw the loss over the id, which jumps, and over a way of the vector, which is smooth.

    chosen: the true id, marked; slope: of the tangent where the vector stands, at distance 0.
    """
    figure = make_subplots(cols=2, subplot_titles=("another id", "the vector, moved"))
    here = vector_losses[min(range(len(distances)), key=lambda n: abs(distances[n]))]
    left = [
        _dots(ids, id_losses, NEUTRAL, 6, "circle", "id %{x}: loss %{y:.2f}"),
        _dots([chosen], [id_losses[list(ids).index(chosen)]], TRAIN, 12, "diamond", "the true id"),
    ]
    right = [
        _line(distances, vector_losses, TRAIN, "solid", "moved by %{x:.2f}: loss %{y:.3f}"),
        _line(
            _TANGENT, [here + slope * x for x in _TANGENT], PREDICTION, "dash", f"slope {slope:.3f}"
        ),
        _dots([0], [here], TRAIN, 12, "diamond", "the vector as it is: loss %{y:.3f}"),
    ]
    for column, traces in enumerate((left, right), start=1):
        for trace in traces:
            figure.add_trace(trace, row=1, col=column)
    figure.update_xaxes(title_text="id", row=1, col=1, zeroline=False)
    figure.update_xaxes(title_text="moved against its gradient", row=1, col=2, zeroline=False)
    figure.update_yaxes(title_text="loss", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(rangemode="tozero", row=1, col=2)  # a scale of its own: it is much flatter
    figure.update_layout(showlegend=False, height=340, margin=_MARGIN)
    return figure


def _dots(
    x: Sequence[float], y: Sequence[float], colour: str, size: int, symbol: str, hover: str
) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="markers",
        marker={"color": colour, "size": size, "symbol": symbol},
        hovertemplate=f"{hover}<extra></extra>",
    )


def _line(x: Sequence[float], y: Sequence[float], colour: str, dash: str, hover: str) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        line={"color": colour, "width": 2, "dash": dash},
        hovertemplate=f"{hover}<extra></extra>",
    )
