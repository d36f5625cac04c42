"""Beam search as the tree that it explored, and why its likeliest text is dull."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
import torch

from llm_core.generation.beam import BeamNode, beam_search
from llm_core.generation.measures import surprises
from llm_core.generation.sample import generate
from llm_core.generation.settings import SamplingSettings
from pages.figures.decoding_tree import TreeNode, tree_figure
from pages.figures.sampling import surprise_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.sampling_models import Writer
from pages.widgets.sampling_step import Step
from pages.widgets.window_tables import named_table

LENGTH = 40  # tokens of the texts whose surprise is compared
WIDE = 4  # the beam that writes one of them
_NAMES = {"path": "the best text", "kept": "in the beam", "dropped": "given up"}
Levels = tuple[tuple[BeamNode, ...], ...]


@dataclass(frozen=True)
class Text:
    """A text, and how surprised the model is by each of its new tokens, in bits."""

    name: str
    text: str
    bits: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Bits a token."""
        return sum(self.bits) / len(self.bits)


@st.cache_data(max_entries=60, show_spinner=False)
def explored(_writer: Writer, key: str, ids: tuple[int, ...], width: int, depth: int) -> Levels:
    """The tree after `ids`, level by level; `key` is the writer's."""
    found = beam_search(_writer.model, torch.tensor(ids), width=width, max_new_tokens=depth)
    return tuple(found)


@own_part
def show_beam(step: Step) -> None:
    """The tree, and what the best of it is worth beside greedy decoding."""
    left, right = st.columns(2, gap="large")
    width = left.slider("Width of the beam", 1, 5, 3, key="width", bind="query-params")
    depth = right.slider("Tokens to write", 2, 6, 5, key="depth", bind="query-params")
    levels = explored(step.writer, step.writer.key, step.ids, width, depth)
    greedy = explored(step.writer, step.writer.key, step.ids, 1, depth)[-1][0]
    best = levels[-1][0]
    nodes = beam_tree(step.writer, levels, step.ids[-1])
    count = sum(len(level) for level in levels)
    said = f"“{step.writer.tokenizer.decode(list(best.ids)).strip()}”"
    show_figure(
        tree_figure(nodes, names=_NAMES, row_height=28),  # type: ignore[arg-type]
        key="beam_tree",
        alt=f"Of {count} texts that were looked at, {said} is the best: its log-probability is "
        f"{best.total:.3f}. Greedy decoding ends at {greedy.total:.3f}.",
        table=pd.DataFrame(
            {
                "text": [step.writer.tokenizer.decode(list(n.ids)) for n in levels[-1]],
                "log-probability": [f"{n.total:.3f}" for n in levels[-1]],
                "kept": ["yes" if n.kept else "no" for n in levels[-1]],
            }
        ),
    )
    _compare(step, best, greedy, width)
    show_code(
        beam_search,
        key="beam",
        call=f"""{step.code}

from llm_core.generation.beam import beam_search

levels = list(beam_search(model, ids, width={width}, max_new_tokens={depth}))
best = levels[-1][0]
print(repr(tokenizer.decode(list(best.ids))))  # {step.writer.tokenizer.decode(list(best.ids))!r}
print(round(best.total, 3))  # {round(best.total, 3)}
greedy = list(beam_search(model, ids, width=1, max_new_tokens={depth}))[-1][0]
print(round(greedy.total, 3))  # {round(greedy.total, 3)}""",
    )


def beam_tree(writer: Writer, levels: Levels, before: int) -> list[TreeNode]:
    """The tree as it is drawn: in each level the best stands on top; `before` is the last token."""
    best = levels[-1][0]
    path: set[int] = set()
    by_number = {node.number: node for level in levels for node in level}
    number: int | None = best.number
    while number is not None:
        path.add(number)
        number = by_number[number].parent
    nodes = [TreeNode(-1, None, 0, 0, writer.label(before), "the end of the prompt", "path")]
    for level, found in enumerate(levels, start=1):
        new = [node for node in found if len(node.ids) == level]
        for row, node in enumerate(new):
            nodes.append(
                TreeNode(
                    node.number,
                    -1 if node.parent is None else node.parent,
                    level,
                    row,
                    writer.label(node.ids[-1]),
                    f"{math.exp(node.log_probability):.1%} here, "
                    f"log-probability so far {node.total:.2f}",
                    "path" if node.number in path else "kept" if node.kept else "dropped",
                )
            )
    return nodes


