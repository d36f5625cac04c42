"""The lesson on embeddings: what its parts compute, and its parts on models that are loaded."""

import contextlib
import io
import re
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from llm_core.pretrained.assets import fetch
from llm_core.pretrained.glove import WordVectors
from llm_core.pretrained.registry import load
from pages.widgets.embedding_analogies import QUESTIONS, answers, in_plane, lean, rank_of, target
from pages.widgets.embedding_dimensions import measure_dimensions
from pages.widgets.embedding_lookup import lookup_table, size_of
from pages.widgets.embedding_map import nearest_tokens, snapshots
from pages.widgets.embedding_words import tiny_words
from pages.widgets.point_map import Point, point_map

ROOT = Path(__file__).parents[2]
PRINTED = re.compile(r"print\(.*\)\s+# (?P<value>.*)")


@pytest.fixture(scope="module")
def glove():
    return load("glove")


def small(seed=0, words=9, numbers=6):
    matrix = np.random.default_rng(seed).normal(size=(words, numbers)).astype(np.float32)
    return WordVectors([f"w{n}" for n in range(words)], matrix)


def test_a_plane_shows_the_corners_without_distortion():
    vectors, words = small(), ("w0", "w1", "w2")
    corners, others = in_plane(vectors, words, ["w5", "w1"])
    units = [vectors.unit(word).astype(float) for word in words]
    true = np.stack([*units, units[1] - units[0] + units[2]])
    flat = np.linalg.norm(corners[:, None] - corners, axis=-1)
    np.testing.assert_allclose(flat, np.linalg.norm(true[:, None] - true, axis=-1), atol=1e-6)
    np.testing.assert_allclose(corners[1] - corners[0], corners[3] - corners[2], atol=1e-9)
    assert corners[1, 0] == pytest.approx(0, abs=1e-9)  # the first arrow goes straight up
    assert corners[1, 1] > 0
    assert corners[2, 0] > 0
    np.testing.assert_allclose(others[1], corners[1], atol=1e-6)
    # A shadow is the nearest point of the plane.
    gap = vectors.unit("w5") - (units[0] + others[0] @ _basis(units))
    assert np.abs(gap @ np.stack([units[1] - units[0], units[2] - units[0]], axis=1)).max() < 1e-6


def _basis(units):
    """Two directions at right angles: the first side, upwards, and what is left of the second."""
    up = units[1] - units[0]
    up = up / np.linalg.norm(up)
    right = units[2] - units[0]
    right = right - (right @ up) * up
    return np.stack([right / np.linalg.norm(right), up])


def test_an_analogy_of_one_word_twice_is_drawn_too():
    corners, _ = in_plane(small(), ("w0", "w0", "w0"), ["w1"])
    assert np.isfinite(corners).all()
    assert np.allclose(corners, 0)


def test_ten_analogies_work_and_some_fail(glove):
    found = answers("glove", glove, 50_000)
    assert len(found) == len(QUESTIONS["glove"])
    assert sum(each.right for each in found) >= 10
    assert sum(not each.right for each in found) >= 5
    table = torch.tensor(np.ascontiguousarray(glove.matrix[:50_000]))
    for each in found:  # an independent search
        first, second, third, expected = each.question
        units = [torch.nn.functional.normalize(table[glove.row(w)], dim=0) for w in each.question]
        cosines = torch.nn.functional.cosine_similarity(
            table, (units[1] - units[0] + units[2])[None]
        )
        cosines[[glove.row(word) for word in (first, second, third)]] = -1
        winner = glove.word(int(cosines.argmax()))
        assert each.near[0].word == winner
        assert each.right is (winner == expected)


def test_the_three_words_may_win_themselves(glove):
    plain = {each.question: each for each in answers("glove", glove, 50_000)}
    found = {each.question: each for each in answers("glove", glove, 50_000, True)}
    royal = ("man", "king", "woman", "queen")
    assert plain[royal].near[0].word == "queen"
    assert found[royal].near[0].word == "king"
    assert sum(each.right for each in found.values()) < sum(e.right for e in plain.values())
    for itself, place in ((False, 1), (True, 2)):
        assert rank_of(glove, royal[:3], "queen", 50_000, itself) == place


def test_the_tiny_gpts_words_solve_and_fail_as_well():
    vectors = tiny_words()
    right = [each.right for each in answers("tiny", vectors, len(vectors))]
    assert True in right
    assert False in right


def test_leanings_are_cosines_with_the_direction(glove):
    words = ["nurse", "captain"]
    she, he = (torch.tensor(glove.unit(word)) for word in ("she", "he"))
    expected = [
        float(torch.nn.functional.cosine_similarity(torch.tensor(glove.vector(w)), he - she, dim=0))
        for w in words
    ]
    assert lean(glove, words, "she", "he") == pytest.approx(expected, abs=1e-6)
    assert expected[0] < -0.2 < 0.2 < expected[1]


def test_fewer_numbers_keep_less(glove):
    for name, vectors, among in (("glove", glove, 50_000), ("tiny", tiny_words(), 430)):
        found = measure_dimensions(name, vectors, among)
        assert found.sizes[-1] == vectors.matrix.shape[1]
        for shares in (found.kept, found.variance):
            assert shares[-1] == pytest.approx(1)
            assert list(shares) == pytest.approx(sorted(shares), abs=0.02)
        assert found.solved[-1] == 1 > found.solved[0]
        turned = WordVectors(vectors.words(len(found.turned)), found.turned)
        first, second = vectors.words(12)[10:]
        assert turned.similarity(first, second) == pytest.approx(
            vectors.similarity(first, second), abs=1e-5
        )


