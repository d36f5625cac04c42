"""Which layers to train, as measured; and LoRA, a change that is kept apart."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from llm_core.data.labelled_texts import find_label_task
from llm_core.finetuning.experiment import measured
from pages.figures.finetuning import Way, ways_figure
from pages.widgets.figure import show_figure
from pages.widgets.finetuning_texts import rows_table

NAMES = {
    "majority": "commonest label",
    "counted words": "counted words",
    "from scratch": "all, from random",
    "head": "head only",
    "last block": "last block",
    "lora": "LoRA",
    "all": "all weights",
}
_BASELINES = {"majority", "counted words"}
PARTS = {
    "query_key_value": "attention: queries, keys, values",
    "output": "attention: output",
    "widen": "feed-forward: widen",
    "narrow": "feed-forward: narrow",
}


def show_layers() -> dict[str, float]:
    """The measured comparison on one task; returns its means by way."""
    found = measured("layers")
    tasks = list(dict.fromkeys(row["task"] for row in found["rows"]))
    task = st.radio(
        "Task",
        tasks,
        format_func=lambda each: find_label_task(each).title,
        key="layers_task",
        bind="query-params",
    )
    rows = {row["way"]: row for row in found["rows"] if row["task"] == task}
    ways = [
        Way(
            name,
            rows[way]["accuracy"],
            rows[way]["lowest"],
            rows[way]["highest"],
            way in _BASELINES,
        )
        for way, name in NAMES.items()
    ]
    best = max(ways, key=lambda way: way.mean)
    words, scratch = rows["counted words"]["accuracy"], rows["from scratch"]["accuracy"]
    alt = (
        f"Best is “{best.name}” with {best.mean:.1%} right; counted words reach {words:.1%}, and "
        f"the same network from random weights {scratch:.1%}."
    )
    table = [
        {
            "way": name,
            "numbers trained": rows[way]["numbers"],
            "right": f"{rows[way]['accuracy']:.1%}",
            "loss on tales": "–" if way in _BASELINES else f"{rows[way]['forgotten']:.2f}",
        }
        for way, name in NAMES.items()
    ]
    show_figure(ways_figure(ways), key="ways", alt=alt, table=pd.DataFrame(table).set_index("way"))
    rows_table(table, "Ways to fine-tune, measured", ("way",))
    seeds = len(found["seeds"])
    st.caption(
        f"Measured by `python benchmarks/finetuning.py layers`: {found['labelled']} texts, "
        f"{found['steps']} steps of 16, the mean of {seeds} seeds; a line reaches from the lowest "
        "to the highest. 300 unseen texts, so differences below 3 % mean little."
    )
    return {way: row["accuracy"] for way, row in rows.items()}


@dataclass(frozen=True)
class LowRank:
    """A matrix of the tiny GPT and its change: sizes, and how far merging moves the outputs."""

    part: str
    rank: int
    out: int
    wide: int
    trained: int
    all_trained: int
    whole: int
    difference: float

    @property
    def matrix(self) -> int:
        """Numbers in the matrix itself."""
        return self.out * self.wide


def show_lora() -> LowRank:
    """Choose a matrix and a rank; see what is trained, and that merging changes nothing."""
    left, right = st.columns(2, gap="large")
    part = left.radio(
        "Matrix", list(PARTS), format_func=lambda each: PARTS[each], key="matrix",
        bind="query-params",
    )  # fmt: skip
    rank = int(right.slider("Rank", 1, 32, 8, key="rank", bind="query-params"))
    found = low_rank(part, rank)
    rows: list[dict[str, object]] = [
        {
            "what": "the matrix, frozen",
            "size": f"{found.out} × {found.wide}",
            "numbers": found.matrix,
        },
        {"what": "down", "size": f"{rank} × {found.wide}", "numbers": rank * found.wide},
        {"what": "up", "size": f"{found.out} × {rank}", "numbers": found.out * rank},
    ]
    rows_table(rows, "A matrix and its change", ("what", "size"))
    st.markdown(
        f"The change has **{found.trained:,}** numbers, {found.trained / found.matrix:.1%} of the "
        f"matrix's {found.matrix:,}. Around all 16 matrices of the four blocks it is "
        f"**{found.all_trained:,}** of the model's {found.whole:,}.\n\n"
        f"With random changes put in, added into the matrices or kept apart, the model's scores "
        f"differ by **{found.difference:.1e}** at most: the rounding of 32-bit numbers."
    )
    return found


@st.cache_data(max_entries=130, show_spinner=False)
def low_rank(part: str, rank: int) -> LowRank:
    """Put LoRA around the tiny GPT, shake it, merge it, and compare."""
    import torch

    from llm_core.finetuning.lora import LoRALinear, add_lora, merge_lora
    from llm_core.pretrained.tiny import load_tiny

    model, tokenizer = load_tiny()
    whole = sum(p.numel() for p in model.parameters())
    generator = torch.Generator().manual_seed(1)
    trained = add_lora(model, rank=rank, alpha=2.0 * rank, generator=generator)
    layer = next(
        each for name, each in model.named_modules()
        if isinstance(each, LoRALinear) and name.endswith(part)
    )  # fmt: skip
    out, wide = layer.base.weight.shape
    ids = torch.tensor([tokenizer.encode("There once was a small fox named Ada.")])
    with torch.no_grad():
        for parameter in trained:
            parameter += 0.01 * torch.randn(parameter.shape, generator=generator)
        apart = model(ids).logits
        merge_lora(model)
        difference = float((model(ids).logits - apart).abs().max())
    numbers = sum(p.numel() for p in trained)
    return LowRank(part, rank, out, wide, rank * (out + wide), numbers, whole, difference)
