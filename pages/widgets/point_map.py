"""Named points on a plane that glide to their new places, and of which one can be chosen.

    point_map(
        [Point("owl", 0.3, -1.2, group=0), Point("fox", 0.4, -1.0, group=0)],
        key="map",
        alt="Animals lie together.",
        groups=["animals"],
        chosen=0,
        named=[1],
        on_pick=choose,
    )

The plane's limits are the caller's, so that points of several moments lie on the same axes.
Choosing, by a click or by arrow keys and Enter, is one rerun.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

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
from pages.widgets.figure import show_finding

HERE = Path(__file__).parent
# Groups are no roles of the course: each has a shape besides its colour. plotly's names.
LOOKS: Final = (
    (QUERY, "circle"),
    (KEY, "square"),
    (VALUE, "diamond"),
    (ATTENTION, "cross"),
    (PREDICTION, "triangle-up"),
    (TRAIN, "x"),
    (VALIDATION, "triangle-down"),
    (NEUTRAL, "star"),
)
MOST_POINTS = 500

_map = st.components.v2.component(
    "point_map",
    html=(
        "<div class='map'><div class='field' role='application' tabindex='0' data-arrow-keys>"
        "</div><div class='legend'></div><div class='said' role='status'></div></div>"
    ),
    css=(HERE / "point_map.css").read_text(encoding="utf-8"),
    js=(HERE / "point_map.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Point:
    """A name, its place, and the number of its group."""

    name: str
    x: float
    y: float
    group: int


def point_map(
    points: Sequence[Point],
    *,
    key: str,
    alt: str,
    groups: Sequence[str],
    limits: tuple[float, float, float, float],
    chosen: int | None = None,
    named: Sequence[int] = (),
    on_pick: Callable[[int], None],
    height: int = 460,
) -> None:
    """Show the points; call `on_pick`, as a callback, with the place of one that is chosen.

    alt: the main finding in a sentence, also shown under the map. groups: their names, eight at
    the most. limits: the lowest and highest x, and the same of y. chosen: the point that is ringed;
    its name, and those of the points in `named`, are written beside them.

    Raises ValueError if a point's group has no name, or if there are too many points.
    """
    if len(points) > MOST_POINTS or len(groups) > len(LOOKS):
        raise ValueError(f"A map shows {MOST_POINTS} points in {len(LOOKS)} groups at the most.")
    if any(not 0 <= point.group < len(groups) for point in points):
        raise ValueError("Every point needs one of the groups that have a name.")
    data = {
        "alt": alt,
        "names": [point.name for point in points],
        "places": [_share(point, limits) for point in points],
        "groups": [point.group for point in points],
        "legend": [[name, *look] for name, look in zip(groups, LOOKS, strict=False)],
        "chosen": chosen,
        "named": list(named),
        "height": height,
    }

    def on_picked() -> None:
        place = picked_point(key, len(points))
        if place is not None:
            on_pick(place)

    _map(key=key, data=data, on_picked_change=on_picked)
    show_finding(alt)


def picked_point(key: str, count: int) -> int | None:
    """Place of the point chosen last on the map under `key`, if it has so many points."""
    state = st.session_state.get(key)
    place = state.get("picked") if isinstance(state, dict) else None
    return place if type(place) is int and 0 <= place < count else None


def _share(point: Point, limits: tuple[float, float, float, float]) -> tuple[float, float]:
    """Where a point lies from left to right and from top to bottom, in per cent."""
    left, right, bottom, top = limits
    across = 100 * (point.x - left) / (right - left)
    down = 100 * (top - point.y) / (top - bottom)
    return (round(min(max(across, 0), 100), 2), round(min(max(down, 0), 100), 2))
