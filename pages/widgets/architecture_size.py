"""How big a model is and what it costs: famous shapes, and sliders to change them."""

import math
from dataclasses import dataclass, fields, replace

import pandas as pd
import streamlit as st

from llm_core.inspection.anatomy import anatomy
from llm_core.inspection.counting import count_parameters, flops_per_token
from llm_core.inspection.memory import (
    activation_bytes,
    kv_cache_bytes,
    optimizer_bytes,
    parameter_bytes,
    training_bytes,
)
from llm_core.models.config import TransformerConfig, preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from llm_core.pretrained.tiny import tiny_config
from pages.figures.architecture import split_alt_text, split_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.errors import error_boundary
from pages.widgets.figure import show_figure
from pages.widgets.window_tables import named_table

TINY = "tiny"
MODELS = {
    "Our tiny GPT": TINY,
    "GPT-2 small": "gpt2",
    "GPT-2 medium": "gpt2-medium",
    "GPT-2 large": "gpt2-large",
    "GPT-2 XL": "gpt2-xl",
    "SmolLM2-135M": "smollm2-135m",
    "GPT-3 175B": "gpt3-175b",
}
FORMATS = {"float32": 4, "bfloat16": 2, "int8": 1}  # bytes a number
_CARD = 80 * 10**9  # bytes on a graphics card for data centres
_PART_NAMES = {
    "embedding": "Token embedding",
    "positions": "Positions",
    "attention": "Attention",
    "norm": "Norms",
    "feedforward": "Feed-forward",
    "output": "Output",
}
_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


@dataclass(frozen=True)
class Setup:
    """What the panel is set to."""

    name: str
    config: TransformerConfig
    length: int
    batch: int
    number: int

    @property
    def code(self) -> str:
        """Code that makes `config`."""
        base = base_config(self.name)
        if self.name == TINY:
            first = "from llm_core.pretrained.tiny import tiny_config\n\nconfig = tiny_config()"
        else:
            first = (
                "from llm_core.models.config import preset\n\n"
                f"config = preset({self.name!r}, vocab_size={base.vocab_size})"
            )
        changed = [
            f"    {field.name}={getattr(self.config, field.name)!r},"
            for field in fields(base)
            if getattr(self.config, field.name) != getattr(base, field.name)
        ]
        if not changed:
            return first
        lines = ["from dataclasses import replace", "", first, "config = replace(", "    config,"]
        return "\n".join([*lines, *changed, ")"])


def base_config(name: str) -> TransformerConfig:
    """Return a famous shape as it is."""
    if name == TINY:
        return tiny_config()
    return preset(name, vocab_size=PUBLISHED_VOCAB_SIZES[name])


def reshaped(
    base: TransformerConfig, *, n_layers: int, n_heads: int, d_head: int, vocab_size: int
) -> TransformerConfig:
    """Change a shape's numbers and keep its manner.

    The feed-forward network keeps its width in relation to the model's, and as many query heads
    share keys and values, if that many fit; else each has its own.
    """
    d_model, group = n_heads * d_head, base.n_heads // base.n_kv_heads
    return replace(
        base,
        n_layers=n_layers,
        n_heads=n_heads,
        n_kv_heads=n_heads // group if n_heads % group == 0 else n_heads,
        d_model=d_model,
        d_ff=max(1, round(base.d_ff * d_model / base.d_model)),
        vocab_size=vocab_size,
    )


@st.fragment
def choose_size() -> None:
    """The panel. A fragment of the page: a slider counts anew, and nothing else."""
    with error_boundary("The panel"):
        setup = _choose()
        _show_numbers(setup)
        _show_split(setup)
        _show_memory(setup)
        _show_code(setup)


def _choose() -> Setup:
    titles = list(MODELS)
    title = st.selectbox(
        "Begin with", titles, titles.index("GPT-2 small"), key="model", bind="query-params"
    )
    name = MODELS[title]
    base = base_config(name)

    # Each model's sliders have keys of their own: they begin with its numbers.
    def slide(label: str, low: int, high: int, value: int, step: int, key: str) -> int:
        key = f"{key}_{name}"
        return int(st.slider(label, low, high, value, step, key=key, bind="query-params"))

    columns = st.columns(3, gap="medium")
    with columns[0]:
        layers = slide("Layers", 1, 128, base.n_layers, 1, "layers")
        length = slide(
            "Tokens of a text", 16, base.context_length, base.context_length, 16, "length"
        )
    with columns[1]:
        heads = slide("Heads a layer", 1, 128, base.n_heads, 1, "heads")
        batch = slide("Texts at once, in training", 1, 64, 8, 1, "batch")
    with columns[2]:
        d_head = slide("Numbers a head", 8, 256, base.d_head, 8, "d_head")
        vocabulary = st.number_input(
            "Vocabulary", 256, 300_000, base.vocab_size, key=f"vocabulary_{name}",
            bind="query-params",
        )  # fmt: skip
    number = st.radio(
        "A number, in use, takes",
        list(FORMATS),
        1,
        captions=[f"{size} byte{'s' * (size > 1)}" for size in FORMATS.values()],
        key="number",
        bind="query-params",
        horizontal=True,
    )
    config = reshaped(
        base, n_layers=layers, n_heads=heads, d_head=d_head, vocab_size=int(vocabulary)
    )
    return Setup(name, config, length, batch, FORMATS[number])


