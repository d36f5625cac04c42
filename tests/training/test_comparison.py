from dataclasses import replace

import pytest

from llm_core.training.comparison import best_of, comparable, factor_words, what_changed
from llm_core.training.events import EvalEvent
from llm_core.training.recipes import RECIPES

CLASSIC = RECIPES["classic"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"log_interval": 7, "sample_interval": 3, "keep_checkpoints": 9}, []),
        ({"model": {"n_layers": 2}}, ["layers 1 → 2"]),
        ({"model": {"d_model": 32}}, ["width 16 → 32"]),
        ({"model": {"n_heads": 1}}, ["heads 2 → 1"]),
        ({"model": {"position": "none"}}, ["positions learned → none"]),
        ({"model": {"tie_embeddings": False}}, ["tied embeddings yes → no"]),
        ({"model": {"dropout": 0.1}}, ["dropout 0 → 0.1"]),
        ({"steps": 3000, "seed": 1}, ["steps 30 → 3,000", "seed 1,337 → 1"]),
        (
            {"recipe": replace(CLASSIC, learning_rate=0.03)},
            ["learning rate 0.003 → 0.03"],
        ),
        ({"recipe": RECIPES["modern"]}, ["recipe classic → modern"]),
        (
            {"recipe": replace(RECIPES["modern"], learning_rate=0.1)},
            ["recipe classic → modern", "learning rate 0.003 → 0.1"],
        ),
        ({"rate_changes": ((40, 1 / 3),)}, ["learning rate × 1/3 after step 40"]),
        ({"tokenizer": "bpe"}, ["tokens characters → pairs"]),
    ],
)
def test_what_changed_is_told_and_nothing_else(tiny_run, change, words):
    base = tiny_run()
    change = dict(change)
    model = base.model | change.pop("model", {})
    assert what_changed(replace(base, model=model, **change), base) == words


def test_own_texts_are_compared_by_what_they_say(tiny_run, text_file, tmp_path):
    base = tiny_run()
    copy, other = tmp_path / "copy.txt", tmp_path / "other.txt"
    copy.write_bytes(text_file.read_bytes())
    other.write_text("quite another text. " * 50)
    assert what_changed(replace(base, text_path=str(copy)), base) == []
    assert comparable(replace(base, text_path=str(copy)), base)
    changed = replace(base, text_path=str(other))
    assert what_changed(changed, base) == ["another text of one's own"]
    assert not comparable(changed, base)
    tales = replace(base, text_path=None, corpus="tiny_tales")
    assert what_changed(tales, base) == ["text own → tiny_tales"]
    assert not comparable(replace(base, tokenizer="bpe"), base)


def test_the_best_is_the_lowest_validation_loss():
    assert best_of([]) is None
    losses = [EvalEvent(0, 4.0, 10), EvalEvent(5, 2.0, 10), EvalEvent(10, 2.5, 10)]
    best = best_of(losses)
    assert (best.loss, best.step) == (2.0, 5)


def test_factors_in_words():
    words = [factor_words(each) for each in (1 / 30, 1 / 3, 1.0, 10.0, 0.37, 2.5)]
    assert words == ["1/30", "1/3", "1", "10", "0.37", "2.5"]
