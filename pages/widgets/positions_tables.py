"""Absolute positions: waves, learned tables, how alike their rows are, and where they end."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.positions import place_similarity, row_training
from llm_core.layers.positions import LearnedPositions, SinusoidalPositions
from llm_core.pretrained.registry import load
from llm_core.pretrained.tiny import load_tiny, snapshot_steps
from pages.figures.positions import neighbours_figure, rows_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.view import current_view

WAVE_PLACES = 64
_MINILM = "_minilm_rows"
TALES = 48  # read one by one, to see which rows of a table they train


@own_part
def show_waves() -> None:
    """The sinusoids as a table, and how alike two of its rows are."""
    left, middle, right = st.columns(3, gap="large")
    width = left.select_slider(
        "Numbers a token", [16, 32, 64, 96], 64, key="width", bind="query-params"
    )
    base = middle.select_slider(
        "Base", [10, 100, 1000, 10000, 100000], 10000, key="base", bind="query-params"
    )
    place = right.slider("Look at place", 0, WAVE_PLACES - 1, 20, key="place", bind="query-params")
    table = SinusoidalPositions(d_model=width, base=float(base)).table(WAVE_PLACES)
    alike = place_similarity(table, centred=False)
    _two_matrices(table.numpy(), alike.numpy(), key="waves", title="Sinusoids")
    near, far = float(alike[place, place - 1 if place else 1]), float(alike[place, far_from(place)])
    st.markdown(
        f"Place {place} and its neighbour have a cosine of **{near:.3f}**; place {place} and "
        f"place {far_from(place)}, **{far:.3f}**. Number 0 repeats after "
        f"{2 * np.pi:.1f} places, number {width - 2} only after "
        f"{2 * np.pi * base ** ((width - 2) / width):,.0f}."
    )
    show_code(
        SinusoidalPositions.table,
        place_similarity,
        key="waves",
        call=f"""from llm_core.inspection.positions import place_similarity
from llm_core.layers.positions import SinusoidalPositions

table = SinusoidalPositions(d_model={width}, base={float(base)}).table({WAVE_PLACES})
print(table[{place}, :4].round(decimals=3).tolist())  # {_short(table[place, :4])}
alike = place_similarity(table, centred=False)
print(f"{{float(alike[{place}, {far_from(place)}]):.3f}}")  # {far:.3f}""",
    )


def far_from(place: int) -> int:
    """The place that is as far away from this one as the table allows."""
    return 0 if place >= WAVE_PLACES // 2 else WAVE_PLACES - 1


@own_part
def show_learned() -> None:
    """The tiny GPT's table at any moment of its training, and MiniLM's on request."""
    steps = snapshot_steps()
    step = st.select_slider(
        "The tiny GPT after so many steps",
        steps,
        steps[-1],
        key="step",
        bind="query-params",
    )
    model, _ = load(f"tiny@{step}")
    table = model.positions.weight
    alike = place_similarity(table)
    _two_matrices(table.numpy(), alike.numpy(), key="learned", title=f"After {step} steps")
    near, far = (float(alike.diagonal(away).mean()) for away in (1, 32))
    st.markdown(
        f"Neighbouring places have a cosine of **{near:.3f}** on average, places 32 apart "
        f"**{far:.3f}**. (What all rows share is taken off first.)"
    )
    show_code(
        LearnedPositions,
        key="learned",
        call=f"""from llm_core.inspection.positions import place_similarity
from llm_core.pretrained.tiny import load_tiny

model, tokenizer = load_tiny({step})
table = model.positions.weight.detach()
print(tuple(table.shape), tuple(model.token_embedding.weight.shape))  # {tuple(table.shape)} {
            tuple(model.token_embedding.weight.shape)
        }
alike = place_similarity(table)
print(f"{{float(alike.diagonal(1).mean()):.3f}}")  # {near:.3f}
print(f"{{float(alike.diagonal(32).mean()):.3f}}")  # {far:.3f}""",
    )


def _two_matrices(table: np.ndarray, alike: np.ndarray, *, key: str, title: str) -> None:
    places = [str(place) for place in range(len(table))]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{title}: the table**")
        matrix_heatmap(
            table,
            key=f"{key}_table",
            alt=f"{len(table)} places (down), {table.shape[1]} numbers each (across).",
            rows=places,
            columns=[str(n) for n in range(table.shape[1])],
            row_name="place",
            column_name="number",
            role="train",
            diverging=True,
        )
    with right:
        st.markdown("**How alike two places are**")
        matrix_heatmap(
            alike,
            key=f"{key}_alike",
            alt="The cosine of every two rows: 1 on the diagonal.",
            rows=places,
            columns=places,
            row_name="place",
            column_name="place",
            role="attention",
            diverging=True,
            limits=(-1, 1),
        )


@st.cache_data(show_spinner=False)
def pulls() -> tuple[list[float], list[float]]:
    """`row_training` of the tiny GPT over some tales, once for all visitors."""
    model, tokenizer = load_tiny()
    counts, pull = row_training(model, _tales(tokenizer))
    return counts.tolist(), pull.tolist()


