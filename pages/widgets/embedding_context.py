"""Static against contextual: one word in several sentences, layer by layer of a real encoder."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from llm_core.inspection.contextual import WordInContext, word_in_context
from pages.figures.word_geometry import layers_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.model_request import requested_model
from pages.widgets.stepper import stepper

MOST_SENTENCES = 8
OWN = "Your own"


@dataclass(frozen=True)
class Example:
    """A word of two meanings in sentences; same: which have the meaning of the first."""

    word: str
    sentences: tuple[str, ...]
    same: tuple[bool | None, ...]


EXAMPLES = {
    "bank": Example(
        "bank",
        (
            "The bank refused to lend him any money.",
            "She put her savings into the bank.",
            "The children fished from the muddy bank of the stream.",
            "We sat on the bank of the river and watched the boats.",
        ),
        (True, True, False, False),
    ),
    "light": Example(
        "light",
        (
            "This coat is light and easy to pack.",
            "The box was light enough to carry.",
            "She switched on the light in the hall.",
            "A light shone through the window.",
        ),
        (True, True, False, False),
    ),
    "apple": Example(
        "apple",
        (
            "She ate an apple and a pear.",
            "An apple fell from the tree.",
            "Apple presented a new phone.",
            "He works for Apple on its computers.",
        ),
        (True, True, False, False),
    ),
    "mouse": Example(
        "mouse",
        (
            "The mouse nibbled at the cheese.",
            "The cat chased a mouse across the kitchen.",
            "Click the left button of the mouse.",
            "My keyboard works, but the mouse does not move the cursor.",
        ),
        (True, True, False, False),
    ),
}


@own_part
def follow_word() -> None:
    """Ask for a word and sentences; show how like its vectors are after each layer."""
    choice = st.selectbox(
        "A word of two meanings", [*EXAMPLES, OWN], key="meaning", bind="query-params"
    )
    example = EXAMPLES[choice] if choice in EXAMPLES else _own_sentences()
    if choice in EXAMPLES:
        st.markdown("\n".join(f"{n}. {each}" for n, each in enumerate(example.sentences, 1)))
    loaded = requested_model("minilm")
    if loaded is None:
        st.caption(
            f"In a static table “{example.word}” is one row: its vectors in these "
            f"{len(example.sentences)} sentences are equal, with a cosine of 1. The encoder shows "
            "what its layers make of them."
        )
        return
    model, tokenizer = loaded
    found = word_in_context(model, tokenizer, example.sentences, example.word)
    _show(found, example)


def _own_sentences() -> Example:
    word = st.text_input(
        "The word", "spring", key="own_word", persist_state="session", max_chars=30
    )
    text = st.text_area(
        "Sentences with it, one a line",
        "The flowers bloom in spring.\nIn spring the days grow longer.\n"
        "We drank water from a mountain spring.",
        key="own_sentences",
        persist_state="session",
        max_chars=1500,
        height=120,
    )
    sentences = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not 2 <= len(sentences) <= MOST_SENTENCES:
        raise ValueError(f"Write 2 to {MOST_SENTENCES} sentences, each on a line of its own.")
    return Example(word.strip(), sentences, (None,) * len(sentences))


def _show(found: WordInContext, example: Example) -> None:
    cosines = found.similarities().numpy()
    layers = found.layers
    place = stepper(len(layers), key="layer", label="Layer", start=len(layers) - 1)
    others = range(1, len(example.sentences))
    rows = [cosines[:, 0, other].round(4).tolist() for other in others]
    names = [f"sentence {other + 1}" for other in others]
    table: Any = pd.DataFrame(dict(zip(names, rows, strict=True)), index=list(layers))
    show_figure(
        layers_figure(layers, rows, names, example.same[1:], chosen=place),
        key="layers_figure",
        alt=_said(found, example, cosines, place),
        table=table.rename_axis("layer").map(lambda each: f"{each:.3f}"),
    )
    labels = [f"sentence {n}" for n in range(1, len(example.sentences) + 1)]
    matrix_heatmap(
        cosines[place],
        key="context_matrix",
        alt=f"How like the vectors of “{found.word}” are at “{layers[place]}”, for every two of "
        "the sentences.",
        rows=labels,
        columns=[f"{n}" for n in range(1, len(labels) + 1)],
        row_name="sentence",
        column_name="sentence",
        role="attention",
        limits=(0.4, 1),
    )
    other = [round(each, 3) for each in cosines[place, 0].tolist()]
    show_code(
        word_in_context,
        key="context",
        call=f"""from llm_core.inspection.contextual import word_in_context
from llm_core.pretrained.registry import load

sentences = {list(example.sentences)!r}
found = word_in_context(*load("minilm"), sentences, {example.word!r})
print(found.layers[{place}])  # {layers[place]}
print([round(each, 3) for each in found.similarities()[{place}, 0].tolist()])  # {other}""",
    )


def _said(found: WordInContext, example: Example, cosines: Any, place: int) -> str:
    layer, first = found.layers[place], cosines[place, 0]
    if None in example.same:
        lowest = int(first.argmin())
        return (
            f"At “{layer}”, “{found.word}” of sentence 1 is the least like that of sentence "
            f"{lowest + 1}, with a cosine of {first[lowest]:.2f}."
        )
    alike, apart = (
        [float(first[n]) for n in range(1, len(first)) if example.same[n] is meant]
        for meant in (True, False)
    )
    return (
        f"At “{layer}”, “{found.word}” of sentence 1 has a cosine of {sum(alike) / len(alike):.2f} "
        f"with the same meaning elsewhere, and of {sum(apart) / len(apart):.2f} with the other "
        "meaning."
    )
