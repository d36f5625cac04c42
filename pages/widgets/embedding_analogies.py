"""Analogies by arithmetic, tried and drawn; and what a direction says about people's work."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.pretrained.glove import WordNeighbour, WordVectors
from pages.figures.word_geometry import analogy_figure, leaning_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.embedding_words import Source, as_table, ask_word, words_table
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part

Question = tuple[str, str, str, str]  # first is to second as third to what is expected

# Chosen from about 70 that were tried, to show both kinds; whether they come out right is measured
# on the page.
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "glove": tuple(
        tuple(line.split())  # type: ignore[misc]
        for line in """man king woman queen
man actor woman actress
boy girl prince princess
his he her she
france paris italy rome
france paris japan tokyo
beijing china cairo egypt
france french spain spanish
italy pizza japan sushi
go went eat ate
walking walked playing played
slow slower fast faster
good better bad worse
cat cats dog dogs
piano pianist violin violinist
hot cold big small
hot cold tall short
up down left right
big bigger small smaller
child children mouse mice
dog puppy cat kitten
happy unhappy possible impossible
bread baker meat butcher
son daughter brother sister
usa dollar japan yen""".splitlines()
    ),
    "tiny": tuple(
        tuple(line.split())  # type: ignore[misc]
        for line in """mother father sister brother
mother father grandmother grandfather
she he her his
her his she he
emma she tom he
grandmother grandfather mother father
mother father aunt uncle
was were had have""".splitlines()
    ),
}
OWN = "Your own"
CANDIDATES = 5
# All that were asked when the part was written are shown, whatever came out.
WORK = {
    "glove": """nurse librarian teacher secretary receptionist hairdresser housekeeper dancer singer
        artist doctor lawyer engineer programmer boss manager captain carpenter mechanic philosopher
        scientist professor soldier pilot plumber maid banker author cook chef""".split(),
    "tiny": "baker miller sailor farmer painter cook teacher gardener".split(),
}


@dataclass(frozen=True)
class Answer:
    """What an analogy gives, and the rank of what was expected among all words."""

    question: Question
    near: list[WordNeighbour]

    @property
    def right(self) -> bool:
        """Is the expected word the nearest?"""
        return self.near[0].word == self.question[3]


@st.cache_data(show_spinner=False, max_entries=4)
def answers(name: str, _vectors: WordVectors, among: int, itself: bool = False) -> list[Answer]:
    """Ask all of a source's questions, once for all visitors. itself: as in `find_analogy`."""
    return [
        Answer(question, find_analogy(_vectors, question[:3], among, itself))
        for question in QUESTIONS[name]
        if all(word in _vectors for word in question)
    ]


def _title(question: Question) -> str:
    first, second, third, _ = question
    return f"{first} : {second} = {third} : ?"


@own_part
def try_analogies(source: Source) -> None:
    """One analogy, drawn; and how many of a list come out right."""
    given = answers(source.name, source.vectors, source.among)
    titles = [_title(each.question) for each in given]
    choice = st.selectbox(
        "An analogy", [*titles, OWN], key=f"analogy_{source.name}", bind="query-params"
    )
    expected = ""
    if choice == OWN:
        words = _own_words(source)
    else:
        question = given[titles.index(choice)].question
        words, expected = question[:3], question[3]
    itself = st.toggle("The three words themselves may win", key="itself", bind="query-params")
    near = find_analogy(source.vectors, words, source.among, itself)
    _draw(source, words, near, expected, itself)
    _list(source, answers(source.name, source.vectors, source.among, itself))


def _own_words(source: Source) -> tuple[str, str, str]:
    names = ("cow", "milk", "bee") if source.name == "glove" else ("red", "apple", "golden")
    labels = ("First", "is to second", "as third")
    found = []
    for place, label, name in zip(st.columns(3, gap="medium"), labels, names, strict=True):
        with place:
            found.append(ask_word(source, label, name, key=label.split()[-1].lower()))
    first, second, third = found
    return first, second, third


def find_analogy(
    vectors: WordVectors, words: tuple[str, str, str], among: int, itself: bool
) -> list[WordNeighbour]:
    """The words nearest to second - first + third; the three themselves count only if `itself`."""
    if not itself:
        return vectors.analogy(*words, k=CANDIDATES, among=among)
    return vectors.nearest(target(vectors, words), k=CANDIDATES, among=among)


def target(vectors: WordVectors, words: tuple[str, str, str]) -> np.ndarray:
    """second - first + third, of vectors of length 1."""
    first, second, third = (vectors.unit(word) for word in words)
    return second - first + third


