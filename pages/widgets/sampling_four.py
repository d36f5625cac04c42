"""The same prompt under four settings, streaming at once, and what became of it in numbers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
import torch

from llm_core.generation.measures import distinct_share, mean_log_probability, repeated_share
from llm_core.generation.sample import TokenStep, generate_batch
from llm_core.generation.settings import SamplingSettings
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_finding
from pages.widgets.fragments import own_part
from pages.widgets.sampling_models import HALF_TRAINED, TINY, Writer, tiny_writer
from pages.widgets.sampling_step import Step, read_step
from pages.widgets.sampling_texts import legend_html, steps_html
from pages.widgets.window_tables import named_table

DEFAULTS = ((0.0, 1.0), (0.7, 0.9), (1.0, 1.0), (2.0, 1.0))  # temperature, top-p
NAMES = ("A", "B", "C", "D")
RUN = 4  # neighbours whose repetition counts
TICK = 0.12  # seconds between two pictures of a stream
_LAST, _SEED = "_four", "_four_seed"
Rows = tuple[tuple[TokenStep, ...], ...]


@dataclass(frozen=True)
class Task:
    """What four texts follow from: the same task gives the same texts."""

    key: str
    ids: tuple[int, ...]
    settings: tuple[SamplingSettings, ...]
    seed: int

    def generators(self) -> list[torch.Generator]:
        """One for each text."""
        return [torch.Generator().manual_seed(self.seed + n) for n in range(len(self.settings))]


@own_part
def show_four(step: Step) -> None:
    """Four settings, four texts, four rows of numbers."""
    step = _who_writes(step)
    task, texts, place = _choose(step)
    if st.session_state.pop("_four_pressed", False):
        rows = _stream(step, task, texts)
        st.session_state[_LAST] = (task, rows)
    rows = _rows(step.writer, task)
    if rows is None:
        place.caption("Press to let SmolLM2 write with these settings; it takes a while.")
        return
    _show(step, texts, rows)
    _measure(step, task, rows)


def measures(row: Sequence[TokenStep]) -> dict[str, float]:
    """What a text is like: how much it repeats itself, how varied and how likely it is."""
    ids = [step.id for step in row]
    return {
        "repeated": repeated_share(ids, RUN),
        "distinct": distinct_share(ids, 2),
        "log_probability": mean_log_probability([step.model_probability for step in row]),
    }


@st.cache_data(max_entries=30, show_spinner=False)
def written(_writer: Writer, task: Task) -> Rows:
    """The four texts, for all visitors who ask for the same."""
    return _gathered(_steps(_writer, task))


def _steps(writer: Writer, task: Task) -> Any:
    prompts = [torch.tensor(task.ids)] * len(task.settings)
    return generate_batch(writer.model, prompts, task.settings, generators=task.generators())


def _gathered(steps: Any) -> Rows:
    rows: list[list[TokenStep]] = [[] for _ in NAMES]
    for each in steps:
        for row, step in zip(rows, each, strict=True):
            if step is not None:
                row.append(step)
    return tuple(map(tuple, rows))


def _who_writes(step: Step) -> Step:
    """A tiny GPT that is less sure shows both ends best; offer the one halfway in its training."""
    if step.writer.key != TINY:
        return step
    half = st.toggle(
        "Let the tiny GPT write as it was halfway through its training (1,000 steps)",
        value=True,
        key="half",
        bind="query-params",
    )
    return read_step(tiny_writer(HALF_TRAINED), step.prompt) if half else step


def _choose(step: Step) -> tuple[Task, list[Any], Any]:
    """Ask for four settings; return the task, places for its texts, and one beside the button."""
    settings, texts = [], []
    instant = step.writer.instant
    first, second = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    tokens = first.slider(
        "Tokens to write",
        20,
        240 if instant else 120,
        200 if instant else 60,
        20,
        key="four_tokens" if instant else "four_tokens_large",
        bind="query-params",
    )
    with second.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Let all four write",
            key="write_four",
            type="primary",
            icon=":material/edit:",
            on_click=_press,
        )
        place = st.empty()
    st.html(legend_html())
    for name, column, (warm, share) in zip(
        NAMES, st.columns(4, gap="small"), DEFAULTS, strict=True
    ):
        with column:
            temperature = st.slider(
                f"{name}: temperature", 0.0, 2.0, warm, 0.1, key=f"t{name}", bind="query-params"
            )
            top_p = st.slider(
                f"{name}: top-p", 0.05, 1.0, share, 0.05, key=f"p{name}", bind="query-params"
            )
            texts.append(st.empty())
        settings.append(
            SamplingSettings(
                max_new_tokens=tokens, temperature=temperature, top_p=top_p, alternatives=0
            )
        )
    seed = 1 + st.session_state.get(_SEED, 0)
    return Task(step.writer.key, step.ids, tuple(settings), 10 * seed), texts, place


def _press() -> None:
    """The second press and all later ones draw anew; the first writes what stands there."""
    if "_four_pressed_once" in st.session_state:
        st.session_state[_SEED] = st.session_state.get(_SEED, 0) + 1
    st.session_state["_four_pressed_once"] = st.session_state["_four_pressed"] = True


def _stream(step: Step, task: Task, places: Sequence[Any]) -> Rows:
    """Write all four at once, and show them as they grow. Whoever moves on stops it."""
    rows: list[list[TokenStep]] = [[] for _ in NAMES]
    shown = 0.0
    for steps in _steps(step.writer, task):
        for row, each in zip(rows, steps, strict=True):
            if each is not None:
                row.append(each)
        if time.monotonic() - shown > TICK:
            _show(step, places, rows)
            shown = time.monotonic()
    return tuple(map(tuple, rows))


def _show(step: Step, places: Sequence[Any], rows: Sequence[Sequence[TokenStep]]) -> None:
    for place, name, row in zip(places, NAMES, rows, strict=True):
        place.html(steps_html(step.writer, step.prompt, row, f"Text {name}"))


def _rows(writer: Writer, task: Task) -> Rows | None:
    """The texts, if they are there or quickly made."""
    last = st.session_state.get(_LAST)
    if last and last[0] == task:
        found: Rows = last[1]
        return found
    return written(writer, task) if writer.instant else None


def _measure(step: Step, task: Task, rows: Rows) -> None:
    """Numbers under the texts, and the code that makes them."""
    found = [measures(row) for row in rows]
    table = [
        {
            "text": name,
            "temperature": f"{settings.temperature:g}",
            "top-p": f"{settings.top_p:g}",
            f"runs of {RUN} tokens seen before": f"{each['repeated']:.1%}",
            "different pairs": f"{each['distinct']:.1%}",
            "mean log-probability": f"{each['log_probability']:.2f}",
            "bits a token": f"{each['log_probability'] / -0.6931471805599453:.2f}",
        }
        for name, settings, each in zip(NAMES, task.settings, found, strict=True)
    ]
    st.html(named_table(table, "What the four texts are like"))
    most = max(range(len(NAMES)), key=lambda n: found[n]["repeated"])
    least = min(range(len(NAMES)), key=lambda n: found[n]["log_probability"])
    show_finding(
        f"Text {NAMES[most]} repeats itself most: {found[most]['repeated']:.1%} of its runs "
        f"of {RUN} tokens came before. The model finds text {NAMES[least]} the least likely."
    )
    show_code(
        repeated_share,
        distinct_share,
        mean_log_probability,
        key="four",
        call=_code(step, task, found),
    )


def _code(step: Step, task: Task, found: Sequence[dict[str, float]]) -> str:
    shown = [[round(n, 3) for n in each.values()] for each in found]
    pairs = [(s.temperature, s.top_p) for s in task.settings]
    return f"""{step.code}

from llm_core.generation.measures import distinct_share, mean_log_probability, repeated_share
from llm_core.generation.sample import SamplingSettings, generate_batch

settings = [
    SamplingSettings(max_new_tokens={task.settings[0].max_new_tokens}, temperature=t, top_p=p)
    for t, p in {pairs}
]
generators = [torch.Generator().manual_seed({task.seed} + n) for n in range(4)]
steps = list(generate_batch(model, [ids] * 4, settings, generators=generators))
numbers = []
for text in zip(*steps):
    text = [step for step in text if step is not None]
    written = [step.id for step in text]
    likely = mean_log_probability([step.model_probability for step in text])
    measured = repeated_share(written, {RUN}), distinct_share(written, 2), likely
    numbers.append([round(n, 3) for n in measured])
print(numbers)  # {shown}"""
