"""One step: the prompt as the model sees it, and how probable it finds every token after it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.generation.sample import next_logits
from pages.figures.distribution import top_outcomes
from pages.figures.sampling import rank_alt_text, rank_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.distribution import show_distribution
from pages.widgets.figure import show_figure
from pages.widgets.sampling_models import Writer, choose_writer, next_scores
from pages.widgets.sampling_texts import STYLE
from pages.widgets.token_chips import Chip, token_chips

MOST_PROMPT = 300  # characters
PROMPTS = (
    "The owl was afraid of the",
    "Mia had a",
    "There once was a clever owl named Ella who",
    "One grey morning, the owl",
)
BARS = 10


@dataclass(frozen=True)
class Step:
    """A prompt, who reads it, and the probabilities (V,) of what comes next."""

    writer: Writer
    prompt: str
    ids: tuple[int, ...]
    logits: np.ndarray
    probabilities: np.ndarray

    @property
    def code(self) -> str:
        """What makes `model`, `tokenizer` and `ids`, to be pasted."""
        return f"{self.writer.code}\nids = torch.tensor(tokenizer.encode({self.prompt!r}))"

    def best(self, count: int) -> list[int]:
        """The ids of the likeliest tokens, the likeliest first."""
        return top_outcomes(self.probabilities, count)[0]


def choose_step() -> Step:
    """Ask who writes and what the text begins with; show the model's whole answer."""
    st.html(STYLE)
    writer = choose_writer()
    prompt = st.text_input(
        "The text begins",
        PROMPTS[0],
        key="prompt",
        bind="query-params",
        max_chars=MOST_PROMPT,
        help="The tiny GPT knows only the words of its small tales; SmolLM2 knows the web's.",
    )
    with st.container(horizontal=True):
        for place, example in enumerate(PROMPTS):
            st.button(example, key=f"example_{place}", on_click=_take, args=(example,))
    step = read_step(writer, prompt)
    token_chips(
        [Chip(writer.piece(index), id=index) for index in step.ids],
        key="prompt_chips",
        label="The prompt as the model sees it",
        show_ids=True,
        selectable=False,
    )
    _show(step)
    return step


def read_step(writer: Writer, prompt: str) -> Step:
    """Let the model read the prompt; raise ValueError if there is nothing to read."""
    if not prompt.strip():
        raise ValueError("Write how the text begins: a model needs at least one token to go on.")
    return _read(writer, prompt, tuple(writer.tokenizer.encode(prompt)))


def step_after(step: Step, *written: int) -> Step:
    """Let the model read these tokens as well."""
    return _read(step.writer, step.prompt, step.ids + written)


def _read(writer: Writer, prompt: str, ids: tuple[int, ...]) -> Step:
    logits = next_scores(writer, writer.key, ids)
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    return Step(writer, prompt, ids, logits, shifted / shifted.sum())


def entropy_bits(probabilities: np.ndarray) -> float:
    """How undecided the model is, in bits."""
    p = probabilities[probabilities > 0]
    return float(-(p * np.log2(p)).sum()) + 0.0  # not -0


def _take(example: str) -> None:
    st.session_state["prompt"] = example


def _show(step: Step) -> None:
    """The likeliest tokens as bars, all of them as a curve, and both in numbers."""
    left, right = st.columns([3, 2], gap="large")
    writer, p = step.writer, step.probabilities
    best, tail = top_outcomes(p, BARS)
    entropy = entropy_bits(p)
    with left:
        log = st.toggle("Logarithmic scale", key="log", bind="query-params")
        others = writer.vocab_size - len(best)
        show_distribution(
            [writer.label(index) for index in best],
            [float(p[index]) for index in best],
            key="step_bars",
            tail=tail if others else None,
            tail_label=f"{others:,} others",
            log=log,
        )
    with right:
        with st.container(horizontal=True):
            st.metric("Tokens to choose from", f"{writer.vocab_size:,}", width=180)
            st.metric(
                "Entropy",
                f"{entropy:.2f} bits",
                width=140,
                help=f"As undecided as between {2**entropy:.1f} tokens of equal probability.",
            )
        show_figure(
            rank_figure(p, listed=len(best)),
            key="step_ranks",
            alt=rank_alt_text(p),
            table=pd.DataFrame(
                {
                    "token": [writer.label(index) for index in step.best(100)],
                    "probability": [f"{p[index]:.3g}" for index in step.best(100)],
                },
            ).rename_axis("rank"),
        )
    _code(step, entropy)


def _code(step: Step, entropy: float) -> None:
    best = step.best(3)
    names = [step.writer.tokenizer.decode([index]) for index in best]
    shares = [round(float(step.probabilities[index]), 3) for index in best]
    show_code(
        next_logits,
        key="step",
        call=f"""{step.code}

from llm_core.generation.sample import next_logits

probabilities = next_logits(model, ids).double().softmax(dim=-1)
best = probabilities.topk(3)
print([tokenizer.decode([index]) for index in best.indices.tolist()])  # {names}
print([round(p, 3) for p in best.values.tolist()])  # {shares}
print(round(float(-(probabilities * probabilities.log2()).nansum()), 2))  # {round(entropy, 2)}""",
    )
