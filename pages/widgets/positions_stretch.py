"""What can be done without training: T5's missing numbers, RoPE's base and its divided places."""

from typing import Any

import pandas as pd
import streamlit as st

from llm_core.inspection.positions import share_last_bucket
from llm_core.pretrained.position_runs import (
    CONTEXT,
    LONGEST,
    load_position_model,
    load_position_tokenizer,
    loss_by_place,
    mean_between,
)
from pages.figures.positions import reading_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.positions_experiment import WIDTH, smooth, top_of

TALES = 32  # read live
STRIDE = 128  # tokens between the windows that are read live
BASES = (10_000, 20_000, 50_000, 100_000, 1_000_000)
_READING = f"""tales = find_corpus("tiny_tales").load().split("\\n\\n")[-{TALES}:]
ids = torch.tensor(tokenizer.encode("\\n\\n".join(tales)))
losses = loss_by_place(model, ids, stride={STRIDE})"""


@own_part
def repair_t5() -> None:
    """Give the ranges that training never reached the number of the last one that it did."""
    repaired = st.toggle(
        "Give all farther ranges the number of the last one that was trained",
        key="repair",
        bind="query-params",
    )
    usual, changed = read_t5(False), read_t5(repaired)
    said = "repaired" if repaired else "as trained"
    parts = _compare(usual, changed, key="repair_figure", kind="t5", said=f"T5, {said}")
    repair = "\nmodel = share_last_bucket(model, trained=64)" if repaired else ""
    show_code(
        share_last_bucket,
        key="repair",
        call=f"""import torch
from llm_core.data.corpora import find_corpus
from llm_core.inspection.positions import share_last_bucket
from llm_core.pretrained.position_runs import load_position_model, loss_by_place

model, tokenizer = load_position_model("t5"){repair}
{_READING}
print(f"{{float(losses[:{CONTEXT}].mean()):.3f}}")  # {parts[0]:.3f}
print(f"{{float(losses[-{CONTEXT}:].mean()):.3f}}")  # {parts[1]:.3f}""",
    )


@own_part
def stretch_rope() -> None:
    """Read long tales with the trained RoPE model, with another base or divided places."""
    left, right = st.columns(2, gap="large")
    base = left.select_slider(
        "Base when reading", BASES, 10_000, key="read_base", bind="query-params"
    )
    scaling = right.select_slider(
        "Divide places by", [1, 2, 4], 1, key="read_scaling", bind="query-params"
    )
    usual, changed = read_rope(10_000.0, 1.0), read_rope(float(base), float(scaling))
    said = f"With base {base:,} and places divided by {scaling}"
    parts = _compare(usual, changed, key="stretch_figure", kind="rope", said=said)
    show_code(
        load_position_model,
        key="stretch",
        call=f"""import torch
from llm_core.data.corpora import find_corpus
from llm_core.pretrained.position_runs import load_position_model, loss_by_place

model, tokenizer = load_position_model("rope", rope_base={float(base)}, rope_scaling={
            float(scaling)
        })
{_READING}
print(f"{{float(losses[:{CONTEXT}].mean()):.3f}}")  # {parts[0]:.3f}
print(f"{{float(losses[-{CONTEXT}:].mean()):.3f}}")  # {parts[1]:.3f}""",
    )


def _compare(
    usual: list[float], changed: list[float], *, key: str, kind: str, said: str
) -> tuple[float, float]:
    """Draw both readings; return the mean losses of the changed one at the start and the end."""
    ends = [_ends(losses) for losses in (usual, changed)]
    lines = {kind: smooth(usual), "scaled": smooth(changed)}
    figure = reading_figure(lines, width=WIDTH, trained=CONTEXT, chosen="scaled", top=top_of(lines))
    figure.data[0].name, figure.data[1].name = "as trained", "as you set it"
    show_figure(
        figure,
        key=key,
        alt=f"{said}: {ends[1][0]:.2f} nats in the first {CONTEXT} places, {ends[1][1]:.2f} in "
        f"the last {CONTEXT}. As trained: {ends[0][0]:.2f} and {ends[0][1]:.2f}.",
        table=pd.DataFrame({"as trained": lines[kind], "as you set it": lines["scaled"]}),
    )
    return ends[1]


def _ends(losses: list[float]) -> tuple[float, float]:
    first = mean_between(losses, 0, CONTEXT)
    last = mean_between(losses, LONGEST - CONTEXT, LONGEST)
    assert first is not None
    assert last is not None
    return first, last


@st.cache_data(max_entries=2, show_spinner=False)
def read_t5(repaired: bool) -> list[float]:
    """The loss at each place of long windows, read now by the trained T5 model."""
    model, _ = load_position_model("t5")
    return _read(share_last_bucket(model, trained=CONTEXT) if repaired else model)


@st.cache_data(max_entries=20, show_spinner=False)
def read_rope(base: float, scaling: float) -> list[float]:
    """The loss at each place of long windows, read now by the trained RoPE model."""
    return _read(load_position_model("rope", rope_base=base, rope_scaling=scaling)[0])


def _read(model: Any) -> list[float]:
    losses: list[float] = loss_by_place(model, last_tales(), stride=STRIDE).tolist()
    return losses


@st.cache_resource(show_spinner=False)
def last_tales() -> Any:
    """Ids (N,) of the corpus's last tales, which no model was trained on."""
    import torch

    from llm_core.data.corpora import find_corpus

    tales = find_corpus("tiny_tales").load().split("\n\n")[-TALES:]
    return torch.tensor(load_position_tokenizer().encode("\n\n".join(tales)))
