"""What 'large' means: published models by parameters, tokens and compute, and our tiny GPT."""

from typing import Any

import pandas as pd
import streamlit as st

from llm_core.data.published_models import (
    PublishedModel,
    compute_optimal,
    published_models,
    training_flops,
)
from llm_core.inspection.counting import count_parameters, flops_per_token
from llm_core.models.config import TransformerConfig
from llm_core.pretrained.tiny import snapshot_steps, tiny_config, tokens_read
from pages.figures.model_sizes import Sized, compute_figure, power, short, size_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part

OURS = "Our tiny GPT"
_CHARTS = {"size": "Parameters and tokens", "years": "Compute over the years"}
_YEAR = 2025


def our_model() -> PublishedModel:
    """Our tiny GPT as a row of the table: counted, not quoted."""
    parameters = count_parameters(tiny_config())
    return PublishedModel(
        OURS, _YEAR, parameters, parameters, tokens_read(snapshot_steps()[-1]),
        "this course", "", "Counted from its training: 2,000 steps of 16 windows of 128 tokens.",
    )  # fmt: skip


@own_part
def show_scale() -> None:
    """The chart, and one model of it in numbers."""
    models = [*published_models(), our_model()]
    names = [model.name for model in models]
    left, right = st.columns(2, gap="large")
    chosen = left.selectbox(
        "A model", names, names.index("GPT-3"), key="sized", bind="query-params"
    )
    chart = right.radio(
        "The chart",
        list(_CHARTS),
        format_func=_CHARTS.__getitem__,
        key="chart",
        bind="query-params",
        horizontal=True,
    )
    picked = models[names.index(chosen)]
    sized = [
        Sized(each.name, each.year, each.active_parameters, each.tokens, ours=each.name == OURS)
        for each in models
    ]
    draw = size_figure if chart == "size" else compute_figure
    show_figure(
        draw(sized, chosen=chosen), key="sizes", alt=_said(picked, models), table=_table(models)
    )
    _card(picked)
    _code(picked, models)


def _said(picked: PublishedModel, models: list[PublishedModel]) -> str:
    largest = max(models, key=lambda model: model.flops)
    smallest = min(models, key=lambda model: model.flops)
    return (
        f"{picked.name}: {short(picked.active_parameters)} parameters at work, "
        f"{short(picked.tokens)} training tokens, about {power(picked.flops)} FLOP. The most "
        f"compute went into {largest.name}, {power(largest.flops / smallest.flops)} times as much "
        f"as into {smallest.name[0].lower() + smallest.name[1:]}."
    )


def _table(models: list[PublishedModel]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": [each.name for each in models],
            "year": [str(each.year) for each in models],
            "parameters": [short(each.parameters) for each in models],
            "at work": [short(each.active_parameters) for each in models],
            "training tokens": [short(each.tokens) for each in models],
            "FLOP (6ND)": [power(each.flops) for each in models],
            "tokens a parameter": [f"{each.tokens_a_parameter:,.1f}" for each in models],
            "paper": [each.paper for each in models],
            "address": [each.source for each in models],
            "note": [each.note for each in models],
        }
    )


def _card(picked: PublishedModel) -> None:
    """The chosen model: its numbers, its source, and what its compute might have bought."""
    best, tokens = compute_optimal(picked.flops)
    with st.container(border=True):
        with st.container(horizontal=True):
            st.metric("Parameters", short(picked.parameters), width=150)
            st.metric("Training tokens", short(picked.tokens), width=160)
            st.metric("Tokens a parameter", f"{picked.tokens_a_parameter:,.1f}", width=170)
            st.metric("Compute, 6ND", f"{power(picked.flops)} FLOP", width=240)
        st.markdown(
            f"6 · {short(picked.active_parameters)} · {short(picked.tokens)} = "
            f"**{power(picked.flops)}** operations. By the 20-token rule, the same compute "
            f"would train {short(best)} parameters on {short(tokens)} tokens."
        )
        source = f"[{picked.paper}]({picked.source})" if picked.source else picked.paper
        st.caption(f"Source: {source}. {picked.note}")
        if picked.name == OURS:
            exact = _counted(tiny_config()) * picked.tokens
            st.caption(
                f"The rule of thumb is not far off: counted product by product, attention and "
                f"all, the training took {power(exact)} operations."
            )


def _counted(config: TransformerConfig) -> float:
    return flops_per_token(config, length=config.context_length, training=True)


def _code(picked: PublishedModel, models: list[PublishedModel]) -> None:
    best, tokens = compute_optimal(picked.flops)
    find: Any = (
        "from pages.widgets.llm_scale import our_model\n\nmodel = our_model()"
        if picked.name == OURS
        else "from llm_core.data.published_models import published_models\n\n"
        f"model = next(each for each in published_models() if each.name == {picked.name!r})"
    )
    show_code(
        training_flops,
        compute_optimal,
        key="scale",
        call=f"""from llm_core.data.published_models import compute_optimal
{find}
print(f"{{model.flops:.3g}}", round(model.tokens_a_parameter, 1))  # {picked.flops:.3g} {
            round(picked.tokens_a_parameter, 1)
        }
print([f"{{each:.3g}}" for each in compute_optimal(model.flops)])  # {
            [f"{best:.3g}", f"{tokens:.3g}"]
        }""",
    )
