"""The shared visual pieces, each with what it returns in a line of text under it.

?pieces=chips|many|stepper|slow|fragment|heatmap|large|distribution shows one of them alone.
"""

import time

import numpy as np
import streamlit as st

from pages.figures.distribution import top_outcomes
from pages.widgets.distribution import show_distribution
from pages.widgets.live_chart import plotly_library
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.navigation import show_style
from pages.widgets.stepper import stepper
from pages.widgets.token_chips import Chip, Highlight, token_chips

FAMILY = "👩‍👩‍👧"
TEXT = ["The", " <b>owl</b>", "\n", "\tsat", "\x00", " owl", " café", " ☀️", "·"]


def emoji_chips() -> list[Chip]:
    """An emoji of 18 bytes cut over four tokens, among whole ones."""
    raw = FAMILY.encode()
    pieces = [b"an ", raw[:3], raw[3:7], raw[7:12], raw[12:], b" owl", b"\xf0\x9f", b" owl"]
    return [Chip(piece, id=i) for piece, i in zip(pieces, [5, 6, 7, 8, 9, 12, 3, 12], strict=True)]


def chips() -> None:
    """Rows of chips that light up together, and one that stands alone."""
    row = [Chip(piece, id=10 + TEXT.index(piece) % 5) for piece in TEXT]
    place = token_chips(
        row,
        key="text_row",
        label="Tokens of the text",
        show_ids=True,
        link_with="pair",
        highlights=[Highlight(range(1, 4), "input"), Highlight([4], "target")],
    )
    st.text(f"text_row: {place}")
    place = token_chips(
        emoji_chips(), key="emoji_row", label="Tokens of the emoji", link_with="pair"
    )
    st.text(f"emoji_row: {place}")
    token_chips(
        row,
        key="level_row",
        label="How often each is read",
        levels=[0, 1, 2, 3, 4, 3, 2, 1, 0],
        level_name="times read",
        highlights=[Highlight([0], "skipped"), Highlight([8], "unused")],
        selectable=False,
    )
    token_chips(
        [Chip(role, id=n) for n, role in enumerate(ROLE_NAMES)],
        key="role_row",
        label="All roles",
        highlights=[Highlight([n], role) for n, role in enumerate(ROLE_NAMES)],
    )


ROLE_NAMES = (
    "input", "target", "skipped", "unused", "pair", "special",
    "query", "key", "value", "attention", "prediction", "train", "validation",
)  # fmt: skip


def many() -> None:
    """More chips than are shown."""
    start = st.number_input("Start", 0, 5000, 0)
    row = [Chip(f" t{n % 97}", id=n % 97) for n in range(5000)]
    place = token_chips(
        row, key="many", label="Many", highlights=[Highlight(range(start, start + 8), "input")]
    )
    st.text(f"many: {place}")


def steps(seconds: float = 0.0) -> None:
    """A stepper over as many steps as the learner says, and something that takes a while."""
    count = st.number_input("Steps", 1, 1000, 7)
    step = stepper(int(count), key="window", label="Window")
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    time.sleep(seconds)
    st.text(f"step {step}, run {st.session_state['runs']}")


WORDS = ["The", "·owl", "·<b>sat</b>", "·in", "·the", "·old", "·oak"]


def heatmap() -> None:
    """Attention weights under a causal mask, the scores before it, and one with holes."""
    size = len(WORDS)
    random = np.random.default_rng(0)
    scores = random.normal(size=(size, size)) * 2
    future = np.triu(np.ones((size, size), dtype=bool), 1)
    weights = np.exp(np.where(future, -np.inf, scores))
    weights /= weights.sum(axis=1, keepdims=True)
    names = {"rows": WORDS, "columns": WORDS, "row_name": "query", "column_name": "key"}
    cell = matrix_heatmap(
        np.where(future, -np.inf, weights),
        key="weights",
        alt="Every token looks at itself and at those before it.",
        **names,
    )
    st.text(f"weights: {cell}")
    matrix_heatmap(scores, key="scores", alt="Some scores are negative.", diverging=True, **names)
    holes = np.array([[1.0, np.nan, 1234567.0], [0.000123456, 3.0, -np.inf]])
    cell = matrix_heatmap(
        holes, key="holes", alt="Two rows.", rows=["a", "a"], columns=["x", "y", "x"]
    )
    st.text(f"holes: {cell}")


def large() -> None:
    """As many cells as a lesson shows at most, in both scales."""
    names = [f"·t{n}" for n in range(64)]
    values = np.random.default_rng(0).normal(size=(64, 64)).cumsum(axis=1)
    for diverging in (True, False):
        matrix_heatmap(
            values,
            key=f"large_{diverging}",
            alt="A random walk in each row.",
            rows=names,
            columns=names,
            diverging=diverging,
        )


def distribution() -> None:
    """The most probable tokens of many, on both axes, and a short one that is all there is."""
    logits = np.random.default_rng(1).normal(size=5000) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum()
    top, tail = top_outcomes(probabilities, 8)
    labels = ["·<b>the</b>", *(f"·t{n}" for n in top[1:-1]), "·a-very-long-token-of-letters"]
    for log in (False, True):
        show_distribution(
            labels,
            probabilities[top].tolist(),
            key=f"top_{log}",
            tail=tail,
            tail_label="4,992 others",
            chosen=2,
            log=log,
        )
    show_distribution(["heads", "tails"], [0.75, 0.25], key="coin", role="value", outcome="side")


def fragment() -> None:
    """A stepper whose steps run only their own part of the page."""
    st.session_state["pages"] = st.session_state.get("pages", 0) + 1
    st.text(f"the page ran {st.session_state['pages']} times")
    st.fragment(steps)()


PIECES = {
    "fragment": fragment,
    "heatmap": heatmap,
    "large": large,
    "distribution": distribution,
    "chips": chips,
    "many": many,
    "stepper": steps,
    "slow": lambda: steps(1.2),
}
st.set_page_config(layout="wide")
show_style()
st.title("Shared pieces")
asked = st.query_params.get("pieces", "")
for name in [asked] if asked in PIECES else ["chips", "stepper"]:
    PIECES[name]()
plotly_library()
