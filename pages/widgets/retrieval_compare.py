"""Three ways to search side by side, and how the ranks of two become those of the third."""

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from llm_core.retrieval.ranking import DEPTH, RRF_K, best, fuse
from llm_core.retrieval.search import BOTH, METHODS, VECTORS, WORDS
from pages.figures.palette import NEUTRAL, VALUE
from pages.widgets.code_viewer import show_code
from pages.widgets.passage_cards import STYLE, marked_words
from pages.widgets.retrieval_embed import Encoded
from pages.widgets.retrieval_words import Asked, idf_weights
from pages.widgets.window_tables import named_table

TITLES = {WORDS: "By words (BM25)", VECTORS: "By vectors (dense)", BOTH: "By both (hybrid)"}
TOP = 5
_STYLE = (
    "<style>.found{margin:0;padding:0;list-style:none;display:grid;gap:.4rem}"
    f".found li{{border:1px solid {NEUTRAL}66;border-left:4px solid {NEUTRAL};border-radius:.4rem;"
    "padding:.35rem .6rem;font-size:.88rem;overflow-wrap:anywhere}"
    f".found li.right{{border-left-color:{VALUE}}}"
    ".found summary{cursor:pointer}.found .score{font-variant-numeric:tabular-nums}"
    ".found .text{white-space:pre-line;margin-top:.3rem;max-height:16rem;overflow-y:auto}</style>"
)


@dataclass(frozen=True)
class Fused:
    """The first passage of the hybrid list: its ranks in the two others, and its score."""

    word_rank: int | None
    vector_rank: int | None
    score: float


def compare(encoded: Encoded, asked: Asked) -> Fused:
    """Show the best of each way; and for the hybrid list, where its scores come from."""
    found = encoded.searcher.search(asked.text, encoded.vector(asked.text))
    columns = st.columns(len(METHODS), gap="medium")
    weights = idf_weights(encoded.searcher.words, asked.text)
    for column, method in zip(columns, METHODS, strict=True):
        with column:
            st.markdown(f"**{TITLES[method]}**")
            if method in found:
                st.html(_list_html(encoded, asked, method, found[method], weights))
            else:
                st.caption("There are no vectors for this yet: see the parts above.")
    if BOTH not in found:
        return Fused(1, 3, 1 / (RRF_K + 1) + 1 / (RRF_K + 3))
    return _show_fusion(encoded, found)


def _list_html(
    encoded: Encoded,
    asked: Asked,
    method: str,
    scores: np.ndarray,
    weights: Mapping[str, float],
) -> str:
    """A way's best passages; one opens to its whole text."""
    passages = encoded.searcher.passages
    rows = ""
    for rank, hit in enumerate(best(scores, TOP), 1):
        if method != VECTORS and hit.score <= 0:
            continue
        right = hit.passage in asked.right
        score = f"{hit.score:.4f}" if method == BOTH else f"{hit.score:.3f}"
        note = " <b>✓ holds the answer</b>" if right else ""
        rows += (
            f'<li class="{"right" if right else ""}"><details><summary><b>{rank}.</b> '
            f"{html.escape(passages.title(hit.passage))} "
            f'<span class="score">· {score}</span>{note}</summary>'
            f'<div class="text" tabindex="0" role="region" aria-label="Passage {rank}">'
            f"{marked_words(passages.text(hit.passage), weights)}</div></details></li>"
        )
    if not rows:
        return "<p>Nothing found: no passage holds any of these words.</p>"
    return f'{STYLE}{_STYLE}<ol class="found passage" style="border:0;padding:0">{rows}</ol>'


def _show_fusion(encoded: Encoded, found: Mapping[str, np.ndarray]) -> Fused:
    """The sum of 1 / (60 + rank) for each of the hybrid list's best."""
    lists = {
        WORDS: [hit.passage for hit in best(found[WORDS], DEPTH) if hit.score > 0],
        VECTORS: [hit.passage for hit in best(found[VECTORS], DEPTH)],
    }
    rows, first = [], None
    for hit in best(found[BOTH], TOP):
        ranks = {
            name: listed.index(hit.passage) + 1 if hit.passage in listed else None
            for name, listed in lists.items()
        }
        first = first or Fused(ranks[WORDS], ranks[VECTORS], hit.score)
        rows.append(
            {
                "passage": encoded.searcher.passages.title(hit.passage),
                "rank by words": ranks[WORDS] or "–",
                "rank by vectors": ranks[VECTORS] or "–",
                "sum": " + ".join(f"1/{RRF_K + rank}" for rank in ranks.values() if rank),
                "score": f"{hit.score:.4f}",
            }
        )
    st.markdown("**How the third list comes about**")
    st.html(named_table(rows, "Scores of the hybrid list", left=("passage", "sum")))
    assert first is not None
    short = {name: listed[:20] for name, listed in lists.items()}
    top = best(fuse(list(short.values()), len(encoded.searcher.passages)), 3)
    show_code(
        fuse,
        key="fusion",
        call=f"""from llm_core.retrieval.ranking import best, fuse

by_words = {short[WORDS]}
by_vectors = {short[VECTORS]}
hits = best(fuse([by_words, by_vectors], {len(encoded.searcher.passages)}), 3)
print([(hit.passage, round(hit.score, 4)) for hit in hits])  # {
            [(hit.passage, round(hit.score, 4)) for hit in top]
        }""",
    )
    return first
