"""Vectors that are computed once and kept: interrupted, damaged, shared, too many."""

import hashlib
import os

import numpy as np
import pytest

from llm_core.retrieval.chunks import Document, cut_documents
from llm_core.retrieval.vector_files import BATCH, VectorFile, keep_within, seconds_needed

WIDTH = 12
PASSAGES = cut_documents(
    [Document("a", " ".join(f"Sentence {n} is about {n * n}." for n in range(600)))],
    size=100,
    overlap=0,
)


class Counting:
    """Turns a text into a vector that is its own, and counts the texts."""

    def __init__(self):
        self.texts = 0

    def __call__(self, texts):
        self.texts += len(texts)
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:4], "big") for t in texts]
        return np.stack([np.random.default_rng(seed).standard_normal(WIDTH) for seed in seeds])


def vector_file(folder, passages=PASSAGES, encoder="test"):
    return VectorFile(folder, passages, width=WIDTH, encoder=encoder)


def test_all_vectors_are_computed_once_and_kept(tmp_path):
    embed, file = Counting(), vector_file(tmp_path / "new" / "folder")
    assert file.done() == 0
    with pytest.raises(ValueError, match="not indexed yet"):
        file.read()
    told = list(file.compute(embed))
    assert len(PASSAGES) > 3 * BATCH
    assert [each.done for each in told] == [*range(BATCH, len(PASSAGES), BATCH), len(PASSAGES)]
    assert told[-1].remaining == 0
    assert told[0].remaining == pytest.approx(told[0].seconds * (len(PASSAGES) - BATCH) / BATCH)
    assert file.done() == len(PASSAGES)
    expected = Counting()(PASSAGES.texts())
    np.testing.assert_allclose(file.read(), expected, rtol=1e-3, atol=1e-3)  # float16
    assert list(vector_file(tmp_path / "new" / "folder").compute(embed)) == []
    assert embed.texts == len(PASSAGES)


@pytest.mark.parametrize("torn", [0, 7, 2 * WIDTH + 3])
def test_interrupted_it_goes_on_where_it_was(tmp_path, torn):
    """Closed after two batches, or killed in the middle of writing a third."""
    embed = Counting()
    run = vector_file(tmp_path).compute(embed)
    next(run)
    next(run)
    run.close()
    (part,) = tmp_path.glob("*.part")
    with part.open("ab") as file:
        file.write(b"\x7f" * torn)
    again = vector_file(tmp_path)
    whole = 2 * BATCH + torn // (2 * WIDTH)  # a row that looks whole is taken for one
    assert again.done() == whole
    list(again.compute(embed))
    assert embed.texts == len(PASSAGES) - torn // (2 * WIDTH)
    expected = Counting()(PASSAGES.texts())
    found = again.read()
    kept = np.ones(len(PASSAGES), bool)
    kept[2 * BATCH : whole] = False
    np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-3, atol=1e-3)
    assert not list(tmp_path.glob("*.part"))


def test_a_failure_while_computing_loses_nothing_and_frees_the_place(tmp_path):
    embed, calls = Counting(), []

    def failing(texts):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("out of memory")
        return embed(texts)

    with pytest.raises(RuntimeError):
        list(vector_file(tmp_path).compute(failing))
    assert vector_file(tmp_path).done() == 2 * BATCH
    list(vector_file(tmp_path).compute(embed))
    assert embed.texts == len(PASSAGES)


def test_two_at_once_are_told_apart(tmp_path):
    first = vector_file(tmp_path).compute(Counting())
    next(first)
    with pytest.raises(ValueError, match="indexed already, in another tab"):
        next(vector_file(tmp_path).compute(Counting()))
    first.close()
    assert next(vector_file(tmp_path).compute(Counting())).done == 2 * BATCH


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_damaged_file_is_removed_and_made_anew(tmp_path, place):
    file = vector_file(tmp_path)
    list(file.compute(Counting()))
    content = bytearray(file.path.read_bytes())
    content[place] ^= 0x10
    file.path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged, and has been removed"):
        file.read()
    assert not file.path.exists()
    list(file.compute(Counting()))
    assert len(file.read()) == len(PASSAGES)


def test_a_file_of_another_length_counts_as_none(tmp_path):
    file = vector_file(tmp_path)
    list(file.compute(Counting()))
    file.path.write_bytes(file.path.read_bytes()[:-10])
    assert file.done() == 0
    with pytest.raises(ValueError, match="not indexed yet"):
        file.read()


def test_other_texts_and_other_encoders_have_files_of_their_own(tmp_path):
    other = cut_documents(PASSAGES.documents, size=120, overlap=0)
    files = (
        vector_file(tmp_path),
        vector_file(tmp_path, other),
        vector_file(tmp_path, encoder="x"),
    )
    assert len({file.path for file in files}) == 3
    list(files[0].compute(Counting()))
    assert [file.done() for file in files] == [len(PASSAGES), 0, 0]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="cannot be written"):
        next(vector_file(tmp_path / "file").compute(Counting()))


def test_the_longest_unused_go_first(tmp_path):
    paths = [tmp_path / name for name in ("a.vectors", "b.part", "c.vectors", "d.vectors")]
    for age, path in enumerate(reversed(paths)):
        path.write_bytes(b"x" * 100)
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "other.txt").write_bytes(b"x" * 1000)
    keep_within(tmp_path, 250, spare=paths[0])  # the oldest, but spared
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.vectors", "d.vectors", "other.txt",
    ]  # fmt: skip


def test_the_time_is_told_from_a_few_passages():
    embed = Counting()
    assert seconds_needed(PASSAGES, embed, count=1000) > 0
    assert embed.texts == 9  # eight, and one to set up
    assert seconds_needed(PASSAGES, embed, count=0) == 0
