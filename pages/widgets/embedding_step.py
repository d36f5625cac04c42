"""One step of training on one pair: the rows that move, and why an id could not."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.token_gradients import (
    TableStep,
    descend_vector,
    losses_of_ids,
    table_step,
)
from llm_core.pretrained.registry import load
from llm_core.pretrained.tiny import snapshot_steps
from pages.figures.embeddings import descent_figure, rows_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.embedding_lookup import token_labels
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.token_chips import Chip, Highlight, token_chips

MOST_TOKENS = 16
BARS = 9
RATES = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
MODELS = {"at its random start": "tiny@0", "trained": f"tiny@{snapshot_steps()[-1]}"}
DISTANCES = tuple(round(0.05 * n, 2) for n in range(-30, 61))
IDS_AROUND = 20


def _pair(sentence: str) -> tuple[list[int], int]:
    """The ids of a sentence without its last token, and that token's."""
    _, tokenizer = load("tiny")
    ids = tokenizer.encode(f" {sentence.strip()}") if sentence.strip() else []
    if not 2 <= len(ids) <= MOST_TOKENS:
        raise ValueError(
            f"A pair needs 2 to {MOST_TOKENS} tokens: some to read and one to predict. These are "
            f"{len(ids)}."
        )
    return ids[:-1], ids[-1]


def ask_pair() -> str:
    """Ask for the words that both parts on training read."""
    sentence = st.text_input(
        "What to read, and the last word to predict",
        "Emma lost the red kite",
        key="pair",
        bind="query-params",
        max_chars=80,
    )
    _pair(sentence)
    return sentence


@own_part
def move_rows(sentence: str) -> None:
    """Train one pair by one step, and show which rows of the token table move."""
    ids, target = _pair(sentence)
    first, second, third = st.columns([3, 3, 2], gap="medium", vertical_alignment="bottom")
    kind = first.radio("The tiny GPT", [*MODELS], key="start", bind="query-params")
    tables = second.radio(
        "Input and output tables",
        ["two tables", "one table, tied"],
        key="tables",
        bind="query-params",
    )
    rate = third.select_slider("Learning rate", RATES, 0.1, key="rate", bind="query-params")
    tied = tables != "two tables"
    model, _ = load(MODELS[kind])
    step = table_step(model, ids, target, learning_rate=rate, tied=tied)
    lengths = step.gradient.norm(dim=1)
    moved, count = len(step.rows_moved()), len(lengths)
    with st.container(horizontal=True):
        st.metric("Rows that move", f"{moved:,} of {count:,}", width=240)
        st.metric(
            "Probability of the last word",
            f"{step.after:.2%}",
            f"{100 * (step.after - step.before):+.2f} points",
            width=260,
        )
    most = lengths.topk(BARS).indices.tolist() if tied else _with_target(ids, target)
    labels = [token_labels()[index] for index in most]
    values = [float(lengths[index]) for index in most]
    roles = [
        "input" if index in ids else "target" if index == target else "other" for index in most
    ]
    show_figure(
        rows_figure(labels, values, roles),
        key="rows_figure",
        alt=_said(step, labels, values, ids, target),
        table=pd.DataFrame(
            {"length of the gradient": [f"{v:.4g}" for v in values], "role": roles},
            index=pd.Index(labels, name="row"),
        ),
    )
    _step_code(sentence, MODELS[kind], rate, tied, step)


def _step_code(sentence: str, name: str, rate: float, tied: bool, step: TableStep) -> None:
    moved, count = len(step.rows_moved()), len(step.gradient)
    show_code(
        table_step,
        key="step",
        call=f"""from llm_core.inspection.token_gradients import table_step
from llm_core.pretrained.registry import load

model, tokenizer = load({name!r})
*ids, target = tokenizer.encode({f" {sentence.strip()}"!r})
step = table_step(model, ids, target, learning_rate={rate}, tied={tied})
print(len(step.rows_moved()), "of", len(step.gradient))  # {moved} of {count}
print(f"{{step.before:.2%}} {{step.after:.2%}}")  # {step.before:.2%} {step.after:.2%}""",
    )


