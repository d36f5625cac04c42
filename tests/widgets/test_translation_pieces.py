"""What the lesson on encoder and decoder says of its numbers."""

import numpy as np
import pytest

from pages.widgets.blank_filling import EXAMPLES, default_blank
from pages.widgets.translation_forcing import side_by_side
from pages.widgets.translation_model import (
    DATES,
    STEPS,
    another_date,
    forced,
    measure,
    read_date,
    shipped,
    write,
)
from pages.widgets.translation_steps import labels_of, likeness_sentence, row_sentence
from pages.widgets.translation_training import answers_table


def test_a_reading_knows_the_right_answer_and_whether_it_may_have_been_seen():
    reading = read_date("May the fourth, nineteen oh five")
    assert reading.right == "1905-05-04"
    assert reading.seen != DATES.is_unseen("1905-05-04")
    assert read_date("first").right is None
    assert not read_date("first").seen


def test_each_other_date_is_unseen_and_another_one():
    dates = [another_date(place) for place in range(1, 12)]
    assert len(set(dates)) == len(dates)
    assert not any(read_date(text).seen for text in dates)


def test_an_overruled_sign_is_seen_by_the_next_and_marked():
    reading = read_date("the twenty-first of March, twenty twenty-one")
    free = write(shipped(), reading, {8: "1"})
    assert free.signs[8] == "1"
    assert free.choices[8] == "2"
    taught = forced(shipped(), reading)
    assert "".join(taught.choices[:10]) == "2021-03-21"
    table = side_by_side(reading.right, taught, free)
    assert table.count("<tr>") == 12
    assert "overruled: 1" in table
    assert "2021-03-1<" in table
    alone = side_by_side(None, None, free)
    assert "teacher forcing" not in alone
    assert "✗" not in alone


def test_measurements_count_what_they_show():
    measured = measure(STEPS[-2], "unseen")
    assert measured.whole == pytest.approx(1 - len(measured.wrong) / 300, abs=1e-6)
    assert all(right != said for _, right, said in measured.wrong)
    assert measure(STEPS[-1], "early").whole < 0.3 < measure(STEPS[-1], "unseen").whole


def test_words_that_come_twice_are_numbered():
    assert labels_of(["the", "twenty", "of", "twenty"]) == ["the", "twenty 1", "of", "twenty 2"]


def test_sentences_name_what_is_alike_and_what_is_looked_at():
    alike = np.array([[1, 0.9, 0.2], [0.9, 1, 0.5], [0.2, 0.5, 1]])
    assert "“a” and “b”: 0.90" in likeness_sentence(["a", "b", "c"], alike)
    assert "“a 1” and “a 2” 0.20" in likeness_sentence(["a", "b", "a"], alike)
    assert "alone" in likeness_sentence(["a"], alike[:1, :1])
    said = row_sentence(["a", "b", "a"], "<end>", np.array([0.1, 0.2, 0.7]))
    assert said == "To write “end”, it looked most at “a 2”: 70 % of its attention."


def test_answers_are_judged_newest_first_and_nothing_in_them_is_markup():
    table = answers_table("<b>", [0, 25], ["<i>", "42"], "42")
    assert "<b>&lt;" not in table
    assert "“&lt;b&gt;”" in table
    assert "&lt;i&gt;" in table
    assert table.index("42") < table.index("&lt;i&gt;")
    assert table.count("✓") == table.count("✗") == 1
    assert "✗" not in answers_table("x", [0], ["y"], None)


def test_the_first_blank_is_a_word_that_comes_again():
    words = "One windy morning , Emma lost her book . A cook saw Emma . The cook smiled".split()
    pieces = [f" {word}" for word in words]
    assert pieces[default_blank(pieces)] == " cook"
    assert default_blank(["a", "b", "c"]) == 1
    assert len(EXAMPLES) == 3
