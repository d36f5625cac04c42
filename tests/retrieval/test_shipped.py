"""The index that ships: of these passages, by this encoder, and as good as the page says."""

import numpy as np
import pytest

from llm_core.pretrained.minilm import load_minilm
from llm_core.retrieval.chunks import Document, cut_documents
from llm_core.retrieval.documents import state_of_the_union
from llm_core.retrieval.encoder import WIDTH, embedder
from llm_core.retrieval.evaluation import load_questions, measures, run_questions
from llm_core.retrieval.search import BOTH, VECTORS, WORDS, make_searcher
from llm_core.retrieval.shipped import SHIPPED, load_shipped, save_shipped

SAMPLE = 12


@pytest.fixture(scope="module")
def passages():
    return cut_documents(state_of_the_union())


@pytest.fixture(scope="module")
def shipped(passages):
    return load_shipped(passages)


def test_it_is_small_and_holds_every_passage_and_question(passages, shipped):
    assert SHIPPED.stat().st_size <= 4_000_000
    assert shipped.dense.vectors.shape == (len(passages), WIDTH)
    np.testing.assert_allclose(np.linalg.norm(shipped.dense.vectors, axis=1), 1, atol=1e-5)
    assert set(shipped.questions) == {question.text for question in load_questions()}


def test_its_vectors_are_those_that_the_encoder_makes(passages, shipped):
    embed = embedder(load_minilm())
    places = np.linspace(0, len(passages) - 1, SAMPLE).astype(int)
    fresh = embed([passages.text(int(place)) for place in places])
    assert (fresh * shipped.dense.vectors[places]).sum(axis=1).min() > 0.998
    texts = list(shipped.questions)[::16]
    asked = np.stack([shipped.questions[text] for text in texts])
    np.testing.assert_allclose(embed(texts), asked, atol=1e-3)
    scores = fresh @ asked.T - shipped.dense.vectors[places] @ asked.T
    assert np.abs(scores).max() < 0.02


def test_what_the_lesson_says_of_the_three_ways(passages, shipped):
    questions = [question for question in load_questions() if question.evidence]
    outcomes = run_questions(make_searcher(passages, shipped.dense), questions, shipped.questions)

    def recall(method, kind=None):
        chosen = [o.ranks[method] for o in outcomes if kind in (None, o.question.kind)]
        return measures(chosen)["recall@5"]

    same, other = "the passage's words", "other words"
    assert recall(WORDS, same) > 0.95 > recall(VECTORS, same)
    assert recall(VECTORS, other) > 3 * recall(WORDS, other)
    assert recall(BOTH) > max(recall(WORDS), recall(VECTORS)) > 0.5


def test_an_index_of_other_texts_is_refused(tmp_path):
    one = cut_documents([Document("a", "The owl sat. " * 40)], size=150, overlap=0)
    two = cut_documents([Document("a", "The fox sat. " * 40)], size=150, overlap=0)
    path = tmp_path / "index.npz"
    vectors = np.random.default_rng(1).standard_normal((len(one), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    size = save_shipped(one, vectors, ["Who sat?"], vectors[:1], path)
    assert size == path.stat().st_size
    loaded = load_shipped(one, path)
    assert (loaded.dense.vectors * vectors).sum(axis=1).min() > 0.99
    np.testing.assert_allclose(loaded.questions["Who sat?"], vectors[0], atol=1e-3)
    with pytest.raises(ValueError, match="made of other texts"):
        load_shipped(two, path)
