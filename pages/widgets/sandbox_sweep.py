"""Sweep one setting of a run: several values, queued with one press, compared while they train."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from llm_core.inspection.counting import count_parameters
from llm_core.training.runs import Run
from llm_core.training.sweeps import MOST_VALUES, SETTINGS, Setting, Value, find_setting, sweep
from pages.widgets.catalog import Lesson
from pages.widgets.errors import error_boundary
from pages.widgets.prose import show_prose
from pages.widgets.sandbox_steer import short_title
from pages.widgets.training import launcher, record_trouble


def show_sweep(lesson: Lesson, run: Run) -> None:
    """Offer to its owner to train the like of a run with other values of one setting."""
    with st.expander("Sweep a setting", icon=":material/stacked_line_chart:", key="sweep"):
        show_prose(lesson, "sweep")
        _choose(run.id)


@st.fragment
def _choose(run_id: str) -> None:
    """A fragment: choosing reruns nothing else."""
    with error_boundary("The sweep"), record_trouble():
        run = launcher().store.get(run_id)
        if run is None:
            st.info("This run is not here any more.")
            return
        left, right = st.columns([1, 2], gap="large", vertical_alignment="bottom")
        with left:
            setting = find_setting(
                st.selectbox(
                    "Setting", list(SETTINGS), format_func=str.capitalize, key=f"swept_{run.id}"
                )
            )
        now = setting.get(run.config)
        with right:
            texts = st.multiselect(
                f"Values, up to {MOST_VALUES}",
                [f"{value:g}" for value in setting.usual if value != now],
                accept_new_options=True,
                max_selections=MOST_VALUES,
                placeholder="Choose, or type your own",
                key=f"values_{run.id}_{setting.name}",
            )
        st.caption(f"This run has {now:g}. The others will be compared with it.")
        count = len(texts)
        label = f"Queue {count} run{'' if count == 1 else 's'}"
        if st.button(label, icon=":material/playlist_add:", key="start_sweep", disabled=not count):
            try:
                started = start_sweep(run, setting, [setting.read(text) for text in texts])
            except (ValueError, RuntimeError, OSError) as error:
                st.error(str(error), icon=":material/error:")
                return
            st.query_params["compare"] = ".".join([run.id, *(each.id for each in started)])
            st.session_state["swept"] = len(started)
            st.rerun()


def start_sweep(run: Run, setting: Setting, values: Sequence[Value]) -> list[Run]:
    """Queue a run a value, all of them or none; ValueError, with the number, if they are too many.

    The size of each model is checked before the first is queued.
    """
    queue = launcher()
    configs = sweep(run.config, setting, values)
    vocab_size = run.facts.vocab_size if run.facts else 100
    sizes = [count_parameters(config.transformer(vocab_size)) for config in configs]
    for config, parameters in zip(configs, sizes, strict=True):
        queue.limits.check_run(config, parameters=parameters, vocab_size=vocab_size)
    queue.require_room(run.owner, more=len(configs))
    text = None
    if run.config.text_path is not None:
        text = Path(run.config.text_path).read_text(encoding="utf-8")
    return [
        queue.launch(
            config,
            owner=run.owner,
            title=short_title(f"{run.title}, {setting.name} {value:g}"),
            text=text,
            parameters=parameters,
            vocab_size=vocab_size,
        )
        for config, parameters, value in zip(configs, sizes, values, strict=True)
    ]


def swept_note() -> None:
    """Say once that a sweep has been queued, and where to look."""
    count = st.session_state.pop("swept", 0)
    if count:
        st.toast(
            f"{count} runs are queued. Their curves grow under *Compare*.",
            icon=":material/stacked_line_chart:",
        )
