"""One model, four tasks: what the tiny GPT and SmolLM2 make of prompts, right or wrong."""

import html
from typing import Any

import streamlit as st

from llm_core.generation.prompted_tasks import (
    Prompt,
    Task,
    answer,
    prompts_of,
    read_answers,
    right_answers,
)
from pages.figures.palette import PREDICTION
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.model_request import requested_model
from pages.widgets.view import current_view

TASKS: dict[Task, str] = {
    "continue": "Continue",
    "answer": "Answer",
    "summarise": "Summarise",
    "classify": "Classify",
}
_MOST = 600  # characters of a prompt of one's own
_MARKS = {True: "✓ right", False: "✗ wrong"}


@own_part
def put_tasks() -> None:
    """Choose a task and a prompt; see two models continue it."""
    task: Task = st.radio(
        "The task",
        list(TASKS),
        format_func=TASKS.__getitem__,
        index=1,
        key="task",
        bind="query-params",
        horizontal=True,
    )
    prompts = prompts_of(task)
    number = st.selectbox(
        "The prompt",
        range(len(prompts)),
        format_func=lambda place: prompts[place].text,
        key=f"prompt_{task}",
    )
    prompt = prompts[number]
    st.html(
        '<p style="margin:.25rem 0;overflow-wrap:anywhere"><b>The prompt</b>: '
        f"{html.escape(prompt.text)}</p>"
    )
    tiny, large = _tiny_answer(prompt), read_answers()[prompt.text]
    with st.container(horizontal=True, gap="medium"):
        _said("Our tiny GPT, 0.6 million parameters, writes", tiny, prompt)
        _said("SmolLM2, 135 million parameters, wrote", large, prompt)
    _scores()
    _ask_live(task)
    show_code(
        answer,
        Prompt.judge,
        key="tasks",
        call=f"""from llm_core.generation.prompted_tasks import answer, prompts_of, right_answers

print(repr(answer(prompts_of({task!r})[{number}], "tiny")))  # {tiny!r}
print(right_answers("answer"), right_answers("classify"))  # {right_answers("answer")} {
            right_answers("classify")
        }""",
    )


def _said(who: str, said: str, prompt: Prompt) -> None:
    """What a model wrote, and whether that is right."""
    verdict = ""
    if prompt.right:
        right = prompt.judge(said)
        also = "" if right else f" (right would be: {html.escape(prompt.right[0])})"
        verdict = f"<p style='margin:.25rem 0'><b>{_MARKS[right]}</b>{also}</p>"
    with st.container(border=True, width=340):
        st.html(
            f"<p style='margin:0'>{html.escape(who)}</p><blockquote style='margin:.4rem 0;"
            f"padding-left:.75rem;border-left:4px solid {PREDICTION};white-space:pre-wrap;"
            f"overflow-wrap:anywhere'>{html.escape(said)}</blockquote>{verdict}"
        )


def _scores() -> None:
    """How often SmolLM2's recorded answers are right."""
    facts, reviews = right_answers("answer"), right_answers("classify")
    with st.container(horizontal=True):
        st.metric("SmolLM2: questions answered right", f"{facts[0]} of {facts[1]}", width=260)
        st.metric("SmolLM2: reviews judged right", f"{reviews[0]} of {reviews[1]}", width=260)
    st.caption(
        "SmolLM2’s words are recorded: `python benchmarks/smollm2_tasks.py --check` asks "
        "everything again. It always takes its likeliest token, and stops after 50. Right is what "
        "names the right answer in its first sentence."
    )


@st.cache_data(max_entries=60, show_spinner=False)
def _tiny_answer(prompt: Prompt) -> str:
    import torch

    torch.set_num_threads(1)
    return answer(prompt, "tiny")


def _ask_live(task: Task) -> None:
    """Put a prompt of one's own to SmolLM2, once it is loaded."""
    if current_view() == "print":
        return
    loaded: Any = requested_model("smollm2", key="_tasks")
    if loaded is None:
        return
    with st.form("own_prompt", border=True):
        text = st.text_area(
            "A prompt of your own, for SmolLM2", key="own_prompt_text", max_chars=_MOST, height=80
        )
        pressed = st.form_submit_button("Let it write", icon=":material/edit:")
    if pressed:
        if not text.strip():
            raise ValueError("Write a prompt first.")
        with st.spinner("SmolLM2 writes …"):
            said = answer(Prompt(task, text))
        _said("SmolLM2 writes", said, Prompt(task, text))
