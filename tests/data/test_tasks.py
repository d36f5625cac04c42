"""Toy translations, held against datetime and against rules of their own."""

import re
from datetime import date, timedelta
from itertools import islice

import pytest

from llm_core.data.number_words import spell_day, spell_number, spell_year
from llm_core.data.tasks import (
    EARLY_YEARS,
    END,
    SPECIAL,
    TASKS,
    YEARS,
    date_phrasings,
    early_dates,
    find_task,
)

tasks = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
DATES = TASKS["dates"]
MONTHS = [date(2000, month, 1).strftime("%B") for month in range(1, 13)]
ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}


def value_of(text):
    """Another reader of numbers than the engine's tables: word by word, from left to right."""
    total = current = 0
    for word in re.findall("[a-z]+", text):
        if word == "hundred":
            current *= 100
        elif word == "thousand":
            total, current = current * 1000, 0
        elif word != "and":
            current += ONES.get(word) or TENS.get(word, 0)
    return total + current


@pytest.mark.parametrize("number", [*range(0, 130), 700, 707, 1000, 1001, 1100, 4207, 9999])
def test_a_spelled_number_reads_as_itself(number):
    assert value_of(spell_number(number)) == number


def test_all_spelled_numbers_read_as_themselves_and_none_twice():
    spelled = [spell_number(number) for number in range(10_000)]
    assert [value_of(text) for text in spelled] == list(range(10_000))
    assert len(set(spelled)) == 10_000


def test_days_and_years_as_they_are_said():
    days = {1: "first", 12: "twelfth", 20: "twentieth", 21: "twenty-first", 30: "thirtieth"}
    assert {day: spell_day(day) for day in days} == days
    years = {
        1800: "eighteen hundred",
        1905: "nineteen oh five",
        1998: "nineteen ninety-eight",
        2000: "two thousand",
        2005: "two thousand and five",
        2010: "twenty ten",
    }
    assert {year: spell_year(year) for year in years} == years
    assert len({spell_year(year) for year in range(1300, 2100)}) == 800
    assert len({spell_day(day) for day in range(1, 32)}) == 31


@pytest.mark.parametrize(
    ("spell", "value"),
    [
        (spell_number, -1),
        (spell_number, 10_000),
        (spell_day, 0),
        (spell_day, 32),
        (spell_year, 1299),
        (spell_year, 2100),
    ],
)
def test_what_cannot_be_spelled_is_refused(spell, value):
    with pytest.raises(ValueError, match="not|have"):
        spell(value)


def test_a_date_said_in_any_way_has_datetimes_iso_format():
    first = date(EARLY_YEARS[0], 1, 1)
    for days in range(0, (date(2099, 12, 31) - first).days, 97):
        day = first + timedelta(days=days)
        for text in date_phrasings(day):
            assert DATES.answer(DATES.cut(text)) == day.strftime("%Y-%m-%d").zfill(10)
            assert MONTHS[day.month - 1] in text
            assert len(DATES.cut(text)) <= DATES.most
        assert date_phrasings(day)[3].startswith(day.strftime("%A"))


@pytest.mark.parametrize(
    "text",
    [
        "the thirty-first of February, nineteen ninety",
        "February twenty-ninth, nineteen hundred",
        "first",
        "May the first",
        "the first of the second, nineteen ninety",
        "March March first, nineteen ninety",
        "nineteen ninety, the first of May",
    ],
)
def test_what_is_no_date_has_no_answer(text):
    assert DATES.answer(DATES.cut(text)) is None


def test_february_has_a_29th_where_the_calendar_has_one():
    assert DATES.answer(DATES.cut("February twenty-ninth, two thousand")) == "2000-02-29"


@tasks
def test_answers_of_drawn_pairs_are_right(task):
    for pair in islice(task.pairs(3, unseen=False), 500):
        assert task.answer(task.cut(pair.source)) == pair.target
    if task.name == "numbers":
        assert all(
            value_of(pair.source) == int(pair.target)
            for pair in islice(task.pairs(3, unseen=True), 300)
        )
    if task.name == "reverse":
        assert all(
            pair.source == pair.target[::-1] for pair in islice(task.pairs(3, unseen=True), 300)
        )