def test_a_search_takes_less_than_50_ms_and_copies_nothing(glove):
    glove.nearest(glove.vector("frog"))  # reads the lengths
    times = []
    for word in ("king", "river", "music", "war", "bread", "green", "seven"):
        start = time.process_time()
        glove.nearest(glove.vector(word))
        times.append(time.process_time() - start)
    assert sorted(times)[3] < 0.05
    tracemalloc.start()
    glove.nearest(glove.vector("king"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.1 * glove.matrix.nbytes


def test_snapshots_are_those_of_the_models():
    data = snapshots()
    assert data.tables.shape == (len(data.steps), 1166, 96)
    for place in (0, len(data.steps) - 1):
        model, tokenizer = load(f"tiny@{data.steps[place]}")
        table = model.token_embedding.weight
        np.testing.assert_array_equal(data.tables[place], table.numpy())
        row = tokenizer.encode(" owl")[0]
        cosines = torch.nn.functional.cosine_similarity(table, table[row][None])
        best = cosines.topk(6)
        found = nearest_tokens(data.tables[place], row, 5)
        assert [index for index, _ in found] == best.indices.tolist()[1:]
        assert [c for _, c in found] == pytest.approx(best.values.tolist()[1:], abs=1e-5)
    assert data.measures[0].alike < 0.25 < 0.9 < data.measures[-1].alike


def test_a_size_is_that_of_a_model_that_is_built():
    from llm_core.models.config import TransformerConfig
    from llm_core.models.gpt import GPT

    size = size_of(300, 64, 2)
    model = GPT(
        TransformerConfig(vocab_size=300, context_length=1024, d_model=64, n_layers=2, n_heads=2)
    )
    total = sum(parameter.numel() for parameter in model.parameters())
    assert (size.table, size.table + size.rest) == (model.token_embedding.weight.numel(), total)


def test_one_row_of_the_table_is_lit_and_summed():
    rows = np.array([[1.5, -2.0], [0.25, 3.0]])
    page = lookup_table(["a", "<b>"], [7, 8], rows, 8, (1000, 2))
    lines = [re.sub(r"<[^>]+>", " ", line).split() for line in page.split("<tr>")[2:]]
    assert lines[0] == ["a", "7", "0", "1.50", "−2.00", "…"]
    assert lines[1] == ["&lt;b&gt;", "8", "1", "0.25", "3.00", "…"]
    assert lines[-1] == ["sum", "0.25", "3.00", "…"]
    assert page.count("font-weight:700") == 2 * 4


def test_a_map_refuses_what_it_cannot_show():
    for point, names in ((Point("a", 0, 0, 2), ["x"]), (Point("a", 0, 0, 0), ["x"] * 9)):
        with pytest.raises(ValueError, match=r"one of the groups|8 groups"):
            point_map(
                [point], key="m", alt="", groups=names, limits=(0, 1, 0, 1), on_pick=lambda _: None
            )


def visit(tmp_path, monkeypatch, **query):
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.query_params.update(query)
    page = app.switch_page("pages/33_embeddings.py").run()
    assert not page.exception
    assert not [text.value for text in page.markdown if "could not be shown" in text.value]
    return page


def test_code_on_loaded_models_prints_what_is_on_screen(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(fetch("glove").parent))
    fetch("minilm")
    page = visit(tmp_path, monkeypatch, view="print", models="glove,minilm", itself="true")
    calls = [each.code[0].value for each in page.expander if each.label == "Show the code"]
    calls = [call for call in calls if "glove" in call or "minilm" in call]
    assert len(calls) == 5
    monkeypatch.chdir(ROOT)
    for call in calls:
        expected = [found["value"] for line in call.splitlines() if (found := PRINTED.search(line))]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(call, "pasted", "exec"), {})
        assert printed.getvalue().splitlines() == expected != []


def test_a_model_is_loaded_on_request_and_named_in_the_address(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(fetch("glove").parent))
    page = visit(tmp_path, monkeypatch)
    assert "on this machine" in page.button(key="load_glove").label
    page = page.button(key="load_glove").click().run()
    assert not page.exception
    assert page.query_params["models"] in ("glove", ["glove"])
    assert page.text_input(key="word_glove").value == "frog"
    assert not [each for each in page.button if each.key == "load_glove"]


def test_without_a_network_the_lesson_says_so_and_goes_on(tmp_path, monkeypatch):
    def refuse(name, **_):
        raise ValueError("This machine does not hold it, and cannot fetch it now.")

    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(tmp_path / "nothing"))
    monkeypatch.setattr("pages.widgets.model_request.load", refuse)
    page = visit(tmp_path, monkeypatch)
    page = page.button(key="load_glove").click().run()
    assert "cannot fetch it now" in page.warning[0].value
    assert any("430 words of the tiny GPT" in each.value for each in page.caption)
    assert page.text_input(key="word_tiny").value == "frog"
    assert page.header[-1].value == "In short"


def test_a_link_to_a_model_that_is_not_here_only_offers_it(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(tmp_path / "nothing"))
    page = visit(tmp_path, monkeypatch, models="glove,minilm,<b>")
    assert "76 MB" in page.button(key="load_glove").label
    assert target(tiny_words(), ("she", "he", "her")).shape == (96,)
