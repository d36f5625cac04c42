"""A date on its way through the translator: the encoder's vectors, then sign by sign."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import streamlit as st

from llm_core.data.tasks import END, START
from llm_core.inspection.translation import (
    cosine_similarities,
    encoder_stages,
    three_attentions,
)
from pages.figures.distribution import percent, top_outcomes
from pages.widgets.distribution import show_distribution
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.stepper import stepper
from pages.widgets.token_chips import Chip, token_chips
from pages.widgets.translation_model import DATES, Reading, Written, shipped
from pages.widgets.view import current_view

STAGES = {
    "from the table": "table",
    "with their places": "placed",
    "after the encoder": "context",
}
ALL_HEADS = "all heads, averaged"
_TOP = 4  # signs of a distribution


def shown(sign: str) -> str:
    """A sign of an answer as a label: the special ones by their names."""
    return {END: "end", START: "start"}.get(sign, sign)


def labels_of(words: Sequence[str]) -> list[str]:
    """Words as labels: those that come twice are numbered."""
    counts, met = Counter(words), Counter[str]()
    labels = []
    for word in words:
        met[word] += 1
        labels.append(f"{word} {met[word]}" if counts[word] > 1 else word)
    return labels


def show_vectors(reading: Reading) -> tuple[str, np.ndarray, np.ndarray]:
    """The encoder's vectors at a stage, and how alike they are; returns stage and both."""
    chosen = st.radio(
        "Vectors", list(STAGES), index=2, key="stage", bind="query-params", horizontal=True
    )
    stage = STAGES[chosen]
    vectors = encoder_stages(shipped(), reading.ids)[stage]
    alike = cosine_similarities(vectors).numpy()
    labels = labels_of(reading.words)
    matrix_heatmap(
        vectors.numpy(),
        key="vectors",
        alt=f"{len(labels)} words, {vectors.shape[1]} numbers each: {chosen}.",
        rows=labels,
        columns=[str(number) for number in range(vectors.shape[1])],
        row_name="word",
        column_name="number",
        role="train",
        diverging=True,
        numbers=False,
    )
    st.markdown("**How alike are two words' vectors?** 1 is the same direction, 0 is unrelated.")
    matrix_heatmap(
        alike,
        key="alike",
        alt=likeness_sentence(reading.words, alike),
        rows=labels,
        columns=labels,
        row_name="word",
        column_name="word",
        role="train",
        diverging=True,
        limits=(-1, 1),
    )
    return stage, vectors.numpy(), alike


def likeness_sentence(words: Sequence[str], alike: np.ndarray) -> str:
    """Say how alike the occurrences of a word are, or else which two words are most alike."""
    labels = labels_of(words)
    pairs = list(combinations(range(len(words)), 2))
    if not pairs:
        return f"“{words[0]}” is alone: there is nothing to compare it with."
    same = [pair for pair in pairs if words[pair[0]] == words[pair[1]]]
    if same:
        said = [f"“{labels[a]}” and “{labels[b]}” {alike[a, b]:.2f}" for a, b in same[:3]]
        return f"One word in several places: {', '.join(said)}."
    a, b = max(pairs, key=lambda pair: alike[pair])
    return f"Most alike are “{labels[a]}” and “{labels[b]}”: {alike[a, b]:.2f}."


def attention_of(written: Written, head: str) -> np.ndarray:
    """The cross-attention (T, S) of a head such as "head 1", or the mean of all."""
    if head == ALL_HEADS:
        return written.attention.mean(axis=1)
    return written.attention[:, int(head.split()[1]) - 1]


def show_decoding(reading: Reading, written: Written) -> None:
    """The answer, one sign a step, with the row of cross-attention that each adds."""
    heads = [ALL_HEADS, *(f"head {n + 1}" for n in range(written.attention.shape[1]))]
    head = st.radio("Cross-attention of", heads, key="head", bind="query-params", horizontal=True)
    count = len(written.signs)
    on_paper = current_view() == "print"
    step = count - 1 if on_paper else stepper(count, key="sign", label="Sign")
    weights = attention_of(written, head)
    _show_row(reading, written, weights, step)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_alignment(reading, written, weights, step)
    with right:
        _show_choice(written, step)


