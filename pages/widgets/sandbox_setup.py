"""Set up a run: a text, a size, a recipe, and what follows from them, before it starts."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import PRESETS
from llm_core.training.advice import Plan, plan
from llm_core.training.config import RunConfig
from llm_core.training.recipes import RECIPES, Recipe
from llm_core.training.runs import OWN_TEXT
from llm_core.training.schedules import planned_share
from llm_core.training.trial import Trial, try_out
from pages.figures.schedule import schedule_alt_text, schedule_figure
from pages.widgets.carried_tokenizer import kept_tokenizer, tokenizer_file
from pages.widgets.catalog import Lesson
from pages.widgets.figure import show_figure
from pages.widgets.prose import show_prose
from pages.widgets.run_panel import duration
from pages.widgets.sandbox_settings import (
    any_set,
    choose_device,
    choose_learning,
    choose_shape,
    choose_windows,
    recipe_named,
)
from pages.widgets.text_choice import ChosenText, choose_text
from pages.widgets.training import launcher

SETTING_UP = "setting_up"
SIZES = ("pico", "nano", "micro")
STEPS = (100, 200, 500, 1000, 1500, 2000, 3000, 5000, 10000)
_TRIAL = "_trial"  # (the config that was measured, what came out)
_MOST_KEPT_PARAMETERS = 1_000_000  # of larger models fewer checkpoints are kept: disks fill


@dataclass(frozen=True)
class Choices:
    """What the learner chose."""

    size: str
    shape: dict[str, Any]  # fields of TransformerConfig
    recipe: Recipe
    stride: int
    steps: int
    batch: int
    seed: int
    precision: str
    device: str
    tokenizer_path: str | None
    vocab_size: int


def set_up(lesson: Lesson, owner: str) -> None:
    """Let the learner choose, say what follows from it, and start the run."""
    text_side, model_side = st.columns([3, 2], gap="large")
    with model_side:
        size = _choose_size()
        details = st.container()
        recipe = _choose_recipe()
        length, ahead = st.container(), st.container()
    settings = st.expander(
        "All settings", icon=":material/tune:", expanded=any_set(), key="all_settings"
    )
    with settings:
        show_prose(lesson, "settings")
        shape = choose_shape(size)
        recipe, batch, seed, precision = choose_learning(recipe)
        context_length, stride = choose_windows(size)
        device = choose_device()
        drawn = st.container()
    shape = PRESETS[size] | shape | {"context_length": context_length}
    with text_side:
        text = choose_text(context_length)
        carried = _carried_tokenizer()
    path, vocab_size = carried or (None, text.vocab_size if text else 100)
    with length:
        steps = _choose_steps(text, batch * context_length)
    choices = Choices(
        size, shape, recipe, stride, steps, batch, seed, precision, device, path, vocab_size
    )
    with details:
        show_prose(lesson, "size")
    try:
        config = run_config(text, choices)
        parameters = count_parameters(config.transformer(vocab_size))
    except ValueError as error:
        with ahead:
            st.error(str(error), icon=":material/error:")
            _train_button(enabled=False)
        return
    with details:
        _describe(config, parameters, vocab_size)
    with drawn:
        _draw_schedule(config)
    with ahead:
        if text:
            _look_ahead(config, text, parameters, vocab_size)
        if _train_button(enabled=text is not None) and text:
            _train(config, text, f"{text.title}, {size.capitalize()}", owner, vocab_size)


def run_config(text: ChosenText | None, choices: Choices) -> RunConfig:
    """Turn the choices into a run: some 200 points a curve, 20 evaluations and 12 samples.

    Raises ValueError for a shape that cannot be built.
    """
    steps = choices.steps
    corpus = text.corpus if text else "tiny_tales"
    config = RunConfig(
        corpus=corpus,
        text_path=None if corpus else OWN_TEXT,
        tokenizer="file" if choices.tokenizer_path else "char",
        tokenizer_path=choices.tokenizer_path,
        model=choices.shape,
        recipe=choices.recipe,
        device=choices.device,
        precision=choices.precision,
        seed=choices.seed,
        steps=steps,
        batch_size=choices.batch,
        stride=choices.stride,
        log_interval=round_interval(steps, 200),
        eval_interval=round_interval(steps, 20),
        sample_interval=round_interval(steps, 12),
        sample_prompt=text.prompt if text else "",
        sample_temperature=0.5,  # tame: a small model shows sooner what it has learnt
        checkpoint_interval=max(100, round_interval(steps, 5)),
        keep_checkpoints=6,
        final_eval_windows=512,
    )
    if count_parameters(config.transformer(choices.vocab_size)) > _MOST_KEPT_PARAMETERS:
        return replace(config, keep_checkpoints=3)
    return config


def round_interval(steps: int, count: int) -> int:
    """Return a round number of steps that divides a run into `count` parts or a few more."""
    most = max(1, steps // count)
    unit = 10 ** (len(str(most)) - 1)
    return max(unit * factor // 2 for factor in (2, 4, 5, 10) if unit * factor // 2 <= most)


def _choose_size() -> str:
    name = st.segmented_control(
        "Size of the model",
        SIZES,
        default="nano",
        required=True,
        format_func=str.capitalize,
        key="size",
        bind="query-params",
    )
    return name or "nano"


def _choose_recipe() -> Recipe:
    name = st.segmented_control(
        "Recipe",
        list(RECIPES),
        default="classic",
        required=True,
        format_func=str.capitalize,
        key="recipe",
        bind="query-params",
        help="Classic: as GPT-2 was trained. Modern: what was found since; it learns in a fraction "
        "of the steps.",
    )
    return recipe_named(name or "classic")


def _choose_steps(text: ChosenText | None, tokens_a_step: int) -> int:
    steps = st.select_slider(
        "Training steps",
        STEPS,
        value=1500,
        key="steps",
        bind="query-params",
        help="In each step the model reads a batch of windows and changes every weight a little.",
    )
    if text:
        read = steps * tokens_a_step
        times = read / text.characters
        share = f"{times:.1f} x the text" if times >= 0.95 else f"{times:.0%} of the text"
        st.caption(f"It will read {read:,} characters: {share}.")
    return steps


def _carried_tokenizer() -> tuple[str, int] | None:
    """Return the file and the vocabulary size of the tokenizer in the address, if there is one."""
    name = st.query_params.get("tokenizer")
    if not name:
        return None
    try:
        tokenizer = kept_tokenizer(name)
    except ValueError as error:
        st.warning(str(error), icon=":material/info:")
        return None
    st.info(
        f"The text is cut with the tokenizer that you trained: {tokenizer.vocab_size} tokens "
        "instead of characters.",
        icon=":material/content_cut:",
    )
    st.button("Use characters", key="characters", on_click=_use_characters)
    return str(tokenizer_file(name)), tokenizer.vocab_size


def _use_characters() -> None:
    """Let go of the tokenizer that was carried here. A callback."""
    st.query_params.pop("tokenizer", None)


def _describe(config: RunConfig, parameters: int, vocab_size: int) -> None:
    shape = config.transformer(vocab_size)
    st.caption(
        f"**{parameters:,} parameters**: {_count(shape.n_layers, 'layer')} of "
        f"{_count(shape.n_heads, 'head')}, "
        f"{shape.d_model} numbers per token; it sees {shape.context_length} characters at once."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _draw_schedule(config: RunConfig) -> None:
    warm = min(config.recipe.warmup_steps, config.steps // 10)  # the peak must not be missed
    steps = sorted({1 + round(i * (config.steps - 1) / 120) for i in range(121)} | {max(1, warm)})
    rates = [config.recipe.learning_rate * planned_share(config, step) for step in steps]
    show_figure(
        schedule_figure(steps, rates), key="schedule_figure", alt=schedule_alt_text(steps, rates)
    )


def _look_ahead(config: RunConfig, text: ChosenText, parameters: int, vocab_size: int) -> None:
    """Memory, time, tokens a parameter and warnings."""
    found: Plan = plan(
        config, parameters=parameters, characters=text.characters, vocab_size=vocab_size
    )
    st.caption(
        f"{found.tokens_per_parameter:,.1f} tokens read per parameter; about "
        f"{found.memory / 1e6:,.0f} MB of memory while it trains."
    )
    for warning in found.warnings:
        st.warning(warning, icon=":material/lightbulb:")
    _time(config, text.text, parameters, vocab_size)


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
    return (
        f"About **{duration(trial.seconds(config))}** if the machine stays as busy as it is: "
        f"{1000 * trial.step:,.1f} ms a step, measured in {trial.steps} real steps, and "
        f"{trial.evaluation:.1f} s an evaluation."
    )


def _train_button(*, enabled: bool) -> bool:
    return st.button(
        "Train", type="primary", icon=":material/play_arrow:", disabled=not enabled, key="train"
    )


def _train(config: RunConfig, text: ChosenText, title: str, owner: str, vocab_size: int) -> None:
    """Start the run and show it; its id goes into the address, so that a reload finds it."""
    try:
        run = launcher().launch(
            config,
            owner=owner,
            title=title,
            text=text.text,
            parameters=count_parameters(config.transformer(vocab_size)),
            vocab_size=vocab_size,
        )
    except (ValueError, OSError, RuntimeError) as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[SETTING_UP] = False
    st.query_params["run"] = run.id
    st.rerun()
