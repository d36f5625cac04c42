"""Let a trained model continue a prompt, token by token."""

import html
from collections.abc import Iterator
from typing import Any

import streamlit as st

from llm_core.training.checkpoint_index import latest_checkpoint
from llm_core.training.runs import Run
from pages.figures.palette import PREDICTION
from pages.widgets.catalog import Lesson
from pages.widgets.prose import show_prose
from pages.widgets.training import launcher, trained_model

_WRITTEN = "_written"  # (run id, prompt, continuation): survives reruns and page switches


def write_with(lesson: Lesson, run: Run) -> None:
    """Ask for a prompt and show how the model goes on; silent if the run has saved no model."""
    try:
        checkpoint = latest_checkpoint(launcher().store.run_folder(run.id))
    except ValueError:
        return
    st.header("Let it write", divider="gray")
    show_prose(lesson, "write")
    with st.form("write", border=False):
        prompt = st.text_input("The text begins", value=run.config.sample_prompt, max_chars=2000)
        temperature, length = st.columns(2)
        settings = {
            "temperature": temperature.slider(
                "Temperature",
                0.0,
                2.0,
                0.5,
                0.1,
                help="Low: the likeliest character, again and again. High: daring, then nonsense.",
            ),
            "max_new_tokens": length.slider("Tokens to write", 20, 1000, 300, 20),
        }
        pressed = st.form_submit_button("Continue", icon=":material/edit:", type="primary")
    place = st.empty()
    if pressed:
        _write(place, run, checkpoint, prompt, settings)
    else:
        _show_last(place, run)


def _write(place: Any, run: Run, checkpoint: Any, prompt: str, settings: dict[str, Any]) -> None:
    """Generate and show each token as it comes; every press draws anew."""
    draw = st.session_state["_draws"] = st.session_state.get("_draws", 0) + 1
    written = ""
    try:
        for piece in _pieces(checkpoint, prompt, settings, seed=draw):
            written += piece
            st.session_state[_WRITTEN] = (run.id, prompt, written)
            _show(place, prompt, written)
    except ValueError as error:
        place.error(str(error), icon=":material/error:")


def _pieces(checkpoint: Any, prompt: str, settings: dict[str, Any], seed: int) -> Iterator[str]:
    """Yield the continuation as text, character by whole character; imports torch on first use."""
    import torch

    from llm_core.generation.sample import SamplingSettings, generate

    model, tokenizer = trained_model(checkpoint)
    ids = torch.tensor(tokenizer.encode(prompt), dtype=torch.long)
    generator = torch.Generator().manual_seed(seed)
    written: list[int] = []
    shown = 0
    for token in generate(model, ids, SamplingSettings(**settings), generator=generator):
        written.append(token.id)
        text = tokenizer.decode(written)
        if not text.endswith("\N{REPLACEMENT CHARACTER}"):  # else its last bytes are to come
            yield text[shown:]
            shown = len(text)


def _show_last(place: Any, run: Run) -> None:
    run_id, prompt, written = st.session_state.get(_WRITTEN, ("", "", ""))
    if run_id == run.id:
        _show(place, prompt, written)


def _show(place: Any, prompt: str, written: str) -> None:
    """Prompt in bold, then what the model wrote, marked with the colour of predictions."""
    place.html(
        f'<div style="white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid '
        f'{PREDICTION};padding:.25rem 1rem" role="region" aria-label="What the model wrote">'
        f"<b>{html.escape(prompt)}</b>{html.escape(written)}</div>"
    )
