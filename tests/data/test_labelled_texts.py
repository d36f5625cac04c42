import re

import pytest

from llm_core.data.labelled_table import MOST_BYTES, read_table, texts_from_table
from llm_core.data.labelled_texts import TASKS, make_texts
from llm_core.data.tiny_tales import iter_named_tales, iter_tales
from llm_core.data.tiny_tales_words import BOYS, GIRLS

OWN = [task.name for task in TASKS if task.name not in ("century", "topics")]


@pytest.mark.parametrize("name", OWN)
def test_tasks_are_balanced_seeded_and_keep_their_parts_apart(name):
    texts = make_texts(name, train=200, test=100)
    assert texts == make_texts(name, train=200, test=100)
    assert texts.train != make_texts(name, train=200, test=100, seed=2).train
    assert not {each.text for each in texts.train} & {each.text for each in texts.test}
    assert len({each.text for each in texts.train}) == 200
    for part, size in ((texts.train, 200), (texts.test, 100), (texts.take(40).train, 40)):
        counts = [sum(each.label == k for each in part) for k in range(len(texts.labels))]
        assert sum(counts) == size
        assert max(counts) - min(counts) <= 1
    assert make_texts(name, train=400, test=100).take(200).train == texts.train


def test_presidents_are_of_their_century_and_of_other_years():
    texts = make_texts("century", train=90, test=60)
    assert texts.labels == ("19th century", "20th century", "21st century")
    assert not {each.text for each in texts.train} & {each.text for each in texts.test}
    for each in texts.train + texts.test:
        assert 80 <= len(each.text) <= 230
        assert not re.search(r"\b(1[789]|20)\d\d\b", each.text)


def test_questions_are_few_balanced_and_of_their_topic():
    texts = make_texts("topics")
    assert (len(texts.train), len(texts.test)) == (171, 57)
    for part in (texts.train, texts.test, texts.take(60).train):
        counts = [sum(each.label == k for each in part) for k in range(3)]
        assert max(counts) == min(counts)
    every = [each.text for each in texts.train + texts.test]
    assert len(set(every)) == 228
    assert all(each[-1] in "?." and each[0] == each[0].upper() for each in every)
    by_topic = {k: " ".join(e.text for e in texts.train if e.label == k).lower() for k in range(3)}
    assert by_topic[0].count("python") > 9
    assert "python" not in by_topic[1]
    assert all(re.search(r"\byou", e.text, re.I) for e in texts.train if e.label == 2)
    assert make_texts("topics", train=100, seed=2).train != texts.take(100).train
    with pytest.raises(ValueError, match="There are not 400"):
        make_texts("topics", train=400)


def test_who_has_it_keeps_names_back_and_follows_the_thing():
    texts = make_texts("who", train=300, test=200)
    seen = {name for name in GIRLS + BOYS if any(name in each.text for each in texts.train)}
    asked = {
        name for name in GIRLS + BOYS if any(re.search(rf"\b{name}\b", e.text) for e in texts.test)
    }
    assert len(seen) > 12
    assert not {n for n in asked if any(re.search(rf"\b{n}\b", e.text) for e in texts.train)}
    for each in texts.train:
        given = re.search(r"(\w+) gave (?:it to )?(\w+)\b(?: a| the)? ?", each.text)
        if " gave it to " in each.text:
            receiver = re.search(r"gave it to (\w+)", each.text)[1]
            assert (receiver in BOYS) == bool(each.label)
        assert given or "gave" not in each.text


def test_named_tales_are_the_tales():
    for (name, tale), other, _ in zip(iter_named_tales(4), iter_tales(4), range(20), strict=False):
        assert tale == other
        assert name


def table(rows, head="text,label"):
    return "\n".join([head, *rows]).encode()


ROWS = [f"it is number {n},{'odd' if n % 2 else 'even'}" for n in range(40)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_becomes_a_task(separator):
    data = table(ROWS).decode().replace(",", separator)
    found = read_table(("\ufeff" + data.replace("\n", "\r\n")).encode())
    assert (found.text_column(), found.label_column()) == ("text", "label")
    texts = texts_from_table(found, "text", "label")
    assert texts.labels == ("even", "odd")
    assert (len(texts.train), len(texts.test)) == (30, 10)
    for each in texts.train + texts.test:
        number = int(each.text.split()[-1])
        assert texts.labels[each.label] == ("odd" if number % 2 else "even")


def test_quoted_commas_and_doubles():
    found = read_table(table([*ROWS, '"well, well",odd', '"well, well",even']))
    texts = texts_from_table(found, "text", "label")
    assert sum(each.text == "well, well" for each in texts.train + texts.test) == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"PK\x03\x04rest", "zip archive"),
        ("täxt,label\n".encode("latin-1") + b"\n".join([b"a,b"] * 30), "not UTF-8"),
        (table(["only one column"] * 30, "text"), "at least two columns"),
        (table(ROWS, "text,text"), "a name of its own"),
        (table(ROWS[:10]), "10 rows"),
        (table([*ROWS, "a,b,c"]), "Row 42 has 3 cells"),
        (b"a,b\n" + b"x" * MOST_BYTES, "limit here is 2 MB"),
        (table(['"' + "x" * 200_000 + '",a', *ROWS]), "cannot be read as a table"),
        (b"", "empty"),
    ],
)
def test_bad_tables_get_one_sentence(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_table(data)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([f"text {n},same" for n in range(30)], "1 different labels"),
        ([f"text {n},{n}" for n in range(30)], "30 different labels"),
        ([*[f"text {n},a" for n in range(30)], "x,rare"], "only 1 different texts"),
    ],
)
def test_bad_labels_get_one_sentence(rows, sentence):
    with pytest.raises(ValueError, match=sentence):
        texts_from_table(read_table(table(rows)), "text", "label")
    with pytest.raises(ValueError, match="two different columns"):
        texts_from_table(read_table(table(ROWS)), "text", "text")
