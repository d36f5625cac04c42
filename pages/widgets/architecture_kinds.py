"""Where norms stand, and the three kinds of machine side by side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
import torch

from llm_core.inspection.counting import count_parameters
from llm_core.inspection.journey import stream_lengths
from llm_core.inspection.kinds import ANSWER, KindTrial, try_kind
from llm_core.layers.blocks import TransformerBlock
from llm_core.layers.masks import causal_mask, place_mask
from llm_core.models.config import TransformerConfig, preset
from llm_core.models.gpt import GPT
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from llm_core.pretrained.registry import load
from pages.figures.architecture import lengths_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.errors import error_boundary
from pages.widgets.figure import show_figure
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.window_tables import named_table

WIDTH, BLOCKS, TOKENS = 128, 12, 64
MOST_WORDS = 8
FAMOUS = (  # preset, what it is called, since when, what it was made for
    ("bert", "BERT base", 2018, "reading: labels, search, answers marked in a text"),
    ("minilm", "all-MiniLM-L6", 2021, "one vector a sentence: search by meaning"),
    ("gpt2", "GPT-2 small", 2019, "writing on"),
    ("gpt3-175b", "GPT-3", 2020, "writing on, whatever the prompt asks for"),
    ("smollm2-135m", "SmolLM2-135M", 2024, "the same, small enough for a phone"),
    ("transformer", "the first transformer", 2017, "translation"),
    ("t5-small", "T5 small", 2019, "any task, written as text to text"),
)
_WORDS = ("kind", "what comes out", "model", "norms", "made for")
RELATIVES = {
    "encoder": "RoBERTa, DeBERTa, ModernBERT",
    "decoder": "Llama, Mistral, Qwen, DeepSeek",
    "encoder-decoder": "BART, Whisper (its encoder hears), Marian",
}


@st.cache_data(show_spinner=False)
def stream_curves() -> list[tuple[str, list[float]]]:
    """Lengths of the stream: of an untrained model with norms before and after, and of ours."""
    ids = torch.randint(0, 1000, (TOKENS,), generator=torch.Generator().manual_seed(1))
    curves = [
        (f"{placement}-norm, untrained", stream_lengths(_untrained(placement), ids))
        for placement in ("pre", "post")
    ]
    model, _ = load("tiny")
    return [*curves, ("our tiny GPT, trained (pre-norm)", stream_lengths(model, ids))]


def _untrained(placement: str) -> GPT:
    config = TransformerConfig(
        vocab_size=1000, context_length=TOKENS, d_model=WIDTH, n_layers=BLOCKS, n_heads=4,
        norm_placement=placement,
    )  # fmt: skip
    return GPT(config, generator=torch.Generator().manual_seed(0)).eval()


def show_norms() -> None:
    """How long the stream's vectors are, block by block."""
    curves = stream_curves()
    (_, pre), (_, post), (_, trained) = curves
    show_figure(
        lengths_figure(curves),
        key="lengths_figure",
        alt=f"Untrained, with pre-norm, vectors grow from {pre[0]:.2g} to {pre[-1]:.2g} over "
        f"{BLOCKS} blocks; with post-norm they have a length of {post[-1]:.2f} after every block. "
        f"In our trained tiny GPT they grow from {trained[0]:.2g} to {trained[-1]:.2g}.",
        table=pd.DataFrame({name: pd.Series(lengths) for name, lengths in curves})
        .rename_axis("blocks passed")
        .map(lambda length: "" if pd.isna(length) else f"{length:.3f}"),
    )
    show_code(
        TransformerBlock._add,
        stream_lengths,
        key="norms",
        call=f"""import torch

from llm_core.inspection.journey import stream_lengths
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT

ids = torch.randint(0, 1000, ({TOKENS},), generator=torch.Generator().manual_seed(1))
for placement in ("pre", "post"):
    config = TransformerConfig(
        vocab_size=1000, context_length={TOKENS}, d_model={WIDTH}, n_layers={BLOCKS}, n_heads=4,
        norm_placement=placement,
    )
    model = GPT(config, generator=torch.Generator().manual_seed(0))
    lengths = stream_lengths(model, ids)
print(round(lengths[-1], 2))  # {round(post[-1], 2)}""",
    )


@st.cache_data(max_entries=40, show_spinner=False)
def trials(length: int) -> dict[str, KindTrial]:
    """`try_kind` of all three."""
    return {kind: try_kind(kind, length) for kind in ("encoder", "decoder", "encoder-decoder")}


