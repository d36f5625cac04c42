"""Every term of the course in a sentence or two, with a search."""

import itertools

import streamlit as st

from pages.widgets.catalog import Lesson, written_lessons
from pages.widgets.frame import link_to, open_page
from pages.widgets.glossary import Term, find_terms, is_match, literal, load_terms, nearest_terms

_QUERY = "q"


def ask() -> str:
    """Return what the reader searches for; it stands in the address, so a link can ask it."""
    query = st.text_input(
        "Search the glossary",
        key=_QUERY,
        bind="query-params",
        max_chars=80,
        placeholder="softmax, BPE, what a model cannot see ...",
        icon=":material/search:",
    )
    return query.strip()


def show_all() -> None:
    """Empty the search. A callback."""
    st.session_state[_QUERY] = ""


def show_found(query: str, lessons: dict[str, Lesson]) -> None:
    """Show the terms that match, or those spelled most like the query, or where to go from here."""
    terms = find_terms(query)
    asked = literal(query)
    if terms and is_match(terms[0], query):
        st.caption(f"{len(terms)} of {len(load_terms())} terms")
    elif terms:
        st.caption(f"No term contains “{asked}”. Spelled most like it:")
    else:
        near = " or ".join(f"*{literal(term.name)}*" for term in nearest_terms(query))
        hint = (
            f"Did you mean {near}?"
            if near
            else "Try another word for it, or look through them all."
        )
        st.info(f"No term contains “{asked}”. {hint}")
    for term in terms:
        show_term(term, lessons)
    st.button("Show all terms", icon=":material/list:", on_click=show_all)


def show_alphabet(lessons: dict[str, Lesson]) -> None:
    """Show all terms, letter by letter."""
    terms = load_terms()
    st.caption(f"{len(terms)} terms")
    letters = [
        (letter, list(group))
        for letter, group in itertools.groupby(terms, key=lambda term: term.name[0].upper())
    ]
    st.markdown(" &nbsp; ".join(f"[{letter}](#{letter.lower()})" for letter, _ in letters))
    for letter, group in letters:
        st.header(letter, anchor=letter.lower(), divider="gray")
        for term in group:
            show_term(term, lessons)


def show_term(term: Term, lessons: dict[str, Lesson]) -> None:
    """Show a term and, once it is written, the lesson that explains it."""
    also = f" &ensp;*also: {literal(', '.join(term.also))}*" if term.also else ""
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        st.markdown(f"**{literal(term.name)}**{also}  \n{literal(term.definition)}", width=720)
        if lesson := lessons.get(term.lesson):
            link_to(lesson)


open_page("glossary")
written = {lesson.slug: lesson for lesson in written_lessons()}
if wanted := ask():
    show_found(wanted, written)
else:
    show_alphabet(written)
