"""Who writes: our tiny GPT at once, SmolLM2 when it is asked for, or a run of the learner's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch

from llm_core.data.corpora import find_corpus
from llm_core.generation.sample import next_logits
from llm_core.pretrained.registry import load
from llm_core.training.checkpoint_index import latest_checkpoint
from llm_core.training.runs import OWN_TEXT, Run
from pages.widgets.catalog import find_lesson
from pages.widgets.frame import link_to
from pages.widgets.inspector_texts import OWLS
from pages.widgets.model_request import requested_model
from pages.widgets.token_text import token_label, token_piece, token_texts
from pages.widgets.training import launcher, record_trouble, shown_run, trained_model
from pages.widgets.view import current_view
from pages.widgets.visitor import visitor

TINY, HALF_TRAINED, SMOLLM2, OWN = "tiny", "tiny@1000", "smollm2", "run"
TITLES = {TINY: "Our tiny GPT", SMOLLM2: "SmolLM2", OWN: "My own run"}


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
        loaded = requested_model(SMOLLM2)
        if loaded is None:
            st.caption("Until it is loaded, the tiny GPT stands in for it.")
        return tiny_writer() if loaded is None else large_writer(loaded)
    return (_own_writer() if asked == OWN else None) or tiny_writer()


def tiny_writer(name: str = TINY) -> Writer:
    """The tiny GPT, or one of its snapshots."""
    model, tokenizer = _load_tiny(name)
    tales = find_corpus("tiny_tales").load()
    title = TITLES[TINY] if name == TINY else "Our tiny GPT, half trained"
    return Writer(name, title, model, tokenizer, _code(name), tales.rstrip().split("\n\n")[-1])


def large_writer(loaded: Any) -> Writer:
    """SmolLM2, as `requested_model` returns it."""
    model, tokenizer = loaded
    title, code = TITLES[SMOLLM2], _code(SMOLLM2)
    return Writer(SMOLLM2, title, model, tokenizer, code, OWLS, instant=False)


@st.cache_data(max_entries=60, show_spinner=False)
def next_scores(_writer: Writer, key: str, ids: tuple[int, ...]) -> np.ndarray:
    """The logits (V,) of what may follow `ids`; `key` is the writer's."""
    return next_logits(_writer.model, torch.tensor(ids)).numpy()


def _load_tiny(name: str) -> Any:
    torch.set_num_threads(1)  # a model this small only waits for a second thread
    return load(name)


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
