"""The drawing of a transformer as plain data: boxes, lines and frames, from the text down.

Where a norm stands and what goes round it follows `llm_core.layers.blocks`: pre-norm blocks read a
normalised copy of the stream, post-norm blocks normalise the sum. A component draws it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_LEFT, _WIDTH, _COLUMN = 44, 236, 330  # of a column: where boxes begin, their width, to the next
_BOX, _ROW, _HEADS, _GAP, _PLUS = 38, 19, 12, 20, 11  # heights; the last is a radius
_SUBLAYERS = {
    "": ("attention", "feedforward"),
    "encoder": ("attention", "feedforward"),
    "decoder": ("attention", "cross_attention", "feedforward"),
}
Rows = Mapping[str, Sequence[tuple[str, str]]]


@dataclass
class _Column:
    """One stack while it is drawn: how far down it is, and what was drawn last."""

    stack: str
    left: float
    labels: Mapping[str, str]
    rows: Rows
    n_heads: int
    y: float = 0
    last: str = ""  # id of the node that the stream comes from
    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.left + _LEFT + _WIDTH / 2

    def part(self, name: str) -> str:
        shared = not self.stack or name in ("embedding", "output")
        return name if shared else f"{self.stack}.{name}"

    def end(self, text: str) -> None:
        """Write what goes in, or comes out."""
        node = {"id": f"{self.stack}:{text}", "kind": "text", "text": text}
        self._down(node["id"], self.y, first=not self.last)
        self.nodes.append(node | {"x": self.middle, "y": self.y + 10})
        self.y += 20
        self.last = node["id"]

    def box(self, name: str, place: str = "") -> None:
        """Draw a part; the first of its kind opens if there are rows to show inside."""
        part = self.part(name)
        drawn = [node for node in self.nodes if node["kind"] == "box" and node["part"] == part]
        opened = part in self.rows and not drawn
        rows = [list(row) for row in self.rows[part]] if opened else []
        heads = self.n_heads if name.endswith("attention") else 0
        top = _BOX + (_HEADS if heads else 0)
        height = top + _ROW * len(rows) + (8 if rows else 0)
        node_id = f"{self.stack}:{place or name}"
        self._down(node_id, self.y + _GAP)
        self.y += _GAP
        self.nodes.append(
            {
                "id": node_id,
                "kind": "box",
                "part": part,
                "text": self.labels.get(part, self.labels.get(name, name)),
                "x": self.left + _LEFT,
                "y": self.y,
                "width": _WIDTH,
                "height": height,
                "heads": heads,
                "top": top,
                "rows": rows,
            }
        )
        self.y += height
        self.last = node_id

    def branch(self) -> tuple[str, float]:
        """Mark where a copy of the stream leaves; return the node it comes from, and its height."""
        self.y += _GAP / 2
        return self.last, self.y

    def add(self, name: str, branch: tuple[str, float]) -> None:
        """Add the copy that left at `branch` to what came through."""
        node_id, y = f"{self.stack}:{name}+", self.y + _GAP + _PLUS
        self._down(node_id, y - _PLUS)
        rail = self.left + _LEFT / 2
        points = [
            (self.middle, branch[1]), (rail, branch[1]), (rail, y), (self.middle - _PLUS, y),
        ]  # fmt: skip
        self.edges.append({"from": branch[0], "to": node_id, "points": points, "kind": "round"})
        self.nodes.append(
            {"id": node_id, "kind": "plus", "part": self.part("norm"), "x": self.middle, "y": y}
        )
        self.y, self.last = y + _PLUS, node_id

    def sublayer(self, name: str, *, post: bool) -> None:
        """Draw a sublayer with its norm and what goes round it."""
        branch = self.branch()
        norm = f"{name}_norm"
        if post:
            self.box(name)
            self.add(name, branch)
            self.box("norm", norm)
        else:
            self.box("norm", norm)
            self.box(name)
            self.add(name, branch)

    def _down(self, node_id: str, y: float, *, first: bool = False) -> None:
        if not first:
            start = next(node for node in self.nodes if node["id"] == self.last)
            top = start["y"] + start.get("height", _PLUS if start["kind"] == "plus" else 8)
            points = [(self.middle, top), (self.middle, y)]
            self.edges.append(
                {"from": self.last, "to": node_id, "points": points, "kind": "stream"}
            )


def machine_drawing(
    kind: str,
    *,
    placement: str,
    n_layers: int,
    n_heads: int,
    labels: Mapping[str, str],
    rows: Rows | None = None,
    embedding_norm: bool = False,
) -> dict[str, Any]:
    """Lay out a "decoder", "encoder" or "encoder-decoder" with norms "pre" or "post".

    labels: what to write on the parts, by their ids or names in `llm_core.inspection.anatomy`; also
    "in", "out" and "source", the texts at the ends. rows: by a part's id, the lines (name, shape)
    that it shows when it is open. Returns "width", "height", and lists: "nodes" (boxes, pluses,
    texts, with the id of their "part"), "edges" (from one node to another, along "points"), and
    "frames" (round the blocks). Raises ValueError for another kind or placement.
    """
    if kind not in ("decoder", "encoder", "encoder-decoder"):
        raise ValueError(f"There is no drawing of a model of kind {kind!r}.")
    if placement not in ("pre", "post"):
        raise ValueError(f"A norm stands pre or post its sublayer, not {placement!r}.")
    stacks = ("encoder", "decoder") if kind == "encoder-decoder" else ("",)
    columns = []
    for place, stack in enumerate(stacks):
        column = _Column(stack, place * _COLUMN, labels, rows or {}, n_heads)
        if stack == "decoder":  # an opened part that both share opens in the first of them
            column.rows = {k: v for k, v in column.rows.items() if k != "embedding"}
        _draw_stack(column, placement == "post", n_layers, embedding_norm)
        columns.append(column)
    across = [_across(*columns)] if len(columns) == 2 else []
    return {
        "width": (len(columns) - 1) * _COLUMN + _LEFT + _WIDTH + 16,
        "height": max(column.y for column in columns) + 8,
        "nodes": [node for column in columns for node in column.nodes],
        "edges": [edge for column in columns for edge in column.edges] + across,
        "frames": [frame for column in columns for frame in column.frames],
    }


def _draw_stack(column: _Column, post: bool, n_layers: int, embedding_norm: bool) -> None:
    column.end(column.labels["source" if column.stack == "encoder" else "in"])
    column.box("embedding")
    column.box("positions")
    if embedding_norm:
        column.box("norm", "embedding_norm")
    column.y += _GAP / 2
    top = column.y
    for name in _SUBLAYERS[column.stack]:
        column.sublayer(name, post=post)
    column.y += _GAP / 2
    title = f"{n_layers} ×" if not column.stack else f"{column.stack}, {n_layers} ×"
    column.frames.append(
        {
            "x": column.left + 6,
            "y": top,
            "width": _LEFT + _WIDTH + 2,
            "height": column.y - top,
            "text": title,
        }
    )
    if not post:
        column.box("norm", "final_norm")
    if column.stack != "encoder":
        column.box("output")
        column.y += _GAP
        column.end(column.labels["out"])


def _across(encoder: _Column, decoder: _Column) -> dict[str, Any]:
    """The line from the encoder's end into the decoder's cross-attention."""
    target = next(node for node in decoder.nodes if node["id"] == "decoder:cross_attention")
    start = next(node for node in encoder.nodes if node["id"] == encoder.last)
    bottom, rail = start["y"] + start["height"], decoder.left - 8
    y = target["y"] + _BOX / 2
    points = [
        (encoder.middle, bottom), (encoder.middle, bottom + _GAP), (rail, bottom + _GAP),
        (rail, y), (target["x"], y),
    ]  # fmt: skip
    encoder.y = bottom + _GAP
    return {"from": encoder.last, "to": target["id"], "points": points, "kind": "across"}


def computing_order(drawing: Mapping[str, Any]) -> list[str]:
    """Return the ids of the nodes in an order in which each comes after all that lead to it."""
    order: list[str] = []
    left = [node["id"] for node in drawing["nodes"]]
    while left:
        ready = [
            node
            for node in left
            if all(edge["from"] in order for edge in drawing["edges"] if edge["to"] == node)
        ]
        if not ready:
            raise ValueError("The drawing goes round in a circle.")
        order.append(ready[0])
        left.remove(ready[0])
    return order
