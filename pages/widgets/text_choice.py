"""Choose what a model reads: a named corpus, or a text of the learner's own."""

from dataclasses import dataclass

import streamlit as st

from llm_core.data.corpora import (
    Corpus,
    available_corpora,
    excerpt,
    find_corpus,
    task_corpora,
)
from llm_core.data.own_text import read_own_text
from pages.widgets.training import launcher

_OWN = "own"
_AMOUNTS = {"all of it": None, "ten pages": 30_000, "one page": 3_000}


@dataclass(frozen=True)
class ChosenText:
    """A text that can be trained on. `corpus` is None for the learner's own, held in `text`."""

    title: str
    corpus: str | None
    text: str | None
    prompt: str
    characters: int
    vocab_size: int


def choose_text(context_length: int) -> ChosenText | None:
    """Show the choice; return the text, or None while there is none (the page then says why)."""
    texts = (*available_corpora(), *task_corpora())
    titles = {corpus.name: corpus.title for corpus in texts} | {_OWN: "My own text"}
    name = st.selectbox(
        "Text to learn from",
        list(titles),
        format_func=titles.__getitem__,
        key="text",
        bind="query-params",
        help="The model learns nothing but this text: its letters, its words, its manner.",
    )
    return _own_text(context_length) if name == _OWN else _corpus(find_corpus(name))


def _corpus(corpus: Corpus) -> ChosenText:
    st.markdown(corpus.description)
    amount = st.selectbox(
        "How much of it",
        list(_AMOUNTS),
        key="amount",
        bind="query-params",
        help="A short text is soon known by heart, which is not what one wants of a model. Try it.",
    )
    most = _AMOUNTS.get(amount)
    text = _beginning(corpus.name, most) if most else None
    characters, vocab_size = _measure(corpus.name) if text is None else (len(text), len(set(text)))
    st.caption(
        f"{characters:,} characters, {vocab_size} different ones. "
        f"Source: {corpus.source}. Licence: {corpus.licence}."
    )
    with st.expander("Read the beginning"):
        st.text(_beginning(corpus.name))
    if text is None:
        return ChosenText(corpus.title, corpus.name, None, corpus.prompt, characters, vocab_size)
    title = f"{corpus.title}, {amount}"
    # An empty prompt stands for the first word of the validation split.
    return ChosenText(title, None, text, "", characters, vocab_size)


def _own_text(context_length: int) -> ChosenText | None:
    pasted = st.text_area(
        "Paste a text",
        key="own_text",
        persist_state="session",
        height=180,
        placeholder="A few pages are enough to see something; a whole book is better.",
    )
    limits = launcher().limits
    uploaded = st.file_uploader(
        "or upload a text file (UTF-8)",
        type=None,
        key="own_file",
        max_upload_size=limits.max_upload_mb,
    )
    if uploaded is None and not pasted:
        st.caption("It stays on this machine, in the folder of your run.")
        return None
    try:
        limits.check_upload(uploaded.size if uploaded else len(pasted.encode("utf-8", "replace")))
        data = uploaded.getvalue() if uploaded else pasted
        text = read_own_text(data, context_length=context_length)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return None
    vocab_size = len(set(text))
    st.caption(f"{len(text):,} characters, {vocab_size} different ones.")
    # An empty prompt stands for the first word of the validation split.
    return ChosenText("My own text", None, text, "", len(text), vocab_size)


@st.cache_data(show_spinner="Opening the text …")
def _measure(name: str) -> tuple[int, int]:
    """Number of characters, and of different ones, in a corpus."""
    text = find_corpus(name).load()
    return len(text), len(set(text))


@st.cache_data(show_spinner=False)
def _beginning(name: str, characters: int = 1500) -> str:
    return excerpt(find_corpus(name), characters)