def _tales(tokenizer: Any) -> list[Any]:
    import torch

    from llm_core.data.corpora import find_corpus

    tales = find_corpus("tiny_tales").load().split("\n\n")[-TALES:]
    return [torch.tensor(tokenizer.encode(tale)) for tale in tales]


@own_part
def show_ends() -> None:
    """Beyond the last row, and rows that few texts reach."""
    model = load("tiny")[0]
    rows = len(model.positions.weight)
    length = st.slider("Tokens of the text", 8, 160, 140, key="tokens", bind="query-params")
    _read_so_far(model, length)
    counts, pull = pulls()
    longest = max(place for place, count in enumerate(counts) if count) + 1
    show_figure(
        rows_figure(counts, pull),
        key="rows_figure",
        alt=f"{TALES} tales, each read on its own. All of them reach place "
        f"{int(min(p for p, c in enumerate(counts) if c < TALES)) - 1}, "
        f"{int(counts[110])} reach place 110, and none place {longest}: "
        f"rows {longest} to {rows - 1} get a gradient of exactly 0.",
        table=pd.DataFrame({"texts": counts, "gradient": pull}).rename_axis("place"),
    )
    show_code(
        row_training,
        LearnedPositions.forward,
        key="ends",
        call=f"""import torch
from llm_core.data.corpora import find_corpus
from llm_core.inspection.positions import row_training
from llm_core.pretrained.tiny import load_tiny

model, tokenizer = load_tiny()
tales = find_corpus("tiny_tales").load().split("\\n\\n")[-{TALES}:]
counts, pulls = row_training(model, [torch.tensor(tokenizer.encode(tale)) for tale in tales])
print(int(counts[0]), int(counts[110]), int(counts[{longest}]))  # {TALES} {int(counts[110])} 0
print(float(pulls[{longest}]))  # {pull[longest]}""",
    )
    _real_table()


def _read_so_far(model: Any, length: int) -> None:
    """Let the tiny GPT read that many tokens; show what comes of it."""
    import torch

    ids = torch.arange(length)[None] % model.config.vocab_size
    try:
        with torch.inference_mode():
            shape = tuple(model(ids).logits.shape)
    except ValueError as error:
        st.warning(f"The model answers: *{error}*", icon=":material/block:")
    else:
        st.success(
            f"Read: the model gave {shape[1]} times {shape[2]:,} scores.", icon=":material/check:"
        )


def _real_table() -> None:
    """MiniLM's 512 rows, when the learner asks for them."""
    offer = st.empty()
    wanted = st.session_state.get(_MINILM)
    if not wanted and current_view() != "print":
        with offer.container():
            st.markdown("**A real model's table**: MiniLM, an encoder of 2020, has 512 rows.")
            wanted = st.button("Look at MiniLM's table", key="minilm", icon=":material/download:")
    if not wanted:
        return
    try:
        table = minilm_table(offer)
    except ValueError as error:
        offer.warning(str(error), icon=":material/info:")
        return
    st.session_state[_MINILM] = True
    offer.empty()
    _show_minilm(table)


@st.cache_resource(show_spinner=False)
def minilm_table(_offer: Any) -> np.ndarray:
    """MiniLM's table (512, 384), kept for all visitors; fetched with a bar in `_offer`."""
    bar = _offer.progress(0.0, text="Fetching MiniLM, 90 MB …")
    model, _ = load(
        "minilm", on_progress=lambda p: bar.progress(p.fraction, text=f"Fetching {p.title} …")
    )
    table: np.ndarray = model.positions.weight.numpy().copy()
    return table


def _show_minilm(table: np.ndarray) -> None:
    import torch

    st.markdown("**A real model's table**: the 512 rows of MiniLM, an encoder of 2020.")
    alike = place_similarity(torch.from_numpy(table)).numpy()
    cosines, norms = np.diagonal(alike, 1), np.linalg.norm(table, axis=1)
    odd = np.argsort(cosines[1:-1])[:2] + 1
    shown = range(0, len(table), 4)
    left, right = st.columns(2, gap="medium")
    with left:
        matrix_heatmap(
            alike[::4, ::4],
            key="minilm_alike",
            alt="MiniLM's places, every fourth one: near places are alike, and stripes come back "
            "at fixed distances, as with sinusoids. Nobody asked for waves.",
            rows=[str(place) for place in shown],
            columns=[str(place) for place in shown],
            row_name="place",
            column_name="place",
            role="attention",
            diverging=True,
            limits=(-1, 1),
        )
    with right:
        show_figure(
            neighbours_figure(cosines.tolist(), norms.tolist()),
            key="minilm_figure",
            alt=f"Most rows are like the next one (median {np.median(cosines):.2f}). The breaks "
            f"are at the start, around place {' and '.join(map(str, sorted(odd.tolist())))}, and "
            f"at the very end (place 510: {cosines[-1]:.2f}).",
            table=pd.DataFrame({"cosine with next": [*cosines, np.nan], "length": norms}),
        )
    st.caption(
        "Place 127 and the last places are where cut texts end, with the token that marks the "
        "end. A likely reason for the breaks: the table has learned that this place is special."
    )


def _short(numbers: Any) -> list[float]:
    rounded: list[float] = numbers.round(decimals=3).tolist()
    return rounded