def row_sentence(words: Sequence[str], sign: str, weights: np.ndarray) -> str:
    """Say where the row of a sign looks most."""
    best = int(weights.argmax())
    return (
        f"To write “{shown(sign)}”, it looked most at “{labels_of(words)[best]}”: "
        f"{percent(float(weights[best]))} of its attention."
    )


def _show_row(reading: Reading, written: Written, weights: np.ndarray, step: int) -> None:
    """Source and answer as chips: what is looked at, and what is written."""
    token_chips(
        [Chip(label) for label in labels_of(reading.words)],
        key="source_chips",
        label="What the encoder reads",
        levels=[float(weight) for weight in weights[step]],
        level_name="attention",
        level_role="attention",
        selectable=False,
        joined=False,
    )
    so_far = "".join(shown(sign) for sign in written.signs[:step]) or "nothing yet"
    st.markdown(f"Written so far: **{so_far}**. The next sign is **{shown(written.signs[step])}**.")


def _show_alignment(reading: Reading, written: Written, weights: np.ndarray, step: int) -> None:
    grown = np.where(np.arange(len(weights))[:, None] <= step, weights, np.nan)
    signs = [shown(sign) if n <= step else "·" for n, sign in enumerate(written.signs)]
    matrix_heatmap(
        grown,
        key="alignment",
        alt=row_sentence(reading.words, written.signs[step], weights[step]),
        rows=signs,
        columns=labels_of(reading.words),
        row_name="sign",
        column_name="word",
        role="attention",
        limits=(0, 1),
    )


def _show_choice(written: Written, step: int) -> None:
    st.markdown("**How sure is it of this sign?**")
    top, tail = top_outcomes(written.probabilities[step], _TOP)
    show_distribution(
        [shown(DATES.tokens[index]) for index in top],
        [float(written.probabilities[step, index]) for index in top],
        key="sign_distribution",
        tail=tail,
        outcome="sign",
    )


def show_sight(reading: Reading, written: Written) -> dict[str, np.ndarray]:
    """Who looks at whom: the three attentions of the model, averaged over their heads."""
    tokens = DATES.tokens
    read = [START, *written.signs[:-1]]
    ids = [tokens.index(sign) for sign in read]
    found = three_attentions(shipped(), reading.ids, ids)
    means = {name: weights.mean(dim=0).numpy() for name, weights in found.items()}
    words, signs = labels_of(reading.words), [shown(sign) for sign in written.signs]
    above = np.triu(np.ones((len(signs), len(signs)), dtype=bool), k=1)
    drawn = {
        "encoder": (
            "Words look at words",
            means["encoder"],
            words,
            words,
            "Every word may look at all words.",
        ),
        "decoder": (
            "Signs look at signs",
            np.where(above, -np.inf, means["decoder"]),
            signs,
            [shown(sign) for sign in read],
            "To write a sign, only those before it may be looked at.",
        ),
        "cross": (
            "Signs look at words",
            means["cross"],
            signs,
            words,
            "Every sign may look at all words.",
        ),
    }
    shown_side_by_side = zip(st.columns(3, gap="medium"), drawn.items(), strict=True)
    for place, (name, (title, weights, rows, columns, said)) in shown_side_by_side:
        with place:
            st.markdown(f"**{title}**")
            matrix_heatmap(
                weights,
                key=f"sight_{name}",
                alt=said,
                rows=rows,
                columns=columns,
                row_name="word" if name == "encoder" else "to write",
                column_name="looks at",
                role="attention",
                limits=(0, 1),
                numbers=False,
                masked="comes later",
            )
    return means
