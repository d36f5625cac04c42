"""A sentence shuffled: what each kind of position lets a transformer notice of it."""

from typing import Any

import pandas as pd
import streamlit as st

from llm_core.inspection.positions import order_differences
from llm_core.models.config import POSITIONS
from pages.figures.positions import LOOKS, differences_figure, name_of
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.token_chips import Chip, Highlight, token_chips
from pages.widgets.window_tables import named_table

KINDS = tuple(kind for kind in LOOKS if kind in POSITIONS)
FEWEST, MOST = 2, 12  # words
LEAST = 1e-3  # differences below it are rounding: float32 keeps seven digits


def read_sentence(sentence: str) -> list[str]:
    """Split a sentence into words; raise ValueError for too few, too many or too long ones."""
    words = sentence.split()
    if not FEWEST <= len(words) <= MOST:
        raise ValueError(f"Take {FEWEST} to {MOST} words here; these are {len(words)}.")
    if max(map(len, words)) > 20:
        raise ValueError("Please take words of at most 20 letters.")
    return words


def shuffled(count: int, seed: int) -> list[int]:
    """An order of `count` words in which not all stand where they were."""
    import torch

    order: list[int] = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return order[::-1] if order == sorted(order) else order


@st.cache_data(max_entries=200, show_spinner=False)
def differences(
    tokens: tuple[int, ...], order: tuple[int, ...], causal: bool
) -> dict[str, list[float]]:
    """`order_differences` of every kind, as plain numbers."""
    return {
        kind: order_differences(tokens, order, position=kind, causal=causal).tolist()
        for kind in KINDS
    }


@own_part
def shuffle_words() -> None:
    """Shuffle a sentence, and look for what has changed, with every kind of position."""
    left, right = st.columns([3, 2], gap="large")
    sentence = left.text_input(
        "A sentence", "the owl saw the mouse", key="sentence", bind="query-params", max_chars=120
    )
    words = read_sentence(sentence)
    seed = right.slider("Another order", 1, 20, 1, key="order", bind="query-params")
    kind = choose_kind("kind", start="none")
    order = shuffled(len(words), seed)
    tokens = [words.index(word) for word in words]
    plain, causal = (differences((*tokens,), (*order,), mask) for mask in (False, True))
    for title, places in (("As you wrote it", range(len(words))), ("Shuffled", order)):
        token_chips(
            [Chip(words[place], id=tokens[place], detail=f"was place {place}") for place in places],
            key=f"order_{title[:2]}",
            label=title,
            joined=False,
            selectable=False,
            link_with="order",
            highlights=[Highlight(range(len(words)), "input", name=title)],
        )
    most = {name: max(moved) for name, moved in plain.items()}
    masked = {name: max(moved) for name, moved in causal.items()}
    st.markdown(finding(kind, most[kind], masked[kind]))
    _rows(words, order, plain[kind], causal[kind])
    show_figure(
        differences_figure(most, masked, chosen=kind),
        key="differences_figure",
        alt="Without a mask, all kinds but “no positions” see that the order has changed. "
        "Behind a causal mask, even a model without positions does.",
        table=pd.DataFrame({"no mask": most, "causal mask": masked})
        .rename(index=name_of)
        .map(lambda number: f"{number:.2g}"),
    )
    show_code(
        order_differences,
        key="order",
        call=f"""from llm_core.inspection.positions import order_differences

words = {words}
tokens = [words.index(word) for word in words]  # a word that occurs twice has one vector
order = {order}
moved = order_differences(tokens, order, position={kind!r})
print(f"{{float(moved.max()):.3f}}")  # {most[kind]:.3f}""",
    )


def written(difference: float) -> str:
    """A difference as it is read: rounding as a power of ten, more than that with decimals."""
    if difference == 0:
        return "0"
    return f"{difference:.1e}" if difference < LEAST else f"{difference:.3f}"


def finding(kind: str, plain: float, causal: float) -> str:
    """What the shuffled sentence shows for the chosen kind, with its numbers."""
    name = name_of(kind)
    if plain < LEAST:
        return (
            f"With **{name}**, every word's output is the same wherever it stands: the largest "
            f"difference is **{written(plain)}**, which is rounding. "
            f"With a causal mask: {causal:.2f}."
        )
    return (
        f"With **{name}**, outputs have changed, by up to **{plain:.2f}**. "
        f"With a causal mask: {causal:.2f}."
    )


def _rows(words: list[str], order: list[int], plain: list[float], causal: list[float]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "word": words[was],
            "place before": was,
            "place now": now,
            "output moved by": written(plain[now]),
            "with a causal mask": written(causal[now]),
        }
        for now, was in enumerate(order)
    ]
    st.html(named_table(rows, "Each word's output before and after"))


def choose_kind(key: str, *, start: str, kinds: tuple[str, ...] = KINDS) -> str:
    """Ask for a kind of position; return the name that TransformerConfig knows."""
    names = {name_of(kind): kind for kind in kinds}
    chosen = st.radio(
        "Kind of position",
        list(names),
        index=kinds.index(start),
        key=key,
        bind="query-params",
        horizontal=True,
    )
    return names[chosen or name_of(start)]
