"""The whole machine: its parts, its sizes, one token's way through it, and its three kinds."""

from typing import Any

import streamlit as st

from llm_core.inspection.anatomy import anatomy
from llm_core.inspection.counting import count_parameters, flops_per_token
from llm_core.inspection.memory import training_bytes
from pages.widgets.architecture_follow import follow_one_token
from pages.widgets.architecture_kinds import BLOCKS, WIDTH, compare_kinds, show_norms, stream_curves
from pages.widgets.architecture_parts import KINDS, open_machine
from pages.widgets.architecture_size import choose_size
from pages.widgets.frame import open_lesson


def norms() -> None:
    """Ask what becomes of the stream; show it."""
    if page.predict("stream_growth", {"width": WIDTH, "blocks": BLOCKS}):
        show_norms()


def follow() -> None:
    """Ask what a model says that has read no further than its table; then follow a token."""
    if page.predict("first_guess", {}):
        follow_one_token()


@st.cache_data(show_spinner=False)
def settings() -> dict[str, Any]:
    """The values that questions ask about: those of GPT-2 small, which anyone can look up above."""
    config = KINDS["Decoder"].config()
    length = config.context_length
    parts = {part.id: part for part in anatomy(config, length=length)}
    c, total = config.d_model, count_parameters(config)
    reading = flops_per_token(config, length=length)
    return {
        "width": c,
        "length": length,
        "total": total,
        "attention": parts["attention"].parameters,
        "attention_weights": 4 * c * c,
        "without_output": 3 * c * c,
        "one_matrix": c * c,
        "feedforward_share": round(100 * parts["feedforward"].all_parameters / total, 1),
        "one_feedforward_share": round(100 * parts["feedforward"].parameters / total, 1),
        "output_parameters": parts["output"].parameters,
        "table": parts["embedding"].parameters,
        "output_share": round(
            100 * parts["output"].all_flops / sum(part.all_flops for part in parts.values())
        ),
        "state_gigabytes": round(16 * total / 1e9, 2),
        "weights_gigabytes": round(4 * total / 1e9, 2),
        "training_gigabytes": round(training_bytes(config, length=length, batch=8) / 1e9, 1),
        "megaflops": round(reading / 1e6),
        "twice": round(2 * total / 1e6),
        "norm_length": round(stream_curves()[1][1][-1], 2),
        "norm_width": WIDTH,
        "norm_half": WIDTH / 2,
    }


page = open_lesson("architecture")
page.show("machine", open_machine, page.lesson)
page.show("norms", norms)
page.show("size", choose_size)
page.show("follow", follow)
page.show("kinds", compare_kinds)
page.close(settings())
