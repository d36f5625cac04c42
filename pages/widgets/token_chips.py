"""A text's tokens as chips: characters stay whole, white space shows, equal tokens light up.

    place = token_chips(
        [Chip(b" ow", id=12), Chip(b"l", id=75)],
        key="chips",
        label="The text's tokens",
        highlights=[Highlight(range(0, 1), "input"), Highlight([1], "target")],
    )

Hovering, and moving by arrow keys, asks nothing of the server; choosing a chip is one rerun.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

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
from pages.widgets.graphemes import group_tokens, visible_text

HERE = Path(__file__).parent
MOST_CHIPS = 2000  # more would be slow to lay out, and nobody reads them
INK = "var(--st-text-color)"

Role = Literal[
    "input", "target", "skipped", "unused", "pair", "special",
    "query", "key", "value", "attention", "prediction", "train", "validation",
]  # fmt: skip
# Colour and name of each role. The second sign beside the colour, a border or a hatch, is in the
# style sheet under the role's name.
ROLES: Final[dict[str, tuple[str, str]]] = {
    "input": (TRAIN, "input"),
    "target": (PREDICTION, "target"),
    "skipped": (NEUTRAL, "skipped"),
    "unused": (NEUTRAL, "not used"),
    "pair": (INK, "pair"),
    "special": (INK, "special token"),
    "query": (QUERY, "query"),
    "key": (KEY, "key"),
    "value": (VALUE, "value"),
    "attention": (ATTENTION, "attention"),
    "prediction": (PREDICTION, "prediction"),
    "train": (TRAIN, "training"),
    "validation": (VALIDATION, "validation"),
}
_MOVING = {"input", "pair", "query", "prediction"}  # what a reader follows through a long text

_chips = st.components.v2.component(
    "token_chips",
    html=(
        "<div class='chips'><div class='row' role='group' data-arrow-keys></div>"
        "<p class='more' hidden></p><div class='legend'></div>"
        "<div class='tip' aria-hidden='true' hidden></div></div>"
    ),
    css=(HERE / "token_chips.css").read_text(encoding="utf-8")
    + "".join(f".{role} {{--role: {colour}}}\n" for role, (colour, _) in ROLES.items()),
    js=(HERE / "token_chips.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Chip:
    """A token: its piece of the text, its id, and what its label says of it besides.

    piece: bytes where a token may be a part of a character. detail: shown on hover and focus in
    place of "place 3". link: chips of one link light up together; those of one id by default.
    """

    piece: bytes | str
    id: int | None = None
    detail: str = ""
    link: str | int | None = None


@dataclass(frozen=True)
class Highlight:
    """Places that play a role; `name` stands in the legend in place of the role's own name."""

    places: Iterable[int]
    role: Role
    name: str = ""


def token_chips(
    chips: Sequence[Chip],
    *,
    key: str,
    label: str,
    highlights: Sequence[Highlight] = (),
    levels: Sequence[float] | None = None,
    level_name: str = "level",
    level_role: Role = "train",
    below_name: str = "",
    below_role: Role | None = None,
    show_ids: bool = False,
    selectable: bool = True,
    selected: int | None = None,
    on_choose: Callable[[int], None] | None = None,
    joined: bool = True,
    link_with: str | None = None,
    height: int | None = 340,
) -> int | None:
    """Show tokens as chips; return the place of the chip that is chosen, or None.

    label: what the chips are, for those who do not see them. highlights: of two at one place the
    later one counts; places outside of the text are left out. levels: one number a token, 0 or
    more, shown as the depth of the background in the colour of `level_role`, and named
    `level_name`. below_role: levels may lie below 0 too; their depth is shown in the colour of this
    role, in a dashed border, and named `below_name`. selectable: may a chip be chosen (a click,
    Enter or Space; once more to let go)? on_choose: called with the place before the page runs
    again; the caller then keeps which is chosen, and says so by `selected`. joined: are the chips
    consecutive pieces of one text, so that a character may span several? link_with: a name shared
    by all chips on the page that light up together; these alone by default. height: pixels after
    which the chips scroll in their own box, or None.

    Raises ValueError if `levels` are not one number a token, finite and, without a `below_role`,
    not negative.
    """
    places = shown_places(len(chips), highlights)
    data = {
        "label": label,
        "selectable": selectable,
        "show_ids": show_ids,
        "height": height,
        "group": link_with or key,
        **_tokens(chips, places, joined),
        **_roles(highlights, places),
        **_levels(levels, len(chips), places, (level_name, level_role), (below_name, below_role)),
        "kept": on_choose is not None,  # does the server keep the choice?
        "selected": chosen_chip(key, len(chips)) if on_choose is None else selected,
        "more": _more(len(chips), places),
    }
    take = partial(_hand_over, key, len(chips), on_choose)
    _chips(key=key, data=data, on_selected_change=lambda: None, on_asked_change=take)
    return chosen_chip(key, len(chips)) if on_choose is None else selected