def _with_target(ids: list[int], target: int) -> list[int]:
    """The rows that were read, and the target's, each once."""
    return list(dict.fromkeys([*ids, target]))


def _said(
    step: TableStep, labels: list[str], values: list[float], ids: list[int], target: int
) -> str:
    strongest, moved = labels[int(np.argmax(values))].strip("·"), len(step.rows_moved())
    if step.output_gradient is None:
        median = float(step.gradient.norm(dim=1).median())
        return (
            f"One table: {moved:,} rows move, for the output compares with every row. "
            f"“{strongest}” is pulled the hardest ({max(values):.3g}), and half of all rows by "
            f"less than {median:.2g}."
        )
    unread = " The word to predict was not read, and its row has a gradient of exactly 0."
    return (
        f"Two tables: of the input table only the {len(set(ids))} rows that were read move, "
        f"“{strongest}” the most.{'' if target in ids else unread}"
    )


@own_part
def compare_descents(sentence: str) -> None:
    """The loss over other ids, and over a way of the vector: only one of them has a slope."""
    ids, target = _pair(sentence)
    model, tokenizer = load("tiny")
    labels = token_labels()
    chosen = token_chips(
        [Chip(tokenizer.token_bytes(index), id=index) for index in [*ids, target]],
        key="changed",
        label="The words; choose the one to change",
        highlights=[Highlight([len(ids)], "target", name="to predict")],
        show_ids=True,
    )
    place = len(ids) - 1 if chosen is None or chosen == len(ids) else chosen
    index = ids[place]
    around = list(
        range(max(0, index - IDS_AROUND), min(index + IDS_AROUND + 1, tokenizer.vocab_size))
    )
    losses = losses_of_ids(model, ids, target, place=place, candidates=around).tolist()
    way = descend_vector(model, ids, target, place=place, distances=DISTANCES)
    vector_losses = way.losses.tolist()
    at = around.index(index)
    beside = at + 1 if at + 1 < len(around) else at - 1
    word, name, other = (labels[each].strip("·") for each in (target, index, around[beside]))
    said = (
        f"The loss of “{word}” is {losses[at]:.2f} with “{name}” (id {index}), and "
        f"{losses[beside]:.2f} with the next number, {around[beside]}, “{other}”. Moved by 0.05, "
        f"the vector changes it to {vector_losses[DISTANCES.index(0.05)]:.2f}: by 0.05 times the "
        f"slope of {way.slope:.2f}."
    )
    show_figure(
        descent_figure(around, losses, DISTANCES, vector_losses, chosen=index, slope=way.slope),
        key="descent_figure",
        alt=said,
        table=pd.DataFrame(
            {"token": [labels[each] for each in around], "loss": [f"{x:.3f}" for x in losses]},
            index=pd.Index(around, name="id"),
        ),
    )
    st.markdown(
        f"Ask torch for the slope of an id, and it declines. Its own words: *{refusal(index)}*"
    )
    _descent_code(sentence, place, losses[at], losses[beside], around[beside], way.slope)


def refusal(index: int) -> str:
    """What torch says when it is asked to track the gradient of an id."""
    import torch

    try:
        torch.tensor(index).requires_grad_()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("torch has learned to differentiate integers")


def _descent_code(
    sentence: str, place: int, here: float, there: float, other: int, slope: float
) -> None:
    call: Any = f"""from llm_core.inspection.token_gradients import descend_vector, losses_of_ids
from llm_core.pretrained.registry import load

model, tokenizer = load("tiny")
*ids, target = tokenizer.encode({f" {sentence.strip()}"!r})
candidates = [ids[{place}], {other}]
losses = losses_of_ids(model, ids, target, place={place}, candidates=candidates)
print([round(loss, 2) for loss in losses.tolist()])  # {[round(here, 2), round(there, 2)]}
way = descend_vector(model, ids, target, place={place}, distances=[0.0])
print(round(way.slope, 3))  # {round(slope, 3)}"""
    show_code(losses_of_ids, descend_vector, key="descent", call=call)
