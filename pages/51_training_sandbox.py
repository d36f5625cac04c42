"""Train a GPT on a text, watch it learn, and let it write."""

from typing import Any

import streamlit as st

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import POSITIONS, PRESETS, preset
from llm_core.training.config import RunConfig
from llm_core.training.machine import possible_devices
from llm_core.training.recipes import RECIPES
from llm_core.training.runs import OWN_TEXT, Run
from pages.widgets.carried_tokenizer import kept_tokenizer, tokenizer_file
from pages.widgets.catalog import Lesson
from pages.widgets.frame import open_page
from pages.widgets.live_chart import plotly_library
from pages.widgets.prose import show_prose
from pages.widgets.run_files import bring_back, own_runs, take_away
from pages.widgets.run_panel import run_panel
from pages.widgets.text_choice import ChosenText, choose_text
from pages.widgets.training import launcher, record_trouble, shown_run
from pages.widgets.visitor import visitor
from pages.widgets.writing import write_with

SIZES = ("pico", "nano", "micro")
STEPS = (100, 200, 500, 1000, 1500, 2000, 3000, 5000, 10000)
BATCH = 16  # windows a step
_SETTING_UP = "setting_up"
_AS_USUAL = "as in the recipe"


def choose_size() -> str:
    """Ask for the model's size; return the preset's name."""
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


def choose_windows(size: str) -> tuple[int, int]:
    """Ask how the text is cut into windows; return context length and stride."""
    usual = int(PRESETS[size]["context_length"])
    changed = {"context_length", "window_stride"} & set(st.query_params)
    with st.expander("Windows", icon=":material/view_column:", expanded=bool(changed)):
        context_length = st.number_input(
            "Context length",
            4,
            256,
            None,
            placeholder=f"{usual}, as usual for this size",
            key="context_length",
            bind="query-params",
            help="How many characters the model sees at once.",
        )
        stride = st.number_input(
            "Stride",
            1,
            256,
            1,
            key="window_stride",
            bind="query-params",
            help="Windows begin at multiples of it. With 1 they begin anywhere.",
        )
    context_length = int(context_length or usual)
    if stride > context_length:
        st.caption(
            f"The stride skips {stride - context_length} of every {stride} characters: "
            "the model never reads them."
        )
    return context_length, int(stride)


def carried_tokenizer() -> tuple[str, int] | None:
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
    st.button("Use characters", key="characters", on_click=use_characters)
    return str(tokenizer_file(name)), tokenizer.vocab_size


def use_characters() -> None:
    """Let go of the tokenizer that was carried here. A callback."""
    st.query_params.pop("tokenizer", None)


def choose_recipe() -> str:
    """Ask how it is to learn; return the recipe's name."""
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
    return name or "classic"


def choose_position() -> str | None:
    """Ask how it is told where tokens stand; None leaves that to the recipe."""
    name = st.selectbox(
        "Positions",
        [_AS_USUAL, *POSITIONS],
        key="position",
        bind="query-params",
        help="How the model is told where a token stands. The classic recipe learns a vector a "
        "place, the modern one turns queries and keys (rope).",
    )
    return name if name in POSITIONS else None


def choose_device() -> str:
    """Ask where to compute, if this machine may have more than a processor."""
    devices = possible_devices()
    if len(devices) == 2:
        return "auto"
    names = {"auto": "The fastest", "cpu": "Processor", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}
    name = st.selectbox(
        "Compute on", devices, format_func=names.__getitem__, key="device", bind="query-params"
    )
    return name or "auto"


def describe_size(name: str, recipe: str, vocab_size: int, shape: dict[str, Any]) -> None:
    """Show what the size means for this text's vocabulary."""
    parts = RECIPES[recipe].model
    config = preset(name, vocab_size=vocab_size, **parts | shape)
    st.caption(
        f"**{count_parameters(config):,} parameters**: {config.n_layers} layers of "
        f"{config.n_heads} heads, {config.d_model} numbers per token; it sees "
        f"{config.context_length} characters at once."
    )


def choose_steps(text: ChosenText | None, context_length: int) -> int:
    """Ask how long to train; return the number of steps."""
    steps = st.select_slider(
        "Training steps",
        STEPS,
        value=1500,
        key="steps",
        bind="query-params",
        help="In each step the model reads a batch of windows and changes every weight a little.",
    )
    if text:
        read = steps * BATCH * context_length
        st.caption(f"It will read {read:,} characters: {read / text.characters:.1f} x the text.")
    return steps


