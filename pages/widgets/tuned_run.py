"""Use a fine-tuned model that was kept: let it sort a text, or follow an instruction."""

from pathlib import Path
from typing import Any

import streamlit as st

from llm_core.training.checkpoint_index import latest_checkpoint
from llm_core.training.head_files import has_head
from llm_core.training.runs import Run
from pages.widgets.booth import booth
from pages.widgets.catalog import find_lesson
from pages.widgets.fragments import own_part
from pages.widgets.live_training import PIECE
from pages.widgets.model_request import requested_model
from pages.widgets.navigation import link_to
from pages.widgets.training import launcher, trained_model

_LONGEST = 600  # characters


def go_on_tuning(run: Run) -> None:
    """Let a fine-tuning that is at work in this server go on for a moment: somebody watches it."""
    work = booth().of_run(run.id)
    if work is not None:
        booth().go_on(work, PIECE)


def tuned_note(run: Run) -> None:
    """Say why nothing of it can be steered, and where another one is tuned."""
    st.caption(run.config.tuned)
    link_to(find_lesson("pretraining_and_finetuning"), "Fine-tune another one")


@own_part
def use_tuned(run: Run) -> None:
    """Ask for a text, and show what the model makes of it; silent if none was saved."""
    folder = launcher().store.run_folder(run.id)
    sorts = has_head(folder)
    try:
        checkpoint = None if run.config.body else latest_checkpoint(folder)
    except ValueError:
        return
    if run.config.body and not sorts:
        return
    st.header("Let it sort a text" if sorts else "Let it answer", divider="gray")
    label = "A text" if sorts else "An instruction"
    text = st.text_input(label, key=f"tuned_text_{run.id}", max_chars=_LONGEST).strip()
    found = requested_model(run.config.body) if checkpoint is None else trained_model(checkpoint)
    if found is None:
        return
    if not text:
        st.caption("It has learnt from the run's texts alone: write something like them.")
    elif sorts:
        _sort(*found, text, folder, large=bool(run.config.body))
    else:
        _answer(*found, text)


def _sort(model: Any, tokenizer: Any, text: str, folder: Path, *, large: bool) -> None:
    from llm_core.finetuning.classification import LONGEST_READ, sort_text
    from llm_core.training.heads import read_head

    head = read_head(folder)
    assert head is not None
    longest = LONGEST_READ if large else None
    shares = sort_text(model, tokenizer, head.weight, text, longest=longest)
    best = max(range(len(shares)), key=shares.__getitem__)
    st.markdown("It says, with a probability of " + f"{shares[best]:.1%}:")
    st.text(head.labels[best])


def _answer(model: Any, tokenizer: Any, text: str) -> None:
    from llm_core.finetuning.instructions import answers

    st.text(answers(model, tokenizer, [text])[0] or "(nothing)")
