"""SmolLM2 answers the question twice: from passages that were found, and from memory."""

import html
import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from llm_core.pretrained.smollm2_tokenizer import STOP_IDS, ChatMessage, chat_ids, chat_text
from llm_core.retrieval.answer import Support, grounded_messages, plain_messages, supports
from llm_core.retrieval.ranking import Hit, best
from llm_core.retrieval.search import BOTH, METHODS, VECTORS
from pages.figures.palette import PREDICTION
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.model_request import requested_model
from pages.widgets.passage_cards import Card, cards_html, marked_words
from pages.widgets.retrieval_embed import Encoded
from pages.widgets.retrieval_words import Asked, idf_weights
from pages.widgets.view import current_view

TOKENS = 90
_LAST = "_retrieval_answers"
_BOX = (
    f'<div style="white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid {PREDICTION};'
    'padding:.25rem .75rem;min-height:3rem" role="region" aria-label="{label}" tabindex="0">'
    "{text}</div>"
)


def answer(encoded: Encoded, asked: Asked) -> None:
    """Choose passages, show the prompt made of them, and let the model answer with and without."""
    hits, method = _choose(encoded, asked)
    texts = [encoded.searcher.passages.text(hit.passage) for hit in hits]
    messages = grounded_messages(asked.text, texts)
    prompt = chat_text(messages)
    with st.expander(f"The whole prompt: {len(prompt):,} characters", icon=":material/article:"):
        st.code(prompt, language=None, wrap_lines=True)
    show_code(
        grounded_messages,
        supports,
        key="prompt",
        call=f"""from llm_core.pretrained.smollm2_tokenizer import chat_text
from llm_core.retrieval.answer import grounded_messages

question = {asked.text!r}
passages = {texts!r}
prompt = chat_text(grounded_messages(question, passages))
print(len(prompt))  # {len(prompt)}""",
    )
    if current_view() == "print":
        st.caption("On the page, SmolLM2 answers here twice: from these passages, and without.")
    else:
        loaded = requested_model("smollm2")
        if loaded is not None:
            _answers(encoded, asked, tuple(hits), method, loaded)
    _sources(encoded, asked, hits)


def _choose(encoded: Encoded, asked: Asked) -> tuple[list[Hit], str]:
    found = encoded.searcher.search(asked.text, encoded.vector(asked.text))
    left, right = st.columns(2, gap="large")
    method = left.segmented_control(
        "Passages found by",
        METHODS,
        default=BOTH,
        required=True,
        key="answer_from",
        bind="query-params",
    )
    count = right.slider("How many passages", 1, 5, 3, key="passages", bind="query-params")
    if method not in found:
        st.caption("There are no vectors for this question yet, so BM25 finds the passages.")
        method = METHODS[0]
    hits = [hit for hit in best(found[method], count) if method == VECTORS or hit.score > 0]
    if not hits:
        raise ValueError("Nothing was found, so there is nothing to answer from: ask otherwise.")
    return hits, method


@own_part
def _answers(
    encoded: Encoded, asked: Asked, hits: tuple[Hit, ...], method: str, loaded: Any
) -> None:
    """Two answers side by side, streamed on a press of the button, and kept."""
    texts = [encoded.searcher.passages.text(hit.passage) for hit in hits]
    of = (asked.text, tuple(hit.passage for hit in hits))
    pressed = st.button(
        "Let SmolLM2 answer twice", key="answer", type="primary", icon=":material/forum:"
    )
    last = st.session_state.get(_LAST)
    if not pressed and not (last and last[0] == of):
        st.caption("It reads the passages first; on a slow machine that takes half a minute.")
        return
    titles = (f"From {len(hits)} passages", "From memory")
    places = []
    for column, title in zip(st.columns(2, gap="medium"), titles, strict=True):
        column.markdown(f"**{title}**")
        places.append(column.empty())
    if pressed:
        both = (grounded_messages(asked.text, texts), plain_messages(asked.text))
        rows = [
            _stream(loaded, messages, place, title)
            for messages, place, title in zip(both, places, titles, strict=True)
        ]
        last = st.session_state[_LAST] = (of, rows)
    grounded, plain = last[1]
    found = supports(grounded, texts, encoded.searcher.words)
    places[0].html(_BOX.format(label=titles[0], text=_cited(found)))
    places[1].html(_BOX.format(label=titles[1], text=html.escape(plain)))
    cited = sum(each.passage is not None for each in found)
    st.caption(
        f"{cited} of {len(found)} sentences share at least half of their words, the rare ones "
        "counting more, with one source: its number stands behind them. The page counts that, not "
        "the model; it shows where to look, and not that it is true."
    )


def _stream(loaded: Any, messages: Sequence[ChatMessage], place: Any, title: str) -> str:
    """Write greedily, so that nothing but the passages differs."""
    import torch

    from llm_core.generation.sample import SamplingSettings, generate

    model, tokenizer = loaded
    place.html(_BOX.format(label=title, text="reading …"))
    settings = SamplingSettings(
        max_new_tokens=TOKENS, temperature=0, stop_tokens=STOP_IDS, alternatives=0
    )
    ids = torch.tensor(chat_ids(tokenizer, messages))
    written, shown = "", 0.0
    for step in generate(model, ids, settings, tokenizer=tokenizer):
        written += step.text
        if time.monotonic() - shown > 0.15:
            shown = time.monotonic()
            place.html(_BOX.format(label=title, text=html.escape(written)))
    return written.strip()


def _cited(found: Sequence[Support]) -> str:
    """The answer with the number of a source behind each sentence that has one."""
    parts = []
    for each in found:
        sentence = html.escape(each.sentence)
        if each.passage is not None:
            number = each.passage + 1
            sentence += (
                f' <a href="#source-{number}" style="color:inherit">[{number}]</a>'
                f" <small>({each.share:.0%})</small>"
            )
        parts.append(sentence)
    return " ".join(parts) or "(nothing)"


def _sources(encoded: Encoded, asked: Asked, hits: Sequence[Hit]) -> None:
    """The passages that the answer is from, each with a link to where it is published."""
    passages, weights = encoded.searcher.passages, idf_weights(encoded.searcher.words, asked.text)
    cards = [
        Card(
            f"[{number}]",
            passages.title(hit.passage),
            marked_words(passages.text(hit.passage), weights),
            link=passages.source(hit.passage).link,
            right=hit.passage in asked.right,
            anchor=f"source-{number}",
        )
        for number, hit in enumerate(hits, 1)
    ]
    st.markdown("**Sources**")
    st.html(cards_html(cards, "Sources of the answer"))