def run_config(
    text: ChosenText,
    size: str,
    shape: dict[str, Any],
    stride: int,
    steps: int,
    recipe: str,
    device: str,
    tokenizer_path: str | None,
) -> RunConfig:
    """Turn the choices into a run: some 200 points a curve, 20 evaluations and 6 samples."""
    return RunConfig(
        corpus=text.corpus,
        text_path=None if text.corpus else OWN_TEXT,
        tokenizer="file" if tokenizer_path else "char",
        tokenizer_path=tokenizer_path,
        model=PRESETS[size] | shape,
        recipe=RECIPES[recipe],
        device=device,
        precision="auto",
        steps=steps,
        batch_size=BATCH,
        stride=stride,
        log_interval=round_interval(steps, 200),
        eval_interval=round_interval(steps, 20),
        sample_interval=round_interval(steps, 6),
        sample_prompt=text.prompt,
        sample_temperature=0.5,  # tame: a small model shows sooner what it has learnt
        checkpoint_interval=max(100, round_interval(steps, 5)),
        final_eval_windows=512,
    )


def round_interval(steps: int, count: int) -> int:
    """Return a round number of steps that divides a run into `count` parts or a few more."""
    most = max(1, steps // count)
    unit = 10 ** (len(str(most)) - 1)
    return max(unit * factor // 2 for factor in (2, 4, 5, 10) if unit * factor // 2 <= most)


def set_up(lesson: Lesson, owner: str) -> None:
    """Let the learner choose, and start the run."""
    text_side, model_side = st.columns([3, 2], gap="large")
    with model_side:
        size = choose_size()
        details = st.container()
        recipe, position, device = choose_recipe(), choose_position(), choose_device()
        context_length, stride = choose_windows(size)
        shape: dict[str, Any] = {"context_length": context_length}
        shape |= {"position": position} if position else {}
        length = st.container()
    with text_side:
        text = choose_text(context_length)
        carried = carried_tokenizer()
    with details:
        path, vocab_size = carried or (None, text.vocab_size if text else 100)
        describe_size(size, recipe, vocab_size, shape)
        show_prose(lesson, "size")
    with length:
        steps = choose_steps(text, context_length)
        start = st.button(
            "Train",
            type="primary",
            icon=":material/play_arrow:",
            disabled=text is None,
            key="train",
        )
    if start and text:
        title = f"{text.title}, {size.capitalize()}"
        choices = (size, shape, stride, steps, recipe, device, path)
        train(text, title, owner, vocab_size, *choices)


def train(text: ChosenText, title: str, owner: str, vocab_size: int, *choices: Any) -> None:
    """Start the run and show it; its id goes into the address, so that a reload finds it."""
    try:
        config = run_config(text, *choices)
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
    st.session_state[_SETTING_UP] = False
    st.query_params["run"] = run.id
    st.rerun()


def show_run(lesson: Lesson, run: Run, *, own: bool) -> None:
    """Show the run, what its curves mean and, once it has ended, let the model write."""
    run_panel(run, own=own)
    if not run.active:
        write_with(lesson, run)
        take_away(lesson, run, own=own)
    if not (own and run.active):
        label = "Train another model" if own else "Train a model of your own"
        st.button(label, icon=":material/add:", key="another", on_click=begin_set_up)
    with st.expander("How to read the chart", expanded=not own):
        show_prose(lesson, "watch")


def begin_set_up() -> None:
    """Leave the run that is shown; it stays where it is."""
    st.session_state[_SETTING_UP] = True
    st.query_params.pop("run", None)


def end_set_up() -> None:
    """Go back to the newest run."""
    st.session_state[_SETTING_UP] = False


page = open_page("training_sandbox")
plotly_library()
me = visitor()
with record_trouble():
    shown = shown_run(me)
    named = st.query_params.get("run")
    if named and (shown is None or shown.id != named):
        st.warning("The run in this address is not, or no longer, on this machine.")
    if shown is None or (st.session_state.get(_SETTING_UP) and not named):
        if shown:
            st.button(f"Back to {shown.title}", icon=":material/arrow_back:", on_click=end_set_up)
        set_up(page, me)
        bring_back(page, me)
    else:
        show_run(page, shown, own=shown.owner == me)
    own_runs(me, shown)
