"""Text written one token at a time, with the loop that writes it in sight."""

import html
from dataclasses import dataclass
from typing import Any

import streamlit as st

from llm_core.generation.settings import SamplingSettings
from pages.figures.distribution import percent
from pages.figures.palette import NEUTRAL, PREDICTION
from pages.widgets.code_viewer import show_code
from pages.widgets.distribution import show_distribution
from pages.widgets.fragments import own_part
from pages.widgets.graphemes import visible_text
from pages.widgets.stepper import stepper

TOKENS = 40
PROMPT = "There once was a"
MOST = 120  # characters of a beginning
_BARS = 8


@dataclass(frozen=True)
class Written:
    """One token that was drawn: its text, what else was likely, and its own probability."""

    text: str
    label: str
    probability: float
    likely: tuple[tuple[str, float], ...]


@own_part
def write_slowly() -> None:
    """A beginning, and the loop that goes on with it, step by step."""
    left, right = st.columns([3, 1], gap="medium")
    prompt = left.text_input(
        "The text begins", PROMPT, key="begin", bind="query-params", max_chars=MOST
    )
    seed = int(right.number_input("Seed of the draws", 0, 999, 1, key="seed", bind="query-params"))
    if not prompt.strip():
        raise ValueError("Write a word to begin with: the model needs at least one token.")
    read, vocabulary, steps = _write(prompt, seed)
    place = stepper(len(steps), key="token", label="Token")
    now = steps[place]
    st.html(loop_html(read + place, vocabulary, now))
    st.html(text_html(prompt, [step.text for step in steps[: place + 1]]))
    labels = [label for label, _ in now.likely]
    shares = [share for _, share in now.likely]
    if now.label not in labels:
        labels, shares = [*labels, now.label], [*shares, now.probability]
    show_distribution(
        labels,
        shares,
        key="loop_bars",
        tail=max(0.0, 1 - sum(shares)),
        tail_label=f"{vocabulary - len(labels):,} others",
        chosen=labels.index(now.label),
    )
    _code(prompt, seed, steps)


def loop_html(read: int, vocabulary: int, now: Written) -> str:
    """The four stages of the loop, with this turn's numbers, in a row that goes round."""
    stages = (
        ("Read", f"all {read:,} tokens so far"),
        ("Score", f"{vocabulary:,} probabilities, one a token"),
        ("Draw", f"“{now.label}” ({percent(now.probability)})"),
        ("Append", f"now {read + 1:,} tokens, and round again"),
    )
    cells = "".join(
        f'<li style="flex:1 1 9rem;border:1px solid {NEUTRAL};border-left:4px solid {PREDICTION};'
        f'border-radius:.4rem;padding:.35rem .6rem"><b>{number}. {name}</b><br>'
        f"{html.escape(said)}</li>"
        for number, (name, said) in enumerate(stages, start=1)
    )
    return (
        '<ol aria-label="The loop" style="display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;'
        f'padding:0;margin:.25rem 0">{cells}</ol>'
    )


def text_html(prompt: str, pieces: list[str]) -> str:
    """The text: what was given in bold, what was written underlined, the newest token marked."""
    older, newest = "".join(pieces[:-1]), pieces[-1]
    mark = f"background:{PREDICTION}33;border-bottom:3px solid {PREDICTION}"
    return (
        '<p role="region" aria-label="The text so far" style="font-size:1.15rem;line-height:1.7;'
        'white-space:pre-wrap;overflow-wrap:anywhere;margin:.25rem 0">'
        f"<b>{html.escape(prompt)}</b><span "
        f'style="border-bottom:1px solid {PREDICTION}">{html.escape(older)}</span>'
        f'<span style="{mark}">{html.escape(newest)}</span></p>'
    )


@st.cache_data(max_entries=60, show_spinner=False)
def _write(prompt: str, seed: int) -> tuple[int, int, list[Written]]:
    """Tokens of the prompt, size of the vocabulary, and the tokens that are written."""
    import torch

    from llm_core.generation.sample import generate
    from llm_core.pretrained.registry import load

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    model, tokenizer = load("tiny")
    ids = tokenizer.encode(prompt)
    drawn = generate(
        model,
        torch.tensor(ids),
        SamplingSettings(max_new_tokens=TOKENS, alternatives=_BARS),
        generator=torch.Generator().manual_seed(seed),
    )
    return len(ids), tokenizer.vocab_size, [_written(step, tokenizer) for step in drawn]


def _written(step: Any, tokenizer: Any) -> Written:
    return Written(
        tokenizer.decode([step.id]),
        visible_text(tokenizer.token_bytes(step.id)),
        step.model_probability,
        tuple(
            (visible_text(tokenizer.token_bytes(each.id)), each.model_probability)
            for each in step.alternatives
        ),
    )


def _code(prompt: str, seed: int, steps: list[Written]) -> None:
    first = "".join(step.text for step in steps[:12])
    show_code(
        key="loop",
        call=f"""import torch

from llm_core.generation.sample import draw, next_logits
from llm_core.pretrained.registry import load

torch.set_num_threads(1)
model, tokenizer = load("tiny")
ids = tokenizer.encode({prompt!r})
start = len(ids)
chance = torch.Generator().manual_seed({seed})
for _ in range(12):
    probabilities = next_logits(model, torch.tensor(ids)).softmax(dim=-1)
    dart = torch.rand((), generator=chance, dtype=torch.float64)
    ids.append(draw(probabilities, float(dart)))
print(repr(tokenizer.decode(ids[start:])))  # {first!r}""",
    )
