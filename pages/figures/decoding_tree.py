"""Trees of texts that a model might have written: what was kept, and what was not."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from pages.figures.palette import NEUTRAL, PREDICTION

State = Literal["path", "kept", "dropped"]
LONGEST_LABEL = 9  # characters; six levels must fit on a phone
_LOOKS: dict[State, tuple[str, str, float, float, str]] = {
    # name in the legend, colour, width of the line, opacity of the line, marker
    "path": ("the text", PREDICTION, 3.0, 1.0, "circle"),
    "kept": ("kept", PREDICTION, 1.5, 0.75, "circle-open"),
    "dropped": ("not taken", NEUTRAL, 1.0, 0.6, "x-thin-open"),
}


@dataclass(frozen=True)
class TreeNode:
    """A token in the tree: its number, that of the token before it, and where it stands.

    level: how many tokens lie before it; row: its height, 0 on top; label: the token. detail: what
    is said of it on hover. A root's parent is None.
    """

    number: int
    parent: int | None
    level: int
    row: float
    label: str
    detail: str
    state: State


def branch_rows(parents: Mapping[int, int | None], order: Sequence[int]) -> dict[int, int]:
    """Return a row for each node so that no two lines cross, and a first child goes straight on.

    parents: by node, the node before it, or None. order: all nodes; of siblings, the first one in
    it continues its parent's row.
    """
    children: dict[int | None, list[int]] = {}
    for number in order:
        children.setdefault(parents[number], []).append(number)
    rows: dict[int, int] = {}
    free = 0
    waiting = [(number, False) for number in reversed(children.get(None, []))]
    while waiting:
        number, straight = waiting.pop()
        parent = parents[number]
        if parent is not None and straight:
            rows[number] = rows[parent]
        else:
            rows[number], free = free, free + 1
        waiting += [
            (child, place == 0)
            for place, child in reversed(list(enumerate(children.get(number, []))))
        ]
    return rows


def tree_figure(
    nodes: Sequence[TreeNode], *, names: Mapping[State, str] | None = None, row_height: int = 30
) -> go.Figure:
    """Draw the tree from left to right; `names` stand in the legend for the states."""
    figure = go.Figure()
    place = {node.number: (node.level, node.row) for node in nodes}
    states: tuple[State, ...] = ("dropped", "kept", "path")
    for state in states:
        mine = [node for node in nodes if node.state == state]
        if mine:
            _lines(figure, mine, place, state)
            _tokens(figure, mine, state, {**_names(), **(names or {})}[state])
    rows = max((node.row for node in nodes), default=0) + 1
    levels = [node.level for node in nodes] or [0]
    figure.update_xaxes(visible=False, range=[min(levels) - 0.4, max(levels) + 0.55])
    figure.update_yaxes(visible=False, range=[rows - 0.4, -0.9])
    figure.update_layout(
        height=int(row_height * rows + 90),
        margin={"l": 4, "r": 4, "t": 40, "b": 4},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "reversed"},
    )
    return figure


def _names() -> dict[State, str]:
    return {state: look[0] for state, look in _LOOKS.items()}


def _lines(
    figure: go.Figure,
    nodes: Sequence[TreeNode],
    place: Mapping[int, tuple[float, float]],
    state: State,
) -> None:
    """Lines from each node back to the one before it, as a single trace."""
    _, colour, width, opacity, _ = _LOOKS[state]
    xs: list[float | None] = []
    ys: list[float | None] = []
    for node in nodes:
        if node.parent in place:
            x, y = place[node.parent]
            xs += [x, (x + node.level) / 2, node.level, None]
            ys += [y, node.row, node.row, None]
    figure.add_scatter(
        x=xs,
        y=ys,
        mode="lines",
        line={"color": colour, "width": width},
        opacity=opacity,
        hoverinfo="skip",
        showlegend=False,
    )


def _tokens(figure: go.Figure, nodes: Sequence[TreeNode], state: State, name: str) -> None:
    _, colour, _, _, symbol = _LOOKS[state]
    strong = state == "path"
    texts = [_short(node.label) for node in nodes]
    figure.add_scatter(
        x=[node.level for node in nodes],
        y=[node.row for node in nodes],
        name=name,
        mode="markers+text",
        marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 2}},
        text=[f"<b>{text}</b>" if strong else text for text in texts],
        textposition="top center",
        textfont={"size": 12},
        customdata=[
            [html.escape(node.label, quote=False), html.escape(node.detail, quote=False)]
            for node in nodes
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        cliponaxis=False,
    )


def _short(label: str) -> str:
    """A label that leaves its neighbours room; a lone comma is hard to see."""
    if len(label) <= 3 and not any(map(str.isalnum, label)):
        label = f"“{label}”"
    cut = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    return html.escape(cut, quote=False)
