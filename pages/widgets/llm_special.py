"""What a small model of one's own can do and cannot: bits a character, on texts near and far."""

import pandas as pd
import streamlit as st

from llm_core.data.passages import Passage, other_passages, tales
from llm_core.generation.measures import bits_a_character
from llm_core.generation.prompted_tasks import read_readings
from pages.figures.foundations import reading_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure


def passages() -> tuple[Passage, ...]:
    """A held-out tale, and three texts from outside."""
    return (tales()[0], *other_passages())


@st.cache_data(show_spinner=False)
def tiny_readings() -> dict[str, float]:
    """Bits a character of our tiny GPT on each passage."""
    import torch

    from llm_core.pretrained.registry import load

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    model, tokenizer = load("tiny")
    return {each.name: bits_a_character(model, tokenizer, each.text) for each in passages()}


def compare_readers() -> None:
    """Our tiny GPT and SmolLM2 read the same texts."""
    tiny, large = tiny_readings(), read_readings()
    titles = [each.title if n else "A held-out tale" for n, each in enumerate(passages())]
    names = [each.name for each in passages()]
    ours, theirs = ([found[name] for name in names] for found in (tiny, large))
    show_figure(
        reading_figure(titles, ours, theirs),
        key="readings",
        alt=f"Of a tale it never saw, our tiny GPT needs {ours[0]:.2f} bits a character, and "
        f"SmolLM2, 238 times as large, {theirs[0]:.2f}. Of {titles[1].lower()} from outside it "
        f"needs {ours[1]:.2f}, and SmolLM2 {theirs[1]:.2f}.",
        table=pd.DataFrame(
            {
                "text": titles,
                "our tiny GPT": [f"{bits:.2f}" for bits in ours],
                "SmolLM2": [f"{bits:.2f}" for bits in theirs],
            }
        ),
    )
    show_code(
        bits_a_character,
        key="special",
        call=f"""from llm_core.data.passages import find_passage
from llm_core.generation.measures import bits_a_character
from llm_core.pretrained.registry import load

model, tokenizer = load("tiny")
tale, speech = (
    bits_a_character(model, tokenizer, find_passage(name).text) for name in ("tale1", "lincoln")
)
print(f"{{tale:.2f}} {{speech:.2f}}")  # {ours[0]:.2f} {ours[names.index("lincoln")]:.2f}""",
    )
