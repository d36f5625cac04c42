import re

import pytest

from pages.widgets.catalog import PAGES, written_lessons
from pages.widgets.glossary import find_terms, load_terms, lookup, mark_terms, parse_terms
from pages.widgets.prose import sections


def names(query):
    return [term.name for term in find_terms(query)]


def test_there_are_enough_terms_and_none_rambles():
    terms = load_terms()
    assert len(terms) >= 80
    for term in terms:
        sentences = re.findall(r"[.?!](?:\s|$)", term.definition)
        assert 1 <= len(sentences) <= 3, term.name
        assert len(term.definition) < 400, term.name


def test_a_term_is_found_by_any_of_its_names():
    assert lookup("Tokens") is lookup("token")
    assert lookup("backprop").name == "Backpropagation"
    with pytest.raises(ValueError, match="no term 'flux capacitor'"):
        lookup("flux capacitor")


def test_search_puts_the_name_first_and_forgives_a_slip():
    assert names("BPE")[0] == "Byte pair encoding"
    assert names("sofmax")[0] == "Softmax"
    assert names("xqzw") == []
    assert len(names("")) == len(load_terms())


def test_marks_become_tooltips_once_and_stay_text_elsewhere():
    seen = set()
    marked = mark_terms(
        "A [[token]], two [[tokens|token]] and `x[[0]]`.", first_only=True, seen=seen
    )
    assert marked.count('role="tooltip"') == 1
    assert "two tokens and `x[[0]]`" in marked
    assert lookup("token").name in seen
    with pytest.raises(ValueError, match="no term"):
        mark_terms("[[no such thing]]", first_only=True, seen=set())


def test_what_a_definition_holds_is_no_markup():
    file = "## Trick\nlesson: home\n<script>*a*</script> & `b`.\n"
    (term,) = parse_terms(file)
    assert term.definition == "<script>*a*</script> & `b`."


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("## A\nlesson: home\n", "has no definition"),
        ("## A\nlesson: nowhere\nText.\n", "There is no lesson 'nowhere'"),
        ("## A\nlesson: home\nText.\n\n## B\nalso: a\nlesson: home\nText.\n", "is used by"),
    ],
)
def test_an_unsound_glossary_is_refused(file, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_terms(file)


@pytest.mark.parametrize("lesson", written_lessons(), ids=lambda lesson: lesson.stem)
def test_every_mark_in_a_page_is_a_term(lesson):
    if lesson.slug == "glossary":
        return
    for part in sections(PAGES / f"{lesson.stem}.md").values():
        for text in (part.text, part.notice, part.notes):
            mark_terms(text, first_only=True, seen=set())
