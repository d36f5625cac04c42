"""What to look at in a run that has saved a model: links to the inspector. Imports no torch."""

import streamlit as st

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.runs import Run
from pages.widgets.catalog import find_lesson
from pages.widgets.frame import link_to
from pages.widgets.training import has_head_alone, launcher


def inspect_links(run: Run) -> None:
    """Offer to look into the run's model; silent if it has saved none."""
    kept = list_checkpoints(launcher().store.run_folder(run.id))
    if not kept and not has_head_alone(run):
        return
    inspector = find_lesson("model_inspector")
    with st.container(horizontal=True, vertical_alignment="center", key="inspect_links"):
        link_to(inspector, "Inspect this model", model=run.id)
        link_to(
            inspector,
            "Try it: is it less surprised by what it has read?",
            model=run.id,
            passage="@read in training",
        )
        if len(kept) > 1:
            before = checkpoint_step(kept[0])
            link_to(
                inspector,
                f"Try it: what did it learn after step {before:,}?",
                model=run.id,
                beside=f"{run.id}@{before}",
            )
