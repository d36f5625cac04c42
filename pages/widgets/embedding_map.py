"""The tiny GPT's token table at its snapshots: a map, neighbours, and groups that form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.data.tiny_tales_words import KINDS
from llm_core.inspection.groups import GroupMeasure, chance_alike, measure_groups
from llm_core.inspection.projection import PrincipalAxes, principal_axes
from llm_core.pretrained.registry import load
from llm_core.pretrained.tiny import snapshot_steps
from pages.figures.embeddings import groups_figure, space_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.embedding_lookup import token_labels
from pages.widgets.figure import show_figure, show_finding
from pages.widgets.fragments import own_part
from pages.widgets.live_chart import live_chart
from pages.widgets.point_map import LOOKS, Point, point_map
from pages.widgets.stepper import stepper
from pages.widgets.token_chips import Chip, token_chips

NEIGHBOURS = 8
NAMED = 4  # of them on the map, where they lie close
START = "owl"


@dataclass(frozen=True)
class Snapshots:
    """The token table at every snapshot, and the words that the map shows.

    tables (S, V, C); words, ids and groups: one each a word, in the same order; axes: fitted on the
    words' rows at the end of the training, for all snapshots; measures: of the groups, one a step.
    """

    steps: tuple[int, ...]
    tables: np.ndarray
    words: tuple[str, ...]
    ids: tuple[int, ...]
    groups: tuple[str, ...]
    axes: PrincipalAxes
    measures: tuple[GroupMeasure, ...]

    @property
    def rows(self) -> np.ndarray:
        """The words' vectors (S, N, C)."""
        rows: np.ndarray = self.tables[:, list(self.ids)]
        return rows


@st.cache_resource(show_spinner=False, max_entries=1)
def snapshots() -> Snapshots:
    """Read the snapshots, once for all visitors."""
    steps = snapshot_steps()
    _, tokenizer = load("tiny")
    words: dict[str, tuple[int, str]] = {}
    for group, members in KINDS.items():
        for word in members:
            (index,) = tokenizer.encode(f" {word}")  # every word of the tales is one token
            words[word] = (index, group)
    tables = np.stack(
        [load(f"tiny@{step}")[0].token_embedding.weight.numpy(force=True) for step in steps]
    )
    ids, groups = zip(*words.values(), strict=True)
    rows = tables[:, list(ids)]
    return Snapshots(
        steps,
        tables,
        tuple(words),
        ids,
        groups,
        principal_axes(rows[-1], 3),
        tuple(measure_groups(each, groups) for each in rows),
    )


def nearest_tokens(table: np.ndarray, index: int, count: int) -> list[tuple[int, float]]:
    """The ids of the tokens whose rows point most nearly as that of `index`, with the cosines."""
    units = table / np.linalg.norm(table, axis=1, keepdims=True)
    cosines = units @ units[index]
    cosines[index] = -2
    best = np.argsort(-cosines)[:count]
    return [(int(each), float(cosines[each])) for each in best]


def neighbour_group(data: Snapshots, word: str, place: int) -> tuple[str, str]:
    """The nearest of all tokens to a word at a snapshot, and the group of that token."""
    best, _ = nearest_tokens(data.tables[place], data.ids[data.words.index(word)], 1)[0]
    return token_labels()[best].strip("·"), data.groups[data.ids.index(best)] if (
        best in data.ids
    ) else "none of the groups"


def choose_word(word: str) -> None:
    """Look at this word. A callback."""
    st.session_state["token"] = word


@own_part
def watch_training() -> None:
    """The map at a snapshot, the neighbours of a word there, and the groups at all of them."""
    data = snapshots()
    place = stepper(len(data.steps), key="snapshot", label="Snapshot", start=len(data.steps) - 1)
    left, right = st.columns([2, 1], gap="large", vertical_alignment="bottom")
    word = left.selectbox(
        "A token",
        data.words,
        index=data.words.index(START),
        key="token",
        bind="query-params",
    )
    space = right.radio("Map", ["2D", "3D"], key="map", bind="query-params", horizontal=True)
    step, table = data.steps[place], data.tables[place]
    chosen = data.words.index(word)
    near = nearest_tokens(table, data.ids[chosen], NEIGHBOURS)
    named = [data.ids.index(index) for index, _ in near if index in data.ids][:NAMED]
    said = _said(data, place, word, near)
    places = data.axes.project(data.rows[place])
    if space == "2D":
        _plane(data, places, chosen, named, said)
    else:
        _space(data, places, chosen, named, said)
    labels = token_labels()
    st.markdown(f"**Nearest of all {len(labels):,} tokens to “{word}” after {step:,} steps**")
    token_chips(
        [Chip(labels[index], id=index, detail=f"cosine {cosine:.3f}") for index, cosine in near],
        key="near_chips",
        label=f"Nearest neighbours of {word} after {step} steps",
        levels=[max(0.0, cosine) for _, cosine in near],
        level_name="cosine",
        joined=False,
        selectable=False,
    )
    _groups(data, place)
    _code(data, place, word, near[0][0])


