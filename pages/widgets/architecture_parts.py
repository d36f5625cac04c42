"""The machine laid open: a drawing for each kind of model, and what is inside of a part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from llm_core.inspection.anatomy import Part, anatomy
from llm_core.models.config import TransformerConfig, preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from pages.figures.distribution import percent
from pages.figures.machine import machine_drawing
from pages.widgets.architecture_code import part_code
from pages.widgets.catalog import Lesson, find_lesson
from pages.widgets.code_viewer import show_code
from pages.widgets.errors import error_boundary
from pages.widgets.frame import link_to
from pages.widgets.machine import Word, machine_picture, machine_words, opened_part
from pages.widgets.prose import section, show_text
from pages.widgets.view import current_view
from pages.widgets.window_tables import named_table

FIRST = "attention"  # what is open at first


@dataclass(frozen=True)
class Kind:
    """A kind of machine, and the model that stands for it."""

    kind: str
    model: str
    preset: str
    texts: Mapping[str, str]  # at the ends of the drawing

    def config(self, placement: str | None = None) -> TransformerConfig:
        """Return the model's shape, with norms where it has them, or elsewhere."""
        vocab_size = PUBLISHED_VOCAB_SIZES[self.preset]
        changes = {"norm_placement": placement} if placement else {}
        return preset(self.preset, vocab_size=vocab_size, **changes)


KINDS = {
    "Decoder": Kind("decoder", "GPT-2 small", "gpt2", {"in": "a text", "out": "its next token"}),
    "Encoder": Kind("encoder", "BERT", "bert", {"in": "a text", "out": "a vector for each token"}),
    "Encoder-decoder": Kind(
        "encoder-decoder",
        "the first transformer",
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
_PLACEMENTS = {"pre": "before each part", "post": "after each sum"}


@st.fragment
def open_machine(lesson: Lesson) -> None:
    """Let the learner choose a machine, and open its parts. A fragment of the page."""
    with error_boundary("The drawing"):
        kind, placement, length = _choose()
        config = kind.config(placement)
        parts = {part.id: part for part in anatomy(config, length=length)}
        opened = opened_part("part", list(parts), FIRST)
        words = [_word(part, kind, lesson) for part in parts.values()]
        drawing = _drawing(kind, config, parts[opened])
        left, right = st.columns([11, 13] if kind.kind != "encoder-decoder" else [14, 11])
        with left:
            norms = _PLACEMENTS[placement]
            said = f"The {kind.kind} {kind.model}, from the text down, with norms {norms}."
            machine_picture(drawing, words, key="part", label=said, opened=opened)
        with right:
            machine_words(words, key="part", opened=opened)
            if current_view() != "print":
                _show_part(parts[opened], lesson, kind, config, list(parts.values()), length)
        if current_view() == "print":
            for part in parts.values():
                _show_part(part, lesson, kind, config, list(parts.values()), length)


def _choose() -> tuple[Kind, str, int]:
    first, left, right = st.columns([6, 6, 4], gap="medium")
    name = first.radio(
        "Machine",
        list(KINDS),
        captions=[kind.model for kind in KINDS.values()],
        key="kind",
        bind="query-params",
        horizontal=True,
    )
    kind = KINDS[name]
    own = kind.config()
    places = list(_PLACEMENTS)
    placement = left.radio(
        "Norms (pre or post)",
        places,
        places.index(own.norm_placement),
        captions=[
            said + (", as in this model" if place == own.norm_placement else "")
            for place, said in _PLACEMENTS.items()
        ],
        key=f"norms_{kind.preset}",
        bind="query-params",
        horizontal=True,
    )
    length = right.slider(
        "Tokens T of the text",
        16,
        own.context_length,
        own.context_length,
        16,
        key=f"tokens_{kind.preset}",
        bind="query-params",
        help="An encoder-decoder reads a text as long as its answer."
        if len(kind.texts) == 3
        else None,
    )
    return kind, placement, int(length)


def _drawing(kind: Kind, config: TransformerConfig, opened: Part) -> dict[str, object]:
    inside = [(step.name, _written(step.shape)) for step in opened.steps]
    labels = _NAMES | dict(kind.texts)
    masked = "attention" if kind.kind == "decoder" else "decoder.attention"
    labels[masked] = "Masked self-attention"
    return machine_drawing(
        kind.kind,
        placement=config.norm_placement,
        n_layers=config.n_layers,
        n_heads=config.n_heads,
        labels=labels,
        rows={opened.id: inside},
        embedding_norm=config.embedding_norm,
    )


def _word(part: Part, kind: Kind, lesson: Lesson) -> Word:
    """The part's line in the list: the first paragraph of its prose."""
    prose = section(lesson, _section_name(part, kind))
    sentence, title = prose.text.partition("\n\n")[0], prose.title
    if part.stack:
        title = f"{part.stack.capitalize()}: {title[:1].lower()}{title[1:]}"
    return Word(part.id, title, sentence, short_count(part.parameters))


def _section_name(part: Part, kind: Kind) -> str:
    """Name of the prose on a part: two parts are told apart by what they may see, or give."""
    if part.name == "output" and kind.kind == "encoder":
        return "part_pooled"
    masked = kind.kind == "decoder" or part.stack == "decoder"
    causal = part.name == "attention" and masked
    return "part_causal_attention" if causal else f"part_{part.name}"


def _show_part(
    part: Part,
    lesson: Lesson,
    kind: Kind,
    config: TransformerConfig,
    parts: Sequence[Part],
    length: int,
) -> None:
    """Show what is inside of a part, what it weighs and costs, and its code."""
    prose = section(lesson, _section_name(part, kind))
    with st.container(border=True, key=f"opened_{part.id.replace('.', '_')}"):
        st.subheader(prose.title + (f" of the {part.stack}" if part.stack else ""), anchor=False)
        show_text(prose.text)
        all_parameters = sum(each.all_parameters for each in parts)
        all_flops = sum(each.all_flops for each in parts)
        with st.container(horizontal=True, gap="large"):
            st.metric("Parameters of one", f"{part.parameters:,}", width="content")
            st.metric("Copies", part.copies, width="content")
            share = percent(part.all_parameters / all_parameters)
            st.metric("Share of all parameters", share, width="content")
            st.metric("Share of the FLOPs", percent(part.all_flops / all_flops), width="content")
        if part.steps:
            rows = [
                {"inside": s.name, "axes": " × ".join(s.axes), "here": _written(s.shape)}
                for s in part.steps
            ]
            st.html(named_table(rows, f"Shapes inside of {prose.title}", left=("inside",)))
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
    return str(number)


def _written(shape: Sequence[int]) -> str:
    return " × ".join(f"{axis:,}" for axis in shape)
