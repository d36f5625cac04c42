"""Follow one token through a real model, stage by stage."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch

from llm_core.inspection.journey import JourneyStage, follow_token
from llm_core.inspection.lens import scores_of
from llm_core.pretrained.registry import load
from pages.figures.architecture import journey_figure, strip_figure
from pages.figures.distribution import percent
from pages.widgets.address import asked_value, linked_text, write_value
from pages.widgets.code_viewer import show_code
from pages.widgets.distribution import show_distribution
from pages.widgets.errors import error_boundary
from pages.widgets.figure import show_figure
from pages.widgets.graphemes import visible_text
from pages.widgets.model_request import requested_model
from pages.widgets.stepper import stepper
from pages.widgets.token_chips import Chip, Highlight, chosen_chip, token_chips

EXAMPLES = {
    "angry": (
        "Otto and Emma wanted the golden doll. Otto was angry with Emma, and Emma was angry with"
    ),
    "rabbit": "A merry boy named Leo met a tired rabbit. “I am hungry,” said the tired",
    "evening": (
        "There once was a clever owl named Ella who lived in a small town. One warm day, Ella took "
        "a big loaf and set out. In the evening,"
    ),
    "capital": "The capital of France is Paris, and the capital of Italy is",
}
READERS = {"Our tiny GPT": "tiny", "SmolLM2": "smollm2"}
MOST_CHARACTERS, MOST_TOKENS, SHOWN = 400, 96, 5


@dataclass(frozen=True)
class Reader:
    """A model that reads, and its tokenizer."""

    name: str
    model: Any
    tokenizer: Any

    def label(self, index: int) -> str:
        """The token as text, with white space visible."""
        return visible_text(self.tokenizer.token_bytes(index))


@st.fragment
def follow_one_token() -> None:
    """Choose model, text and token, and step through. A fragment of the page."""
    with error_boundary("The way of a token"):
        reader = _choose_reader()
        text = linked_text("A text", key="tale", examples=EXAMPLES, most=MOST_CHARACTERS, height=80)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Or take", width="content")
            for name, example in EXAMPLES.items():
                st.button(name, key=f"tale_{name}", on_click=_set_tale, args=(example,))
        ids = _tokens(reader, text)
        place = _choose_place(reader, ids)
        stages = _stages(reader, reader.name, tuple(ids), place)
        _walk(reader, ids, place, stages)


def stage_name(stage: JourneyStage) -> str:
    """What a stage is called on the page; blocks are counted from 1."""
    if stage.block is None:
        return "embedding" if stage.name == "embedding" else "last norm, and output"
    part = "attention" if stage.name == "attention" else "feed-forward"
    return f"block {stage.block + 1}: {part}"


def _walk(reader: Reader, ids: list[int], place: int, stages: tuple[JourneyStage, ...]) -> None:
    number = stepper(len(stages), key="at", label="Stage")
    stage = stages[number]
    answer = reader.label(int(stages[-1].ids[0]))
    st.markdown(f"**{stage_name(stage)[:1].upper()}{stage_name(stage)[1:]}**")
    with st.container(horizontal=True, gap="large"):
        st.metric("Length of the vector", f"{stage.length:.3g}", width="content")
        added = "–" if stage.added is None else f"{float(stage.added.norm()):.3g}"
        st.metric("Length of what is added", added, width="content")
        st.metric("The final answer now has", _share(stage.of_answer), width="content")
    _show_strip(stage)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**If the model stopped here, it would go on with**")
        probabilities = [min(1.0, float(p)) for p in stage.probabilities]
        show_distribution(
            [reader.label(int(index)) for index in stage.ids],
            probabilities,
            key="lens",
            tail=max(0.0, 1 - sum(probabilities)),
        )
    with right:
        _show_way(reader, stages, number, answer)
    _show_code(reader, ids, place, stages, number)


def _share(probability: float) -> str:
    """A probability that may be next to nothing."""
    return "under 0.1 %" if 0 < probability < 0.001 else percent(probability)


def _show_strip(stage: JourneyStage) -> None:
    """Draw the vector before, what is added, and the vector after, on one scale."""
    vectors = {"before": stage.before, "added": stage.added, "after": stage.after}
    if stage.name == "embedding":
        vectors = {"token": stage.before, "place": stage.added, "sum": stage.after}
    rows = {name: vector.numpy() for name, vector in vectors.items() if vector is not None}
    colours = {"added": "attention" if stage.name == "attention" else "value", "place": "value"}
    largest = int(np.abs(rows[list(rows)[-1]]).argmax())
    value = float(rows[list(rows)[-1]][largest])
    show_figure(
        strip_figure(
            list(rows), np.stack(list(rows.values())),
            roles=[colours.get(name, "train") for name in rows],
        ),
        key="strip",
        alt=f"The {stage.after.numel()} numbers of the vector, each a stripe; grey ones are below "
        f"zero. Furthest from zero is number {largest}: {f'{value:.3g}'.replace('-', '−')}.",
        table=pd.DataFrame(rows).rename_axis("number").map(lambda number: f"{number:.4g}"),
    )  # fmt: skip


def _show_way(reader: Reader, stages: tuple[JourneyStage, ...], number: int, answer: str) -> None:
    names, guesses = [stage_name(s) for s in stages], [reader.label(int(s.ids[0])) for s in stages]
    first = next(n for n, stage in enumerate(stages) if _leads(stages, n))
    st.markdown("**The whole way**")
    show_figure(
        journey_figure(
            names, [s.length for s in stages], [s.of_answer for s in stages], chosen=number
        ),
        key="way",
        alt=f"In the end the model says “{answer}”, with {percent(stages[-1].of_answer)}. It is in "
        f"the lead for good from stage {first + 1} on: {names[first]}.",
        table=pd.DataFrame(
            {
                "stage": names,
                "first guess": guesses,
                "its probability": [f"{float(s.probabilities[0]):.3f}" for s in stages],
                "length": [f"{s.length:.2f}" for s in stages],
            }
        ),
    )


def _leads(stages: tuple[JourneyStage, ...], number: int) -> bool:
    """Is the final answer the first guess from that stage on?"""
    answer = int(stages[-1].ids[0])
    return all(int(stage.ids[0]) == answer for stage in stages[number:])


def _show_code(
    reader: Reader, ids: list[int], place: int, stages: tuple[JourneyStage, ...], number: int
) -> None:
    stage = stages[number]
    guess = reader.tokenizer.token_bytes(int(stage.ids[0]))
    show_code(
        follow_token,
        scores_of,
        key="follow",
        call=f"""import torch

