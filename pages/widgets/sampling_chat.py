"""Chat: turns become one text by a template, and the same model answers with it and without."""

import html
import time
from typing import Any

import streamlit as st
import torch

from llm_core.generation.sample import TokenStep, generate_batch
from llm_core.generation.settings import SamplingSettings
from llm_core.pretrained.smollm2_tokenizer import (
    STOP_IDS,
    ChatMessage,
    chat_ids,
    chat_text,
    chat_turns,
)
from pages.figures.palette import KEY, QUERY, VALUE
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.model_request import requested_model
from pages.widgets.sampling_models import SMOLLM2, Writer, large_writer
from pages.widgets.sampling_texts import steps_html
from pages.widgets.view import current_view

TOKENS = 80
MOST = 300  # characters of a message
QUESTION = "Write one sentence about an owl."
_COLOURS = {"system": KEY, "user": QUERY, "assistant": VALUE}
_LAST = "_chat"
_TITLES = ("With its template", "Without")


@own_part
def show_chat() -> None:
    """A message, the text that it becomes, and two answers to it."""
    message = st.text_input(
        "What you say", QUESTION, key="say", bind="query-params", max_chars=MOST
    )
    system = st.text_input(
        "What the model is told before (the system message)",
        "",
        key="system",
        bind="query-params",
        max_chars=MOST,
        placeholder="left empty: what its makers chose",
    )
    if not message.strip():
        raise ValueError("Say something: a conversation needs at least one message.")
    messages = conversation(message, system)
    st.html(template_html(messages))
    text = chat_text(messages)
    st.caption(
        f"One text of {len(text):,} characters, for {len(message):,} that you wrote. It ends "
        "where the assistant’s turn begins, and the model does what it always does: it goes on."
    )
    show_code(
        chat_turns,
        chat_text,
        chat_ids,
        key="chat",
        call=f"""from llm_core.pretrained.smollm2_tokenizer import ChatMessage, chat_text

messages = {[tuple(each) for each in messages]!r}
text = chat_text([ChatMessage(*message) for message in messages])
print(len(text))  # {len(text)}
print(repr(text[-30:]))  # {text[-30:]!r}""",
    )
    _answers(messages, message)


def conversation(message: str, system: str) -> list[ChatMessage]:
    """The turns so far."""
    first = [ChatMessage("system", system)] if system.strip() else []
    return [*first, ChatMessage("user", message)]


def template_html(messages: list[ChatMessage]) -> str:
    """The one text that the turns become, its special tokens and roles marked."""
    parts = ""
    for role, said in [*chat_turns(messages), ChatMessage("assistant", "")]:
        colour = _COLOURS[role]
        end = "" if role == "assistant" else "<mark>&lt;|im_end|&gt;</mark>"
        parts += (
            f'<div style="border-left:4px solid {colour};padding:.1rem .75rem;margin:.2rem 0">'
            f"<mark>&lt;|im_start|&gt;</mark><b>{role}</b>\n{html.escape(said)}{end}</div>"
        )
    style = (
        "<style>.template{white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;"
        "font-size:.9rem}.template mark{background:rgba(128,128,128,.22);color:inherit;"
        "border-radius:3px;padding:0 .15rem}</style>"
    )
    return f'{style}<div class="template">{parts}</div>'


def _answers(messages: list[ChatMessage], message: str) -> None:
    """Two answers of SmolLM2, side by side."""
    if current_view() == "print":
        st.caption("On the page, SmolLM2 answers this twice: with the template and without.")
        return
    loaded = requested_model(SMOLLM2, key="_chat")
    if loaded is None:
        return
    pressed = st.button(
        "Let SmolLM2 answer twice", key="chat_answer", type="primary", icon=":material/forum:"
    )
    of = (tuple(messages), message)
    last = st.session_state.get(_LAST)
    if not pressed and not (last and last[0] == of):
        return
    places = []
    for column, title in zip(st.columns(2, gap="medium"), _TITLES, strict=True):
        column.markdown(f"**{title}**")
        places.append(column.empty())
    writer = large_writer(loaded)
    if pressed:
        rows = _stream(writer, messages, message, places)
        st.session_state[_LAST] = last = (of, rows)
    _show(writer, places, message, last[1])
    ends = " · ".join(
        f"{title.lower()}: {len(row)} token{'s' if len(row) > 1 else ''}, ended by "
        + ("the model’s mark for the end" if row[-1].end == "stop token" else "our limit")
        for title, row in zip(_TITLES, last[1], strict=True)
    )
    st.caption(ends.capitalize() + ".")


def _stream(writer: Writer, messages: list[ChatMessage], message: str, places: list[Any]) -> Any:
    """Both texts in one batch: greedy, so that nothing but the template differs."""
    settings = SamplingSettings(
        max_new_tokens=TOKENS, temperature=0, stop_tokens=STOP_IDS, alternatives=0
    )
    prompts = [
        torch.tensor(chat_ids(writer.tokenizer, messages)),
        torch.tensor(writer.tokenizer.encode(message)),
    ]
    rows: list[list[TokenStep]] = [[], []]
    shown = 0.0
    for steps in generate_batch(writer.model, prompts, settings):
        for row, step in zip(rows, steps, strict=True):
            if step is not None:
                row.append(step)
        if time.monotonic() - shown > 0.12:
            _show(writer, places, message, rows)
            shown = time.monotonic()
    return rows


def _show(writer: Writer, places: list[Any], message: str, rows: Any) -> None:
    prompts = ("", message)
    for place, title, prompt, row in zip(places, _TITLES, prompts, rows, strict=True):
        place.html(steps_html(writer, prompt, row, f"SmolLM2’s answer {title.lower()}"))