def _code(data: Snapshots, place: int, word: str, nearest: int) -> None:
    step = data.steps[place]
    show_code(
        principal_axes,
        measure_groups,
        key="trained",
        call=f"""from llm_core.data.tiny_tales_words import KINDS
from llm_core.inspection.groups import measure_groups
from llm_core.inspection.lens import nearest_neighbours
from llm_core.pretrained.registry import load

model, tokenizer = load("tiny@{step}")
table = model.token_embedding.weight
kinds = {{word: kind for kind, members in KINDS.items() for word in members}}
ids = [tokenizer.encode(f" {{word}}")[0] for word in kinds]
measure = measure_groups(table[ids].numpy(), [*kinds.values()])
print(round(measure.alike, 2), round(measure.within, 2))  # {round(data.measures[place].alike, 2)} {
            round(data.measures[place].within, 2)
        }
row = tokenizer.encode({f" {word}"!r})[0]
print(nearest_neighbours(table, table[row], k=1, without=[row])[0].id)  # {nearest}""",
    )


def _said(data: Snapshots, place: int, word: str, near: list[tuple[int, float]]) -> str:
    measure, labels = data.measures[place], token_labels()
    first, cosine = near[0]
    return (
        f"After {data.steps[place]:,} steps, {measure.alike:.0%} of these {len(data.words)} words "
        f"have a word of their own group as the nearest; nearest to “{word}” of all tokens is "
        f"“{labels[first].strip('·')}”, with a cosine of {cosine:.2f}."
    )


def _limits(data: Snapshots) -> tuple[float, float]:
    """How far the map reaches to every side of 0, on the plane and in space: the same always."""
    everywhere = np.abs(data.axes.project(data.rows))
    return 1.08 * float(everywhere[..., :2].max()), 1.05 * float(everywhere.max())


def _plane(data: Snapshots, places: np.ndarray, chosen: int, named: list[int], said: str) -> None:
    reach, _ = _limits(data)
    names = list(KINDS)
    point_map(
        [
            Point(word, float(x), float(y), names.index(group))
            for word, (x, y, _), group in zip(data.words, places, data.groups, strict=True)
        ],
        key="plane",
        alt=said,
        groups=names,
        limits=(-reach, reach, -reach, reach),
        chosen=chosen,
        named=named,
        on_pick=lambda picked: choose_word(data.words[picked]),
    )
    st.caption(
        f"The two directions in which the trained vectors differ most; they hold "
        f"{data.axes.shares[:2].sum():.0%} of what differs among {data.tables.shape[2]} numbers, "
        "the same axes at every snapshot. Choose a point."
    )


def _space(data: Snapshots, places: np.ndarray, chosen: int, named: list[int], said: str) -> None:
    """A live chart: it is turned as the reader has turned it when the snapshot changes."""
    _, reach = _limits(data)
    looks = [(name, *look) for name, look in zip(KINDS, LOOKS, strict=True)]
    live_chart(
        space_figure(
            data.words,
            places.tolist(),
            [list(KINDS).index(group) for group in data.groups],
            looks,
            limit=reach,
            chosen=chosen,
            named=named,
        ),
        key="space_figure",
        alt=said,
        height=460,
    )
    show_finding(said)
    st.caption(
        f"Three directions hold {data.axes.shares.sum():.0%} of what differs. Drag to turn it."
    )


def _groups(data: Snapshots, place: int) -> None:
    measures: dict[str, list[float]] = {
        name: [float(getattr(each, name)) for each in data.measures]
        for name in ("alike", "within", "between")
    }
    now, chance = data.measures[place], chance_alike(data.groups)
    table: Any = pd.DataFrame(measures, index=pd.Index(data.steps, name="step"))
    show_figure(
        groups_figure(data.steps, measures, chance=chance, chosen=place),
        key="groups_figure",
        alt=f"At random, {chance:.0%} of the words would have their own kind as the nearest; "
        f"after {data.steps[place]:,} steps it is {now.alike:.0%}. Two words of one group have a "
        f"mean cosine of {now.within:.2f}, words of two groups {now.between:.2f}.",
        table=table.map(lambda number: f"{number:.3f}"),
    )
