"""What follows from the settings of a run, before it starts: size, time, memory, warnings."""

import streamlit as st

from llm_core.training.advice import plan
from llm_core.training.config import RunConfig
from llm_core.training.schedules import planned_share
from llm_core.training.trial import Trial, try_out
from pages.figures.schedule import schedule_alt_text, schedule_figure
from pages.widgets.figure import show_figure
from pages.widgets.run_panel import duration
from pages.widgets.sandbox_tokenizer import Cut
from pages.widgets.text_choice import ChosenText
from pages.widgets.training import launcher

_TRIAL = "_trial"  # (the config that was measured, what came out)


def describe(config: RunConfig, parameters: int, cut: Cut) -> None:
    """Say how large the model is."""
    shape = config.transformer(cut.vocab_size)
    st.caption(
        f"**{parameters:,} parameters**: {_count(shape.n_layers, 'layer')} of "
        f"{_count(shape.n_heads, 'head')}, "
        f"{shape.d_model} numbers per token; it sees {shape.context_length} {cut.unit} at once."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def draw_schedule(config: RunConfig) -> None:
    """Draw the learning rate over the run."""
    warm = min(config.recipe.warmup_steps, config.steps // 10)  # the peak must not be missed
    steps = sorted({1 + round(i * (config.steps - 1) / 120) for i in range(121)} | {max(1, warm)})
    rates = [config.recipe.learning_rate * planned_share(config, step) for step in steps]
    show_figure(
        schedule_figure(steps, rates), key="schedule_figure", alt=schedule_alt_text(steps, rates)
    )


def look_ahead(config: RunConfig, text: ChosenText, parameters: int, cut: Cut) -> None:
    """Memory, time, tokens a parameter and warnings."""
    found = plan(
        config,
        parameters=parameters,
        characters=text.characters,
        vocab_size=cut.vocab_size,
        tokens=cut.tokens,
    )
    st.caption(
        f"{found.tokens_per_parameter:,.1f} tokens read per parameter; about "
        f"{found.memory / 1e6:,.0f} MB of memory while it trains."
    )
    for warning in found.warnings:
        st.warning(warning, icon=":material/lightbulb:")
    _time(config, text.text, parameters, cut.vocab_size)


def _time(config: RunConfig, text: str | None, parameters: int, vocab_size: int) -> None:
    """How long it will take: measured on request, as it is real work."""
    measured = st.session_state.get(_TRIAL)
    key = (config.to_json(), hash(text))
    if st.button(
        "How long will it take here?",
        icon=":material/timer:",
        key="measure",
        help="Takes a few real steps on this machine, which takes some seconds.",
    ):
        queue = launcher()
        try:
            queue.limits.check_run(config, parameters=parameters, vocab_size=vocab_size)
            with st.spinner("Taking a few real steps …"):
                trial = try_out(config, text, queue.store.folder, queue.limits)
        except ValueError as error:
            st.error(str(error), icon=":material/error:")
            return
        measured = st.session_state[_TRIAL] = (key, trial)
    if measured and measured[0] == key:
        trial = measured[1]
        st.markdown(time_sentence(trial, config))


def time_sentence(trial: Trial, config: RunConfig) -> str:
    """Say how long the run will take, and how that is known."""
    sooner = " It may reach its loss sooner." if config.stop_loss is not None else ""
    return (
        f"About **{duration(trial.seconds(config))}** if the machine stays as busy as it is: "
        f"{1000 * trial.step:,.1f} ms a step, measured in {trial.steps} real steps, and "
        f"{trial.evaluation:.1f} s an evaluation.{sooner}"
    )
