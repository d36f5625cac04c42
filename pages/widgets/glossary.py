"""The glossary: its terms, the search among them, and the marks that explain them in a lesson.

The terms lie in `pages/61_glossary.md`. An author marks a term with `[[term]]`, or with
`[[shown text|term]]`; the reader sees the definition on hover, on keyboard focus and on tap.
"""

import difflib
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pages.widgets.catalog import PAGES, find_lesson

GLOSSARY = PAGES / "61_glossary.md"

# The box is anchored to its word where the browser can do that (all since early 2026), and lies at
# the foot of the window where it cannot; in both cases nothing can cut it off.
GLOSSARY_STYLE = """
.term-word {cursor: help; text-decoration: underline dotted; text-underline-offset: .2em}
.term-word:focus-visible {outline: 2px solid currentColor; outline-offset: 2px; border-radius: 2px}
.term-tip {
  position: fixed; inset: auto 1rem 1rem; z-index: 1000000; box-sizing: border-box;
  width: max-content; max-width: min(22rem, calc(100vw - 2rem)); margin: 0 auto;
  padding: .6rem .8rem; border: 1px solid; border-radius: .5rem;
  font: 400 .875rem/1.45 "Source Sans", sans-serif; letter-spacing: normal; text-align: start;
  text-transform: none; white-space: normal; overflow-wrap: break-word;
  color: light-dark(#18212F, #E7ECF3); background: light-dark(#FFFFFF, #1A2331);
  border-color: light-dark(#8593A6, #6A7A94); box-shadow: 0 4px 16px rgb(0 0 0 / .2);
  visibility: hidden; opacity: 0; transition: opacity .1s, visibility .1s;
}
.term-tip::before {content: ""; position: absolute; inset: -.5rem 0; z-index: -1}
.term:hover .term-tip, .term:focus-within .term-tip {visibility: visible; opacity: 1}
.term:hover .term-tip {z-index: 1000001; transition-delay: .15s}
@supports (anchor-scope: --term) and (position-area: bottom) {
  .term {anchor-scope: --term}
  .term-word {anchor-name: --term}
  .term-tip {
    position-anchor: --term; position-area: bottom span-right; inset: auto; margin: .35rem 0;
    position-try-fallbacks: flip-inline, flip-block, flip-block flip-inline;
  }
  @media (max-width: 640px) {
    .term-tip {
      position-area: bottom span-all; justify-self: anchor-center; margin: .35rem 1rem;
      position-try-fallbacks: flip-block;
    }
  }
}
@media (prefers-reduced-motion: reduce) {.term-tip {transition: none}}
@media print {.term-tip {display: none} .term-word {text-decoration: none}}
"""

_SIMILAR = 0.7  # of difflib's ratio: one or two letters wrong in a word
_NEAR = 0.55  # still worth proposing

# Code is left alone: `x[[0, 1]]` is no mark.
_MARK = re.compile(
    r"(?P<code>^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\2|(`+)(?!`).+?(?<!`)\3(?!`))"
    r"|\[\[(?P<shown>[^\[\]|]+)(?:\|(?P<term>[^\[\]|]+))?\]\]",
    re.M | re.S,
)
# What Markdown, Streamlit or HTML could take for more than a letter.
_ACTIVE = re.compile(r"[&<>\"'\\`*_~$\[\]:|#]")


