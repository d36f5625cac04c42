"""From ids to vectors: numbers that mean nothing, one-hot vectors, rows of a table, its size."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.counting import parameters_by_part
from llm_core.models.config import TransformerConfig
from llm_core.pretrained.registry import load
from pages.figures.embeddings import share_figure
from pages.figures.palette import TRAIN
from pages.widgets.figure import show_figure
from pages.widgets.graphemes import visible_text
from pages.widgets.token_chips import Chip, Highlight, token_chips

MOST_TOKENS = 24
ROWS = 7  # of the table that are shown, and numbers of each
NUMBERS = 6
VOCABULARIES = (256, 1_000, 5_000, 10_000, 32_000, 50_257, 100_000, 200_000)
WIDTHS = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
_CELL = "border:1px solid rgba(128,128,128,.4);padding:.2rem .45rem;text-align:right"


@dataclass(frozen=True)
class Phrase:
    """A few tokens of the tiny GPT, and the place of the one that is looked at."""

    text: str
    ids: tuple[int, ...]
    place: int

    @property
    def id(self) -> int:
        """The id of the token that is looked at."""
        return self.ids[self.place]

    @property
    def code(self) -> str:
        """The lines that give its ids."""
        return f"""from llm_core.pretrained.registry import load

model, tokenizer = load("tiny")
ids = tokenizer.encode({f" {self.text}"!r})"""


@cache
def token_labels() -> tuple[str, ...]:
    """The tiny GPT's tokens as they can be shown: its pieces of words, or the byte's number."""
    _, tokenizer = load("tiny")
    return tuple(token_label(tokenizer.token_bytes(n)) for n in range(tokenizer.vocab_size))


def token_label(piece: bytes) -> str:
    """A token's characters with its space made visible; a byte that is none of its own as hex."""
    try:
        return visible_text(piece.decode())
    except UnicodeDecodeError:
        return f"byte {piece.hex(' ').upper()}"


def choose_phrase() -> Phrase:
    """Ask for a few words; show their ids, and what stands beside one of them in the list."""
    text = st.text_input(
        "A few words", "the old owl saw a fox", key="phrase", bind="query-params", max_chars=80
    )
    _, tokenizer = load("tiny")
    ids = tuple(tokenizer.encode(f" {text.strip()}")) if text.strip() else ()
    if not 1 <= len(ids) <= MOST_TOKENS:
        raise ValueError(
            f"Write 1 to {MOST_TOKENS} tokens; these are {len(ids)}. (Words that the tiny GPT has "
            "never read fall into many.)"
        )
    chosen = token_chips(
        [Chip(tokenizer.token_bytes(index), id=index) for index in ids],
        key="phrase_chips",
        label="Your words as tokens",
        show_ids=True,
    )
    phrase = Phrase(text.strip(), ids, _default_place(ids) if chosen is None else chosen)
    around = _around(phrase.id, tokenizer.vocab_size)
    st.markdown("Choose any token. What stands beside it in the list of all tokens:")
    token_chips(
        [Chip(tokenizer.token_bytes(index), id=index) for index in around],
        key="beside_chips",
        label="The tokens with the next lower and higher ids",
        highlights=[Highlight([around.index(phrase.id)], "train", name="your token")],
        show_ids=True,
        selectable=False,
        joined=False,
    )
    return phrase


def _default_place(ids: Sequence[int]) -> int:
    return min(2, len(ids) - 1)


