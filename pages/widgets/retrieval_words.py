"""Asking a question, and searching by its words: what each of them brings a passage."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.retrieval.bm25 import BM25Index, WordShare
from llm_core.retrieval.evaluation import KINDS, Question, answering, load_questions
from llm_core.retrieval.ranking import Hit, best
from llm_core.retrieval.search import WORDS, Searcher
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_table
from pages.widgets.passage_cards import Card, cards_html, marked_words
from pages.widgets.retrieval_corpus import ADDRESSES, PYTHON, Body, passages_code
from pages.widgets.window_tables import named_table

START = {
    ADDRESSES: "Which basketball star built a hospital in Africa?",
    PYTHON: "How do I run code when an error occurs?",
}
MOST = 300  # characters of a question
SHOWN = 3


@dataclass(frozen=True)
class Asked:
    """A question, and the passages that answer it, where we know them."""

    text: str
    right: tuple[int, ...] = ()
    known: Question | None = None


@dataclass(frozen=True)
class Counted:
    """What the words of a question bring one passage."""

    hit: Hit | None
    shares: tuple[WordShare, ...]


def ask(body: Body, searcher: Searcher) -> Asked:
    """Ask for a question: one of ours, or any other."""
    key = f"ask_{body.name}"
    st.session_state.setdefault(key, st.query_params.get("ask") or START.get(body.name, ""))
    if body.name == ADDRESSES:
        _offer_ours(key)
    text = st.text_input(
        "Your question",
        key=key,
        max_chars=MOST,
        persist_state="session",
        placeholder="What do you want to know from these texts?",
    )
    _keep_in_address(text, START.get(body.name, ""))
    if not text.strip():
        raise ValueError("Write a question first.")
    known = known_questions().get(text) if body.name == ADDRESSES else None
    if known is None:
        return Asked(text)
    right = tuple(right_passages(known.evidence, searcher))
    if known.answer:
        st.caption(f"One of ours, in {known.kind}. The answer: {known.answer}")
    else:
        st.caption("One of ours: no address answers it.")
    return Asked(text, right, known)


def _offer_ours(key: str) -> None:
    """All of our questions; choosing one puts it into the box."""
    questions = known_questions()

    def take() -> None:
        if st.session_state["ours"]:
            st.session_state[key] = st.session_state["ours"]
        st.session_state["ours"] = None

    st.selectbox(
        f"Take one of our {len(questions)} questions",
        list(questions),
        index=None,
        key="ours",
        format_func=lambda text: f"{text}  ({questions[text].kind})",
        on_change=take,
        placeholder="… or write your own below",
    )


def _keep_in_address(text: str, default: str) -> None:
    if text and text != default:
        if st.query_params.get("ask") != text:
            st.query_params["ask"] = text
    elif "ask" in st.query_params:
        del st.query_params["ask"]


@st.cache_data(max_entries=1, show_spinner=False)
def known_questions() -> dict[str, Question]:
    """Our questions by their text."""
    return {question.text: question for question in load_questions()}


@st.cache_data(max_entries=150, show_spinner=False)
def right_passages(evidence: tuple[str, ...], _searcher: Searcher) -> list[int]:
    """The addresses' passages that hold one of the quotes."""
    return answering(_searcher.passages, Question("", next(iter(KINDS.values())), evidence))


def _choose_rank(count: int) -> int:
    if count < 2:
        return 1
    return int(
        st.segmented_control(
            "The sum behind passage number",
            range(1, count + 1),
            default=1,
            required=True,
            key="sum",
            bind="query-params",
        )
    )


def search_words(body: Body, searcher: Searcher, asked: Asked) -> Counted:
    """The best passages by words, and the sum behind one of them."""
    index = searcher.words
    scores = index.scores(asked.text)
    hits = [hit for hit in best(scores, SHOWN) if hit.score > 0]
    shares = index.explain(asked.text, hits[0].passage if hits else 0)
    worth = idf_weights(index, asked.text)
    if not hits:
        st.info("No passage holds any of these words: BM25 finds nothing at all.")
        return Counted(None, tuple(shares))
    cards = [word_card(searcher, asked, hit, rank, worth) for rank, hit in enumerate(hits, 1)]
    st.html(cards_html(cards, "The best passages by words"))
    rank = _choose_rank(len(hits))
    hit = hits[rank - 1]
    shares = index.explain(asked.text, hit.passage)
    _show_sum(index, hit, shares, rank)
    with_table = pd.DataFrame(
        {"score": [f"{h.score:.3f}" for h in best(scores, 20)]},
        index=pd.Index(
            [searcher.passages.title(h.passage) for h in best(scores, 20)], name="passage"
        ),
    )
    show_table(with_table, key="words_data")
    first = hits[0]
    show_code(
        BM25Index.scores,
        BM25Index.explain,
        key="words",
        call=f"""{passages_code(body, searcher.passages)}

from llm_core.retrieval.bm25 import BM25Index
from llm_core.retrieval.ranking import best

index = BM25Index(passages.texts())
hits = best(index.scores({asked.text!r}), {SHOWN})
print(hits[0].passage, round(hits[0].score, 3))  # {first.passage} {round(first.score, 3)}
shares = index.explain({asked.text!r}, hits[{rank - 1}].passage)
print({{each.word: round(each.share, 3) for each in shares if each.count}})  # {
            {each.word: round(each.share, 3) for each in shares if each.count}
        }""",
    )
    return Counted(hit, tuple(shares))


def idf_weights(index: BM25Index, question: str) -> dict[str, float]:
    """How rare each word of the question is, from 0 to 1: the depth of its mark."""
    shares = index.explain(question, 0)
    top = max((each.idf for each in shares), default=1.0)
    return {each.word: each.idf / top for each in shares if each.passages}


def word_card(
    searcher: Searcher, asked: Asked, hit: Hit, rank: int, weights: dict[str, float]
) -> Card:
    """One found passage with the question's words marked."""
    passages = searcher.passages
    return Card(
        f"{rank}.",
        passages.title(hit.passage),
        marked_words(passages.text(hit.passage), weights),
        score=f"score {hit.score:.2f}",
        link=passages.source(hit.passage).link,
        right=hit.passage in asked.right,
    )


def _show_sum(index: BM25Index, hit: Hit, shares: list[WordShare], rank: int) -> None:
    rows = [
        {
            "word": each.word,
            "passages with it": each.passages,
            "times here": each.count,
            "idf": f"{each.idf:.2f}",
            "× saturation": f"{each.saturation:.2f}",
            "= share": f"{each.share:.2f}",
        }
        for each in shares
    ]
    st.html(named_table(rows, f"What each word brings passage {rank}"))
    length = int(index.lengths[hit.passage])
    st.caption(
        f"The shares add up to {sum(each.share for each in shares):.2f}. A word in few of the "
        f"{len(index):,} passages has a high idf. This passage has {length} words, an average one "
        f"{index.mean_length:.0f}; in a long passage, a word has to come more often for the same "
        f"saturation (k1 = {index.k1}, b = {index.b})."
    )


def scores_of(searcher: Searcher, asked: Asked) -> np.ndarray:
    """BM25 scores (N,) of all passages."""
    return searcher.search(asked.text, None)[WORDS]
