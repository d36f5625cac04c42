"""Relative positions: what each kind adds to the scores, and what a moved text leaves alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch

from llm_core.inspection.positions import first_scores
from llm_core.layers.relative_positions import AlibiBias, T5RelativeBias
from llm_core.pretrained.position_runs import CONTEXT, load_position_model
from pages.figures.positions import bias_figure, name_of
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.graphemes import visible_text
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.positions_order import KINDS, LEAST, choose_kind, written
from pages.widgets.window_tables import named_table

MOST_TOKENS = 20
FAREST = CONTEXT - MOST_TOKENS  # places that the text can move, within the learned table
FAR = 100  # distances drawn of what is added


@dataclass(frozen=True)
class Line:
    """A short text with its ids in the experiment's vocabulary, and a label a token."""

    text: str
    ids: tuple[int, ...]
    labels: tuple[str, ...]

    def tensor(self) -> torch.Tensor:
        """The ids, (T,)."""
        return torch.tensor(self.ids)


@st.cache_resource(max_entries=8, show_spinner=False)
def position_model(kind: str) -> tuple[Any, Any]:
    """The experiment's model of that kind and its tokenizer, shared by all visitors."""
    return load_position_model(kind)


def read_line() -> Line:
    """Ask for a short text; cut it with the experiment's tokenizer."""
    text = st.text_input(
        "A short text",
        "The good friends sat near the old door",
        key="line",
        bind="query-params",
        max_chars=80,
    )
    tokenizer = position_model("none")[1]
    try:
        ids = tokenizer.encode(text)
    except UnicodeError as error:
        raise ValueError("This text holds a character that cannot be written.") from error
    if not 2 <= len(ids) <= MOST_TOKENS:
        raise ValueError(f"Take a text of 2 to {MOST_TOKENS} tokens; this one has {len(ids)}.")
    pieces = [tokenizer.token_bytes(index).decode("utf-8", "replace") for index in ids]
    labels = tuple(visible_text(piece) for piece in pieces)
    return Line(text, tuple(ids), labels)


@own_part
def show_added(line: Line) -> None:
    """What the position adds to every score, live, for each kind of position."""
    kind = choose_kind("added", start="alibi", kinds=KINDS[1:])
    head = int(st.radio("Head", [0, 1, 2, 3], key="head", bind="query-params", horizontal=True))
    model, _ = position_model(kind)
    with torch.inference_mode():
        scores = first_scores(model, line.tensor())
        added = (scores - first_scores(model, line.tensor(), placed=False))[head]
    spread = diagonal_spread(added.numpy())
    left, right = st.columns([3, 2], gap="large")
    with left:
        matrix_heatmap(
            _masked(added.numpy()),
            key="added_matrix",
            alt=_added_finding(kind, spread),
            rows=line.labels,
            columns=line.labels,
            row_name="query",
            column_name="key",
            role="attention",
            diverging=True,
            masked="comes later",
        )
    with right:
        _show_rule(kind, model)
    last = len(line.ids) - 1
    show_code(
        first_scores,
        *_source(kind),
        key="added",
        call=f"""import torch
from llm_core.inspection.positions import first_scores
from llm_core.pretrained.position_runs import load_position_model

model, tokenizer = load_position_model({kind!r})
ids = torch.tensor(tokenizer.encode({line.text!r}))
added = first_scores(model, ids) - first_scores(model, ids, placed=False)
print(tuple(added.shape))  # {tuple(scores.shape)}
print(f"{{float(added[{head}, {last}, 0]):.3f}}")  # {float(added[last, 0]):.3f}""",
    )


def diagonal_spread(added: np.ndarray) -> float:
    """The largest difference between two numbers of one distance, of keys before the query."""
    length = len(added)
    return max(float(np.ptp(np.diagonal(added, -back))) for back in range(length))


def _added_finding(kind: str, spread: float) -> str:
    name = name_of(kind)
    if spread < LEAST:
        return f"{name}: every diagonal holds one number. Only the distance counts, not the words."
    if kind in ("shaw", "rope"):
        return (
            f"{name}: the numbers on a diagonal differ, by up to {spread:.2f}, for what is added "
            "depends on the words too. What it does not depend on is where the text stands."
        )
    return (
        f"{name}: the numbers on a diagonal differ, by up to {spread:.2f}. What is added depends "
        "on the words, and on both places."
    )


def _masked(matrix: np.ndarray) -> np.ndarray:
    """What a decoder may not look at is hatched."""
    return np.where(np.tril(np.ones_like(matrix, dtype=bool)), matrix, -np.inf)


def _source(kind: str) -> list[Any]:
    return {"alibi": [AlibiBias], "t5": [T5RelativeBias.bucket]}.get(kind, [])