def _around(index: int, vocab_size: int, count: int = ROWS) -> list[int]:
    first = max(0, min(index - count // 2, vocab_size - count))
    return list(range(first, min(first + count, vocab_size)))


def show_lookup(phrase: Phrase) -> float:
    """The one-hot vector beside the table's rows, and their sum; return the largest difference."""
    model, _ = load("tiny")
    table = model.token_embedding.weight.numpy(force=True)
    around = _around(phrase.id, len(table))
    labels = [token_labels()[index] for index in around]
    st.html(lookup_table(labels, around, table[around], phrase.id, table.shape))
    one_hot = np.zeros((len(phrase.ids), len(table)), dtype=np.float32)
    one_hot[np.arange(len(phrase.ids)), phrase.ids] = 1
    difference = float(np.abs(one_hot @ table - table[[*phrase.ids]]).max())
    count, (rows, width) = len(phrase.ids), table.shape
    with st.container(horizontal=True):
        st.metric("One-hot matrix", f"{count} × {rows:,}", width="content")
        st.metric("Embedding matrix", f"{rows:,} × {width}", width="content")
        st.metric("Their product", f"{count} × {width}", width="content")
        st.metric("Differs from the rows by", f"{difference:g}", width="content")
    st.caption(
        f"The product takes {count * rows * width:,} multiplications, nearly all of them by 0. The "
        f"lookup copies {count * width:,} numbers and multiplies nothing."
    )
    return difference


def lookup_table(
    labels: Sequence[str],
    ids: Sequence[int],
    rows: np.ndarray,
    chosen: int,
    shape: tuple[int, ...],
) -> str:
    """Some rows (R, C) of a table of `shape`, each beside its number of the one-hot vector; HTML.

    Every row is multiplied by that number, and the last line is their sum: the row of `chosen`.
    """
    columns = range(min(NUMBERS, rows.shape[1]))
    head = "".join(
        f'<th scope="col" style="{_CELL}">{name}</th>'
        for name in ("token", "id", "one-hot", *columns, "…")
    )
    lines = []
    for label, index, row in zip(labels, ids, rows, strict=True):
        lit = index == chosen
        lines.append(_line(label, index, "1" if lit else "0", row[: len(columns)], lit))
    result = rows[list(ids).index(chosen)][: len(columns)]
    dots = f'<tr><td style="{_CELL}" colspan="{len(columns) + 4}">… and so on: {{}}</td></tr>'
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" '
        'aria-label="The one-hot vector beside rows of the embedding matrix">'
        '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
        f"<tr>{head}</tr>{''.join(lines)}"
        + dots.format(f"{shape[0]:,} rows of {shape[1]} numbers")
        + _line("sum", "", "", result, True)
        + "</table></div>"
    )


def _line(label: str, index: object, hot: str, numbers: np.ndarray, lit: bool) -> str:
    look = f"box-shadow:inset 0 0 0 2px {TRAIN};font-weight:700" if lit else "opacity:.75"
    cells = "".join(
        f'<td style="{_CELL};{look}">{each:.2f}</td>'.replace(">-", ">−") for each in numbers
    )
    return (
        f'<tr><th scope="row" style="{_CELL};text-align:left;font-family:monospace">'
        f'{html.escape(label)}</th><td style="{_CELL}">{index}</td>'
        f'<td style="{_CELL};{look}">{hot}</td>{cells}<td style="{_CELL};{look}">…</td></tr>'
    )


@dataclass(frozen=True)
class Size:
    """A model of GPT-2's shape, and how many parameters its token table has and all the rest."""

    vocab_size: int
    d_model: int
    n_layers: int
    table: int
    rest: int


def size_of(vocab_size: int, d_model: int, n_layers: int) -> Size:
    """Count the parameters of a GPT of that size with tied embeddings, in GPT-2's shape."""
    config = TransformerConfig(
        vocab_size=vocab_size,
        context_length=1024,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=d_model // 32,
    )
    parts = parameters_by_part(config)
    table = parts["embeddings"]
    return Size(vocab_size, d_model, n_layers, table, sum(parts.values()) - table)


def choose_size() -> Size:
    """How large the table is, and which part of a model, as its two sides and the depth change."""
    first, second, third = st.columns(3, gap="large")
    vocab_size = first.select_slider(
        "Vocabulary V", VOCABULARIES, 50_257, key="vocab", bind="query-params"
    )
    width = second.select_slider(
        "Numbers a token, d_model", WIDTHS, 768, key="width", bind="query-params"
    )
    layers = third.slider("Layers", 1, 48, 12, key="layers", bind="query-params")
    sizes = [size_of(vocab_size, each, layers) for each in WIDTHS]
    size = sizes[WIDTHS.index(width)]
    share = size.table / (size.table + size.rest)
    with st.container(horizontal=True):
        st.metric("Embedding matrix V × d_model", f"{size.table:,}", width="content")
        st.metric("All other parameters", f"{size.rest:,}", width="content")
        st.metric("The matrix's share", f"{share:.1%}", width="content")
    show_figure(
        share_figure(
            WIDTHS,
            [each.table for each in sizes],
            [each.rest for each in sizes],
            chosen=width,
        ),
        key="share_figure",
        alt=f"With {vocab_size:,} tokens and {layers} layers, the embedding matrix is {share:.1%} "
        f"of the model at d_model = {width:,}. The wider the model, the smaller the share.",
        table=pd.DataFrame(
            {
                "embedding matrix": [f"{each.table:,}" for each in sizes],
                "all other": [f"{each.rest:,}" for each in sizes],
                "share, %": [
                    f"{100 * each.table / (each.table + each.rest):.1f}" for each in sizes
                ],
            },
            index=pd.Index(WIDTHS, name="d_model"),
        ),
    )
    return size
