"""Passages as HTML: words marked by what they bring, quotes that answer, sources linked."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_core.retrieval.bm25 import word_places
from pages.figures.palette import NEUTRAL, QUERY, VALUE

STYLE = (
    "<style>.passages{display:grid;gap:.6rem;margin:0}"
    f".passage{{border:1px solid {NEUTRAL}66;border-left:4px solid {NEUTRAL};border-radius:.4rem;"
    "padding:.5rem .75rem;font-size:.92rem;line-height:1.5;overflow-wrap:anywhere;"
    "scroll-margin-top:5rem}"
    f".passage.right{{border-left-color:{VALUE}}}"
    ".passage header{display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline;"
    "margin-bottom:.25rem}"
    ".passage header b{font-size:1rem}.passage .score{font-variant-numeric:tabular-nums}"
    ".passage .text{white-space:pre-line;max-height:16rem;overflow-y:auto}"
    ".passage .note{font-weight:600}"
    ".passage mark{color:inherit;border-radius:2px;padding:0 .06em}"
    f".passage mark.word{{border-bottom:2px solid {QUERY}}}"
    f".passage mark.twice{{background:{NEUTRAL}40;border-bottom:2px dotted {NEUTRAL}}}"
    f".passage mark.quote{{background:{VALUE}38;border-bottom:2px solid {VALUE}}}"
    ".passage a{color:inherit}"
    "@media print{.passage .text{max-height:none}}</style>"
)


@dataclass(frozen=True)
class Card:
    """A passage to show. body: its text as HTML. right: does it hold the answer?"""

    head: str
    title: str
    body: str
    score: str = ""
    link: str = ""
    right: bool = False
    anchor: str = ""


def cards_html(cards: Sequence[Card], label: str) -> str:
    """A list of passages; label: what they are, for those who do not see where they stand."""
    rows = "".join(_card(card) for card in cards)
    name = html.escape(label, quote=True)
    return f'{STYLE}<div class="passages" role="list" aria-label="{name}">{rows}</div>'


def marked_words(text: str, weights: Mapping[str, float]) -> str:
    """A text as HTML in which words are marked, the deeper the larger their weight, 0 to 1."""
    parts, place = [], 0
    for start, end, word in word_places(text):
        weight = weights.get(word, 0.0)
        if weight > 0:
            depth = f"{round(20 + 85 * min(1.0, weight)):02x}"
            parts.append(html.escape(text[place:start]))
            word_html = html.escape(text[start:end])
            parts.append(f'<mark class="word" style="background:{QUERY}{depth}">{word_html}</mark>')
            place = end
    return "".join(parts) + html.escape(text[place:])


def marked_spans(text: str, spans: Sequence[tuple[int, int]], kind: str) -> str:
    """A text as HTML with some parts marked: "twice" or "quote"."""
    parts, place = [], 0
    for start, end in sorted(spans):
        start = max(start, place)
        if start < end:
            parts.append(html.escape(text[place:start]))
            parts.append(f'<mark class="{kind}">{html.escape(text[start:end])}</mark>')
            place = end
    return "".join(parts) + html.escape(text[place:])


def _card(card: Card) -> str:
    title = html.escape(card.title)
    if card.link:
        title = (
            f'<a href="{html.escape(card.link, quote=True)}" target="_blank" '
            f'rel="noopener">{title}</a>'
        )
    score = f'<span class="score">{html.escape(card.score)}</span>' if card.score else ""
    note = '<span class="note">✓ holds the answer</span>' if card.right else ""
    anchor = f' id="{card.anchor}"' if card.anchor else ""
    return (
        f'<article role="listitem" class="passage{" right" if card.right else ""}"{anchor}>'
        f"<header><b>{html.escape(card.head)}</b><span>{title}</span>{score}{note}</header>"
        f'<div class="text" tabindex="0" role="region" aria-label="{html.escape(card.head)}: text">'
        f"{card.body}</div></article>"
    )