def _hand_over(key: str, count: int, on_choose: Callable[[int], None] | None) -> None:
    """Tell who asked which of `count` chips was chosen."""
    place = chosen_chip(key, count, "asked")
    if on_choose is not None and place is not None:
        on_choose(place)


def chosen_chip(key: str, count: int, name: str = "selected") -> int | None:
    """Place of the chip chosen among the `count` chips under `key`, if any.

    With the name "asked", it is the place that the browser asks for just now.
    """
    state = st.session_state.get(key)
    place = state.get(name) if isinstance(state, dict) else None
    valid = isinstance(place, int) and not isinstance(place, bool) and 0 <= place < count
    return place if valid else None


def shown_places(count: int, highlights: Sequence[Highlight]) -> range:
    """Which of `count` chips to show: the first MOST_CHIPS, or those around what is followed."""
    followed = [min(h.places, default=0) for h in highlights if h.role in _MOVING]
    first = min(followed, default=0)
    start = max(0, first - 100) if MOST_CHIPS - 100 < first < count else 0
    return range(start, min(count, start + MOST_CHIPS))


def _more(count: int, places: range) -> str:
    """A sentence on what is left out."""
    if len(places) == count:
        return ""
    return (
        f"Shown are places {places.start:,} to {places.stop - 1:,}; "
        f"{count - len(places):,} of {count:,} tokens are not."
    )


def _tokens(chips: Sequence[Chip], places: range, joined: bool) -> dict[str, Any]:
    """What a chip shows; lists by place, from the first one shown."""
    shown = [chips[place] for place in places]
    pieces = [chip.piece for chip in shown]
    groups = group_tokens(pieces) if joined else [(visible_text(piece), 1) for piece in pieces]
    parts: dict[int, str] = {}
    place = 0
    for _, count in groups:
        if count > 1:
            parts |= {p: _part(pieces[p]) for p in range(place, place + count)}
        place += count
    details = [
        "" if chip.detail == f"place {place}" else chip.detail
        for place, chip in zip(places, shown, strict=True)
    ]
    linked = any(chip.link is not None for chip in shown)
    return {
        "first": places.start,
        "groups": [text if count == 1 else [text, count] for text, count in groups],
        "ids": [chip.id for chip in shown],
        "parts": parts,
        "details": details if any(details) else [],
        "links": [c.id if c.link is None else c.link for c in shown] if linked else [],
    }


def _part(piece: bytes | str) -> str:
    """What a token is that holds no whole character."""
    if isinstance(piece, bytes):
        return f"bytes {piece.hex(' ').upper()}"
    return " ".join(f"U+{ord(character):04X}" for character in piece)


def _roles(highlights: Sequence[Highlight], places: range) -> dict[str, Any]:
    """Runs of places with one role, and the legend of the roles that occur."""
    role_at: dict[int, tuple[str, str]] = {}
    for highlight in highlights:
        named = highlight.role, highlight.name or ROLES[highlight.role][1]
        role_at |= {place: named for place in highlight.places if place in places}
    legend = list(dict.fromkeys(role_at[place] for place in sorted(role_at)))
    runs: list[list[int]] = []  # [first, last, number in the legend]
    for place in sorted(role_at):
        number = legend.index(role_at[place])
        if runs and runs[-1][1:] == [place - 1, number]:
            runs[-1][1] = place
        else:
            runs.append([place, place, number])
    return {"roles": runs, "legend": [list(named) for named in legend]}


def _levels(
    levels: Sequence[float] | None,
    count: int,
    places: range,
    above: tuple[str, Role],
    below: tuple[str, Role | None],
) -> dict[str, Any]:
    """Numbers behind the tokens, to four significant digits; a name and a role for each side."""
    if levels is None:
        return {"levels": []}
    if len(levels) != count:
        raise ValueError(f"Each token needs a level: there are {count}, and {len(levels)} levels.")
    name, role = below
    if not all(math.isfinite(level) and (role or level >= 0) for level in levels):
        raise ValueError(f"A level must be a number{'' if role else ', 0 or more'}.")
    top = max(map(abs, levels), default=0)
    short = [float(f"{levels[place]:.4g}") for place in places]
    sides = {"level_name": above[0], "level_colour": ROLES[above[1]][0]}
    if role:
        sides |= {"below_name": name, "below_colour": ROLES[role][0]}
    return {
        "levels": [int(level) if level.is_integer() else level for level in short],
        "top": float(f"{top:.4g}"),
        **sides,
    }
