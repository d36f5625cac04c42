"""Tuning on instructions: what its loss counts, answers before and after, what is forgotten."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from llm_core.data.tale_instructions import KINDS, Instruction
from llm_core.finetuning.experiment import (
    INSTRUCTION_SETTINGS,
    INSTRUCTIONS,
    instruction_parts,
    measured,
)
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.pretrained.registry import load
from pages.figures.curve import Curve
from pages.figures.finetuning import (
    HEIGHT,
    forgetting_figure,
    learning_alt_text,
    share_figure,
    task_figure,
)
from pages.widgets.figure import show_figure, show_finding
from pages.widgets.finetuning_kept import record_as_run, show_run_of
from pages.widgets.finetuning_texts import rows_table
from pages.widgets.live_chart import live_chart
from pages.widgets.live_training import state_caption, training_buttons, watch_training
from pages.widgets.token_chips import Chip, Highlight, token_chips
from pages.widgets.view import current_view

if TYPE_CHECKING:
    from llm_core.finetuning.trainings import InstructionTraining

NAME = "instructions"
_COMPARED = 12  # unseen instructions that are answered before and after
_CURVES = {"plain": "instructions only", "replay": "a quarter of tales mixed in"}


@dataclass(frozen=True)
class Template:
    """A pair in the template: its tokens, and how many of them are answer, so count."""

    pair: Instruction
    pieces: tuple[str, ...]
    counted: int

    @property
    def tokens(self) -> int:
        """Tokens of the whole."""
        return len(self.pieces)


@st.cache_data(max_entries=4, show_spinner=False)
def pairs() -> tuple[list[Instruction], list[Instruction]]:
    """What was learnt from, and what was not."""
    return instruction_parts()


def show_template() -> Template:
    """A pair by its kind: which tokens are read only, and which are learnt."""
    kinds = list(KINDS)
    kind = st.radio(
        "Kind of task", kinds, kinds.index("who"), key="kind", bind="query-params", horizontal=True
    )
    template = in_template(next(each for each in pairs()[0] if each.kind == kind))
    first = template.tokens - template.counted
    token_chips(
        [Chip(piece, id=place) for place, piece in enumerate(template.pieces)],
        key="template_chips",
        label="The pair in its template, as tokens",
        highlights=[
            Highlight(range(first), "input", "read, not learnt"),
            Highlight(range(first, template.tokens), "target", "answer: the loss counts"),
        ],
        selectable=False,
    )
    st.markdown(
        f"Of {template.tokens} tokens, the loss counts **{template.counted}**: the answer, and the "
        "newline that ends it."
    )
    return template


def in_template(pair: Instruction) -> Template:
    """Cut a pair in the template into tokens."""
    from llm_core.finetuning.instructions import IGNORED, encode_pair

    _, tokenizer = load("tiny")
    ids, targets = encode_pair(pair, tokenizer)
    whole = [*ids, targets[-1]]
    pieces = tuple(tokenizer.decode([index]) for index in whole)
    return Template(pair, pieces, sum(target != IGNORED for target in targets))


@dataclass(frozen=True)
class Answers:
    """Unseen instructions with the answers of the pretrained and of the tuned model."""

    asked: tuple[Instruction, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    def right(self, said: tuple[str, ...]) -> int:
        """How many answers are right to the last sign."""
        return sum(text == pair.answer for text, pair in zip(said, self.asked, strict=True))


@st.cache_data(max_entries=1, show_spinner="Both models answer …")
def answered() -> Answers:
    """Let both models answer instructions of words that were kept back, once for all visitors."""
    from llm_core.finetuning.instructions import answers

    asked = pairs()[1][:_COMPARED]
    questions = [each.instruction for each in asked]
    before, after = (answers(*load(name), questions) for name in ("tiny", "tiny_instructions"))
    return Answers(tuple(asked), tuple(before), tuple(after))


def show_answers() -> Answers:
    """Before and after, on what was not learnt from."""
    found = answered()
    rows: list[dict[str, object]] = [
        {
            "task": pair.instruction,
            "before": _short(before),
            "after": f"{_short(after)} {'✓' if after == pair.answer else '✗'}",
        }
        for pair, before, after in zip(found.asked, found.before, found.after, strict=True)
    ]
    rows_table(rows, "Answers before and after", ("task", "before", "after"))
    last = measured("forgetting")
    st.markdown(
        f"Right to the last sign: **{found.right(found.before)}** of these {_COMPARED} before, "
        f"**{found.right(found.after)}** after. On all 120 unseen tasks it is "
        f"**{last['plain'][-1]['right']:.1%}**, and **{last['scratch'][-1]['right']:.1%}** for the "
        "same training from random weights."
    )
    return found


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def show_forgetting() -> dict[str, Any]:
    """The measured curves: the task gets better, the tales get worse; and live, if asked."""
    found = measured("forgetting")
    total = found["plain"][-1]["step"]
    before = found["plain"][0]["forgotten"]
    plain, replay = found["plain"][-1], found["replay"][-1]
    alt = (
        f"Over {total} steps, unseen tasks right rise from 0 % to {plain['right']:.0%}, while the "
        f"loss on tales rises from {before:.2f} to {plain['forgotten']:.2f} nats. With a quarter "
        f"of tales mixed in, {replay['right']:.0%} are right and the loss stays at "
        f"{replay['forgotten']:.2f}."
    )
    figures = {
        "task": task_figure(_curves(found, "right"), total_steps=total),
        "tales": forgetting_figure(_curves(found, "forgotten"), before=before, total_steps=total),
    }
    for place, (name, figure) in zip(st.columns(2, gap="medium"), figures.items(), strict=True):
        with place:
            show_figure(figure, key=f"forgetting_{name}", alt=alt, say=False)
    show_finding(alt)
    st.caption("Measured by `python benchmarks/finetuning.py instructions`. Or do it yourself:")
    _train()
    return {"before": before, "plain": plain["forgotten"], "replay": replay["forgotten"]}


def _curves(found: dict[str, Any], field: str) -> list[tuple[str, list[int], list[float]]]:
    return [
        (title, [row["step"] for row in found[name]], [row[field] for row in found[name]])
        for name, title in _CURVES.items()
    ]


def _train() -> None:
    left, right = st.columns(2, gap="large")
    steps = int(
        left.slider("Steps of 16 tasks", 60, 300, 120, 30, key="task_steps", bind="query-params")
    )
    mixed = right.toggle("Mix in a quarter of tales", key="replay", bind="query-params")
    if current_view() == "print":
        return
    settings = FinetuneSettings(
        trained="all",
        steps=steps,
        learning_rate=INSTRUCTION_SETTINGS.learning_rate,
        score_interval=max(15, steps // 8),
        replay=0.25 if mixed else 0.0,
    )
    training_buttons(NAME, "Tune it on instructions", lambda: _make(settings))
    watch_training(NAME, _show)


def _make(settings: FinetuneSettings) -> "InstructionTraining":
    from llm_core.finetuning.trainings import InstructionTraining

    work = InstructionTraining(settings, INSTRUCTIONS)
    record_as_run(work, "instructions")
    return work


def _show(work: "InstructionTraining", run: str) -> None:
    settings, losses, scores = work.settings, list(work.losses), list(work.scores)
    done = losses[-1].step if losses else 0
    st.progress(min(1.0, done / settings.steps))
    forgotten = scores[-1].pretraining_loss if scores else None
    with st.container(horizontal=True):
        st.metric(f"Step, of {settings.steps} ", f"{done}", width=140)
        st.metric("Unseen tasks right", f"{scores[-1].right:.1%}" if scores else "–", width=180)
        st.metric("Loss on tales", "–" if forgotten is None else f"{forgotten:.2f}", width=160)
    st.caption(state_caption(work, done))
    show_run_of(work)
    steps, shares = [each.step for each in scores], [each.right for each in scores]
    tales = [each.pretraining_loss or 0.0 for each in scores]
    figures = {
        "shares": share_figure(steps, shares, [], total_steps=settings.steps, run=run),
        "tales": forgetting_figure(
            [("loss on tales", steps, tales)],
            before=tales[0] if tales else 0.5,
            total_steps=settings.steps,
            run=run,
        ),
    }
    curve = Curve([each.step for each in losses], [each.loss for each in losses])
    alt = learning_alt_text(curve, steps, shares, [], total_steps=settings.steps)
    if tales:
        alt += f" The loss on tales went from {tales[0]:.2f} to {tales[-1]:.2f} nats."
    for place, (name, figure) in zip(st.columns(2, gap="medium"), figures.items(), strict=True):
        with place:
            if work.active:
                live_chart(figure, key=f"tasks_live_{name}", alt=alt, height=HEIGHT)
            else:
                show_figure(figure, key=f"tasks_{name}", alt=alt, say=False)
    if not work.active:
        show_finding(alt)
    if scores:
        asked = pairs()[1]
        rows: list[dict[str, object]] = [
            {
                "task": pair.instruction,
                "it says": f"{_short(said)} {'✓' if said == pair.answer else '✗'}",
            }
            for pair, said in list(zip(asked, scores[-1].said, strict=True))[:6]
        ]
        rows_table(rows, "Its answers now", ("task", "it says"))
