"""The machine laid open: a drawing for each kind of model, and what is inside of a part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from llm_core.inspection.anatomy import Part, anatomy
from llm_core.models.config import TransformerConfig, preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from pages.figures.machine import machine_drawing
from pages.widgets.architecture_code import part_code
from pages.widgets.catalog import Lesson, find_lesson
from pages.widgets.code_viewer import show_code
from pages.widgets.errors import error_boundary
from pages.widgets.frame import link_to
from pages.widgets.machine import Word, machine, opened_part
from pages.widgets.prose import section, show_text
from pages.widgets.view import current_view
from pages.widgets.window_tables import named_table

FIRST = "attention"  # what is open at first


@dataclass(frozen=True)
class Kind:
    """A kind of machine, and the model that stands for it."""

    kind: str
    title: str
    preset: str
    texts: Mapping[str, str]  # at the ends of the drawing

    def config(self, placement: str | None = None) -> TransformerConfig:
        """Return the model's shape, with norms where it has them, or elsewhere."""
        vocab_size = PUBLISHED_VOCAB_SIZES[self.preset]
        changes = {"norm_placement": placement} if placement else {}
        return preset(self.preset, vocab_size=vocab_size, **changes)


KINDS = {
    "decoder": Kind(
        "decoder", "Decoder: GPT-2 small", "gpt2", {"in": "a text", "out": "its next token"}
    ),
    "encoder": Kind(
        "encoder", "Encoder: BERT", "bert", {"in": "a text", "out": "a vector for each token"}
    ),
    "both": Kind(
        "encoder-decoder",
        "Encoder-decoder: the first transformer",
        "transformer",
        {"source": "a text", "in": "the answer so far", "out": "its next token"},
    ),
}
_NAMES = {
    "embedding": "Token embedding",
    "positions": "Positions",
    "attention": "Self-attention",
    "cross_attention": "Cross-attention",
    "norm": "Norm",
    "feedforward": "Feed-forward",
    "output": "Output",
}
_LESSONS = {
    "embedding": "embeddings",
    "positions": "positions",
    "attention": "self_attention",
    "cross_attention": "encoder_decoder",
    "output": "sampling",
}
_PLACEMENTS = {"pre": "before each part (pre-norm)", "post": "after each sum (post-norm)"}


@st.fragment
def open_machine(lesson: Lesson) -> None:
    """Let the learner choose a machine, and open its parts. A fragment of the page."""
    with error_boundary("The drawing"):
        kind, placement, length = _choose()
        config = kind.config(placement)
        parts = {part.id: part for part in anatomy(config, length=length)}
        opened = opened_part("part", list(parts), FIRST)
        words = [_word(part, lesson) for part in parts.values()]
        machine(
            _drawing(kind, config, parts[opened]), words, key="part", opened=opened,
            label=f"{kind.title}, from the text down, with norms {_PLACEMENTS[placement]}.",
        )  # fmt: skip
        shown = parts.values() if current_view() == "print" else [parts[opened]]
        for part in shown:
            _show_part(part, lesson, kind, config, list(parts.values()), length)


def _choose() -> tuple[Kind, str, int]:
    name = st.radio(
        "Machine",
        list(KINDS),
        format_func=lambda name: KINDS[name].title,
        key="kind",
        bind="query-params",
        horizontal=True,
    )
    kind = KINDS[name]
    own = kind.config()
    left, right = st.columns(2, gap="large")
    places = list(_PLACEMENTS)
    placement = left.radio(
        "Norms stand",
        places,
        places.index(own.norm_placement),
        format_func=lambda place: (
            _PLACEMENTS[place] + (", as in this model" if place == own.norm_placement else "")
        ),
        key=f"norms_{name}",
        bind="query-params",
    )
    length = right.slider(
        "Tokens T of the text",
        16,
        own.context_length,
        own.context_length,
        16,
        key=f"tokens_{name}",
        bind="query-params",
        help="An encoder-decoder reads a text as long as its answer." if name == "both" else None,
    )
    return kind, placement, int(length)


def _drawing(kind: Kind, config: TransformerConfig, opened: Part) -> dict[str, object]:
    inside = [(step.name, _written(step.shape)) for step in opened.steps]
    labels = _NAMES | dict(kind.texts)
    labels |= {f"{stack}.attention": _title(stack, "attention") for stack in ("encoder", "decoder")}
    if kind.kind == "decoder":
        labels["attention"] = _title("decoder", "attention")
    return machine_drawing(
        kind.kind,
        placement=config.norm_placement,
        n_layers=config.n_layers,
        n_heads=config.n_heads,
        labels=labels,
        rows={opened.id: inside},
        embedding_norm=config.embedding_norm,
    )


def _word(part: Part, lesson: Lesson) -> Word:
    """The part's line in the list: the first paragraph of its prose."""
    sentence = section(lesson, _section_name(part)).text.partition("\n\n")[0]
    stack = f"{part.stack.capitalize()}: " if part.stack else ""
    name = "Add & norm" if part.name == "norm" else _NAMES[part.name]
    name = name.lower() if stack else name
    return Word(part.id, f"{stack}{name}", sentence, short_count(part.parameters))


def _section_name(part: Part) -> str:
    masked = part.name == "attention" and part.stack == "decoder"
    if part.name == "output" and any(step.name == "pooled" for step in part.steps):
        return "part_pooled"
    return "part_causal_attention" if masked else f"part_{part.name}"


def _title(stack: str, name: str) -> str:
    return "Masked self-attention" if stack == "decoder" else _NAMES[name]


def _show_part(
    part: Part,
    lesson: Lesson,
    kind: Kind,
    config: TransformerConfig,
    parts: Sequence[Part],
    length: int,
) -> None:
    """Show what is inside of a part, what it weighs and costs, and its code."""
    prose = section(lesson, _section_name(part))
    with st.container(border=True, key=f"opened_{part.id.replace('.', '_')}"):
        st.subheader(prose.title + (f" of the {part.stack}" if part.stack else ""), anchor=False)
        show_text(prose.text)
        all_parameters = sum(each.all_parameters for each in parts)
        all_flops = sum(each.all_flops for each in parts)
        with st.container(horizontal=True):
            st.metric("Parameters of one", f"{part.parameters:,}", width=200)
            st.metric("Copies", part.copies, width=90)
            share = part.all_parameters / all_parameters
            st.metric("Share of all parameters", f"{share:.1%}", width=210)
            st.metric("Share of the FLOPs", f"{part.all_flops / all_flops:.1%}", width=200)
        if part.steps:
            rows = [
                {"inside": s.name, "axes": " × ".join(s.axes), "here": _written(s.shape)}
                for s in part.steps
            ]
            st.html(named_table(rows, f"Shapes inside of {prose.title}"))
        explained = _LESSONS.get(part.name)
        if explained and current_view() == "learn" and find_lesson(explained).path.exists():
            link_to(find_lesson(explained), f"The lesson on it: {find_lesson(explained).title}")
        functions, call = part_code(part, config, kind.preset, length)
        show_code(*functions, call=call, key=f"part_{part.id}")


def short_count(number: int) -> str:
    """A number of parameters in three digits: 2.36 M."""
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number) if number else ""


def _written(shape: Sequence[int]) -> str:
    return " × ".join(f"{axis:,}" for axis in shape)
