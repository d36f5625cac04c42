"""A vector for each passage: shipped for the addresses, else computed here, kept and resumed."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from llm_core.retrieval.dense import DenseIndex
from llm_core.retrieval.search import Searcher
from llm_core.retrieval.vector_files import VectorFile, seconds_needed
from llm_core.training.runs import data_folder
from pages.widgets.code_viewer import show_code
from pages.widgets.model_request import requested_model
from pages.widgets.retrieval_corpus import ADDRESSES, Body, addresses, passages_code
from pages.widgets.view import current_view

_SPEEDS = "_retrieval_speeds"  # seconds a passage, by the file of its passages
_LOADED = "minilm"
WIDTH = 384


@dataclass(frozen=True)
class Encoded:
    """A searcher with vectors, if they are there, and the encoder, if it is loaded."""

    searcher: Searcher
    loaded: Any

    def vector(self, question: str) -> np.ndarray | None:
        """The question's vector (C,): from the shipped ones, or made now; else None."""
        shipped = addresses()[1]
        if shipped is not None and question in shipped.questions:
            return shipped.questions[question]
        if self.loaded is None:
            return None
        return question_vector(question, self.loaded)


@st.cache_data(max_entries=200, show_spinner=False)
def question_vector(question: str, _loaded: Any) -> np.ndarray:
    """Embed one question; `_loaded` is the encoder."""
    from llm_core.retrieval.encoder import embedder

    found: np.ndarray = embedder(_loaded)([question])[0]
    return found


def encode(body: Body, searcher: Searcher) -> Encoded:
    """Say where the vectors are from; load the encoder and index where it is asked for."""
    if body.name == ADDRESSES:
        return _shipped(body, searcher)
    loaded = requested_model(_LOADED)
    file = vector_file(searcher)
    if file.done() == len(searcher.passages):
        return _finished(body, searcher, file, loaded)
    st.markdown(f"**{len(searcher.passages):,} passages** have no vectors yet.")
    if loaded is None:
        st.caption("The encoder makes them. Load it, and the page says how long that will take.")
        return Encoded(searcher, None)
    if current_view() != "print":
        _offer(searcher, file, loaded)
    return Encoded(searcher, loaded)


def vector_file(searcher: Searcher) -> VectorFile:
    """Where the vectors of these passages are kept."""
    return VectorFile(data_folder() / "retrieval", searcher.passages, width=WIDTH, encoder=_LOADED)


def _shipped(body: Body, searcher: Searcher) -> Encoded:
    shipped = addresses()[1]
    if shipped is None:
        st.info("The addresses can be searched by words only, as said above.")
        return Encoded(searcher, None)
    count, width = shipped.dense.vectors.shape
    st.markdown(
        f"The vectors of the addresses come with the course: **{count:,} vectors of {width} "
        "numbers**. So do those of our own questions. For a question of yours, the encoder itself "
        "is needed."
    )
    first = [round(float(number), 3) for number in shipped.dense.vectors[0, :4]]
    show_code(
        DenseIndex,
        key="vectors",
        call=f"""{passages_code(body, searcher.passages)}

from llm_core.retrieval.shipped import load_shipped

shipped = load_shipped(passages)
print(shipped.dense.vectors.shape)  # {shipped.dense.vectors.shape}
print([round(float(number), 3) for number in shipped.dense.vectors[0, :4]])  # {first}""",
    )
    return Encoded(searcher, requested_model(_LOADED))


def _finished(body: Body, searcher: Searcher, file: VectorFile, loaded: Any) -> Encoded:
    vectors = _read(str(file.path), file)
    st.markdown(
        f"The vectors of these **{len(vectors):,} passages** are kept on this machine, "
        f"{file.path.stat().st_size / 1e6:.1f} MB. They need not be made again."
    )
    return Encoded(Searcher(searcher.passages, searcher.words, DenseIndex(vectors)), loaded)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(path: str, _file: VectorFile) -> np.ndarray:
    """The vectors (N, C) of a finished file; its name holds the sha256 of the passages."""
    return _file.read()


def _offer(searcher: Searcher, file: VectorFile, loaded: Any) -> None:
    """Say how long it will take, then do it; what is done is kept, whatever happens."""
    done, total = file.done(), len(searcher.passages)
    left = (total - done) * _seconds_a_passage(searcher, file, loaded)
    name = f"Go on: {done:,} of {total:,} are done" if done else f"Index {total:,} passages"
    st.markdown(f"On this machine that takes **about {spoken_time(left)}**.")
    st.caption(
        "You can leave in the middle: what is done is kept, and the page goes on from there."
    )
    if st.button(name, key="index", icon=":material/database:", type="primary"):
        _compute(file, loaded)


def _seconds_a_passage(searcher: Searcher, file: VectorFile, loaded: Any) -> float:
    """Measured on a few passages, once for these passages."""
    from llm_core.retrieval.encoder import embedder

    speeds: dict[str, float] = st.session_state.setdefault(_SPEEDS, {})
    if file.path.name not in speeds:
        with st.spinner("Trying the encoder on a few passages …"):
            speeds[file.path.name] = seconds_needed(searcher.passages, embedder(loaded), count=1)
    return speeds[file.path.name]


def _compute(file: VectorFile, loaded: Any) -> None:
    from llm_core.retrieval.encoder import embedder

    bar = st.progress(0.0, text="Starting …")
    shown = 0.0
    for progress in file.compute(embedder(loaded)):
        if time.monotonic() - shown > 0.25 or progress.done == progress.total:
            shown = time.monotonic()
            bar.progress(
                progress.done / progress.total,
                text=f"{progress.done:,} of {progress.total:,} passages, "
                f"{spoken_time(progress.remaining)} left",
            )
    st.rerun(scope="app")


def spoken_time(seconds: float) -> str:
    """A time as one would say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"
