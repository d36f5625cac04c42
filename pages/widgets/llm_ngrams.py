"""From counting to transformers: one corpus under a bigram, a trigram and our tiny GPT."""

import html
import math
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.data.corpora import find_corpus
from llm_core.data.splits import split_by_position
from llm_core.models.ngram import NGramModel, count_ngrams, lower_order
from llm_core.pretrained.tiny import CORPUS, FOLDER, snapshots
from llm_core.tokenizers.bpe import BPETokenizer
from pages.figures.foundations import orders_figure
from pages.figures.palette import KEY, NEUTRAL, PREDICTION
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.window_tables import named_table

MOST_ORDER = 6
TOKENS = 70
PROMPT = "There once was a kind owl named Ella who"
_NAMES = {1: "single tokens", 2: "bigram", 3: "trigram"}


@st.cache_resource(show_spinner="Counting runs of tokens …")
def counted() -> tuple[NGramModel, BPETokenizer, np.ndarray, np.ndarray]:
    """The longest model, the tokenizer, and the ids it was counted on and not counted on."""
    tokenizer = BPETokenizer.load(FOLDER / "tokenizer.json")
    ids = tokenizer.encode_array(find_corpus(CORPUS).load())
    train, held_out = split_by_position(ids)
    return count_ngrams(train, MOST_ORDER, tokenizer.vocab_size), tokenizer, train, held_out


@st.cache_data(show_spinner=False)
def measured() -> pd.DataFrame:
    """One row an order: perplexities, the different runs, and how many held-out ones are new.

    The text that was counted is read as far as the held-out part is long.
    """
    longest, _, train, held_out = counted()
    rows = []
    for order in range(1, MOST_ORDER + 1):
        model = lower_order(longest, order)
        rows.append(
            {
                "n": order,
                "held-out": math.exp(model.loss(held_out)),
                "counted": math.exp(model.loss(train[: len(held_out)])),
                "runs": len(model.runs[-1]),
                "new": model.unseen_share(held_out),
            }
        )
    return pd.DataFrame(rows)


@own_part
def compare_models() -> None:
    """Perplexities of all orders and of the GPT, then texts by three of them."""
    table = measured()
    gpt = math.exp(snapshots()[-1].validation_loss)
    held_out, learnt = table["held-out"].tolist(), table["counted"].tolist()
    best = int(np.argmin(held_out))
    show_figure(
        orders_figure(held_out, learnt, gpt=gpt, gpt_name="our tiny GPT"),
        key="orders",
        alt=f"On held-out text, a bigram model has a perplexity of {held_out[1]:.2f} a token, a "
        f"trigram {held_out[2]:.2f}, and the best counted model, n = {best + 1}, "
        f"{held_out[best]:.2f}. Our tiny GPT has {gpt:.2f}.",
    )
    st.html(
        named_table(
            [
                {
                    "model": _NAMES.get(int(row["n"]), f"runs of {row['n']:.0f}"),
                    "perplexity, held-out": float(row["held-out"]),
                    "perplexity, counted text": float(row["counted"]),
                    "different runs counted": int(row["runs"]),
                    "held-out runs never seen": f"{row['new']:.1%}",
                }
                for row in table.to_dict("records")
            ],
            "Counted models by the length of their runs",
            left=("model",),
        )
    )
    _samples(gpt, held_out)
    show_code(
        count_ngrams,
        NGramModel.token_probabilities,
        key="ngrams",
        call=f"""import math

from llm_core.data.corpora import find_corpus
from llm_core.data.splits import split_by_position
from llm_core.models.ngram import count_ngrams
from llm_core.pretrained.registry import load

_, tokenizer = load("tiny")
train, held_out = split_by_position(tokenizer.encode_array(find_corpus("tiny_tales").load()))
bigram, trigram = (count_ngrams(train, n, tokenizer.vocab_size) for n in (2, 3))
print(f"{{math.exp(bigram.loss(held_out)):.2f}}")  # {held_out[1]:.2f}
print(f"{{math.exp(trigram.loss(held_out)):.2f}}")  # {held_out[2]:.2f}""",
    )


def _samples(gpt: float, held_out: list[float]) -> None:
    """The same beginning, continued by three models."""
    left, right = st.columns([3, 1], gap="medium")
    prompt = left.text_input(
        "All three go on with", PROMPT, key="ngram_begin", bind="query-params", max_chars=120
    )
    seed = int(right.number_input("Seed", 0, 999, 1, key="ngram_seed", bind="query-params"))
    if not prompt.strip():
        raise ValueError("Write a few words that the models can go on with.")
    texts = _written(prompt, seed)
    with st.container(horizontal=True, gap="medium"):
        for name, perplexity, colour, text in zip(
            ("Bigram", "Trigram", "Our tiny GPT"),
            (held_out[1], held_out[2], gpt),
            (NEUTRAL, KEY, PREDICTION),
            texts,
            strict=True,
        ):
            with st.container(border=True, width=285):
                st.html(
                    f'<div style="border-left:4px solid {colour};padding-left:.75rem">'
                    f"<b>{name}</b>, perplexity {perplexity:.2f}"
                    f'<p style="margin:.4rem 0 0;overflow-wrap:anywhere;white-space:pre-wrap">'
                    f"<b>{html.escape(prompt)}</b>{html.escape(text)}</p></div>"
                )


@st.cache_data(max_entries=60, show_spinner=False)
def _written(prompt: str, seed: int) -> list[str]:
    """What bigram, trigram and GPT write, TOKENS tokens each."""
    longest, tokenizer, _, _ = counted()
    ids = np.array(tokenizer.encode(prompt), dtype=np.int64)
    texts = [
        tokenizer.decode(lower_order(longest, order).write(ids, TOKENS, seed=seed))
        for order in (2, 3)
    ]
    return [*texts, _gpt_text(ids, seed)]


def _gpt_text(ids: Any, seed: int) -> str:
    import torch

    from llm_core.generation.sample import SamplingSettings, generate
    from llm_core.pretrained.registry import load

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    model, tokenizer = load("tiny")
    settings = SamplingSettings(max_new_tokens=TOKENS, alternatives=0)
    drawn = generate(
        model, torch.from_numpy(ids), settings, generator=torch.Generator().manual_seed(seed)
    )
    return str(tokenizer.decode([step.id for step in drawn]))
