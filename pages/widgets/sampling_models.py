"""Who writes: our tiny GPT at once, SmolLM2 when it is asked for, or a run of the learner's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch

from llm_core.data.corpora import find_corpus
from llm_core.generation.sample import next_logits
from llm_core.pretrained.assets import Progress
from llm_core.pretrained.registry import MODELS, load
from llm_core.training.checkpoint_index import latest_checkpoint
from llm_core.training.runs import OWN_TEXT, Run
from pages.widgets.catalog import find_lesson
from pages.widgets.frame import link_to
from pages.widgets.inspector_texts import OWLS
from pages.widgets.token_text import token_label, token_piece, token_texts
from pages.widgets.training import launcher, record_trouble, shown_run, trained_model
from pages.widgets.view import current_view
from pages.widgets.visitor import visitor

TINY, HALF_TRAINED, SMOLLM2, OWN = "tiny", "tiny@1000", "smollm2", "run"
TITLES = {TINY: "Our tiny GPT", SMOLLM2: "SmolLM2", OWN: "My own run"}
LARGE = "SmolLM2 is a download of 93 MB, takes 430 MB of memory, and a few seconds to load."


@dataclass(frozen=True)
class Writer:
    """A model that writes, with what a page needs to say of it.

    key names it in caches; code, to be pasted, makes `model` and `tokenizer`; real_text is a text
    of the kind that it was trained on, written by somebody else. instant: does a token take a few
    milliseconds?
    """

    key: str
    title: str
    model: Any
    tokenizer: Any
    code: str
    real_text: str
    instant: bool = True

    @property
    def vocab_size(self) -> int:
        """Number of tokens to choose from."""
        return int(self.model.config.vocab_size)

    def piece(self, index: int) -> bytes | str:
        """What a token stands for: bytes where it need not be whole characters."""
        return token_piece(self.tokenizer, index)

    def texts(self, ids: Sequence[int]) -> list[str]:
        """What each token adds to the text; a character of several tokens comes with its last."""
        return token_texts(self.tokenizer, ids)

    def label(self, index: int) -> str:
        """The token as text, with white space visible."""
        return token_label(self.tokenizer, index)


def choose_writer() -> Writer:
    """Ask who writes. What cannot be had yet leaves the tiny GPT to go on with."""
    asked = st.segmented_control(
        "Who writes",
        list(TITLES),
        default=TINY,
        required=True,
        format_func=TITLES.__getitem__,
        key="model",
        bind="query-params",
    )
    if asked == SMOLLM2:
        return smollm2_writer(key="load_smollm2") or tiny_writer()
    return (_own_writer() if asked == OWN else None) or tiny_writer()


def tiny_writer(name: str = TINY) -> Writer:
    """The tiny GPT, or one of its snapshots."""
    model, tokenizer = _load_tiny(name)
    tales = find_corpus("tiny_tales").load()
    title = TITLES[TINY] if name == TINY else "Our tiny GPT, half trained"
    return Writer(name, title, model, tokenizer, _code(name), tales.rstrip().split("\n\n")[-1])


def smollm2_writer(*, key: str) -> Writer | None:
    """SmolLM2 if it is loaded; else offer to load it."""
    if SMOLLM2 not in MODELS.held():
        if current_view() == "print":
            return None
        st.info(f"{LARGE} Until then, the tiny GPT stands in for it.", icon=":material/download:")
        if not st.button("Load SmolLM2", key=key, icon=":material/download:"):
            return None
    return large_writer()


def large_writer() -> Writer:
    """SmolLM2; loads it, which takes a while, with a bar while it is fetched."""
    model, tokenizer = _load_large()
    title, code = TITLES[SMOLLM2], _code(SMOLLM2)
    return Writer(SMOLLM2, title, model, tokenizer, code, OWLS, instant=False)


@st.cache_data(max_entries=60, show_spinner=False)
def next_scores(_writer: Writer, key: str, ids: tuple[int, ...]) -> np.ndarray:
    """The logits (V,) of what may follow `ids`; `key` is the writer's."""
    return next_logits(_writer.model, torch.tensor(ids)).numpy()


def _load_tiny(name: str) -> Any:
    torch.set_num_threads(1)  # a model this small only waits for a second thread
    return load(name)


def _load_large() -> Any:
    if SMOLLM2 in MODELS.held():
        return load(SMOLLM2)
    bar = st.progress(0.0, text="Loading SmolLM2 …")

    def show(progress: Progress) -> None:
        bar.progress(progress.fraction, text=f"Fetching {progress.title} …")

    try:
        return load(SMOLLM2, on_progress=show)
    finally:
        bar.empty()


def _code(name: str) -> str:
    return (
        "import torch\n\nfrom llm_core.pretrained.registry import load\n\n"
        f"torch.set_num_threads(1)\nmodel, tokenizer = load({name!r})"
    )


def _own_writer() -> Writer | None:
    """The learner's newest run, or the one that the address names, if it has saved a model."""
    with record_trouble():
        run = shown_run(visitor())
        if run is not None:
            try:
                checkpoint = latest_checkpoint(launcher().store.run_folder(run.id))
            except ValueError:
                st.info("Your run has not saved a model yet. Until then, the tiny GPT writes.")
                return None
            model, tokenizer = trained_model(checkpoint)
            st.caption(f"“{run.title}”, as it was saved last.")
            key = f"run:{checkpoint}:{checkpoint.stat().st_mtime_ns}"
            return Writer(key, run.title, model, tokenizer, _run_code(run), _text_of(run))
    st.info("You have not trained a model yet. Until then, the tiny GPT writes.")
    if current_view() == "learn":
        link_to(find_lesson("training_sandbox"), "Train one: a few minutes are enough")
    return None


def _run_code(run: Run) -> str:
    return f"""import torch

from llm_core.training.checkpoints import load_newest_model
from llm_core.training.runs import RunStore, data_folder

torch.set_num_threads(1)
model, tokenizer = load_newest_model(RunStore(data_folder()).run_folder({run.id!r}))"""


def _text_of(run: Run) -> str:
    """The end of what the run learns from: that part was held out of its training."""
    if run.config.corpus:
        return find_corpus(run.config.corpus).load()[-400:]
    path = launcher().store.run_folder(run.id) / OWN_TEXT
    return path.read_text(encoding="utf-8")[-400:] if path.exists() else OWLS
