"""Searching by vectors: the nearest passages, and a map of them."""

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.projection import principal_axes
from llm_core.retrieval.ranking import best
from llm_core.retrieval.search import VECTORS, WORDS
from pages.figures.retrieval import Neighbour, map_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.passage_cards import Card, cards_html, marked_words
from pages.widgets.retrieval_corpus import ADDRESSES, Body, passages_code
from pages.widgets.retrieval_embed import Encoded
from pages.widgets.retrieval_words import SHOWN, Asked, idf_weights

NEAR = 10  # passages of each way on the map
AROUND = 150  # others, to see the near ones against


def search_vectors(body: Body, encoded: Encoded, asked: Asked) -> bool:
    """The nearest passages and their map; return whether there were vectors to search by."""
    vector = encoded.vector(asked.text)
    dense = encoded.searcher.dense
    if dense is None or vector is None:
        missing = "the passages have no vectors yet" if dense is None else "it has no vector yet"
        st.info(
            f"This question cannot be searched by meaning: {missing}. The part above has what it "
            "takes"
            + (", and our own questions have their vectors." if body.name == ADDRESSES else ".")
        )
        return False
    found = encoded.searcher.search(asked.text, vector)
    hits = best(found[VECTORS], SHOWN)
    passages, words = encoded.searcher.passages, idf_weights(encoded.searcher.words, asked.text)
    cards = [
        Card(
            f"{rank}.",
            passages.title(hit.passage),
            marked_words(passages.text(hit.passage), words),
            score=f"cosine {hit.score:.3f}",
            link=passages.source(hit.passage).link,
            right=hit.passage in asked.right,
        )
        for rank, hit in enumerate(hits, 1)
    ]
    st.html(cards_html(cards, "The best passages by vectors"))
    _show_map(encoded, asked, vector, found)
    if body.name == ADDRESSES:
        show_code(
            type(dense).scores,
            key="dense",
            call=f"""{passages_code(body, passages)}

from llm_core.retrieval.ranking import best
from llm_core.retrieval.shipped import load_shipped

shipped = load_shipped(passages)
{_vector_code(asked)}
hits = best(shipped.dense.scores(vector), {SHOWN})
print([hit.passage for hit in hits])  # {[hit.passage for hit in hits]}
print([round(hit.score, 3) for hit in hits])  # {[round(hit.score, 3) for hit in hits]}""",
        )
    return True


def _vector_code(asked: Asked) -> str:
    if asked.known is not None:
        return f"vector = shipped.questions[{asked.text!r}]"
    return (
        "from llm_core.pretrained.registry import load\n"
        "from llm_core.retrieval.encoder import embedder\n\n"
        f'vector = embedder(load("minilm"))([{asked.text!r}])[0]'
    )


def _show_map(
    encoded: Encoded, asked: Asked, vector: np.ndarray, found: dict[str, np.ndarray]
) -> None:
    """The question among the passages nearest to it, on their two main directions."""
    dense, passages = encoded.searcher.dense, encoded.searcher.passages
    assert dense is not None
    near = [hit.passage for hit in best(found[VECTORS], NEAR)]
    matching = [hit.passage for hit in best(found[WORDS], NEAR) if hit.score > 0]
    rng = np.random.default_rng(0)
    around = rng.choice(len(dense), min(AROUND, len(dense)), replace=False).tolist()
    places = list(dict.fromkeys([*near, *matching, *around]))
    if len(places) < 3:
        return
    points = np.vstack([vector[None], dense.vectors[places]])
    axes = principal_axes(points, 2)
    placed = axes.project(points)
    neighbours = [
        Neighbour(
            passages.title(place),
            float(x),
            float(y),
            float(found[VECTORS][place]),
            by_vectors=place in near,
            by_words=place in matching,
            right=place in asked.right,
        )
        for place, (x, y) in zip(places, placed[1:], strict=True)
    ]
    both = len({*near} & {*matching})
    table = pd.DataFrame(
        {
            "cosine": [f"{each.cosine:.3f}" for each in neighbours[: 2 * NEAR - both]],
            "found by": [each.found_by for each in neighbours[: 2 * NEAR - both]],
        },
        index=pd.Index([each.title for each in neighbours[: 2 * NEAR - both]], name="passage"),
    )
    show_figure(
        map_figure(neighbours, (float(placed[0, 0]), float(placed[0, 1]))),
        key="map",
        alt=f"{both} of the {NEAR} passages nearest by vectors are also among the {len(matching)} "
        f"best by words. The map holds {axes.shares.sum():.0%} of what differs between these "
        f"vectors of {dense.vectors.shape[1]} numbers: trust who is near, not how far.",
        table=table,
    )