def _show_numbers(setup: Setup) -> None:
    config = setup.config
    use = flops_per_token(config, length=setup.length)
    learn = flops_per_token(config, length=setup.length, training=True)
    with st.container(horizontal=True, gap="large"):
        st.metric("Parameters", f"{count_parameters(config):,}", width="content")
        st.metric("Width d_model", f"{config.d_model:,}", width="content")
        st.metric("FLOPs to read a token", _flops(use), width="content")
        st.metric("FLOPs to learn from it", _flops(learn), width="content")
    shares = config.n_heads // config.n_kv_heads
    shared = f", {shares} of them sharing keys and values" if shares > 1 else ""
    st.caption(
        f"{config.n_layers} layers of {config.n_heads} heads{shared}; feed-forward width "
        f"{config.d_ff:,}; {config.position} positions, {config.norm}, {config.activation}."
    )


def _show_split(setup: Setup) -> None:
    parts = anatomy(setup.config, length=setup.length)
    parameters = [part.all_parameters for part in parts]
    flops = [part.all_flops for part in parts]
    labels = [_PART_NAMES[part.name] for part in parts]
    show_figure(
        split_figure([part.name for part in parts], labels, parameters, flops),
        key="split_figure",
        alt=split_alt_text(labels, parameters, flops),
        table=pd.DataFrame(
            {
                "parameters": [f"{count:,}" for count in parameters],
                f"FLOPs for {setup.length:,} tokens": [f"{count:,}" for count in flops],
            },
            index=pd.Index(labels, name="part"),
        ),
    )


def memory_rows(setup: Setup) -> list[dict[str, object]]:
    """What has to be kept in memory, to use the model and to train it."""
    config, length = setup.config, setup.length
    weights = parameter_bytes(config)
    in_use = {
        "weights": parameter_bytes(config, number=setup.number),
        "keys and values of one text": kv_cache_bytes(config, length=length, number=setup.number),
    }
    learning = {
        "weights": weights,
        "gradients": weights,
        "AdamW's two averages": optimizer_bytes(config),
        f"activations of {setup.batch} × {length:,} tokens": activation_bytes(
            config, length=length, batch=setup.batch
        ),
    }
    names = list(in_use | learning)
    rows: list[dict[str, object]] = [
        {
            "in memory": name,
            "to use it": shown_bytes(in_use[name]) if name in in_use else "–",
            "to train it": shown_bytes(learning[name]) if name in learning else "–",
        }
        for name in names
    ]
    total = {
        "in memory": "together",
        "to use it": shown_bytes(sum(in_use.values())),
        "to train it": shown_bytes(sum(learning.values())),
    }
    return [*rows, total]


def _show_memory(setup: Setup) -> None:
    st.html(named_table(memory_rows(setup), "Memory to use and to train it", left=("in memory",)))
    use = parameter_bytes(setup.config, number=setup.number) + kv_cache_bytes(
        setup.config, length=setup.length, number=setup.number
    )
    learn = training_bytes(setup.config, length=setup.length, batch=setup.batch)
    cards = [math.ceil(each / _CARD) for each in (use, learn)]
    st.caption(
        "Training counts 4 bytes a number, and keeps all activations. A graphics card for data "
        f"centres has 80 GB: to use this model takes {_cards(cards[0])}, to train it "
        f"{_cards(cards[1])}."
    )


def _show_code(setup: Setup) -> None:
    config, length = setup.config, setup.length
    show_code(
        count_parameters,
        flops_per_token,
        training_bytes,
        key="size",
        call=f"""{setup.code}

from llm_core.inspection.counting import count_parameters, flops_per_token
from llm_core.inspection.memory import training_bytes

print(count_parameters(config))  # {count_parameters(config)}
print(flops_per_token(config, length={length}))  # {flops_per_token(config, length=length)}
print(training_bytes(config, length={length}, batch={setup.batch}))  # {
            training_bytes(config, length=length, batch=setup.batch)
        }""",
    )


def shown_bytes(count: float) -> str:
    """Bytes in three digits: 498 MB."""
    for size, unit in _UNITS:
        if count >= size:
            return f"{_three_digits(count / size)} {unit}"
    return f"{count:.0f} bytes"


def _flops(count: float) -> str:
    for size, unit in ((10**12, "TFLOP"), (10**9, "GFLOP"), (10**6, "MFLOP")):
        if count >= size:
            return f"{_three_digits(count / size)} {unit}"
    return f"{count:,.0f} FLOP"


def _three_digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:#.3g}".rstrip(".")


def _cards(count: int) -> str:
    return "one" if count == 1 else f"{count:,}"
