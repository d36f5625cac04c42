"""What a model writes: the newest samples, or the one nearest to a chosen step; and its answers."""

import html
from collections.abc import Sequence

import streamlit as st

from llm_core.data.line_tasks import AnsweredLine, judge_lines, line_task
from llm_core.training.events import AnswerEvent, SampleEvent
from llm_core.training.runs import Run
from pages.figures.palette import KEY, VALUE
from pages.widgets.watched import Watched

TIME = "at"  # the time line's place, in the address
MOVED = "_at_moved"  # whether a click has just set it
_WHILE_RUNNING = 5  # beside the first: each travels at every tick
_RIGHT = f"color:{VALUE};font-weight:600"
_WRONG = f"color:{KEY};font-weight:600"


def picked_step(run: Run) -> int | None:
    """Return the step that the reader clicked, if any."""
    step = st.session_state.get(_key(run))
    return step if isinstance(step, int) else None


def pick(run: Run, seen: Watched, step: int) -> None:
    """Show what the model wrote nearest to a step. A callback."""
    steps = _moments(run, seen)
    if not steps:
        return
    st.session_state[_key(run)] = nearest_step(steps, step)
    if not run.active and len(seen.samples) > 1:  # the time line below goes there too
        st.session_state[TIME] = nearest_step([each.step for each in seen.samples], step)
        st.session_state[MOVED] = True


def let_go(run: Run) -> None:
    """Show the newest samples again. A callback."""
    st.session_state.pop(_key(run), None)


def nearest_step(steps: Sequence[int], step: int) -> int:
    """Return the one of `steps` that lies nearest, the earlier one of two."""
    return min(steps, key=lambda each: (abs(each - step), each))


def _moments(run: Run, seen: Watched) -> list[int]:
    """The steps at which it was asked, if it learns to answer, or else wrote a sample."""
    return [each.step for each in (seen.answers if _answers(run, seen) else seen.samples)]


def _answers(run: Run, seen: Watched) -> bool:
    """Does it learn to answer, a toy task or by fine-tuning, and was it asked?"""
    learns = bool(run.config.tuned) or line_task(run.config.corpus) is not None
    return learns and bool(seen.answers)


def _lines(run: Run, event: AnswerEvent) -> list[AnsweredLine]:
    task = line_task(run.config.corpus)
    if task is not None:
        return judge_lines(task, event.text)
    rows = [line.split("\t") for line in event.text.splitlines()]
    return [AnsweredLine(*row) for row in rows if len(row) == 3]


def show_samples(run: Run, seen: Watched) -> None:
    """What the model writes: the newest, or what was chosen; answers to questions as such."""
    steps, asked = _moments(run, seen), _answers(run, seen)
    st.markdown("**What it answers**" if asked else "**What it writes**")
    if not steps:
        st.caption("The first sample comes as soon as the model is built.")
        return
    chosen = picked_step(run)
    place = steps.index(chosen) if chosen in steps else None
    if place is not None:
        _go_through(run, seen, steps, place)
    if asked:
        event = seen.answers[-1 if place is None else place]
        st.html(answers_html(event, _lines(run, event), "→" if run.config.tuned else "="))
    else:
        _rows(run, seen, place)
    if place is None:
        _browse(run, seen, steps)


def _rows(run: Run, seen: Watched, place: int | None) -> None:
    """Samples from the same prompt, newest first, and always the very first noise."""
    shown = seen.samples if place is None else [seen.samples[place]]
    if run.active and len(shown) > _WHILE_RUNNING + 1:
        shown = [shown[0], *shown[-_WHILE_RUNNING:]]
    rows = "".join(_row(sample) for sample in reversed(shown))
    st.html(
        f'<div tabindex="0" role="region" aria-label="Samples by step" '
        f'style="max-height:360px;overflow-y:auto">{rows}</div>'
    )


def _browse(run: Run, seen: Watched, steps: list[int]) -> None:
    if len(steps) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Click the curve to see what it wrote then.", width="stretch")
            st.button(
                "Go back in time",
                icon=":material/history:",
                key="browse_samples",
                on_click=pick,
                args=(run, seen, steps[-2]),
            )


def _go_through(run: Run, seen: Watched, steps: list[int], place: int) -> None:
    """Neighbours in time are one press away."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, other in (
            ("Earlier", ":material/chevron_left:", place - 1),
            ("Later", ":material/chevron_right:", place + 1),
        ):
            there = 0 <= other < len(steps)
            st.button(
                label,
                icon=icon,
                key=f"sample_{label.lower()}",
                disabled=not there,
                on_click=pick,
                args=(run, seen, steps[other] if there else 0),
            )
        st.button(
            "Newest", icon=":material/close:", key="sample_newest", on_click=let_go, args=(run,)
        )


def answers_html(event: AnswerEvent, lines: Sequence[AnsweredLine], between: str = "=") -> str:
    """Return questions with the model's answers, each with a sign and a colour for right or wrong.

    between: stands between a question and its answer. The texts come from a model, so they are
    escaped.
    """
    rows = "".join(_answer_row(each, between) for each in lines)
    font = "font-family:monospace" if between == "=" else "font-size:.9rem"  # signs, or texts
    return (
        f'<p style="margin:0 0 .4rem">After {event.step:,} steps, <b>{event.right} of '
        f"{event.asked}</b> questions that it never trained on are answered right, such as:</p>"
        f'<div style="max-height:380px;overflow:auto" tabindex="0" role="region" '
        f'aria-label="Some of its answers"><table style="border-collapse:collapse;'
        f'margin:0 0 1rem;{font}" aria-label="Answers">{rows}</table></div>'
    )


def _answer_row(line: AnsweredLine, between: str) -> str:
    sign, style, word = ("✓", _RIGHT, "right") if line.is_right else ("✗", _WRONG, "wrong")
    instead = "" if line.is_right else f"should be {html.escape(line.right)}"
    answer = html.escape(line.answer) or "(nothing)"
    cells = [
        f'<span style="{style}" role="img" aria-label="{word}">{sign}</span>',
        f"{html.escape(line.question)} {between}",
        f'<span style="{style};overflow-wrap:break-word">{answer}</span>',
        f'<span style="opacity:.8">{instead}</span>',
    ]
    return (
        "<tr>"
        + "".join(f'<td style="padding:.1rem .6rem .1rem 0">{c}</td>' for c in cells)
        + "</tr>"
    )


def _row(sample: SampleEvent) -> str:
    """One sample as HTML: its text comes from a model, so it is escaped."""
    return (
        f'<p style="margin:0 0 .2rem;font-size:.85rem;opacity:.8">after {sample.step:,} steps</p>'
        f'<p style="margin:0 0 1rem;white-space:pre-wrap;overflow-wrap:anywhere">'
        f"<b>{html.escape(sample.prompt)}</b>{html.escape(sample.text)}</p>"
    )


def _key(run: Run) -> str:
    return f"picked_{run.id}"
