"""What attention costs: counted, measured on this machine, and saved by a cache."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from llm_core.inspection.attention import AttentionCost, measure_attention
from llm_core.inspection.counting import forward_flops
from llm_core.inspection.memory import kv_cache_bytes
from llm_core.layers.dot_product import fused_attention
from llm_core.models.config import preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from pages.figures.attention import cost_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure

LENGTHS = (64, 128, 256, 512, 1024)


def count_cost() -> None:
    """Every token looks at every other one: count, then measure."""
    length = st.slider("Tokens T", 64, 4096, 1024, 64, key="tokens", bind="query-params")
    heads = 12 * 12
    with st.container(horizontal=True):
        st.metric("Weights in a head", f"{length * length:,}", width="content")
        st.metric("Of them not masked", f"{length * (length + 1) // 2:,}", width="content")
        st.metric(
            "For all heads of GPT-2",
            f"{heads * length * length * 4 / 2**20:,.0f} MiB",
            width="content",
        )
    _measure()
    show_code(
        fused_attention,
        key="cost",
        call=f"""from llm_core.layers.masks import causal_mask

mask = causal_mask({length})
print(mask.numel(), int(mask.sum()))  # {length * length} {length * (length + 1) // 2}""",
    )


def count_cache() -> None:
    """What it saves to keep keys and values."""
    new = st.slider("Tokens to write", 1, 1000, 200, key="new", bind="query-params")
    config = preset("gpt2", vocab_size=PUBLISHED_VOCAB_SIZES["gpt2"])
    again = sum(sum(forward_flops(config, length=t).values()) for t in range(1, new + 1))
    kept = sum(sum(forward_flops(config, length=1, keys=t).values()) for t in range(1, new + 1))
    room = kv_cache_bytes(config, length=new)
    with st.container(horizontal=True):
        st.metric("All again each time", f"{again / 1e9:,.0f} GFLOP", width="content")
        st.metric("With the cache", f"{kept / 1e9:,.1f} GFLOP", width="content")
        st.metric("The cache takes", f"{room / 2**20:,.1f} MiB", width="content")
    st.caption(
        f"GPT-2 small writes {new:,} tokens. The cache saves a factor of {again / kept:.3g}."
    )
    show_code(
        forward_flops,
        kv_cache_bytes,
        key="cache",
        call=f"""from llm_core.inspection.counting import forward_flops
from llm_core.inspection.memory import kv_cache_bytes
from llm_core.models.config import preset

gpt2 = preset("gpt2", vocab_size={config.vocab_size})
lengths = range(1, {new + 1})
print(sum(sum(forward_flops(gpt2, length=t).values()) for t in lengths))  # {again}
print(sum(sum(forward_flops(gpt2, length=1, keys=t).values()) for t in lengths))  # {kept}
print(kv_cache_bytes(gpt2, length={new}))  # {room}""",
    )


def _measure() -> None:
    """Time and memory of attention, measured when the learner asks for it."""
    if st.button("Measure on this machine", key="measure", icon=":material/timer:"):
        with st.spinner("Measuring, up to 1,024 tokens…"):
            measured = list(measure_attention(LENGTHS))
        st.session_state["attention_costs"] = measured
    costs: list[AttentionCost] | None = st.session_state.get("attention_costs")
    if costs:
        _show_costs(costs)


def _show_costs(costs: Sequence[AttentionCost]) -> None:
    numbers: dict[str, tuple[list[float], list[float]]] = {
        "milliseconds": (
            [1000 * cost.explicit_seconds for cost in costs],
            [1000 * cost.fused_seconds for cost in costs],
        ),
        "megabytes": (
            [cost.explicit_bytes / 1e6 for cost in costs],
            [cost.fused_bytes / 1e6 for cost in costs],
        ),
    }
    lengths = [cost.length for cost in costs]
    for place, (unit, (explicit, fused)) in zip(
        st.columns(2, gap="medium"), numbers.items(), strict=True
    ):
        said = (
            f"At {lengths[-1]:,} tokens: {explicit[-1]:.3g} {unit} in the open, "
            f"{fused[-1]:.3g} fused."
        )
        table: Any = pd.DataFrame({"in the open": explicit, "fused": fused}, index=lengths)
        with place:
            show_figure(
                cost_figure(lengths, explicit, fused, unit=unit),
                key=f"cost_{unit}",
                alt=said,
                table=table.rename_axis("tokens").map(lambda n: f"{n:.4g}"),
            )
