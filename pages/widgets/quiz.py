"""Questions on the page: predict first, and check yourself."""

from typing import Any

import streamlit as st

from pages.widgets.catalog import Lesson
from pages.widgets.progress import current_progress, record_answer
from pages.widgets.questions import (
    Question,
    Values,
    Verdict,
    filled,
    judge_choice,
    judge_number,
    load_questions,
)
from pages.widgets.view import answers_shown, current_view


def lesson_questions(lesson: Lesson) -> dict[str, Question]:
    """Return the questions of the lesson's .toml file by id; none if it has no file."""
    path = lesson.path.with_suffix(".toml")
    return load_questions(path) if path.exists() else {}


def predict_first(lesson: Lesson, question_id: str, values: Values) -> bool:
    """Ask before a picture is shown; return whether it may be shown now."""
    if current_view() == "print":
        return True
    question = lesson_questions(lesson)[question_id]
    skipped = f"skip_{lesson.slug}_{question_id}"
    with st.container(border=True):
        st.markdown("**Predict first**")
        answered = _ask(lesson, question, values)
        if current_view() == "present":
            return answers_shown()
        if answered or st.session_state.get(skipped):
            return True
        st.button(
            "I would rather see it",
            key=f"{skipped}_button",
            type="tertiary",
            on_click=_skip,
            args=(skipped,),
        )
        return False


def check_yourself(lesson: Lesson, values: Values) -> None:
    """Ask the lesson's questions, with an explanation for every answer."""
    questions = [q for q in lesson_questions(lesson).values() if not q.predict]
    if current_view() == "print":
        _print_questions(questions, values)
        return
    for number, question in enumerate(questions, 1):
        with st.container(border=True):
            st.caption(f"Question {number} of {len(questions)}")
            _ask(lesson, question, values)
    if current_view() == "learn":
        right = current_progress().right.get(lesson.slug, [])
        done = sum(question.id in right for question in questions)
        st.caption(f"{done} of {len(questions)} answered right. This stays in your browser.")


def _skip(key: str) -> None:
    st.session_state[key] = True


def _ask(lesson: Lesson, question: Question, values: Values) -> bool:
    """Show one question with what the answer is worth; return whether it was answered."""
    st.markdown(filled(question.text, values))
    key = f"q_{lesson.slug}_{question.id}"
    if question.choices:
        verdict = _choose(lesson, question, values, key)
    else:
        verdict = _number(lesson, question, values, key)
    if verdict is not None and answers_shown():
        _show(verdict)
    return verdict is not None


def _choose(lesson: Lesson, question: Question, values: Values, key: str) -> Verdict | None:
    texts = [filled(choice.text, values) for choice in question.choices]

    def judge(index: Any) -> Verdict | None:
        known = isinstance(index, int) and 0 <= index < len(texts)
        return judge_choice(question.choices[index], values) if known else None

    def on_change() -> None:
        _record(lesson, question, judge(st.session_state[key]))

    index = st.radio(
        "Your answer",
        range(len(texts)),
        format_func=texts.__getitem__,
        index=None,
        key=key,
        persist_state="session",
        label_visibility="collapsed",
        on_change=on_change,
    )
    return judge(index)


def _number(lesson: Lesson, question: Question, values: Values, key: str) -> Verdict | None:
    # The answer depends on what is on screen: another setting is a fresh question.
    key = f"{key}_{hash((question.answer, values[question.answer])) % 10**8}"

    def judge(given: Any) -> Verdict | None:
        return None if given is None else judge_number(question, float(given), values)

    def on_change() -> None:
        _record(lesson, question, judge(st.session_state[key]))

    whole = float(values[question.answer]).is_integer() and not question.tolerance
    given = st.number_input(
        "Your answer, a number",
        value=None,
        step=1 if whole else 0.01,
        key=key,
        persist_state="session",
        width=220,
        on_change=on_change,
    )
    return judge(given)


def _record(lesson: Lesson, question: Question, verdict: Verdict | None) -> None:
    if verdict and verdict.right and not question.predict:
        record_answer(lesson.slug, question.id)


def _show(verdict: Verdict) -> None:
    if verdict.right:
        st.success(verdict.why, icon=":material/check_circle:")
    else:
        st.warning(verdict.why, icon=":material/lightbulb:")


def _print_questions(questions: list[Question], values: Values) -> None:
    """Questions for paper, and their answers after them."""
    lines, answers = [], []
    for number, question in enumerate(questions, 1):
        lines.append(f"{number}. {filled(question.text, values)}")
        for letter, choice in zip("abcdef", question.choices, strict=False):
            lines.append(f"    - ({letter}) {filled(choice.text, values)}")
            if choice.right:
                answers.append(f"{number}. ({letter}) {filled(choice.why, values)}")
        if question.answer:
            answer = filled("{" + question.answer + "}", values)
            answers.append(f"{number}. **{answer}**. {filled(question.why, values)}")
    st.markdown("\n".join(lines))
    st.markdown("**Answers**\n\n" + "\n".join(answers))
