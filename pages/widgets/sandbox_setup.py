"""Set up a run: a text, a size, a recipe, and what follows from them, before it starts."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import PRESETS
from llm_core.training.config import RunConfig
from llm_core.training.recipes import RECIPES, Recipe
from llm_core.training.runs import OWN_TEXT
from pages.widgets.catalog import Lesson
from pages.widgets.prose import show_prose
from pages.widgets.sandbox_ahead import describe, draw_schedule, look_ahead
from pages.widgets.sandbox_learning import choose_end, choose_learning
from pages.widgets.sandbox_settings import (
    any_set,
    choose_device,
    choose_shape,
    choose_windows,
    recipe_named,
)
from pages.widgets.sandbox_tokenizer import Cut, choose_cut
from pages.widgets.text_choice import ChosenText, choose_text
from pages.widgets.training import launcher

SETTING_UP = "setting_up"
SIZES = ("pico", "nano", "micro")
STEPS = (100, 200, 500, 1000, 1500, 2000, 3000, 5000, 10000)
_MOST_KEPT_PARAMETERS = 1_000_000  # of larger models fewer checkpoints are kept: disks fill


@dataclass(frozen=True)
class Choices:
    """What the learner chose."""

    shape: dict[str, Any]  # fields of TransformerConfig
    recipe: Recipe
    stride: int
    steps: int
    batch: int
    accumulation: int
    seed: int
    precision: str
    device: str
    stop_minutes: float | None
    stop_loss: float | None


def set_up(lesson: Lesson, owner: str) -> None:
    """Let the learner choose, say what follows from it, and start the run."""
    text_side, model_side = st.columns([3, 2], gap="large")
    with model_side:
        size = _choose_size()
        details = st.container()
        recipe = _choose_recipe()
        length, ahead = st.container(), st.container()
    drawn, kept = _all_settings(lesson, size, recipe)
    context_length = int(kept["shape"]["context_length"])
    with text_side:
        text = choose_text(context_length)
        cut = choose_cut(text, context_length)
    with length:
        windows = kept["batch"] * kept["accumulation"]
        steps = _choose_steps(text and cut, windows * context_length)
    choices = Choices(steps=steps, **kept)
    with details:
        show_prose(lesson, "size")
    try:
        config = run_config(text, cut or Cut("char", 100, 0), choices)
        parameters = count_parameters(config.transformer(cut.vocab_size if cut else 100))
    except ValueError as error:
        with ahead:
            st.error(str(error), icon=":material/error:")
            _train_button(enabled=False)
        return
    if cut is not None:
        with details:
            describe(config, parameters, cut)
    if drawn is not None:
        with drawn:
            draw_schedule(config)
    with ahead:
        if text and cut:
            look_ahead(config, text, parameters, cut)
        if _train_button(enabled=bool(text and cut)) and text and cut:
            _train(config, text, f"{text.title}, {size.capitalize()}", owner, cut.vocab_size)


def _all_settings(lesson: Lesson, size: str, recipe: Recipe) -> tuple[Any, dict[str, Any]]:
    """Ask for all the rest; return fields of Choices, and a place for a picture if it is open."""
    settings = st.expander(
        "All settings",
        icon=":material/tune:",
        expanded=any_set(),
        key="all_settings",
        on_change="rerun",
    )
    with settings:
        show_prose(lesson, "settings")
        st.markdown("**The model**")
        shape = choose_shape(size)
        st.markdown("**How it learns**")
        learning = choose_learning(recipe)
        st.markdown("**What it reads, and until when**")
        context_length, stride = choose_windows(size)
        end = choose_end()
        device = choose_device()
        # Plotly takes its time, and most people just press Train.
        drawn = st.container() if settings.open else None
    shape = PRESETS[size] | shape | {"context_length": context_length}
    return drawn, {"shape": shape, "stride": stride, "device": device, **learning, **end}


def run_config(text: ChosenText | None, cut: Cut, choices: Choices) -> RunConfig:
    """Turn the choices into a run: some 200 points a curve, 20 evaluations and 12 samples.

    Raises ValueError for a shape that cannot be built.
    """
    steps = choices.steps
    corpus = text.corpus if text else "tiny_tales"
    config = RunConfig(
        corpus=corpus,
        text_path=None if corpus else OWN_TEXT,
        tokenizer=cut.kind,
        vocab_size=cut.asked,
        tokenizer_path=cut.path,
        model=choices.shape,
        recipe=choices.recipe,
        device=choices.device,
        precision=choices.precision,
        seed=choices.seed,
        steps=steps,
        stop_minutes=choices.stop_minutes,
        stop_loss=choices.stop_loss,
        batch_size=choices.batch,
        accumulation=choices.accumulation,
        stride=choices.stride,
        log_interval=round_interval(steps, 200),
        eval_interval=round_interval(steps, 20),
        sample_interval=round_interval(steps, 12),
        sample_prompt=text.prompt if text else "",
        sample_temperature=0.5,  # tame: a small model shows sooner what it has learnt
        checkpoint_interval=max(100, round_interval(steps, 5)),
        keep_checkpoints=7,
        final_eval_windows=512,
    )
    if count_parameters(config.transformer(cut.vocab_size)) > _MOST_KEPT_PARAMETERS:
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


def _choose_steps(cut: Cut | None, tokens_a_step: int) -> int:
    steps = st.select_slider(
        "Training steps",
        STEPS,
        value=1500,
        key="steps",
        bind="query-params",
        help="In each step the model reads some windows and changes every weight a little.",
    )
    if cut and cut.tokens:
        read = steps * tokens_a_step
        times = read / cut.tokens
        share = f"{times:.1f} x the text" if times >= 0.95 else f"{times:.0%} of the text"
        st.caption(f"It will read {read:,} {cut.unit}: {share}.")
    return int(steps)


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