def in_plane(
    vectors: WordVectors, words: tuple[str, str, str], near: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Place the analogy's four corners (4, 2) in their own plane, and the near words (n, 2) on it.

    Corners lie in it exactly; of the other words it shows the shadow. The first word is at 0, and
    the arrow to the second one points upwards.
    """
    first, second, third = (vectors.unit(word).astype(np.float64) for word in words)
    sides = np.stack([second - first, third - first], axis=1)  # (C, 2)
    basis, lengths = np.linalg.qr(sides)
    basis = basis * np.where(np.diag(lengths) < 0, -1, 1)
    basis = basis[:, ::-1]  # the first side goes up, what is left of the second one to the right
    corners = np.stack([first, second, third, second - first + third]) - first
    others = np.stack([vectors.unit(word) for word in near]) - first
    return corners @ basis, others @ basis


def _draw(
    source: Source,
    words: tuple[str, str, str],
    near: list[WordNeighbour],
    expected: str,
    itself: bool,
) -> None:
    corners, others = in_plane(source.vectors, words, [each.word for each in near])
    first, second, third = words
    winner = near[0]
    said = (
        f"{second} − {first} + {third} leads nearest to “{winner.word}”, {winner.similarity:.2f}."
    )
    if expected and winner.word != expected:
        rank = rank_of(source.vectors, words, expected, source.among, itself)
        said += f" Expected was “{expected}”, which is number {rank:,} of {source.among:,} words."
    elif expected:
        said += " That is what one expects."
    show_figure(
        analogy_figure(
            words,
            corners.tolist(),
            {each.word: place for each, place in zip(near, others.tolist(), strict=True)},
        ),
        key="analogy_figure",
        alt=said,
        table=as_table(near),
    )
    st.caption(
        "The arrows lie in the plane of the picture; the other words lie before or behind it, and "
        "what you see is their shadow."
    )
    _code(source, words, near, itself)


def _code(
    source: Source, words: tuple[str, str, str], near: list[WordNeighbour], itself: bool
) -> None:
    first, second, third = words
    if itself:
        asked = f"""target = vectors.unit({second!r}) - vectors.unit({first!r})
near = vectors.nearest(target + vectors.unit({third!r}), k=3, among={source.among})"""
    else:
        asked = f"near = vectors.analogy({first!r}, {second!r}, {third!r}, among={source.among})"
    show_code(
        WordVectors.analogy,
        key="analogy",
        call=f"""{source.code}
{asked}
print([each.word for each in near[:3]])  # {[each.word for each in near[:3]]}
print(round(near[0].similarity, 3))  # {round(near[0].similarity, 3)}""",
    )


def rank_of(
    vectors: WordVectors, words: tuple[str, str, str], expected: str, among: int, itself: bool
) -> int:
    """At which place, from 1, a word comes for an analogy. itself: as in `find_analogy`."""
    scores = vectors.similarities(target(vectors, words), among=among)
    if not itself:
        scores[[vectors.row(word) for word in words]] = -np.inf
    return int((scores > scores[vectors.row(expected)]).sum()) + 1


def _list(source: Source, given: list[Answer]) -> None:
    right = sum(each.right for each in given)
    st.markdown(f"**Of these {len(given)}, {right} come out right and {len(given) - right} wrong**")
    if source.name == "glove":
        st.caption(
            "They were picked from about 70 that were tried, to show both kinds. So this says how "
            "analogies work and fail, and not how often."
        )
    words_table(
        [
            {
                "analogy": _title(each.question).replace(" ", "\u00a0"),
                "expected": each.question[3],
                "nearest": each.near[0].word,
                "": "right" if each.right else "wrong",
            }
            for each in given
        ],
        "Analogies and what they give",
    )


@own_part
def show_leanings(source: Source) -> None:
    """Where words for people's work lie between two words."""
    vectors = source.vectors
    first, second, third = st.columns(3, gap="medium")
    with first:
        low = ask_word(source, "From", "she", key="from")
    with second:
        high = ask_word(source, "to", "he", key="to")
    with third:
        extra = ask_word(
            source, "One more word", "minister" if source.name == "glove" else "owl", key="extra"
        )
    if low == high:
        raise ValueError("A direction needs two different words.")
    words = list(dict.fromkeys([*WORK[source.name], extra]))
    leanings = lean(vectors, words, low, high)
    sides = sorted(zip(leanings, words, strict=True))
    show_figure(
        leaning_figure(words, leanings, (low, high)),
        key="leaning_figure",
        alt=f"Of {len(words)} words, “{sides[0][1]}” leans the most to “{low}” "
        f"({sides[0][0]:+.2f}), and “{sides[-1][1]}” to “{high}” ({sides[-1][0]:+.2f}); "
        f"on average they lean by {np.abs(leanings).mean():.2f}.",
        table=pd.DataFrame(
            {"cosine": [f"{each:.3f}" for each in leanings]}, index=pd.Index(words, name="word")
        ),
    )
    show_code(
        lean,
        key="leaning",
        call=f"""{source.code}
direction = vectors.unit({high!r}) - vectors.unit({low!r})
direction /= (direction @ direction) ** 0.5
print(round(float(vectors.unit({words[0]!r}) @ direction), 3))  # {round(leanings[0], 3)}""",
    )


def lean(vectors: WordVectors, words: list[str], low: str, high: str) -> list[float]:
    """The cosine of each word's vector with the way from `low` to `high`."""
    direction = vectors.unit(high) - vectors.unit(low)
    direction /= (direction @ direction) ** 0.5
    return [float(vectors.unit(word) @ direction) for word in words]
