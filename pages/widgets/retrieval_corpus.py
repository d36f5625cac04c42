"""The text that is searched: every State of the Union address, Python's help, or own files."""

import hashlib
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from llm_core.retrieval.chunks import OVERLAP, SIZE, Document, Passages, cut_documents
from llm_core.retrieval.documents import (
    MOST_FILES,
    python_topics,
    read_files,
    state_of_the_union,
)
from llm_core.retrieval.search import Searcher, make_searcher
from llm_core.retrieval.shipped import ShippedIndex, load_shipped
from pages.widgets.code_viewer import show_code

ADDRESSES, PYTHON, OWN = "addresses", "python", "own"
TITLES = {ADDRESSES: "State of the Union", PYTHON: "Python's help", OWN: "Your own files"}
ABOUT = {
    ADDRESSES: "What presidents told Congress about the state of the country, since 1790.",
    PYTHON: "What Python's own `help()` says about the language.",
    OWN: "Text, Markdown or PDF. They stay on the machine that runs this course.",
}
CONTEXT = 8192  # tokens that SmolLM2 can read at once
_TOKENS_A_WORD = 4 / 3  # of English, in most vocabularies: a rule of thumb
_READ = "_retrieval_files"


@dataclass(frozen=True)
class Body:
    """A body of text. name: of the corpus. code: makes `documents`, to be pasted."""

    name: str
    documents: tuple[Document, ...]
    key: str
    code: str

    @property
    def characters(self) -> int:
        """Of all documents."""
        return sum(len(document.text) for document in self.documents)


def choose_body() -> Body:
    """Ask for the corpus; say how much it is, and why it fits into no prompt."""
    name = st.segmented_control(
        "Search in",
        list(TITLES),
        default=ADDRESSES,
        required=True,
        format_func=TITLES.__getitem__,
        key="corpus",
        bind="query-params",
    )
    st.caption(ABOUT[name])
    body = {ADDRESSES: addresses_body, PYTHON: _python_body, OWN: _own_body}[name]()
    words = count_words(body.key, body.documents)
    parts = -(-int(words * _TOKENS_A_WORD) // CONTEXT)
    columns = st.columns(4)
    for column, label, value in zip(
        columns,
        ("Documents", "Characters", "Words", "Full prompts of SmolLM2"),
        (len(body.documents), body.characters, words, parts),
        strict=True,
    ):
        column.metric(label, f"{value:,}")
    st.caption(
        f"SmolLM2 reads at most {CONTEXT:,} tokens at once; counted at 4 tokens for 3 words."
    )
    show_code(
        key="corpus",
        call=f"""{body.code}
print(len(documents))  # {len(body.documents)}
print(sum(len(document.text) for document in documents))  # {body.characters}""",
    )
    return body


@st.cache_data(max_entries=8, show_spinner=False)
def count_words(key: str, _documents: tuple[Document, ...]) -> int:
    """Words of all documents; `key` stands for them."""
    return sum(len(document.text.split()) for document in _documents)


@st.cache_resource(max_entries=1, show_spinner="Reading the addresses …")
def addresses() -> tuple[Searcher, ShippedIndex | None, str]:
    """The addresses with both indexes, and why there are no vectors, if there are none."""
    passages = cut_documents(state_of_the_union())
    try:
        shipped = load_shipped(passages)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error) if isinstance(error, ValueError) else "The shipped index is missing."
        return make_searcher(passages), None, reason
    return make_searcher(passages, shipped.dense), shipped, ""


def addresses_body() -> Body:
    """Every State of the Union address."""
    code = (
        "from llm_core.retrieval.documents import state_of_the_union\n\n"
        "documents = state_of_the_union()"
    )
    return Body(ADDRESSES, addresses()[0].passages.documents, ADDRESSES, code)


@st.cache_resource(max_entries=1, show_spinner=False)
def _topics() -> tuple[Document, ...]:
    return python_topics()


def _python_body() -> Body:
    code = "from llm_core.retrieval.documents import python_topics\n\ndocuments = python_topics()"
    return Body(PYTHON, _topics(), PYTHON, code)


def _own_body() -> Body:
    files = st.file_uploader(
        f"At most {MOST_FILES} files, 5 MB each; a PDF of 500 pages at most",
        ["txt", "md", "pdf"],
        accept_multiple_files=True,
        key="own_files",
    )
    if not files:
        kept = st.session_state.get(_READ)
        if kept is None:
            raise ValueError("Choose one file at least: text, Markdown or PDF.")
        st.caption("Still here from before: " + ", ".join(d.title for d in kept[1]) + ".")
        return _named(*kept)
    contents = [(file.name, file.getvalue()) for file in files]
    known = hashlib.sha256()
    for name, content in contents:
        known.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    key = known.hexdigest()
    kept = st.session_state.get(_READ)
    if kept is None or kept[0] != key:
        with st.spinner("Reading your files …"):
            kept = st.session_state[_READ] = (key, read_files(contents))
    return _named(*kept)


def _named(key: str, documents: tuple[Document, ...]) -> Body:
    names = [document.title for document in documents]
    code = (
        "from pathlib import Path\n\nfrom llm_core.retrieval.documents import read_files\n\n"
        f"documents = read_files([(name, Path(name).read_bytes()) for name in {names!r}])"
    )
    return Body(OWN, documents, key, code)


def cut_body(body: Body, size: int, overlap: int) -> Searcher:
    """The body's passages with their words indexed; vectors only for the addresses.

    The addresses are searched as they were cut for the index that ships.
    """
    if body.name == ADDRESSES:
        return addresses()[0]
    return _searcher(body.key, size, overlap, body)


@st.cache_resource(max_entries=6, show_spinner=False)
def _searcher(key: str, size: int, overlap: int, _body: Body) -> Searcher:
    passages = cut_documents(_body.documents, size=size, overlap=overlap)
    if not len(passages):
        raise ValueError("There is no text in these documents.")
    return make_searcher(passages)


def passages_code(body: Body, passages: Passages) -> str:
    """Code that makes `passages`, to be pasted."""
    sizes = ""
    if (passages.size, passages.overlap) != (SIZE, OVERLAP):
        sizes = f", size={passages.size}, overlap={passages.overlap}"
    return (
        f"{body.code}\n\nfrom llm_core.retrieval.chunks import cut_documents\n\n"
        f"passages = cut_documents(documents{sizes})"
    )


def document_table(body: Body) -> Any:
    """Names and lengths of the documents."""
    return pd.DataFrame(
        {"characters": [len(document.text) for document in body.documents]},
        index=pd.Index([document.title for document in body.documents], name="document"),
    )