@st.fragment
def compare_kinds() -> None:
    """The three kinds on one sentence. A fragment of the page."""
    with error_boundary("The comparison"):
        sentence = st.text_input(
            f"A sentence of up to {MOST_WORDS} words",
            "The owl saw a mouse",
            key="sentence",
            bind="query-params",
            max_chars=100,
        )
        words = sentence.split()
        if not 1 <= len(words) <= MOST_WORDS:
            raise ValueError(f"Here, a sentence has 1 to {MOST_WORDS} words.")
        _show_masks(words)
        _show_outputs(words)
        _show_famous()
        _show_code(words)


def masks(count: int) -> dict[str, np.ndarray]:
    """Who may look at whom, by kind: True = may. The last: an answer at the text, and at itself."""
    places = torch.arange(count)
    answer = torch.cat([torch.ones(ANSWER, count, dtype=torch.bool), causal_mask(ANSWER)], dim=1)
    return {
        "encoder": place_mask(places, places, causal=False).numpy(),
        "decoder": causal_mask(count).numpy(),
        "encoder-decoder": answer.numpy(),
    }


def _show_masks(words: Sequence[str]) -> None:
    answer = [f"answer {n + 1}" for n in range(ANSWER)]
    sides = {
        "encoder": (words, words, "Every word looks at every word."),
        "decoder": (words, words, "Every word looks back, and at itself."),
        "encoder-decoder": (
            answer,
            [*words, *answer],
            "Its encoder is like the first. What it writes looks at the whole text, and back at "
            "itself.",
        ),
    }
    allowed = masks(len(words))
    for column, (kind, (rows, columns, said)) in zip(
        st.columns(3, gap="medium"), sides.items(), strict=True
    ):
        with column:
            st.markdown(f"**{kind.capitalize()}**")
            matrix_heatmap(
                np.where(allowed[kind], 1.0, -np.inf),
                key=f"mask_{kind}",
                alt=f"{said} {int(allowed[kind].sum())} of {allowed[kind].size} looks are allowed.",
                rows=rows,
                columns=columns,
                row_name="looks",
                column_name="at",
                limits=(0, 1),
                numbers=False,
            )


def _show_outputs(words: Sequence[str]) -> None:
    """What comes out of each kind, and what a change of the last word does to it."""
    what = {
        "encoder": "a vector for each word",
        "decoder": "scores for what follows each word",
        "encoder-decoder": "scores for what follows in the answer",
    }
    rows: list[dict[str, object]] = []
    for kind, trial in trials(len(words)).items():
        moved = sum(trial.moved)
        rows.append(
            {
                "kind": kind,
                "what comes out": what[kind],
                "shape, in a small model": " × ".join(map(str, trial.shape)),
                "with another last word, rows that change": f"{moved} of {len(trial.moved)}",
            }
        )
    st.markdown("**What comes out**, tried on small untrained models")
    st.html(named_table(rows, "What comes out of each kind of model", left=_WORDS))


def _show_famous() -> None:
    rows: list[dict[str, object]] = []
    for name, title, year, purpose in FAMOUS:
        config = preset(name, vocab_size=PUBLISHED_VOCAB_SIZES[name])
        rows.append(
            {
                "kind": config.kind,
                "model": title,
                "since": str(year),
                "parameters": count_parameters(config),
                "norms": f"{config.norm_placement}-norm",
                "made for": purpose,
            }
        )
    rows.sort(key=lambda row: (str(row["kind"]) != "encoder", str(row["kind"])))
    st.markdown("**Famous ones**, their parameters counted from their shapes")
    st.html(named_table(rows, "Famous models of each kind", left=_WORDS))
    st.caption(
        "Of the same kinds: " + "; ".join(f"{kind}: {names}" for kind, names in RELATIVES.items())
    )


def _show_code(words: Sequence[str]) -> None:
    count, found = len(words), trials(len(words))
    encoder, decoder = sum(found["encoder"].moved), sum(found["decoder"].moved)
    show_code(
        causal_mask,
        try_kind,
        key="kinds",
        call=f"""from llm_core.inspection.kinds import try_kind
from llm_core.layers.masks import causal_mask

print(int(causal_mask({count}).sum()))  # {int(masks(count)["decoder"].sum())}
moved = [sum(try_kind(kind, {count}).moved) for kind in ("encoder", "decoder")]
print(moved)  # {[encoder, decoder]}""",
    )
