import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.pretrained.glove import WordVectors, load_glove

ANALOGIES = {  # first, second, third: the answer at rank 1 among the 50,000 most frequent words
    "man king woman": "queen",
    "france paris italy": "rome",
    "france paris japan": "tokyo",
    "man actor woman": "actress",
    "walking walked playing": "played",
    "slow slower fast": "faster",
    "france french spain": "spanish",
    "cat cats dog": "dogs",
    "good better bad": "worse",
    "boy girl prince": "princess",
}


@pytest.fixture(scope="module")
def glove():
    return load_glove()


def small(numbers, seed=0, words=40):
    matrix = np.random.default_rng(seed).normal(size=(words, numbers)).astype(np.float32)
    return WordVectors([f"word{index}" for index in range(words)], np.asfortranarray(matrix))


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.integers(2, 12),
    seed=st.integers(0, 1000),
    k=st.integers(1, 60),
    among=st.none() | st.integers(1, 40),
)
def test_neighbours_are_torchs(numbers, seed, k, among):
    vectors = small(numbers, seed)
    query = np.random.default_rng(seed + 1).normal(size=numbers)
    table = torch.from_numpy(np.ascontiguousarray(vectors.matrix[:among]))
    cosines = F.cosine_similarity(table, torch.tensor(query, dtype=torch.float32)[None])
    found = vectors.nearest(query, k=k, among=among)
    expected = cosines.topk(min(k, len(cosines))).values.tolist()
    assert [each.similarity for each in found] == pytest.approx(expected, abs=1e-5)
    for each in found:
        assert each.similarity == pytest.approx(float(cosines[vectors.row(each.word)]), abs=1e-5)
    without = vectors.nearest(query, k=k, among=among, without=(found[0].word, "unheard-of"))
    assert found[0].word not in [each.word for each in without]
    assert len(without) == min(k, len(cosines) - 1)


def test_questions_without_an_answer_are_refused():
    vectors = small(3)
    with pytest.raises(ValueError, match="points nowhere"):
        vectors.nearest([0, 0, 0])
    with pytest.raises(ValueError, match="'flibber' has no vector: it is not among the 40 words"):
        vectors.vector("flibber")
    with pytest.raises(ValueError, match="2 words cannot share 3 vectors"):
        WordVectors(["a", "b"], np.zeros((3, 2), dtype=np.float32))


def test_words_and_rows(glove):
    assert len(glove) == 400_000
    assert glove.words(5) == ["the", ",", ".", "of", "to"]
    assert glove.row("King") == glove.row("king") == 691
    assert glove.word(691) == "king"
    assert "King" in glove
    assert "qqqzzz" not in glove
    # From the published file glove.6B.50d.txt, as its first line has them.
    assert glove.vector("the")[:4].tolist() == pytest.approx([0.418, 0.24968, -0.41242, 0.1217])


def test_the_matrix_is_mapped_and_never_copied(glove):
    base = glove.matrix
    while not isinstance(base, np.memmap) and base.base is not None:
        base = base.base
    assert isinstance(base, np.memmap)
    assert not glove.matrix.flags.writeable
    assert glove.vector("the").flags.writeable


def test_real_neighbours_are_torchs(glove):
    table = torch.tensor(glove.matrix)
    cosines = F.cosine_similarity(table, torch.tensor(glove.vector("frog"))[None])
    best = cosines.topk(9)
    found = glove.nearest(glove.vector("frog"), k=9)
    assert [glove.row(each.word) for each in found] == best.indices.tolist()
    assert [each.similarity for each in found] == pytest.approx(best.values.tolist(), abs=1e-5)
    assert found[0].word == "frog"
    assert glove.similarity("frog", found[1].word) == pytest.approx(found[1].similarity, abs=1e-5)
    np.testing.assert_allclose(glove.lengths, table.norm(dim=1).numpy(), rtol=1e-5)


@pytest.mark.parametrize(("question", "answer"), ANALOGIES.items())
def test_analogies_that_work(glove, question, answer):
    found = glove.analogy(*question.split(), among=50_000)
    assert found[0].word == answer
    assert not {each.word for each in found} & set(question.split())


def test_an_analogy_that_fails(glove):
    assert glove.analogy("hot", "cold", "big", among=50_000)[0].word != "small"
