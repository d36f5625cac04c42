"""Turn token ids into vectors: a lookup, trained rows, meaning as geometry, words in context."""

from typing import Any

import streamlit as st

from llm_core.inspection.counting import parameters_by_part
from llm_core.layers.embeddings import TokenEmbedding
from llm_core.pretrained.registry import load
from pages.widgets.code_viewer import show_code
from pages.widgets.embedding_analogies import show_leanings, try_analogies
from pages.widgets.embedding_context import follow_word
from pages.widgets.embedding_dimensions import drop_dimensions
from pages.widgets.embedding_lookup import (
    Phrase,
    Size,
    choose_phrase,
    choose_size,
    show_lookup,
)
from pages.widgets.embedding_map import START, neighbour_group, snapshots, watch_training
from pages.widgets.embedding_step import ask_pair, compare_descents, move_rows
from pages.widgets.embedding_words import Source, choose_source, explore_words
from pages.widgets.frame import open_lesson


def number_tokens() -> Phrase:
    """Ids of a few words, and what stands beside them in the list."""
    phrase = choose_phrase()
    st.caption(
        "Bytes come first, then pieces and words in the order in which they were merged: whatever "
        "was frequent enough at that moment."
    )
    show_code(
        key="ids",
        call=f"""{phrase.code}
print(ids)  # {list(phrase.ids)}
print(repr(tokenizer.decode([{phrase.id}])))  # {load("tiny")[1].decode([phrase.id])!r}""",
    )
    return phrase


def look_up(phrase: Phrase) -> None:
    """A one-hot vector times the table, and the row that it picks."""
    difference = show_lookup(phrase)
    first = load("tiny")[0].token_embedding.weight[phrase.id, 0].item()
    show_code(
        TokenEmbedding,
        key="lookup",
        call=f"""import torch
{phrase.code}
table = model.token_embedding.weight
one_hot = torch.nn.functional.one_hot(torch.tensor(ids), num_classes=len(table)).float()
product, rows = one_hot @ table, model.token_embedding(torch.tensor(ids))
print(tuple(one_hot.shape), tuple(table.shape), tuple(rows.shape))  # {(len(phrase.ids), 1166)} {
            (1166, 96)
        } {(len(phrase.ids), 96)}
print(float((product - rows).abs().max()))  # {difference}
print(round(float(rows[{phrase.place}, 0]), 2))  # {round(first, 2)}""",
    )


def weigh_table() -> Size:
    """The table's shape and its share of a model."""
    size = choose_size()
    show_code(
        parameters_by_part,
        key="size",
        call=f"""from llm_core.inspection.counting import parameters_by_part
from llm_core.models.config import TransformerConfig

config = TransformerConfig(
    vocab_size={size.vocab_size},
    context_length=1024,
    d_model={size.d_model},
    n_layers={size.n_layers},
    n_heads={size.d_model // 32},
)
parts = parameters_by_part(config)
print(parts["embeddings"], sum(parts.values()))  # {size.table} {size.table + size.rest}""",
    )
    return size


def learn_vectors() -> None:
    """The table at the snapshots of the tiny GPT's training."""
    data = snapshots()
    word, group = neighbour_group(data, START, len(data.steps) - 1)
    if page.predict("near_owl", {"nearest": word, "group": group}):
        watch_training()


def train_pair() -> str | None:
    """Which rows one step of training moves."""
    sentence = ask_pair()
    if page.predict("which_rows", {}):
        move_rows(sentence)
    return sentence


def move_in_context() -> None:
    """One word in several sentences, layer by layer."""
    if page.predict("bank_apart", {}):
        follow_word()


def settings(phrase: Phrase, size: Size) -> dict[str, Any]:
    """The values on screen that questions ask about."""
    rows, width = load("tiny")[0].token_embedding.weight.shape
    total = size.table + size.rest
    return {
        "tokens": len(phrase.ids),
        "rows": rows,
        "width": width,
        "looked_up": len(phrase.ids) * width,
        "one_hot_numbers": len(phrase.ids) * rows,
        "vocab_size": size.vocab_size,
        "d_model": size.d_model,
        "layers": size.n_layers,
        "table": size.table,
        "both_sides": size.vocab_size + size.d_model,
        "total": total,
        "share": round(100 * size.table / total, 1),
        "against_rest": round(100 * size.table / size.rest, 1),
    }


page = open_lesson("embeddings")
phrase = page.show("ids", number_tokens)
page.show("lookup", look_up, phrase)
size = page.show("size", weigh_table)
page.show("trained", learn_vectors)
sentence = page.show("step", train_pair)
page.show("discrete", compare_descents, sentence)
source: Source | None = page.show("meaning", choose_source)
page.show("words", explore_words, source)
page.show("analogies", try_analogies, source)
page.show("leaning", show_leanings, source)
page.show("dimension", drop_dimensions, source)
page.show("context", move_in_context)
page.close(settings(phrase, size) if phrase and size else None)
