"""The text on the inspector's page, and what one model or two make of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from llm_core.inspection.surprise import TextReading, piece_losses, read_text, shared_pieces
from pages.widgets.address import linked_text
from pages.widgets.graphemes import visible_text
from pages.widgets.inspector_models import Inspected
from pages.widgets.token_text import token_label, token_spelling, token_texts
from pages.widgets.window_tables import named_table

MOST_CHARACTERS = 2000
_TEXTS = "_inspector_texts"  # the examples of the model that was chosen before


@dataclass(frozen=True)
class Sight:
    """A model's reading of T tokens; labels are those tokens with white space made visible."""

    inspected: Inspected
    ids: tuple[int, ...]
    labels: tuple[str, ...]
    reading: TextReading
    characters: int  # after the first token

    @property
    def key(self) -> str:
        """Names model and text in caches."""
        return f"{self.inspected.key} {self.ids}"

    @property
    def code(self) -> str:
        """Python that makes `model`, `tokenizer` and `ids`."""
        return f"{self.inspected.code}\nids = torch.tensor({list(self.ids)})"

    def label(self, index: int) -> str:
        """Any token of the model, with white space made visible."""
        return token_label(self.inspected.tokenizer, index)


@dataclass(frozen=True)
class Beside:
    """A second model's reading, and both models' losses on the pieces that both have.

    pieces: labels of n pieces; firsts, seconds (n,): the tokens at which they begin in each of the
    readings; ours, theirs (n,): losses in nats, 0 for the first piece, which nothing predicts.
    """

    other: Sight
    pieces: tuple[str, ...]
    firsts: tuple[int, ...]
    seconds: tuple[int, ...]
    ours: np.ndarray
    theirs: np.ndarray

    def other_place(self, place: int, count: int) -> int:
        """Where the second model's piece begins that a place of the first lies in.

        place: of 0 to count, the number of the first model's tokens, which is what comes next for
        both.
        """
        if place >= count:
            return len(self.other.ids)
        return self.seconds[self.piece(place)]

    def piece(self, place: int) -> int:
        """The piece that a place of the first model's text lies in."""
        return max(n for n, start in enumerate(self.firsts) if start <= place)


def choose_text(inspected: Inspected) -> str:
    """Ask for the text; a model's examples are replaced by those of the next one."""
    texts = dict(inspected.texts)
    before = st.session_state.get(_TEXTS, {})
    name = next((n for n, t in before.items() if t == st.session_state.get("passage")), None)
    if name is not None:
        st.session_state["passage"] = texts.get(name, next(iter(texts.values())))
    st.session_state[_TEXTS] = texts
    text = linked_text("A text", key="passage", examples=texts, most=MOST_CHARACTERS, height=130)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Or take", width="content")
        for name, example in texts.items():
            st.button(name, key=f"passage_{name}", on_click=_take, args=(example,))
    return text


def see(inspected: Inspected, text: str, *, said: bool = True) -> Sight:
    """Let a model read the text; a sentence says so if it does not fit (unless `said` is false).

    Raises ValueError for a text that the model cannot read.
    """
    ids = inspected.tokenizer.encode(text)
    context = inspected.model.config.context_length
    most = min(context, inspected.most)
    if len(ids) > most and said:
        why = f"sees {context:,} at once" if most == context else f"reads {most:,} at most here"
        st.caption(
            f"The text has {len(ids):,} tokens, and {inspected.title} {why}: what follows is about "
            f"the first {most:,}."
        )
    kept = tuple(int(index) for index in ids[:most])
    reading = _read(inspected.model, inspected.key, kept)
    labels = tuple(token_label(inspected.tokenizer, index) for index in kept)
    characters = sum(map(len, token_texts(inspected.tokenizer, kept)[1:]))
    return Sight(inspected, kept, labels, reading, characters)


def lay_beside(first: Sight, inspected: Inspected, text: str) -> Beside | None:
    """Let a second model read the same text; a sentence says why if they cannot be compared."""
    if inspected.key == first.inspected.key:
        st.info("Both are the same model: choose another one, or another step.")
        return None
    try:
        other = see(inspected, text, said=False)
        pieces = shared_pieces(
            token_spelling(first.inspected.tokenizer, first.ids),
            token_spelling(inspected.tokenizer, other.ids),
        )
        ours, theirs = piece_losses(first.reading, other.reading, pieces)
    except ValueError as error:
        st.warning(f"{inspected.title}: {error}", icon=":material/info:")
        return None
    return Beside(
        other,
        tuple(visible_text(piece.text) for piece in pieces),
        tuple(piece.first.start for piece in pieces),
        tuple(piece.second.start for piece in pieces),
        np.concatenate([[0.0], ours.numpy()]),
        np.concatenate([[0.0], theirs.numpy()]),
    )


def show_measures(sight: Sight, beside: Beside | None) -> None:
    """How surprised each model is, in the field's units."""
    rows = [_measures(each) for each in (sight, beside and beside.other) if each]
    if len(rows) == 2:
        st.html(named_table(rows, "How surprised the two models are", left={"model"}))
        return
    helps = {
        "bits per character": "The surprise of the whole text, shared out over its characters: "
        "it compares models whose tokens differ.",
        "perplexity": "e raised to the mean loss: among how many equally likely tokens the model "
        f"might as well have been choosing. It knows {sight.inspected.model.config.vocab_size:,}.",
    }
    with st.container(horizontal=True):
        for name, value in list(rows[0].items())[1:]:
            st.metric(name.capitalize(), value, width=165, help=helps.get(name))  # type: ignore[arg-type]


def _measures(sight: Sight) -> dict[str, object]:
    reading = sight.reading
    bits = reading.bits_per_character(sight.characters) if sight.characters else float("nan")
    return {
        "model": sight.inspected.title,
        "tokens": f"{len(sight.ids):,}",
        "mean loss, nats": f"{reading.mean_loss:.3f}",
        "perplexity": _perplexity(reading.perplexity),
        "bits per character": f"{bits:.3f}" if sight.characters else "–",
        "first guess right": f"{reading.first_guess_share:.0%}",
    }


def _perplexity(value: float) -> str:
    if value < 100:
        return f"{value:.2f}"
    return f"{value:,.0f}" if value < 1e7 else f"{value:.1e}"


@st.cache_data(max_entries=40, show_spinner="Reading …")
def _read(_model: Any, key: str, ids: tuple[int, ...]) -> TextReading:
    import torch

    return read_text(_model, torch.tensor(ids, dtype=torch.long))


def _take(text: str) -> None:
    """Put an example in the place of the text. A callback."""
    st.session_state["passage"] = text
