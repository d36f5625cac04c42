"""Attention in models that were trained: all heads at a glance, and one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from llm_core.inspection.heads import (
    attention_maps,
    head_habits,
    induction_scores,
)
from pages.widgets.address import linked_text
from pages.widgets.attention_heads import (
    choose_head,
    habits_of,
    show_arcs,
    show_habits,
    show_record,
    show_weights,
    take_head,
)
from pages.widgets.code_viewer import show_code
from pages.widgets.graphemes import visible_text
from pages.widgets.head_grid import head_grid
from pages.widgets.model_request import requested_model
from pages.widgets.token_chips import Chip, Highlight, token_chips

READERS = {"tiny GPT": "tiny", "SmolLM2": "smollm2"}  # short: they stand in the address
EXAMPLES = {
    "tale": (
        "Otto and Emma wanted the golden doll. Otto was angry with Emma, and Emma was angry with"
    ),
    "pronoun": "The owl left the branch because it was too tired to hold on to it.",
    "twice": "Mrs Quibbleworth lost her hat. The next day, Mrs Quibbleworth lost her",
}
MOST_TOKENS = 64
_FOUND = 0.3  # of its weight: a head that finds so much is called one that looks for repetitions


@dataclass(frozen=True)
class RealText:
    """A text as a model reads it: T tokens; maps (L, H, T, T) are the weights of all heads."""

    name: str
    model: Any
    text: str
    ids: tuple[int, ...]
    labels: tuple[str, ...]
    maps: np.ndarray

    @property
    def code(self) -> str:
        """Python that makes `model` and `ids`."""
        return f"""import torch

from llm_core.pretrained.registry import load

model, tokenizer = load({self.name!r})
ids = torch.tensor(tokenizer.encode({self.text!r})[:{MOST_TOKENS}])"""


def look_inside() -> tuple[RealText, int, int] | None:
    """Choose a model, a text, a layer and a head; show what the head looks at."""
    found = _choose_text()
    if found is None:
        return None
    layers, heads = found.maps.shape[:2]
    wide = layers > heads  # a picture of many layers takes the whole width
    left, right = (st.container(), st.container()) if wide else st.columns(2, gap="large")
    with right:
        layer, head = choose_head(layers, heads)
        _show_habits(found)
    with left:
        head_grid(
            found.maps,
            chosen=(layer, head),
            key=f"grid_{found.name}",
            on_choose=take_head,
        )
    _show_head(found, layer, head)
    show_code(
        attention_maps,
        head_habits,
        key="real",
        call=f"""{found.code}

from llm_core.inspection.heads import attention_maps

maps = attention_maps(model, ids)
print(tuple(maps.shape))  # {found.maps.shape}
print(round(float(maps[{layer}, {head}, -1].max()), 2))  # {
            round(float(found.maps[layer, head, -1].max()), 2)
        }""",
    )
    return found, layer, head


def _choose_text() -> RealText | None:
    reader = st.radio("Model", list(READERS), key="reader", bind="query-params", horizontal=True)
    name = READERS[reader]
    loaded = _tiny() if name == "tiny" else requested_model(name)
    if loaded is None:
        return None
    text = linked_text("A text", key="real", examples=EXAMPLES, most=400, height=80)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Or take", width="content")
        for example in EXAMPLES:
            st.button(example, key=f"real_{example}", on_click=_take_example, args=(example,))
    model, tokenizer = loaded
    ids = tuple(tokenizer.encode(text))
    if len(ids) > MOST_TOKENS:
        st.caption(f"{len(ids)} tokens: the pictures show the first {MOST_TOKENS}.")
        ids = ids[:MOST_TOKENS]
    if len(ids) < 2:
        raise ValueError("Write some more: with fewer than two tokens there is nothing to choose.")
    maps = _maps(model, name, ids)
    return RealText(name, model, text, ids, tuple(label(name, index) for index in ids), maps)


def _show_habits(found: RealText) -> None:
    """Which heads do most of what heads are known to do, measured on this text."""
    show_habits(habits_of(found.maps))
    repeats = _induction(found)
    if repeats is None:
        return
    best = float(repeats.max())
    verdict = "found" if best >= _FOUND else "none in this model"
    show_record(repeats, f"finds what followed the same token before ({verdict})", key="repeats")


def _induction(found: RealText) -> np.ndarray | None:
    """Induction scores (L, H); of the large model only when they are asked for."""
    asked = f"induction_{found.name}"
    if found.name != "tiny" and not st.session_state.get(asked):
        st.button(
            "Look for heads that find repetitions",
            key="look_for_induction",
            help="Reads random tokens twice; takes some seconds.",
            on_click=st.session_state.__setitem__,
            args=(asked, True),
        )
        return None
    return _measure_induction(found.model, found.name)


def _show_head(found: RealText, layer: int, head: int) -> None:
    weights = found.maps[layer, head]
    st.markdown(f"**Layer {layer + 1}, head {head + 1}**. Choose the token that looks:")
    chips = [Chip(piece, id=index) for piece, index in zip(_pieces(found), found.ids, strict=True)]
    place_key = f"looker_{found.name}"
    last = len(found.ids) - 1
    shown = st.session_state.get(place_key)
    place = shown if isinstance(shown, int) and 0 <= shown <= last else last
    chosen = token_chips(
        chips,
        key=f"chips_{found.name}",
        label="The text's tokens; the deeper the colour, the more the chosen token looks there",
        highlights=[Highlight([place], "query", name="looks")],
        levels=[float(weight) for weight in weights[place]],
        level_name="weight",
        level_role="attention",
    )
    if chosen is not None and chosen != place:
        st.session_state[place_key] = chosen
        st.rerun()
    show_arcs(found.labels, weights[place], place=place, key="arcs")
    show_weights(found.labels, weights, key="real_matrix")


def _pieces(found: RealText) -> Sequence[bytes]:
    tokenizer = _tokenizer(found.name)
    return [tokenizer.token_bytes(index) for index in found.ids]


def label(name: str, index: int) -> str:
    """A token of a model as text, with white space visible."""
    return visible_text(_tokenizer(name).token_bytes(index))


def _tokenizer(name: str) -> Any:
    from llm_core.pretrained.registry import load

    return load(name)[1]


def _tiny() -> Any:
    import torch

    from llm_core.pretrained.registry import load

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    return load("tiny")


@st.cache_data(max_entries=40, show_spinner="Reading …")
def _maps(_model: Any, name: str, ids: tuple[int, ...]) -> np.ndarray:
    """The weights of all heads; `name` is the model's."""
    import torch

    return attention_maps(_model, torch.tensor(ids)).numpy()


@st.cache_data(max_entries=8, show_spinner="Reading random tokens twice …")
def _measure_induction(_model: Any, name: str) -> np.ndarray:
    return induction_scores(_model).numpy()


def _take_example(name: str) -> None:
    """Put an example in the place of the text. A callback."""
    st.session_state["real"] = EXAMPLES[name]
