import pytest

from pages.widgets.catalog import written_lessons
from pages.widgets.questions import filled, judge_choice, judge_number, load_questions

SOUND = """
[[question]]
id = "many"
text = "How many at {stride}?"
answer = "windows"
why = "There are {windows}."

[[question.trap]]
answer = "tokens"
why = "You counted tokens."

[[question]]
id = "which"
predict = true
text = "Which?"

[[question.choice]]
text = "this"
right = true
why = "Yes."

[[question.choice]]
text = "that"
why = "No: {stride}."
"""
VALUES = {"windows": 1234, "tokens": 5000, "stride": 4}


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "lesson.toml"
    path.write_text(SOUND, encoding="utf-8")
    return load_questions(path)


def test_numbers_are_judged_against_the_values_on_screen(questions):
    many = questions["many"]
    assert filled(many.text, VALUES) == "How many at 4?"
    assert judge_number(many, 1234, VALUES) == (judge_number(many, 1234.0, VALUES))
    assert judge_number(many, 1234, VALUES).right
    assert judge_number(many, 1234, VALUES).why == "There are 1,234."
    trapped = judge_number(many, 5000, VALUES)
    assert (trapped.right, trapped.why) == (False, "You counted tokens.")
    assert "too small" in judge_number(many, 7, VALUES).why
    assert "too big" in judge_number(many, 7777, VALUES).why
    assert judge_number(many, 9, VALUES | {"windows": 9}).right  # another setting, another answer


def test_every_choice_is_explained(questions):
    which = questions["which"]
    assert which.predict
    verdicts = [judge_choice(choice, VALUES) for choice in which.choices]
    assert [(v.right, v.why) for v in verdicts] == [(True, "Yes."), (False, "No: 4.")]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('id = "which"', 'id = "many"', "two questions"),
        ("right = true\n", "", "exactly one choice"),
        ('why = "No: {stride}."', 'why = ""', "explain every choice"),
        ('why = "There are {windows}."\n', "", "explain the number"),
        ('answer = "windows"\n', "", "either choices or"),
    ],
)
def test_an_unsound_file_is_refused(tmp_path, old, new, sentence):
    path = tmp_path / "lesson.toml"
    path.write_text(SOUND.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        load_questions(path)


@pytest.mark.parametrize(
    "lesson", [each for each in written_lessons() if each.is_taught], ids=lambda each: each.stem
)
def test_a_lesson_checks_what_it_taught(lesson):
    questions = load_questions(lesson.path.with_suffix(".toml")).values()
    assert sum(not question.predict for question in questions) >= 4
    assert any(question.predict for question in questions)
    assert any(question.answer for question in questions)
    for question in questions:
        assert len(question.choices) != 1
        places = [choice.right for choice in question.choices]
        assert len({choice.text for choice in question.choices}) == len(places)