@tasks
def test_draws_follow_from_the_seed(task):
    assert task.examples(50, 1, unseen=True) == task.examples(50, 1, unseen=True)
    assert task.examples(50, 1, unseen=True) != task.examples(50, 2, unseen=True)


@tasks
def test_no_answer_is_on_both_sides(task):
    seen = {pair.target for pair in islice(task.pairs(1, unseen=False), 20_000)}
    unseen = {pair.target for pair in islice(task.pairs(1, unseen=True), 2_000)}
    assert not seen & unseen
    assert all(task.is_unseen(target) for target in unseen)


def test_a_tenth_of_all_dates_is_never_seen_and_no_phrasing_of_it():
    days = [date(YEARS[0], 1, 1) + timedelta(days=n) for n in range(100_000)]
    share = sum(DATES.is_unseen(day.isoformat()) for day in days) / len(days)
    assert share == pytest.approx(0.1, abs=0.005)
    trained = {pair.source for pair in islice(DATES.pairs(5, unseen=False), 20_000)}
    hidden = [day for day in days if DATES.is_unseen(day.isoformat())]
    assert not any(text in trained for day in hidden[:3000] for text in date_phrasings(day))


def test_early_dates_are_of_no_year_that_is_trained_on():
    for pair in early_dates(300, 1):
        assert int(pair.target[:4]) in EARLY_YEARS
        assert DATES.answer(DATES.cut(pair.source)) == pair.target
    assert not set(EARLY_YEARS) & set(YEARS)


@tasks
def test_ids_lead_back_to_the_text(task):
    assert len(set(task.tokens)) == len(task.tokens)
    assert task.tokens[: len(SPECIAL)] == SPECIAL
    for pair in task.examples(100, 4, unseen=False):
        ids = task.encode_target(pair.target)
        assert task.decode(ids) == pair.target
        assert task.tokens[ids[-1]] == END
        words = [task.tokens[index] for index in task.encode_source(pair.source)]
        assert words == task.cut(pair.source)


def test_capitals_commas_and_hyphens_do_not_count():
    said = DATES.cut("The TWENTY-FIRST  of march , nineteen–ninety.")
    assert said == ["the", "twenty", "first", "of", "march", "nineteen", "ninety"]


@pytest.mark.parametrize(
    ("task", "source", "sentence"),
    [
        ("dates", "3rd of May", "never met “3”, “rd”: .* in words"),
        ("dates", "the first of Brumaire", "never met “brumaire”: it only knows 73 words"),
        ("dates", "🦉 <b> & x y", "never met “🦉”, “<”, “b” and 4 more"),
        ("dates", " ,.- ", "Write something to translate"),
        ("dates", "the " * 17, "This has 17 words; the model reads up to 16"),
        ("numbers", "twelve apples", "never met “apples”"),
        ("reverse", "größe", "never met “ö”, “ß”: it only knows 26 letters"),
        ("reverse", "abcdefghijklm", "This has 13 letters"),
        ("reverse", "", "Write something"),
    ],
)
def test_what_a_task_does_not_know_gets_a_sentence(task, source, sentence):
    with pytest.raises(ValueError, match=sentence):
        find_task(task).encode_source(source)


def test_more_pairs_than_there_are_and_unknown_things_are_refused():
    with pytest.raises(ValueError, match="no 2,000 different pairs"):
        TASKS["numbers"].examples(2000, 1, unseen=True)
    with pytest.raises(ValueError, match="There is no task 'poems'"):
        find_task("poems")
    with pytest.raises(ValueError, match="consists of"):
        DATES.encode_target("2021/03/21")
    with pytest.raises(ValueError, match="none of 2200"):
        date_phrasings(date(2200, 1, 1))
