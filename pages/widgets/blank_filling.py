"""A hidden word: guessed by an encoder from both sides, and by a decoder from what is before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from llm_core.pretrained.registry import load
from pages.figures.distribution import percent, top_outcomes
from pages.widgets.address import linked_text
from pages.widgets.distribution import show_distribution
from pages.widgets.graphemes import visible_text
from pages.widgets.token_chips import Chip, Highlight, chosen_chip, token_chips
from pages.widgets.view import current_view
from pages.widgets.window_tables import named_table

MOST = 120  # tokens of a text that the models read: they were made for 128
BLANKS = 300  # of the measurement
_TOP = 5
SEED = 23
_WORD = re.compile(r" [a-z]{4,}")  # no name, and none of the small words that stand everywhere
EXAMPLES = {
    "The lost book": (
        "Emma was a quiet girl who lived by the sea. One windy morning, Emma lost her grey book. "
        "Then a shy cook came by and saw Emma cry. The shy cook found the book under the bridge. "
        "Emma was happy and shared a big pie with the shy cook."
    ),
    "The guest": (
        "There once was a poor miller named Otto who lived near the bridge. One stormy night, "
        "somebody knocked at Otto's door. A wise hare stood there and asked Otto for a bed. In the "
        "morning, the wise hare gave Otto a silver ring."
    ),
    "The race": (
        "Nina was a proud fox. Nina wanted to be the first at the castle. A small mole wanted to "
        "run to the castle too. The mole was slow, but he did not stop. So the small mole was the "
        "first at the castle."
    ),
}


@dataclass(frozen=True)
class Guesses:
    """A blank, and the probabilities (V,) that each side gives to all tokens."""

    ids: tuple[int, ...]
    place: int
    both: np.ndarray
    left: np.ndarray | None  # None where nothing stands before the blank


def fill_a_blank() -> Guesses:
    """Ask for a text and a word of it to hide; show what both models put there."""
    text = linked_text("A tale", key="tale", examples=EXAMPLES, most=900, height=120)
    if not text.strip():
        raise ValueError("Write a sentence first: one of its words will be hidden.")
    tokenizer = load("tiny")[1]
    ids = tuple(tokenizer.encode(text))[:MOST]
    if len(ids) < 2:
        raise ValueError("Write at least two words: one to hide, and one to guess it from.")
    pieces = [tokenizer.decode([index]) for index in ids]
    st.caption("Choose the word to hide.")
    chosen = chosen_chip("blank_chips", len(ids))
    place = default_blank(pieces) if chosen is None else chosen
    token_chips(
        [Chip(tokenizer.token_bytes(index), id=index) for index in ids],
        key="blank_chips",
        label="The tale as tokens",
        highlights=[Highlight([place], "target", name="hidden")],
        height=220,
    )
    guesses = guess(ids, place)
    _show_both(guesses, pieces[place])
    return guesses


def default_blank(pieces: Sequence[str]) -> int:
    """The place of a word that is told here first, and again later: what follows gives it away.

    Without such a word, it is the one in the middle.
    """
    plain = [piece.strip() for piece in pieces]
    for place, piece in enumerate(pieces):
        new = plain[place] not in plain[:place]
        again = plain[place] in plain[place + 1 :]
        if place > 0 and _WORD.fullmatch(piece) and new and again:
            return place
    return len(pieces) // 2


def guess(ids: tuple[int, ...], place: int) -> Guesses:
    """Let both models guess the token at `place`."""
    from llm_core.generation.blanks import Blank, guess_from_both_sides, guess_from_the_left

    blank = [Blank(ids, place)]
    both = guess_from_both_sides(load("tiny_encoder")[0], blank)[0].numpy()
    left = guess_from_the_left(load("tiny")[0], blank)[0].numpy() if place else None
    return Guesses(ids, place, both, left)


def guessed(index: int) -> str:
    """The text of a token."""
    text: str = load("tiny")[1].decode([index])
    return text


def _show_both(guesses: Guesses, hidden: str) -> None:
    tokenizer = load("tiny")[1]
    sides = (
        ("The encoder, from both sides", "encoder_guess", guesses.both),
        ("The decoder, from what stands before", "decoder_guess", guesses.left),
    )
    answer = guesses.ids[guesses.place]
    for column, (title, key, probabilities) in zip(st.columns(2, gap="large"), sides, strict=True):
        with column:
            st.markdown(f"**{title}**")
            if probabilities is None:
                st.info("Nothing stands before the first word, so a decoder has nothing to go on.")
                continue
            top, tail = top_outcomes(probabilities, _TOP)
            show_distribution(
                [visible_text(tokenizer.decode([index])) for index in top],
                [float(probabilities[index]) for index in top],
                key=key,
                tail=tail,
                chosen=top.index(answer) if answer in top else None,
            )
            st.caption(
                f"The hidden token “{visible_text(hidden)}” gets "
                f"{percent(float(probabilities[answer]))}."
            )


@st.cache_data(max_entries=2, show_spinner=False)
def measured_blanks(count: int = BLANKS) -> tuple[float, float]:
    """Share of held-out blanks whose hidden word both models find: encoder, decoder."""
    from llm_core.generation import blanks as engine

    blanks = engine.held_out_blanks(count, seed=SEED)
    encoder, decoder = load("tiny_encoder")[0], load("tiny")[0]
    return (
        engine.share_right(engine.guess_from_both_sides(encoder, blanks), blanks),
        engine.share_right(engine.guess_from_the_left(decoder, blanks), blanks),
    )


def show_measured() -> tuple[float, float] | None:
    """The shares on held-out blanks, once they are asked for; on paper at once."""
    asked = st.session_state.get("blanks_asked") or current_view() == "print"
    if not asked:
        st.button(
            f"Measure both on {BLANKS} hidden words",
            key="measure_blanks",
            icon=":material/timer:",
            on_click=_ask,
        )
        return None
    with st.spinner("Hiding words…"):
        encoder, decoder = measured_blanks()
    rows: list[dict[str, object]] = [
        {"model": "encoder: both sides", "hidden words found": percent(encoder)},
        {"model": "decoder: what stands before", "hidden words found": percent(decoder)},
    ]
    st.markdown(
        f"**{BLANKS} words, hidden one at a time in tales that neither model was trained on:**"
    )
    st.html(named_table(rows, "Hidden words found"))
    return encoder, decoder


def _ask() -> None:
    st.session_state["blanks_asked"] = True
