"""Pictures of what words' vectors say: analogies, leanings, dimensions, and a word in context."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.figures.palette import KEY, NEUTRAL, PREDICTION, QUERY, TRAIN, VALUE

_MARGIN = {"l": 60, "r": 12, "t": 36, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
Place = Sequence[float]


def analogy_figure(
    words: tuple[str, str, str], corners: Sequence[Place], candidates: Mapping[str, Place]
) -> go.Figure:
    """Draw second - first + third as two equal arrows, in their own plane.

    words: first, second, third; corners: the places of these and of the point that the sum leads
    to; candidates: the nearest words, by their place in that plane, the winner first.
    """
    first, second, third, target = corners
    figure = go.Figure()
    for start, end in ((first, second), (third, target)):
        figure.add_annotation(
            x=end[0],
            y=end[1],
            ax=start[0],
            ay=start[1],
            xref="x",
            yref="y",
            axref="x",
            ayref="y",
            showarrow=True,
            arrowhead=3,
            arrowsize=1.2,
            arrowwidth=2.5,
            arrowcolor=QUERY,
            text="",
        )
    # The arrows go upwards: names keep out of their way.
    spots = ["bottom center", "top center", "bottom center"]
    _points(figure, words, corners[:3], "the three words", (TRAIN, "circle", 11), spots)
    _points(figure, [""], [target], "where the sum leads", (QUERY, "x", 13), ["top center"])
    names, places = list(candidates), list(candidates.values())
    nearest = PREDICTION, "diamond", 12
    _points(figure, names[:1], places[:1], "nearest word", nearest, ["middle left"])
    following = NEUTRAL, "circle-open", 8
    _points(figure, names[1:], places[1:], "next nearest", following, ["middle right"])
    everything = [*corners, *candidates.values()]
    for axis, update in enumerate((figure.update_xaxes, figure.update_yaxes)):
        low, high = (f(each[axis] for each in everything) for f in (min, max))
        room = 0.18 * max(high - low, 0.1)
        update(
            range=[low - room, high + room], showticklabels=False, zeroline=False, showgrid=False
        )
    figure.update_yaxes(scaleanchor="x")
    figure.update_layout(
        height=420, margin={"l": 12, "r": 12, "t": 60, "b": 12}, legend=_LEGEND | {"y": 1.04}
    )
    return figure


def _points(
    figure: go.Figure,
    names: Sequence[str],
    places: Sequence[Place],
    kind: str,
    look: tuple[str, str, int],
    spots: Sequence[str],
) -> None:
    """Add points of one kind with their names; `spots` says where a name stands, in turn."""
    colour, symbol, size = look
    figure.add_scatter(
        x=[place[0] for place in places],
        y=[place[1] for place in places],
        text=[name.replace("<", "&lt;") for name in names],
        name=kind,
        mode="markers+text",
        textposition=[spots[n % len(spots)] for n in range(len(names))],
        marker={"color": colour, "symbol": symbol, "size": size},
        hovertemplate=f"%{{text}} ({kind})<extra></extra>",
    )


def leaning_figure(
    words: Sequence[str], leanings: Sequence[float], ends: tuple[str, str]
) -> go.Figure:
    """Draw how far each word leans to either end of a direction, sorted: bars from the middle."""
    order = sorted(range(len(words)), key=lambda place: leanings[place])
    figure = go.Figure()
    for name, colour, shape, sign in ((ends[0], KEY, "", -1), (ends[1], QUERY, "/", 1)):
        places = [n for n, place in enumerate(order) if (leanings[place] >= 0) == (sign > 0)]
        figure.add_bar(
            x=[leanings[order[n]] for n in places],
            y=places,
            name=f"towards {name}".replace("<", "&lt;"),
            orientation="h",
            marker={
                "color": colour,
                "pattern": {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.25},
            },
            hovertemplate="%{x:.3f}<extra></extra>",
        )
    most = max(0.1, *(1.1 * abs(each) for each in leanings))
    figure.update_xaxes(title_text="cosine with the direction", range=[-most, most])
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[words[place].replace("<", "&lt;") for place in order],
        automargin=True,
    )
    figure.update_layout(
        height=110 + 20 * len(words), margin=_MARGIN, legend=_LEGEND, barmode="overlay"
    )
    return figure


def dimension_figure(
    dimensions: Sequence[int],
    kept: Sequence[float],
    solved: Sequence[float],
    variance: Sequence[float],
    *,
    chosen: int,
) -> go.Figure:
    """Draw what is left when vectors keep only their first axes.

    kept: the share of the true neighbours still found; solved: of the analogies that all axes
    solve; variance: of the squared lengths. All from 0 to 1, one a dimension.
    """
    figure = go.Figure()
    for name, numbers, colour, dash, symbol in (
        ("true neighbours found", kept, TRAIN, "solid", "circle"),
        ("analogies solved", solved, PREDICTION, "dash", "diamond"),
        ("variance", variance, NEUTRAL, "dot", "square"),
    ):
        figure.add_scatter(
            x=list(dimensions),
            y=[100 * number for number in numbers],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 7},
            hovertemplate=f"%{{x}} numbers, {name}: %{{y:.0f}}%<extra></extra>",
        )
    figure.add_vline(x=chosen, line={"color": NEUTRAL, "width": 1})
    figure.update_xaxes(title_text="numbers a word", zeroline=False)
    figure.update_yaxes(title_text="%", range=[0, 104], zeroline=False)
    figure.update_layout(height=320, margin=_MARGIN, legend=_LEGEND)
    return figure


def layers_figure(
    layers: Sequence[str],
    similarities: Sequence[Sequence[float]],
    names: Sequence[str],
    same: Sequence[bool | None],
    *,
    chosen: int,
) -> go.Figure:
    """Draw how like the first sentence's vector of a word those of the others are, layer by layer.

    similarities: one row of cosines a sentence; same: has the word its meaning of the first
    sentence there? None where nobody has said so. chosen: the place of the layer to mark.
    """
    looks = {
        True: ("same meaning", VALUE, "solid", "circle"),
        False: ("other meaning", KEY, "dash", "diamond"),
        None: ("", TRAIN, "solid", "circle"),
    }
    figure = go.Figure()
    for row, name, alike in zip(similarities, names, same, strict=True):
        meaning, colour, dash, symbol = looks[alike]
        figure.add_scatter(
            x=list(layers),
            y=list(row),
            name=f"{name}: {meaning}" if meaning else name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 7},
            hovertemplate=f"{name}, %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    figure.add_vline(x=chosen, line={"color": NEUTRAL, "width": 1})
    figure.update_xaxes(type="category", zeroline=False)
    lowest = min(min(row) for row in similarities)
    figure.update_yaxes(
        title_text="cosine with sentence 1", range=[min(0.4, lowest - 0.05), 1.03], zeroline=False
    )
    figure.update_layout(height=340, margin=_MARGIN | {"t": 70}, legend=_LEGEND)
    return figure
