"""Word vectors to ask: GloVe's if they were loaded, and until then the tiny GPT's own."""

import random
import time
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from llm_core.data.tiny_tales import tiny_tales
from llm_core.inspection.words import words_of_model
from llm_core.pretrained.glove import WordNeighbour, WordVectors
from llm_core.pretrained.registry import load
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.model_request import requested_model
from pages.widgets.token_chips import Chip, Highlight, token_chips
from pages.widgets.window_tables import named_table

TALES = 200_000  # characters in which the tiny GPT's words are looked for
NEIGHBOURS = 8


@dataclass(frozen=True)
class Source:
    """Where word vectors come from: "glove" or "tiny"; among: of so many words is asked."""

    name: str
    vectors: WordVectors
    among: int
    title: str
    code: str  # the lines that give `vectors`

    @property
    def pair(self) -> tuple[str, str]:
        """Two words to compare at first."""
        return ("frog", "toad") if self.name == "glove" else ("frog", "duck")


@st.cache_resource(show_spinner=False, max_entries=1)
def tiny_words() -> WordVectors:
    """The tiny GPT's words, once for all visitors."""
    return words_of_model(*load("tiny"), tiny_tales(TALES))


def choose_source() -> Source:
    """Offer to load GloVe; return its vectors, or what is there without it."""
    glove = requested_model("glove")
    if glove is not None:
        _ = glove.lengths  # read here once, so that no search has to
        st.caption(
            f"Loaded: {len(glove):,} words with {glove.matrix.shape[1]} numbers each, the most "
            "frequent first. The matrix stays in its file; a search reads it there, and copies "
            "nothing."
        )
        return Source(
            "glove",
            glove,
            50_000,
            "GloVe",
            'from llm_core.pretrained.registry import load\n\nvectors = load("glove")',
        )
    vectors = tiny_words()
    st.caption(
        f"Until then, this part and the next ones ask the {len(vectors)} words of the tiny GPT."
    )
    code = f"""from llm_core.data.tiny_tales import tiny_tales
from llm_core.inspection.words import words_of_model
from llm_core.pretrained.registry import load

vectors = words_of_model(*load("tiny"), tiny_tales({TALES}))"""
    return Source("tiny", vectors, len(vectors), "the tiny GPT", code)


def ask_word(source: Source, label: str, default: str, *, key: str) -> str:
    """Ask for a word that has a vector; raise ValueError for any other.

    Each source has fields of its own, for they know other words.
    """
    word = st.text_input(
        label, default, key=f"{key}_{source.name}", bind="query-params", max_chars=40
    ).strip()
    source.vectors.row(word)
    return word.lower()


@own_part
def explore_words(source: Source) -> None:
    """The neighbours of a word, and how like another it is."""
    vectors = source.vectors
    first, second = st.columns(2, gap="large")
    with first:
        word = ask_word(source, "A word", source.pair[0], key="word")
    with second:
        other = ask_word(source, "Another word", source.pair[1], key="other")
    start = time.perf_counter()
    near = vectors.nearest(vectors.vector(word), k=NEIGHBOURS, without=(word,))
    took = 1000 * (time.perf_counter() - start)
    st.markdown(f"**Nearest of {len(vectors):,} words to “{word}”**")
    neighbour_chips(near, key="word_chips", label=f"Nearest neighbours of {word}")
    st.caption(f"Compared with all of them in {took:.1f} ms, just now.")
    similarity = vectors.similarity(word, other)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric("Cosine similarity", f"{similarity:.3f}", width="content")
        st.markdown(_placed(source, word, other, similarity))
    show_code(
        WordVectors.similarity,
        WordVectors.nearest,
        key="meaning",
        call=f"""{source.code}
print(round(vectors.similarity({word!r}, {other!r}), 3))  # {round(similarity, 3)}
near = vectors.nearest(vectors.vector({word!r}), k=3, without=[{word!r}])
print([each.word for each in near])  # {[each.word for each in near[:3]]}""",
    )


def neighbour_chips(
    near: list[WordNeighbour], *, key: str, label: str, marked: Collection[str] = ()
) -> None:
    """Words with their cosine as the depth of their background, the nearest first.

    marked: words that are framed, for they are in another list as well.
    """
    places = [place for place, each in enumerate(near) if each.word in marked]
    token_chips(
        [Chip(each.word, detail=f"cosine {each.similarity:.3f}") for each in near],
        key=key,
        label=label,
        highlights=[Highlight(places, "pair", name="in both lists")],
        levels=[max(0.0, each.similarity) for each in near],
        level_name="cosine",
        joined=False,
        selectable=False,
    )


@st.cache_data(show_spinner=False, max_entries=4)
def usual_similarities(name: str, _vectors: WordVectors, among: int) -> list[float]:
    """The cosines of 2,000 pairs of words drawn at random, sorted: what is usual."""
    draw = random.Random(0)
    words = _vectors.words(min(among, 10_000))
    return sorted(_vectors.similarity(*draw.sample(words, 2)) for _ in range(2000))


def _placed(source: Source, word: str, other: str, similarity: float) -> str:
    """Say how many random pairs are less alike."""
    usual = usual_similarities(source.name, source.vectors, source.among)
    below = sum(each < similarity for each in usual)
    return (
        f"“{word}” and “{other}” are more alike than {below:,} of {len(usual):,} pairs of words "
        f"drawn at random; the middle one of those has a cosine of {usual[len(usual) // 2]:.2f}."
    )


def words_table(rows: list[dict[str, object]], label: str) -> None:
    """A small table that scrolls by itself."""
    st.html(named_table(rows, label))


def as_table(near: list[WordNeighbour]) -> pd.DataFrame:
    """Neighbours as a figure's data."""
    return pd.DataFrame(
        {"cosine": [f"{each.similarity:.3f}" for each in near]},
        index=pd.Index([each.word for each in near], name="word"),
    )
