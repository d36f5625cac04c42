"""Find passages in a large text by words, by vectors and by both; then answer from them."""

from typing import Any

from llm_core.retrieval.search import Searcher
from pages.widgets.frame import open_lesson
from pages.widgets.retrieval_answer import answer
from pages.widgets.retrieval_chunks import choose_sizes
from pages.widgets.retrieval_compare import Fused, compare
from pages.widgets.retrieval_corpus import Body, choose_body
from pages.widgets.retrieval_embed import Encoded, encode
from pages.widgets.retrieval_measure import find_absent, measure
from pages.widgets.retrieval_vectors import search_vectors
from pages.widgets.retrieval_words import Asked, Counted, ask, search_words


def by_words(body: Body, searcher: Searcher) -> tuple[Asked, Counted]:
    """Ask a question, and count its words."""
    asked = ask(body, searcher)
    return asked, search_words(body, searcher, asked)


def by_vectors(body: Body, encoded: Encoded, question: tuple[Asked, Counted]) -> None:
    """The same question, as a vector."""
    search_vectors(body, encoded, question[0])


def side_by_side(encoded: Encoded, question: tuple[Asked, Counted]) -> Fused:
    """The same question, three ways."""
    return compare(encoded, question[0])


def which_is_better() -> dict[str, float] | None:
    """All of our questions, three ways."""
    if not page.predict("other_words", {}):
        return None
    return measure()


def not_there(encoded: Encoded, question: tuple[Asked, Counted]) -> dict[str, float]:
    """Questions that no address answers."""
    return find_absent(encoded, question[0])


def answers(encoded: Encoded, question: tuple[Asked, Counted]) -> None:
    """The model, with the passages and without."""
    answer(encoded, question[0])


def settings(searcher: Searcher, counted: Counted, fused: Fused) -> dict[str, Any]:
    """The values on screen that questions ask about."""
    top = max(counted.shares, key=lambda each: each.share)
    idf, saturation = round(top.idf, 2), round(top.saturation, 2)
    words, vectors = fused.word_rank, fused.vector_rank
    if words is None or vectors is None:
        words, vectors = 1, 3
    return {
        "passages": len(searcher.passages),
        "word": top.word,
        "idf": idf,
        "saturation": saturation,
        "share": round(idf * saturation, 2),
        "idf_and_saturation": round(idf + saturation, 2),
        "word_rank": words,
        "vector_rank": vectors,
        "fused": round(1 / (60 + words) + 1 / (60 + vectors), 4),
        "fused_ranks": round(1 / words + 1 / vectors, 4),
        "reciprocal": 0.5,
        "mean_rank": 1.5,
        "rank_reciprocal": round(1 / 1.5, 3),
    }


page = open_lesson("knowledge_retrieval")
body = page.show("corpus", choose_body)
searcher = page.show("chunks", choose_sizes, body)
question = page.show("words", by_words, body, searcher)
encoded = page.show("embed", encode, body, searcher)
page.show("vectors", by_vectors, body, encoded, question)
fused = page.show("both", side_by_side, encoded, question)
page.show("measure", which_is_better)
page.show("absent", not_there, encoded, question)
page.show("answer", answers, encoded, question)
ready = searcher is not None and question is not None and fused is not None
ready = ready and bool(question[1].shares)  # a question of no words has no sum to ask about
page.close(settings(searcher, question[1], fused) if ready else None)
