"""Files of one's own: read, or refused in one sentence that names the file."""

import io
import zlib

import pytest
from pypdf import PdfReader, PdfWriter

from llm_core.retrieval import pdf_files
from llm_core.retrieval.documents import (
    FILE_LIMIT,
    MOST_FILES,
    python_topics,
    read_file,
    read_files,
    state_of_the_union,
)
from llm_core.retrieval.pdf_files import read_pdf

SENTENCE = "The owl lived in the church tower for nine winters."


def make_pdf(*pages, encrypt=b"", streams=None):
    """A PDF written by hand, with one line of text on each page."""
    streams = streams or [b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % page.encode() for page in pages]
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(streams)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(streams), kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for n, stream in enumerate(streams):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>>>>>" % (5 + 2 * n)
        )
        extra = b"" if stream.startswith(b"BT") else b"/Filter/FlateDecode"
        objects.append(b"<</Length %d%s>>stream\n%s\nendstream" % (len(stream), extra, stream))
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, encrypt)
    return bytes(out + b"startxref\n%d\n%%%%EOF" % start)


def with_password(content, user):
    """The same, locked by pypdf itself."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt(user, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_becomes_text_with_its_pages():
    content = make_pdf(SENTENCE, "", "Then came the spring.")
    document = read_file("owl.pdf", content)
    assert document.text == f"{SENTENCE}\n\n\n\nThen came the spring."
    assert document.text[document.pages[2] :] == "Then came the spring."
    assert [document.page_at(place) for place in (0, document.pages[1], document.pages[2])] == [
        1, 2, 3,
    ]  # fmt: skip
    assert read_file("no ending", content).text == document.text  # told by its first bytes
    assert read_pdf("owl.pdf", with_password(content, ""))[0] == document.text  # nothing to type


# AES of 256 bits, which pypdf needs another package for; the keys are noise.
AES = (
    b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 5/R 6/Length 256/P -1/EncryptMetadata true"
    b"/CF<</StdCF<</CFM/AESV3/Length 32>>>>/StmF/StdCF/StrF/StdCF"
    b"/O<%s>/U<%s>/OE<%s>/UE<%s>/Perms<%s>>>"
    % (b"1a" * 48, b"2b" * 48, b"3c" * 32, b"4d" * 32, b"5e" * 16)
)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as a PDF"),
        (b"%PDF-1.7 and then nothing", "cannot be read as a PDF"),
        (b"plain text under a false name", "cannot be read as a PDF"),
        (make_pdf(SENTENCE)[:300], "cannot be read as a PDF|holds no text"),
        (make_pdf("", ""), "holds no text: it may be a scan"),
        (with_password(make_pdf(SENTENCE), "secret"), "locked by a password"),
        (make_pdf(SENTENCE, encrypt=AES), "locked by a password"),
        (make_pdf(*["x"] * 501), "501 pages, and the limit here is 500"),
    ],
    ids=["empty", "head", "text", "torn", "blank", "locked", "aes", "pages"],
)
def test_a_pdf_that_will_not_do_gets_one_sentence(content, sentence):
    with pytest.raises(ValueError, match=f"bad.pdf .*(?:{sentence})") as error:
        read_file("bad.pdf", content)
    assert "\n" not in str(error.value)


def test_a_pdf_that_unpacks_to_far_more_is_given_up_by_the_child_alone():
    bomb = zlib.compress(b"BT (x) Tj ET " + b" " * 120_000_000, 1)
    assert len(bomb) < FILE_LIMIT
    with pytest.raises(ValueError, match="bomb.pdf needs too much memory"):
        read_pdf("bomb.pdf", make_pdf(streams=[bomb]))


def test_a_pdf_that_takes_for_ever_is_given_up():
    with pytest.raises(ValueError, match="slow.pdf took longer than 0 seconds"):
        read_pdf("slow.pdf", make_pdf(SENTENCE), seconds=0.01)


def test_without_pypdf_the_page_says_what_to_install(monkeypatch):
    found = pdf_files.subprocess.run

    def without(command, **options):
        code = (
            "import runpy, sys; sys.modules['pypdf'] = None; "
            "runpy.run_module({!r}, run_name='__main__')"
        )
        return found([command[0], "-c", code.format(command[2])], **options)

    monkeypatch.setattr(pdf_files.subprocess, "run", without)
    with pytest.raises(ValueError, match="pip install pypdf"):
        read_pdf("a.pdf", make_pdf(SENTENCE))


def test_text_is_read_as_it_is():
    document = read_file("tale.md", ("\ufeff# A tale\r\n\r\n" + SENTENCE).encode())
    assert (document.title, document.text) == ("tale.md", f"# A tale\n\n{SENTENCE}")
    assert document.page_at(3) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"short text", "only 10 characters"),
        (b"PK\x03\x04 rest of a docx file", "zip archive"),
        ("häßlich und viel länger".encode("latin-1"), "not UTF-8"),
        ("some text in utf-16".encode("utf-16"), "UTF-16"),
        (b"text with \0 inside, so it is binary", "binary"),
        (b"a" * (FILE_LIMIT + 1), "5.0 MB, and the limit here is 5 MB"),
    ],
)
def test_text_that_will_not_do_gets_one_sentence(content, sentence):
    with pytest.raises(ValueError, match=f"bad.txt.*{sentence}"):
        read_file("bad.txt", content)


def test_files_are_few_and_small_enough_together():
    files = [(f"{n}.txt", SENTENCE.encode()) for n in range(3)]
    assert [document.title for document in read_files(files)] == ["0.txt", "1.txt", "2.txt"]
    with pytest.raises(ValueError, match="one file at least"):
        read_files([])
    with pytest.raises(ValueError, match=f"at most {MOST_FILES} files; these are 21"):
        read_files(files * 7)
    half = ("word " * 520_000).encode()
    with pytest.raises(ValueError, match="Together the files hold 5,200,000 characters"):
        read_files([("a.txt", half), ("b.txt", half)])
    with pytest.raises(ValueError, match="2.txt: The text is empty"):
        read_files([*files[:2], ("2.txt", b"")])


def test_the_texts_that_come_along_have_names_and_links():
    addresses, topics = state_of_the_union(), python_topics()
    assert addresses[0].title == "George Washington, January 8, 1790"
    assert len(addresses) > 240
    assert len({document.link for document in addresses}) == len(addresses)
    assert all(document.link.startswith("http") for document in addresses + topics)
    assert all(len(document.text) > 20 for document in addresses + topics)
    assert any(document.title == "help('lambda')" for document in topics)
