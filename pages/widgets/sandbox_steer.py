"""Steer a run: step by step, another rate, more steps, a branch from what was kept, a new start."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.comparison import factor_words
from llm_core.training.runs import Run, RunState
from llm_core.training.schedules import planned_share
from llm_core.training.stepping import held_after
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
        # Without a timer nothing of it travels while the run is watched; steps are waited for.
        tick = 1.0 if own and _held(run) is not None else None
        st.fragment(_parts, run_every=tick)(run.id, visitor)


def _held(run: Run) -> int | None:
    """Return after which step the run's process waits, or will; None if it just trains."""
    return held_after(launcher().store.run_folder(run.id)) if run.active else None


def waits_for_step(run: Run) -> bool:
    """Whether the run's process waits between two steps for its owner's wish."""
    held = _held(run)
    return held is not None and run.state is RunState.RUNNING and run.step >= held


def _parts(run_id: str, visitor: str) -> None:
    with error_boundary("Steering"), record_trouble():
        run = launcher().store.get(run_id)
        if run is None:
            st.info("This run is not here any more.")
            return
        if run.owner == visitor:
            _single_steps(run)
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


def _single_steps(run: Run) -> None:
    """Take a step at a time: what one batch changes."""
    held, done, waits = _held(run), run.step >= run.config.steps, waits_for_step(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Take one step",
            icon=":material/skip_next:",
            key="one_step",
            disabled=done or (run.active and not waits),
            help="Exactly one batch is read, and every weight changed once. The first step takes "
            "some seconds, as the training process starts; the next ones do not.",
        ) and _tried(lambda: launcher().step_once(run, by=run.owner)):
            st.rerun()
        if (
            waits
            and st.button("Train on", icon=":material/play_arrow:", key="train_on")
            and _tried(lambda: launcher().train_on(run, by=run.owner))
        ):
            st.rerun()
        st.caption(_step_sentence(run, held, waits=waits))


def _step_sentence(run: Run, held: int | None, *, waits: bool) -> str:
    """Say what the last step did, or why there is none to take."""
    if run.step >= run.config.steps:
        return "All steps are taken: ask for more of them below."
    if run.active and held is None:
        return "Pause it first; then it can be led step by step."
    if run.active and not waits:
        return f"It takes step {held:,} …"
    points, taken = launcher().store.points(run.id), run.step
    if not run.active:
        kept = list_checkpoints(launcher().store.run_folder(run.id))
        taken = checkpoint_step(kept[-1]) if kept else 0
    if not points or points[-1].step != taken:
        return f"It stands after {taken:,} steps."
    now, before = points[-1], points[-2] if len(points) > 1 else None
    told = f"After step {now.step:,}: training loss {now.loss:.4f}"
    if before is not None and before.step == now.step - 1:
        told += f", {now.loss - before.loss:+.4f} against the batch before"
    return f"{told}; gradient norm {now.gradient_norm:.2f}, learning rate {now.learning_rate:.2g}."


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
    # The last change may be a few steps ahead of what the record tells.
    now = run.config.rate_changes[-1][1] if run.config.rate_changes else 1.0
    factor = _choose_factor(run, "rate", now, "Learning rate, times what is planned")
    st.caption(f"{_compare_rates(run, factor)} {_expect(factor)}")
    label = "Use it from now on" if run.active else "Use it when it goes on"
    same = abs(factor - now) < 1e-9
    if st.button(label, key="use_rate", disabled=same) and _tried(
        lambda: launcher().change_rate(run, factor, by=run.owner)
    ):
        if run.active:
            st.toast("It learns at the new rate from its next step on.", icon=":material/speed:")
        st.rerun()


def _compare_rates(run: Run, factor: float) -> str:
    """Say what a factor comes to at the next step."""
    step = run.step + 1
    if step > run.config.steps:
        return "It holds when the run goes on with more steps."
    planned = planned_share(run.config, step) / run.config.rate_factor(step)
    rate = run.config.recipe.learning_rate * planned
    return f"That makes {rate * factor:.2g} at step {step:,}, where {rate:.2g} is planned."


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
    most = run.config.steps if run.config.steps > step else 2 * step
    steps = int(
        st.number_input(
            "Steps in all, those before included",
            min_value=step + 1,
            max_value=_MOST_STEPS,
            value=min(max(most, step + 1), _MOST_STEPS),
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
    if run.active or run.config.tuned or run.step >= run.config.steps:
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