def _compare(step: Step, best: BeamNode, greedy: BeamNode, width: int) -> None:
    """Beam, greedy, and their numbers."""
    decode = step.writer.tokenizer.decode
    rows = [
        {
            "": name,
            "text": decode(list(node.ids)).replace("\n", "↵"),
            "log-probability": f"{node.total:.3f}",
            "probability": f"{math.exp(node.total):.2%}",
        }
        for name, node in ((f"beam of {width}", best), ("greedy", greedy))
    ]
    st.html(named_table(rows, "What beam search and greedy decoding wrote"))


@st.cache_data(max_entries=20, show_spinner="Writing …")
def compared_texts(
    _writer: Writer, key: str, ids: tuple[int, ...], real: str, seed: int
) -> list[Text]:
    """Beam, greedy, drawn, and one by somebody else: what the model finds surprising in each."""
    model, tokenizer = _writer.model, _writer.tokenizer
    length = min(LENGTH, model.config.context_length - len(ids))
    if length < 2:
        raise ValueError("The prompt is too long to compare continuations: shorten it.")
    start = torch.tensor(ids)
    beam = list(beam_search(model, start, width=WIDE, max_new_tokens=length))[-1][0].ids
    texts = [("beam search", beam)]
    for name, temperature in (("greedy", 0.0), ("drawn", 1.0)):
        settings = SamplingSettings(max_new_tokens=length, temperature=temperature, alternatives=0)
        generator = torch.Generator().manual_seed(seed)
        steps = generate(model, start, settings, generator=generator)
        texts.append((name, tuple(step.id for step in steps)))
    found = [
        Text(name, tokenizer.decode(list(text)), _bits(model, ids + text, len(text)))
        for name, text in texts
    ]
    others = tuple(tokenizer.encode(real))[: length + 1]
    found.append(
        Text("by somebody else", tokenizer.decode(list(others)), _bits(model, others, length))
    )
    return found


def _bits(model: Any, ids: tuple[int, ...], count: int) -> tuple[float, ...]:
    """The surprise at each of the last `count` tokens; the first of all has none."""
    return tuple(surprises(model, torch.tensor(ids))[-count:])


@own_part
def show_dullness(step: Step) -> None:
    """How surprising each token is of a likely text, and of a real one."""
    writer = step.writer
    seed = st.number_input(
        "Seed of the drawn text", 0, 9999, 3, key="drawn", bind="query-params", width=200
    )
    if not writer.instant and not st.toggle(
        "Let SmolLM2 write the texts that are compared: it takes a while", key="compare_large"
    ):
        return
    texts = compared_texts(writer, writer.key, step.ids, writer.real_text, int(seed))
    means = "; ".join(
        f"{text.name} {text.mean:.2f}, and {max(text.bits):.1f} at most" for text in texts
    )
    show_figure(
        surprise_figure({text.name: text.bits for text in texts}),
        key="surprise_figure",
        alt=f"Bits a token on average: {means}.",
        table=pd.DataFrame(
            {text.name: pd.Series([f"{b:.2f}" for b in text.bits]) for text in texts}
        ).fillna(""),
    )
    for column, text in zip(st.columns(len(texts), gap="medium"), texts, strict=True):
        with column:
            st.markdown(f"**{text.name.capitalize()}**")
            st.text(text.text.strip())
    _dull_code(step, texts[0])


def _dull_code(step: Step, by_beam: Text) -> None:
    length = len(by_beam.bits)
    show_code(
        surprises,
        key="dull",
        call=f"""{step.code}

from llm_core.generation.beam import beam_search
from llm_core.generation.measures import surprises

best = list(beam_search(model, ids, width={WIDE}, max_new_tokens={length}))[-1][0]
bits = surprises(model, torch.tensor([*ids.tolist(), *best.ids]))[-{length}:]
print(round(sum(bits) / len(bits), 2))  # {round(by_beam.mean, 2)}""",
    )