from llm_core.inspection.journey import follow_token
from llm_core.pretrained.registry import load

model, tokenizer = load({reader.name!r})
stages = follow_token(model, torch.tensor({ids}), {place})
stage = stages[{number}]
print(len(stages), round(stage.length, 2))  # {len(stages)} {round(stage.length, 2)}
print(tokenizer.token_bytes(int(stage.ids[0])))  # {guess!r}""",
    )


@st.cache_data(max_entries=24, show_spinner=False)
def _stages(
    _reader: Reader, name: str, ids: tuple[int, ...], place: int
) -> tuple[JourneyStage, ...]:
    """`follow_token`, once for a model, a text and a place."""
    return follow_token(_reader.model, torch.tensor(ids), place, k=SHOWN)


def _choose_reader() -> Reader:
    title = st.radio(
        "Model",
        list(READERS),
        captions=["4 blocks, at once", "30 blocks, on request"],
        key="reader",
        bind="query-params",
        horizontal=True,
    )
    name = READERS[title]
    loaded = None if name == "tiny" else requested_model(name)
    if loaded is None:
        name = "tiny"  # until the large model is there
        torch.set_num_threads(1)  # a model this small only waits for a second thread
        loaded = load(name)
    return Reader(name, *loaded)


def _tokens(reader: Reader, text: str) -> list[int]:
    """The ids of a text, the last that fit."""
    ids: list[int] = reader.tokenizer.encode(text)
    if not ids:
        raise ValueError("Write a few words first: there is no token to follow in an empty text.")
    if len(ids) > MOST_TOKENS:
        st.caption(f"The text has {len(ids)} tokens. These are the last {MOST_TOKENS}.")
    return ids[-MOST_TOKENS:]


def _choose_place(reader: Reader, ids: list[int]) -> int:
    """The token to follow, chosen among the chips; the last one at first."""
    last = len(ids) - 1
    asked = asked_value("token") or ""
    if asked.isascii() and asked.isdigit() and len(asked) < 6:
        st.session_state["_followed"] = int(asked) - 1
    chips = f"tokens_{zlib.crc32(str(ids).encode()):x}"  # another text: nothing is chosen in it
    chosen = chosen_chip(chips, len(ids))
    if chosen is not None and chosen != st.session_state.get("_chip_before"):
        st.session_state["_followed"] = chosen
    st.session_state["_chip_before"] = chosen
    place = st.session_state.get("_followed")
    place = place if isinstance(place, int) and 0 <= place < last else last
    token_chips(
        [Chip(reader.tokenizer.token_bytes(index), id=index) for index in ids],
        key=chips,
        label="The tokens of the text; choose one to follow",
        highlights=[Highlight([place], "query", name="followed")],
        height=180,
    )
    write_value("token", "" if place == last else str(place + 1))
    return place


def _set_tale(text: str) -> None:
    """Take an example. A callback."""
    st.session_state["tale"] = text
    st.session_state.pop("_followed", None)
