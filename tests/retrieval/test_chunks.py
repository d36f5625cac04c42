"""Cutting texts: nothing lost, no passage too long, overlaps no larger than asked for."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_core.retrieval.chunks import (
    LARGEST,
    SMALLEST,
    Document,
    cut_documents,
    cut_text,
    sentence_spans,
)

TEXTS = st.lists(
    st.sampled_from(
        ["The fox ran. ", "Was it so? ", "No!\n\n", "Mr. Fox saw J. Bear. ", "\n \n", "“Yes.” ",
         "ünï ", "狐狸跑了。", "3.5 ", "x" * 130, "word " * 30, "\t", "\r\n", "(So.) ", "a\u2028b ",
         "end.\nNext "]
    )
    | st.text(max_size=12),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=400)
@given(text=TEXTS, size=st.integers(SMALLEST, 400), share=st.floats(0, 0.5))
@example(text="", size=100, share=0.5)
@example(text="a" * 1000, size=100, share=0.5)
def test_nothing_but_white_space_is_lost(text, size, share):
    overlap = int(share * size)
    spans = cut_text(text, size=size, overlap=overlap)
    covered = bytearray(len(text))
    for start, end in spans:
        assert 0 < end - start <= size
        assert text[start:end] == text[start:end].strip()
        covered[start:end] = b"\1" * (end - start)
    assert not "".join(sign for sign, kept in zip(text, covered, strict=True) if not kept).strip()
    for (start, end), (following, last) in pairwise(spans):
        assert start < following
        assert end < last  # each passage brings something new
        assert end - following <= overlap
    assert bool(spans) == bool(text.strip())


@settings(max_examples=200)
@given(text=TEXTS)
def test_sentences_are_in_order_and_cover_the_text(text):
    spans = sentence_spans(text)
    rest, place = "", 0
    for start, end in spans:
        assert place <= start < end
        rest, place = rest + text[place:start], end
    assert not (rest + text[place:]).strip()


def test_sentences_end_where_a_reader_says_so():
    text = "Mr. Fox came at 3.5 p.m. and J. Bear left. Why? “So it is.” Yes!\n\nnew 狐狸。跑"
    assert [text[a:b] for a, b in sentence_spans(text)] == [
        "Mr. Fox came at 3.5 p.m. and J. Bear left.", "Why?", "“So it is.”", "Yes!", "new 狐狸。",
        "跑",
    ]  # fmt: skip


def test_passages_are_whole_sentences_and_neighbours_share_whole_ones():
    text = " ".join(f"This is sentence number {number} of the text." for number in range(40))
    spans = cut_text(text, size=200, overlap=50)
    starts, ends = (set(part) for part in zip(*sentence_spans(text), strict=True))
    assert all(start in starts and end in ends for start, end in spans)
    shared = [end - following for (_, end), (following, _) in pairwise(spans)]
    assert all(30 < each <= 50 for each in shared)
    assert all(a[1] < b[0] for a, b in pairwise(cut_text(text, size=200, overlap=0)))


def test_a_passage_rather_ends_where_a_paragraph_does():
    short = "A paragraph of sixty characters, or of about that many now."
    text = f"{short}\n\n{short}\n\n" + "Another sentence that goes on. " * 8
    first = cut_text(text, size=200, overlap=0)[0]
    assert text[first[1] : first[1] + 2] == "\n\n"


def test_passages_know_where_they_are_from():
    pages = ("First page. " * 20, "Second page. " * 20)
    text = "\n\n".join(pages)
    book = Document("Book", text, pages=(0, len(pages[0]) + 2))
    letter = Document("Letter", "Dear Ada. " * 30, link="https://example.org")
    passages = cut_documents([book, letter], size=150, overlap=20)
    assert passages.title(0) == "Book, page 1"
    last = int((passages.document == 0).sum()) - 1
    assert passages.title(last) == "Book, page 2"
    assert passages.title(last + 1) == "Letter, at 0%"
    assert passages.source(last + 1) is letter
    assert passages.texts() == [passages.text(n) for n in range(len(passages))]
    for number in range(len(passages)):
        assert passages.text(number) in passages.source(number).text


def test_passages_holding_a_quote_are_those_that_python_finds():
    documents = [
        Document("a", "The owl sat. The bell rang. It was late. " * 12),
        Document("b", "Nobody saw the owl. The bell rang once more. " * 12),
    ]
    passages = cut_documents(documents, size=120, overlap=40)
    for quote in ("The bell rang", "owl. The bell", "It was late. The owl", "never"):
        naive = [n for n, text in enumerate(passages.texts()) if quote in text]
        assert passages.holding(quote) == naive
        assert passages.holding(quote, 1) == [n for n in naive if passages.document[n] == 1]


def test_the_digest_tells_texts_and_cuts_apart():
    document = Document("a", "The owl sat. The bell rang. " * 20)
    one = cut_documents([document], size=150, overlap=20)
    assert one.digest() == cut_documents([document], size=150, overlap=20).digest()
    assert one.digest() != cut_documents([document], size=151, overlap=50).digest()
    changed = Document("a", document.text.replace("owl", "fox", 1))
    assert one.digest() != cut_documents([changed], size=150, overlap=20).digest()


def test_no_documents_no_passages():
    assert len(cut_documents([])) == len(cut_documents([Document("empty", " \n ")])) == 0


def test_sizes_that_cannot_be_are_refused():
    for size in (SMALLEST - 1, LARGEST + 1):
        with pytest.raises(ValueError, match="A passage has 100 to 4,000 characters"):
            cut_text("text", size=size, overlap=0)
    for overlap in (-1, 101):
        with pytest.raises(ValueError, match="at most half"):
            cut_text("text", size=200, overlap=overlap)