@dataclass(frozen=True)
class Term:
    """One entry: its name, its other names, the slug of the lesson that explains it."""

    name: str
    also: tuple[str, ...]
    lesson: str
    definition: str

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and the other names."""
        return (self.name, *self.also)


def parse_terms(markdown: str) -> tuple[Term, ...]:
    """Return the terms of a glossary file, sorted by name; section `opening` is none.

    Raises ValueError, naming the term, for a name used twice, for an unknown lesson and for a
    missing definition.
    """
    sections = re.split(r"^## ", markdown, flags=re.M)[1:]
    terms = [_parse(part) for part in sections if part.partition("\n")[0].strip() != "opening"]
    _index(terms)
    return tuple(sorted(terms, key=lambda term: term.name.casefold()))


def load_terms() -> tuple[Term, ...]:
    """Return all terms, sorted by name; the file is read again when it has changed."""
    return _load(GLOSSARY, GLOSSARY.stat().st_mtime_ns)[0]


def lookup(name_or_alias: str) -> Term:
    """Return the term of that name or other name, in any case, one or many; else ValueError."""
    index = _load(GLOSSARY, GLOSSARY.stat().st_mtime_ns)[1]
    key = _plain(name_or_alias)
    found = index.get(key) or index.get(key.removesuffix("s"))
    if found is None:
        raise ValueError(f"The glossary has no term {name_or_alias.strip()!r}.")
    return found


def find_terms(query: str) -> list[Term]:
    """Return the terms that match, best first; if none does, those spelled most like it.

    Exact names come first, then other matches in the name, in other names, in the definition.
    An empty query gives all terms.
    """
    key = _plain(query)
    ranked = [(rank, term) for term in load_terms() if (rank := _rank(term, key)) is not None]
    if ranked:
        return [term for _, term in sorted(ranked, key=lambda pair: pair[0])]
    return nearest_terms(query, cutoff=_SIMILAR, most=5)


def is_match(term: Term, query: str) -> bool:
    """Tell whether the term contains the query; if not, it was only spelled like it."""
    return _rank(term, _plain(query)) is not None


def nearest_terms(query: str, *, cutoff: float = _NEAR, most: int = 3) -> list[Term]:
    """Return the terms with a name, or a word of a name, spelled like the query; best first."""
    scored = [(-_similarity(term, _plain(query)), term) for term in load_terms()]
    scored.sort(key=lambda pair: pair[0])
    return [term for score, term in scored[:most] if -score >= cutoff]


def mark_terms(markdown: str, *, first_only: bool, seen: set[str]) -> str:
    """Turn the marks of a text into HTML for `st.markdown(..., unsafe_allow_html=True)`.

    `seen` holds the tooltips that are on the page already, and is added to. With `first_only`, a
    term that is among them shows as plain text. A mark for an unknown term raises ValueError.
    """

    def replace(match: re.Match[str]) -> str:
        if match["code"]:
            return match["code"]
        term = lookup(match["term"] or match["shown"])
        shown = match["shown"].strip() if match["term"] else literal(match["shown"].strip())
        if first_only and term.name in seen:
            return shown
        key, count = term.name, 1
        while key in seen:
            count += 1
            key = f"{term.name} {count}"
        seen.add(key)
        return _tooltip(shown, term.definition, "term-" + re.sub(r"\W+", "-", key.casefold()))

    return _MARK.sub(replace, markdown)


def literal(text: str) -> str:
    """Return the text escaped, so that neither Markdown nor HTML sees anything in it."""
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", text)


def _tooltip(shown: str, definition: str, tip: str) -> str:
    return (
        f'<span class="term"><span class="term-word" role="term" tabindex="0" '
        f'aria-describedby="{tip}">{shown}</span><span class="term-tip" role="tooltip" '
        f'id="{tip}">{literal(definition)}</span></span>'
    )


def _parse(section: str) -> Term:
    """Read one section: its name, then the lines `also:` (may be missing) and `lesson:`."""
    name, *lines = (line.strip() for line in section.strip().splitlines())
    fields = {"also": "", "lesson": ""}
    while lines and (found := re.fullmatch(r"(also|lesson): *(.*)", lines[0])):
        fields[found[1]] = found[2]
        lines.pop(0)
    also = tuple(filter(None, (other.strip() for other in fields["also"].split(","))))
    definition = " ".join(filter(None, lines))
    if not definition:
        raise ValueError(f"The term {name!r} has no definition.")
    try:
        find_lesson(fields["lesson"])
    except ValueError as error:
        raise ValueError(f"The term {name!r}: {error}") from error
    return Term(name, also, fields["lesson"], definition)


def _index(terms: Iterable[Term]) -> dict[str, Term]:
    """Return the terms by each of their names; raise ValueError if two share one."""
    index: dict[str, Term] = {}
    for term in terms:
        for name in term.names:
            other = index.setdefault(_plain(name), term)
            if other is not term or list(map(_plain, term.names)).count(_plain(name)) > 1:
                raise ValueError(f"The name {name!r} is used by {other.name!r} and {term.name!r}.")
    return index


@functools.lru_cache(maxsize=4)
def _load(path: Path, modified: int) -> tuple[tuple[Term, ...], dict[str, Term]]:
    """Cached by the time of the last change, so that an edited glossary shows at once."""
    terms = parse_terms(path.read_text(encoding="utf-8"))
    return terms, _index(terms)


def _plain(text: str) -> str:
    """Return what names are compared by: no case, and one space for hyphens and the like."""
    return " ".join(re.split(r"[\s_\-\u2010-\u2014]+", text.casefold())).strip()


def _rank(term: Term, key: str) -> int | None:
    """Return how well a term matches, 0 the best, or None if it does not."""
    name, *also = map(_plain, term.names)
    if key == name or not key:
        return 0
    if key in also:
        return 1
    for rank, text in ((2, name), *((5, other) for other in also)):
        place = _place(text, key)
        if place is not None:
            return rank + place
    text = _plain(" ".join((*term.names, term.definition)))
    if _place(text, key) in (0, 1):
        return 8
    return 9 if all(_place(text, word) in (0, 1) for word in key.split()) else None


def _place(text: str, key: str) -> int | None:
    """Return 0 if the text begins with the key, 1 if a word of it does, 2 if a word contains it."""
    if text.startswith(key):
        return 0
    if re.search(rf"(?<!\w){re.escape(key)}", text):
        return 1
    return 2 if len(key) > 2 and key in text else None


def _similarity(term: Term, key: str) -> float:
    """Return how alike key and names are spelled, 0 to 1; words of a name count a little less."""
    matcher = difflib.SequenceMatcher(b=key, autojunk=False)

    def ratio(text: str) -> float:
        matcher.set_seq1(text)
        return matcher.ratio()

    names = list(map(_plain, term.names))
    words = (word for name in names for word in name.split() if len(word) > 3)
    return max(*map(ratio, names), 0.9 * max(map(ratio, words), default=0.0))