def _show_rule(kind: str, model: Any) -> None:
    """The rule behind the matrix: a line a head over the distance, where there is one."""
    if kind in ("alibi", "t5"):
        back = torch.arange(FAR)
        with torch.inference_mode():
            bias = model.positions(torch.tensor([FAR - 1]), FAR - 1 - back)[:, 0].numpy()
        names = [f"head {index}" for index in range(len(bias))]
        show_figure(
            bias_figure(dict(zip(names, bias.tolist(), strict=True)), trained=CONTEXT),
            key="bias_figure",
            alt=_bias_finding(kind, model, bias),
            table=pd.DataFrame(dict(zip(names, bias, strict=True))).rename_axis("tokens back"),
        )
        return
    st.markdown(RULES[kind])


RULES = {
    "learned": "**A learned table** adds a row to each token's vector, so query and key both "
    "carry their own place. The score gets three more terms: word with place, place with word, "
    "place with place. Nothing forces them to depend on the distance alone.",
    "sinusoidal": "**Sinusoids** are added like a learned table. The dot product of two *plain* "
    "rows depends on the distance only, but between them stand a norm and the matrices of queries "
    "and keys, and the words.",
    "shaw": "**Shaw** (2018) has a learned vector *a* for every distance up to 16, and adds "
    "*q·a / √D* to the score: what the query asks of that distance. All distances beyond 16 "
    "share one vector. (A second vector is added to the value.)",
    "rope": "**RoPE** (2021) adds nothing: it turns queries and keys by angles that grow with "
    "their places, and the score then depends on the difference of the angles. The matrix shows "
    "how far that moves each score; a later part shows the turning.",
}


def _bias_finding(kind: str, model: Any, bias: np.ndarray) -> str:
    if kind == "alibi":
        slopes = ", ".join(f"{slope:.3g}" for slope in model.positions.slopes)
        return f"ALiBi: straight lines with the slopes {slopes}. Nothing is learned."
    table = model.positions
    own = table.buckets // 2
    return (
        f"T5, as trained here: {table.buckets} numbers a head. Distances up to {own - 1} have one "
        f"each, longer ones share: the line becomes a staircase. Beyond {CONTEXT - 1} back, "
        "training never came."
    )


@own_part
def show_shift(line: Line) -> None:
    """Move the text, and compare all scores of the first block with those before."""
    start = st.slider("Places to move the text", 0, FAREST, 20, key="start", bind="query-params")
    kind = choose_kind("moved", start="learned")
    changes = score_changes(line.ids, start)
    model, _ = position_model(kind)
    scores = [first_scores(model, line.tensor(), start=at)[0].numpy() for at in (0, start)]
    most = max(float(np.abs(np.tril(matrix)).max()) for matrix in scores)
    for place, at, matrix in zip(st.columns(2, gap="medium"), (0, start), scores, strict=True):
        with place:
            last = at + len(line.ids) - 1
            st.markdown(f"**At places {at} to {last}**")
            matrix_heatmap(
                _masked(matrix),
                key=f"shift_{'after' if matrix is scores[1] else 'before'}",
                alt=f"{name_of(kind)}, head 0: scores at places {at} to {last}.",
                rows=line.labels,
                columns=line.labels,
                row_name="query",
                column_name="key",
                role="attention",
                diverging=True,
                limits=(-most, most),
                masked="comes later",
                say=False,
            )
    st.markdown(shift_finding(kind, changes[kind], start))
    rows = [
        {
            "positions": name_of(each),
            "largest change of a score": written(change),
            "scores": "stay" if change < LEAST else "change",
        }
        for each, change in changes.items()
    ]
    st.html(named_table(rows, "How far scores move when the text moves"))
    show_code(
        key="shift",
        call=f"""import torch
from llm_core.inspection.positions import first_scores
from llm_core.pretrained.position_runs import load_position_model

model, tokenizer = load_position_model({kind!r})
ids = torch.tensor(tokenizer.encode({line.text!r}))
before, after = first_scores(model, ids), first_scores(model, ids, start={start})
print(bool((after - before).abs().max() < {LEAST}))  # {changes[kind] < LEAST}
print(tuple(before.shape))  # {(4, len(line.ids), len(line.ids))}""",
    )


def shift_finding(kind: str, change: float, start: int) -> str:
    """Whether the scores of the chosen kind have moved with the text."""
    name = name_of(kind)
    if not start:
        return "The text stands where it stood. Move it."
    if change < LEAST:
        return f"**{name}**: no score has changed by more than **{written(change)}**: rounding."
    return f"**{name}**: scores have changed, by up to **{change:.3f}**."


@st.cache_data(max_entries=200, show_spinner=False)
def score_changes(ids: tuple[int, ...], start: int) -> dict[str, float]:
    """The largest change of a score of the first block, by kind, when the text moves."""
    found = {}
    with torch.inference_mode():
        for kind in KINDS:
            model, _ = position_model(kind)
            before, after = (first_scores(model, torch.tensor(ids), start=at) for at in (0, start))
            found[kind] = float((after - before).abs().max())
    return found
