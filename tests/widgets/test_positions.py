"""What the lesson on positions says beside its pictures, against numbers that are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from llm_core.pretrained.position_runs import CONTEXT, LONGEST, load_experiment
from pages.widgets.positions_experiment import lines_of, parts_of, smooth, top_of, verdict
from pages.widgets.positions_order import (
    KINDS,
    LEAST,
    differences,
    finding,
    read_sentence,
    shuffled,
    written,
)
from pages.widgets.positions_relative import diagonal_spread, score_changes, shift_finding


@pytest.mark.parametrize("sentence", ["", "alone", "a " * 13, "an " + "x" * 21])
def test_too_few_too_many_or_too_long_is_refused(sentence):
    with pytest.raises(ValueError, match=r"2 to 12 words|20 letters"):
        read_sentence(sentence)


@pytest.mark.parametrize("seed", range(1, 21))
@pytest.mark.parametrize("count", [2, 5])
def test_a_shuffle_moves_something(count, seed):
    order = shuffled(count, seed)
    assert sorted(order) == list(range(count)) != order


def test_only_the_model_without_positions_and_mask_sees_a_bag():
    plain = differences((0, 1, 2, 3), (3, 1, 0, 2), False)
    assert [kind for kind in KINDS if max(plain[kind]) < LEAST] == ["none"]
    assert "which is rounding" in finding("none", max(plain["none"]), 1.0)
    assert "have changed" in finding("rope", max(plain["rope"]), 1.0)


@pytest.mark.parametrize(("number", "shown"), [(0, "0"), (6.6e-7, "6.6e-07"), (0.25, "0.250")])
def test_differences_are_written_by_their_size(number, shown):
    assert written(number) == shown


def test_a_diagonal_of_one_number_has_no_spread():
    places = np.arange(5)
    assert diagonal_spread(-0.5 * np.abs(places[:, None] - places)) == 0
    matrix = np.zeros((3, 3))
    matrix[2, 1] = 0.75
    matrix[0, 2] = 9  # comes later: not looked at
    assert diagonal_spread(matrix) == 0.75


def test_a_moved_text_changes_the_scores_of_absolute_positions_only():
    changes = score_changes((3, 40, 300, 41), 20)
    assert [kind for kind in KINDS if changes[kind] > LEAST] == ["learned", "sinusoidal"]
    assert "have changed" in shift_finding("learned", changes["learned"], 20)
    assert "rounding" in shift_finding("rope", changes["rope"], 20)
    assert "Move it" in shift_finding("rope", 0.0, 0)


def test_lines_are_means_of_eight_places():
    assert smooth([*range(16), 99.0]) == [3.5, 11.5]
    lines = lines_of(load_experiment(), scaled=True)
    assert len(lines["alibi"]) == len(lines["scaled"]) == LONGEST // 8
    assert len(lines["learned"]) == CONTEXT // 8
    assert 0 < top_of(lines) <= 4
    assert top_of({"a": [9.0, 1.0, 2.0]}) == pytest.approx(2.1)  # the first point may leave


def made(losses):
    return replace(load_experiment().run("alibi"), by_place=tuple(losses))


def test_the_verdict_follows_the_numbers():
    flat, n = [1.0] * LONGEST, LONGEST - CONTEXT
    assert "it holds" in verdict(made(flat))
    assert "it gets better" in verdict(made(flat[:n] + [0.5] * CONTEXT))
    assert "a little worse" in verdict(made(flat[:n] + [1.1] * CONTEXT))
    assert "it fails" in verdict(made(flat[:n] + [2.0] * CONTEXT))
    assert "no row for place 64" in verdict(made(flat[:CONTEXT]))


def test_parts_are_means_and_end_with_the_table():
    experiment = load_experiment()
    rows = {row["positions"]: row for row in parts_of(experiment, scaled=True)}
    assert len(rows) == len(KINDS) + 1
    assert rows["learned table"]["64–127"] == "no row"
    kept = torch.tensor(experiment.run("rope").by_place)
    assert list(rows["RoPE"])[1:] == ["32–63", "64–127", "128–191", "192–255"]
    assert rows["RoPE"]["32–63"] == f"{float(kept[32:64].mean()):.3f}"
    assert rows["RoPE"]["192–255"] == f"{float(kept[192:].mean()):.3f}"
