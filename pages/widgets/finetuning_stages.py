"""Three stages of one model on one screen: random, pretrained, tuned; the same prompt for all."""

import html
from dataclasses import dataclass

import streamlit as st

from llm_core.finetuning.experiment import INSTRUCTIONS
from llm_core.pretrained.registry import load

STAGES = {
    "tiny@0": ("1 · random", "Every weight is a random number."),
    "tiny": ("2 · pretrained", "It has read tales, and learnt what comes next in them."),
    "tiny_instructions": (
        "3 · fine-tuned",
        f"It has also learnt from {INSTRUCTIONS} tasks with answers.",
    ),
}
FORMS = {
    "template": "a task, in the template",
    "bare": "the bare question",
    "tale": "the beginning of a tale",
}
DEFAULT = "What is a mouse?"  # a word that it was not tuned on
TALE = "There once was a"
MOST = 40  # tokens that are written
_LONGEST = 120  # characters of a question


@dataclass(frozen=True)
class Prompted:
    """The prompt, and what each stage makes of it, in the order of `STAGES`."""

    prompt: str
    said: tuple[str, ...]


def show_stages() -> Prompted:
    """Ask for a prompt, and show what the three models write after it."""
    left, right = st.columns(2, gap="large")
    form = left.radio(
        "The models get",
        list(FORMS),
        format_func=lambda each: FORMS[each],
        key="form",
        bind="query-params",
    )
    question = DEFAULT
    if form != "tale":
        question = right.text_input(
            "Your question", DEFAULT, key="question", bind="query-params", max_chars=_LONGEST
        )
    prompt = prompt_for(form, question)
    prompted = Prompted(prompt, tuple(write(name, prompt) for name in STAGES))
    st.markdown("All three go on from here, with their likeliest tokens:")
    st.code(prompt, language=None, wrap_lines=True)
    for place, said, (title, what) in zip(
        st.columns(3, gap="medium"), prompted.said, STAGES.values(), strict=True
    ):
        with place.container(border=True):
            st.markdown(f"**{title}**")
            st.caption(what)
            st.html(_written(said))
    return prompted


def prompt_for(form: str, question: str) -> str:
    """Return what the models read; ValueError for an empty question."""
    from llm_core.finetuning.instructions import prompt_of

    question = question.replace("\x00", "").strip()
    if form == "tale":
        return TALE
    if not question:
        raise ValueError(f"Write a question, such as “{DEFAULT}”.")
    return prompt_of(question) if form == "template" else question


@st.cache_data(max_entries=200, show_spinner=False)
def write(name: str, prompt: str) -> str:
    """What a model of the registry writes after a prompt, up to a newline."""
    from llm_core.finetuning.instructions import continued

    model, tokenizer = load(name)
    return continued(model, tokenizer, [prompt], most=MOST)[0]


def _written(text: str) -> str:
    shown = html.escape(text) if text.strip() else "<i>(nothing: it ends the line at once)</i>"
    return f'<p style="margin:0;overflow-wrap:anywhere;min-height:4rem">{shown}</p>'
