"""Steer a run: another learning rate, more steps, a branch from what was kept, a new beginning."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.comparison import factor_words
from llm_core.training.runs import Run, RunState
from llm_core.training.schedules import planned_share
from pages.widgets.catalog import Lesson
from pages.widgets.errors import error_boundary
from pages.widgets.prose import show_prose
from pages.widgets.training import launcher, record_trouble

FACTORS = (1 / 30, 1 / 10, 1 / 3, 1.0, 3.0, 10.0)
_MOST_STEPS = 1_000_000


def steer(lesson: Lesson, run: Run, visitor: str) -> None:
    """Show what may be changed about the run: all of it to its owner, branching to everybody."""
    own = run.owner == visitor
    title = "Steer it" if own else "Branch from it"
    with st.expander(title, icon=":material/tune:", expanded=False, key="steer"):
        show_prose(lesson, "steer" if own else "branch")
        _parts(run.id, visitor)


@st.fragment
def _parts(run_id: str, visitor: str) -> None:
    """A fragment without a timer: nothing of it travels while the run is watched."""
    with error_boundary("Steering"), record_trouble():
        run = launcher().store.get(run_id)
        if run is None:
            st.info("This run is not here any more.")
            return
        if run.owner == visitor:
            columns = st.columns([1, 1, 1], gap="large")
            with columns[0]:
                _rate(run)
            with columns[1]:
                _steps(run)
                _start_over(run, visitor)
            with columns[2]:
                _branch(run, visitor)
        else:
            _branch(run, visitor)


def _choose_factor(run: Run, key: str, now: float, label: str) -> float:
    nearest = min(FACTORS, key=lambda each: abs(each - now))
    return st.select_slider(
        label,
        FACTORS,
        value=nearest,
        format_func=lambda each: f"× {factor_words(each)}",
        key=f"{key}_{run.id}",
    )


def _rate(run: Run) -> None:
    """The learning rate, as a multiple of what the recipe has planned."""
    step = max(run.step, 0)
    # The last change may be a few steps ahead of what the record tells.
    now = run.config.rate_changes[-1][1] if run.config.rate_changes else 1.0
    factor = _choose_factor(run, "rate", now, "Learning rate, times what is planned")
    share = planned_share(run.config, step + 1) / run.config.rate_factor(step + 1)
    rate = run.config.recipe.learning_rate * share
    st.caption(
        f"That makes {rate * factor:.2g} at step {step + 1:,}, where {rate:.2g} is planned. "
        f"{_expect(factor)}"
    )
    label = "Use it from now on" if run.active else "Use it when it goes on"
    same = abs(factor - now) < 1e-9
    if st.button(label, key="use_rate", disabled=same) and _tried(
        lambda: launcher().change_rate(run, factor, by=run.owner)
    ):
        if run.active:
            st.toast("It learns at the new rate from its next step on.", icon=":material/speed:")
        st.rerun()


def _expect(factor: float) -> str:
    if factor > 1:
        return "Too high a rate makes the loss jump, or run away."
    if factor < 1:
        return "A lower rate makes the curve smoother at once, and slower in the long run."
    return "This is the plan."


def _steps(run: Run) -> None:
    """How many steps in all: more than it has taken."""
    taken = run.step
    usual = max(run.config.steps, taken + 1)
    usual = 2 * run.config.steps if run.step >= run.config.steps else usual
    steps = int(
        st.number_input(
            "Steps in all",
            min_value=min(taken + 1, _MOST_STEPS),
            max_value=_MOST_STEPS,
            value=min(usual, _MOST_STEPS),
            step=100,
            key=f"more_{run.id}_{run.config.steps}",
        )
    )
    if st.button("Go on until there", key="go_on_until", disabled=steps == run.config.steps):

        def go_on() -> None:
            launcher().change_steps(run, steps, by=run.owner)
            if not run.active:
                launcher().resume(run, by=run.owner)

        if _tried(go_on):
            st.rerun()
    st.caption("The schedule of the learning rate is stretched to the new end.")


def _start_over(run: Run, visitor: str) -> None:
    """The same settings and seed once more: the same first weights, the same batches."""
    if st.button(
        "Start over from the same first weights",
        icon=":material/restart_alt:",
        key="start_over",
        help="A new run with the same settings and the same seed. What you changed on the way is "
        "left out.",
    ):
        started: list[Run] = []
        if _tried(lambda: started.append(start_again(run, visitor))):
            _open(started[0])


def start_again(run: Run, owner: str) -> Run:
    """Queue a new run with the settings that this one began with."""
    config = run.config
    first = config.earlier_steps[0][1] if config.earlier_steps else config.steps
    text = None
    if config.text_path is not None:
        text = Path(config.text_path).read_text(encoding="utf-8")
    return launcher().launch(
        replace(config, steps=first, rate_changes=(), earlier_steps=()),
        owner=owner,
        title=short_title(f"{run.title}, again"),
        text=text,
        parameters=run.facts.parameters if run.facts else 0,
        vocab_size=run.facts.vocab_size if run.facts else 2,
    )


def _branch(run: Run, visitor: str) -> None:
    """A new run from a kept checkpoint; this one stays as it is."""
    kept = [checkpoint_step(each) for each in list_checkpoints(launcher().store.run_folder(run.id))]
    if not kept:
        st.caption("Branching: as soon as the first checkpoint is kept.")
        return
    losses = {each.step: each.loss for each in launcher().store.evaluations(run.id)}
    step = st.selectbox(
        "Branch from the model after",
        kept,
        index=len(kept) - 1,
        format_func=lambda each: (
            f"{each:,} steps" + (f" (validation loss {losses[each]:.2f})" if each in losses else "")
        ),
        key=f"branch_step_{run.id}",
    )
    factor = _choose_factor(
        run, "branch_rate", run.config.rate_factor(step + 1), "Learning rate of the branch"
    )
    most = max(run.config.steps, step + 1)
    steps = int(
        st.number_input(
            "Steps in all, those before included",
            min_value=step + 1,
            max_value=_MOST_STEPS,
            value=most if most > step + 1 else min(2 * most, _MOST_STEPS),
            step=100,
            key=f"branch_steps_{run.id}_{step}",
        )
    )
    if st.button("Branch", icon=":material/call_split:", key="branch", type="primary"):
        made: list[Run] = []
        title = short_title(f"{run.title}, from step {step:,}")
        if _tried(
            lambda: made.append(
                launcher().branch(run, step, by=visitor, title=title, factor=factor, steps=steps)
            )
        ):
            _open(made[0])


def short_title(title: str) -> str:
    """Cut a title that has grown too long in its middle."""
    return title if len(title) <= 80 else f"{title[:38]} … {title[-38:]}"


def may_resume(run: Run) -> bool:
    """May an ended run go on? One that ran away may when its rate was changed since."""
    if run.active or run.step >= run.config.steps:
        return False
    changes = run.config.rate_changes
    return run.state is not RunState.DIVERGED or bool(changes and changes[-1][1] < 1)


def _open(run: Run) -> None:
    st.query_params["run"] = run.id
    st.rerun()


def _tried(action: object) -> bool:
    """Do it; say in a sentence why it could not be done."""
    assert callable(action)
    try:
        action()
    except (ValueError, RuntimeError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return False
    return True
