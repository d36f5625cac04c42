"""Cutting documents into passages: sizes to choose, and the overlap to see."""

from itertools import pairwise

import streamlit as st

from llm_core.retrieval.chunks import OVERLAP, SIZE, Document, cut_text
from llm_core.retrieval.search import Searcher
from pages.widgets.code_viewer import show_code
from pages.widgets.passage_cards import Card, cards_html, marked_spans
from pages.widgets.retrieval_corpus import ADDRESSES, Body, addresses, cut_body
from pages.widgets.stepper import stepper

SHOWN = 3  # passages at a time
FAMOUS = "Abraham Lincoln, December 1, 1862"
MOST_SIZE = 3000


def choose_sizes(body: Body) -> Searcher:
    """Ask for sizes, show what they do to one document; return the passages to be searched."""
    left, right = st.columns(2, gap="large")
    size = left.slider(
        "A passage has at most … characters",
        200,
        MOST_SIZE,
        SIZE,
        50,
        key="size",
        bind="query-params",
    )
    overlap = right.slider(
        "Two neighbours share at most …", 0, 1000, OVERLAP, 50, key="overlap", bind="query-params"
    )
    if overlap > size // 2:
        raise ValueError(
            f"Passages of {size:,} characters can share at most half of them, {size // 2:,}: "
            "make the passages longer or the overlap smaller."
        )
    number = _choose_document(body)
    document = body.documents[number]
    spans = cut_text(document.text, size=size, overlap=overlap)
    _show(document, spans)
    show_code(
        cut_text,
        key="chunks",
        call=f"""{body.code}

from llm_core.retrieval.chunks import cut_text

spans = cut_text(documents[{number}].text, size={size}, overlap={overlap})
print(len(spans))  # {len(spans)}
print(spans[:2])  # {spans[:2]}""",
    )
    searcher = cut_body(body, size, overlap)
    _say(body, searcher, (size, overlap))
    return searcher


def _choose_document(body: Body) -> int:
    titles = [document.title for document in body.documents]
    start = titles.index(FAMOUS) if FAMOUS in titles else 0
    if len(titles) == 1:
        return 0
    number = st.selectbox(
        "Look at one document",
        range(len(titles)),
        start,
        format_func=titles.__getitem__,
        key=f"document_{body.key[:8]}",
    )
    return int(number)


def _show(document: Document, spans: list[tuple[int, int]]) -> None:
    """Three passages in a row, with what stands twice marked in both."""
    count = max(1, len(spans) - SHOWN + 1)
    first = stepper(count, key="cut", label="Passages from") if count > 1 else 0
    cards = []
    for place in range(first, min(len(spans), first + SHOWN)):
        start, end = spans[place]
        shared = []
        if place and spans[place - 1][1] > start:
            shared.append((0, spans[place - 1][1] - start))
        if place + 1 < len(spans) and spans[place + 1][0] < end:
            shared.append((spans[place + 1][0] - start, end - start))
        cards.append(
            Card(
                f"Passage {place + 1}",
                f"of {len(spans)}",
                marked_spans(document.text[start:end], shared, "twice"),
                score=f"{end - start:,} characters",
            )
        )
    st.html(cards_html(cards, "Passages of the document"))
    twice = sum(max(0, before[1] - after[0]) for before, after in pairwise(spans))
    st.caption(
        f"This document becomes {len(spans)} passages. The marked parts stand in two of them: "
        f"{twice:,} of {len(document.text):,} characters."
    )


def _say(body: Body, searcher: Searcher, chosen: tuple[int, int]) -> None:
    """What is searched below."""
    passages = searcher.passages
    said = f"**{len(passages):,} passages** are searched below."
    if body.name == ADDRESSES and chosen != (passages.size, passages.overlap):
        said += (
            f" They are those of the index that comes with the course, cut at {passages.size:,} "
            f"and {passages.overlap:,}: your sizes are for looking at here."
        )
    reason = addresses()[2] if body.name == ADDRESSES else ""
    st.markdown(said)
    if reason:
        st.info(reason, icon=":material/info:")
