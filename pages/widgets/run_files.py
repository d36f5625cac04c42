"""A visitor's runs: which they have, and how to take one away, bring it back or delete it."""

from typing import Any

import streamlit as st

from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.notes import LONGEST
from llm_core.training.runs import Run
from llm_core.training.tensorboard import event_file, event_file_name
from pages.widgets.catalog import Lesson
from pages.widgets.prose import show_prose
from pages.widgets.run_panel import badge_of
from pages.widgets.training import has_head_alone, launcher

_PACKED = "_packed"  # (run id, step, the file): only for as long as the page is open


def take_away(lesson: Lesson, run: Run, *, own: bool) -> None:
    """Offer the run as one file; its owner may also delete it."""
    folder = launcher().store.run_folder(run.id)
    with st.expander("Rename, take away or delete it" if own else "Take it away"):
        if own:
            _rename(run)
            _annotate(run)
        if list_checkpoints(folder) or has_head_alone(run):
            show_prose(lesson, "take_away")
            _offer_file(run)
            _offer_events(run)
        if own:
            sure = st.checkbox("Yes, delete this run for ever", key=f"sure_{run.id}")
            st.button(
                "Delete",
                icon=":material/delete:",
                key="delete",
                disabled=not sure,
                on_click=_delete,
                args=(run,),
            )


def _rename(run: Run) -> None:
    """Another name for the run, for its owner to know it by."""
    with st.form(f"rename_{run.id}", border=False):
        title = st.text_input("Its name", run.title, max_chars=80, key=f"title_{run.id}")
        if st.form_submit_button("Rename"):
            try:
                launcher().rename(run, title, by=run.owner)
            except ValueError as error:
                st.error(str(error), icon=":material/error:")
            else:
                st.rerun()


def _annotate(run: Run) -> None:
    """What its owner wants to remember about the run; the comparison shows it too."""
    with st.form(f"annotate_{run.id}", border=False):
        known = launcher().store.notes([run.id]).get(run.id, "")
        note = st.text_area(
            "A note about it",
            known,
            max_chars=LONGEST,
            height=80,
            placeholder="What did you expect? What came out?",
            key=f"note_{run.id}",
        )
        if st.form_submit_button("Keep the note"):
            try:
                launcher().annotate(run, note, by=run.owner)
            except ValueError as error:
                st.error(str(error), icon=":material/error:")
            else:
                st.rerun()


def bring_back(lesson: Lesson, owner: str) -> None:
    """Take a run's file in."""
    with st.expander("Bring back a run", icon=":material/upload:"):
        show_prose(lesson, "bring_back")
        uploaded = st.file_uploader(
            "A run's file",
            type=["zip"],
            key="run_file",
            max_upload_size=launcher().limits.max_upload_mb,
        )
        if uploaded and st.button("Bring it back", key="bring_back"):
            try:
                run = _unpack(uploaded.getvalue(), owner)
            except (ValueError, OSError, RuntimeError) as error:
                st.error(str(error), icon=":material/error:")
                return
            st.query_params["run"] = run.id
            st.rerun()


def own_runs(owner: str, shown: Run | None) -> None:
    """List the visitor's runs, as links, if there are several."""
    runs = launcher().store.of_owner(owner)
    others = [run for run in runs if shown is None or run.id != shown.id]
    if not others:
        return
    with st.expander(f"Your other runs ({len(others)})", icon=":material/list:"):
        for run in others:
            st.button(
                f"{run.title}: {badge_of(run)[0]}, step {run.step:,} of {run.config.steps:,}",
                key=f"open_{run.id}",
                type="tertiary",
                on_click=_show,
                args=(run,),
            )


def _offer_file(run: Run) -> None:
    """Pack on request: it takes seconds, and megabytes of the server's memory."""
    held = st.session_state.get(_PACKED)
    if held and held[:2] == (run.id, run.step):
        st.download_button(
            f"Download ({len(held[2]) / 1e6:.1f} MB)",
            held[2],
            f"run-{run.id[:8]}-step-{run.step}.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )
    else:
        st.button("Pack it into one file", key="pack", on_click=_pack, args=(run,))


def _offer_events(run: Run) -> None:
    """Its curves for TensorBoard, written when they are asked for."""
    st.download_button(
        "Its curves for TensorBoard",
        lambda: event_file(launcher().store.curves(run.id), started=run.created),
        event_file_name(run.created),
        "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        help="Put the file into a folder, and start `tensorboard --logdir` with that folder.",
    )


def _pack(run: Run) -> None:
    from llm_core.training.archive import pack_run  # imports torch

    store = launcher().store
    try:
        data = pack_run(
            store.run_folder(run.id), title=run.title, curves=store.curves(run.id), facts=run.facts
        )
    except (ValueError, OSError) as error:
        st.toast(str(error), icon=":material/error:")
        return
    st.session_state[_PACKED] = (run.id, run.step, data)


def _unpack(data: bytes, owner: str) -> Run:
    from llm_core.training.unpacking import bring_run, unpack_run  # imports torch

    queue: Any = launcher()
    queue.require_room(owner)
    return bring_run(unpack_run(data, queue.limits), queue.store, owner=owner)


def _delete(run: Run) -> None:
    try:
        launcher().delete(run, by=run.owner)
    except (ValueError, RuntimeError, OSError) as error:
        st.toast(str(error), icon=":material/error:")
        return
    st.query_params.pop("run", None)


def _show(run: Run) -> None:
    st.query_params["run"] = run.id
