"""Which models can be looked into, and the choice of one or two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from llm_core.data.corpora import find_corpus
from llm_core.pretrained.registry import load
from llm_core.pretrained.tiny import snapshot_steps
from llm_core.training.checkpoint_index import (
    DamagedCheckpointError,
    checkpoint_step,
    list_checkpoints,
)
from llm_core.training.head_files import has_head
from llm_core.training.runs import OWN_TEXT, Run
from pages.widgets.address import asked_value, write_value
from pages.widgets.inspector_texts import (
    FAMOUS,
    HELD_OUT,
    OWLS,
    READ,
    TALE_HELD_OUT,
    TALE_READ,
    texts_of,
    tuned_texts,
    with_spoilt,
)
from pages.widgets.model_request import requested_model
from pages.widgets.training import has_head_alone, kept_model, launcher

TINY, SMOLLM2, NONE = "tiny", "smollm2", ""
MOST_TOKENS, MOST_OF_LARGE = 256, 128  # that this page lets a model read
_GONE = "The run in this address is not, or no longer, on this machine: here is another model."
_UNSAVED = "The run in this address has not saved a model yet: here is another one until then."


@dataclass(frozen=True)
class Source:
    """Models that came of one training: its name in the address, and the steps that are kept."""

    name: str
    title: str
    steps: tuple[int, ...] = ()
    run: Run | None = None


@dataclass(frozen=True)
class Inspected:
    """A model to look into. key names it in caches; code, to be pasted, makes it.

    texts: examples by name; most: the number of tokens that are read here; head_of: the run that
    has trained a classifier's head for it.
    """

    key: str
    title: str
    model: Any
    tokenizer: Any
    code: str
    texts: Mapping[str, str]
    most: int
    head_of: str = ""


def all_sources(owner: str) -> dict[str, Source]:
    """Return by name what this visitor can look into: own runs, newest first, and shipped models.

    Runs that have saved nothing are left out.
    """
    runs = [source for run in launcher().store.of_owner(owner) if (source := source_of_run(run))]
    shipped = [
        Source(TINY, "Our tiny GPT", snapshot_steps()),
        Source(SMOLLM2, "SmolLM2, 135 million parameters"),
    ]
    return {source.name: source for source in [*runs, *shipped]}


def source_of_run(run: Run) -> Source | None:
    """Return a run with the steps that it has kept, or None if there is none yet."""
    steps = tuple(map(checkpoint_step, list_checkpoints(_folder_of(run.id))))
    if has_head_alone(run):
        steps = (run.step,)
    return Source(run.id, run.title, steps, run) if steps else None


def choose_model(sources: dict[str, Source]) -> Inspected:
    """Ask for the model to look into; `sources` gets a run that only the address knows."""
    asked = asked_value("model")
    if asked is None and "run" in st.query_params:  # a link from the sandbox, or a shared one
        asked = st.query_params.pop("run")
    found = _choose("Model", "model", sources, asked)
    assert found is not None
    return found


def choose_other(sources: dict[str, Source]) -> Inspected | None:
    """Ask for a second model to lay beside the first; None is the default."""
    return _choose("Beside it", "beside", sources, asked_value("beside"), optional=True)


def _choose(
    label: str,
    key: str,
    sources: dict[str, Source],
    asked: str | None,
    *,
    optional: bool = False,
) -> Inspected | None:
    """One choice: a source, one of its steps, and the model; all of it stands in the address."""
    step = _take_over(key, sources, asked)
    titles = _distinct({name: source.title for name, source in sources.items()})
    if optional:
        titles = {NONE: "Nothing"} | titles
    if st.session_state.get(f"{key}_source") not in titles:  # such as a run that was deleted
        st.session_state[f"{key}_source"] = next(iter(titles))
    name = st.selectbox(label, list(titles), format_func=titles.__getitem__, key=f"{key}_source")
    if name == NONE:
        write_value(key, "")
        return None
    source = sources[name]
    usual = source.steps[(len(source.steps) - 1) // 2 if optional else -1] if source.steps else None
    step = _choose_step(key, source, step if step is not None else usual)
    newest = step is None or step == source.steps[-1]
    write_value(key, source.name if newest else f"{source.name}@{step}")
    return _open(source, step, optional=optional)


def _take_over(key: str, sources: dict[str, Source], asked: str | None) -> int | None:
    """Choose what the address asks for; return the step that it names, if it is kept."""
    name, _, number = (asked or st.session_state.get(f"{key}_source") or "").partition("@")
    if name and name not in sources:  # another visitor's run, which its id gives access to
        run = launcher().store.get(name)
        source = source_of_run(run) if run else None
        if source is None:
            st.warning(_UNSAVED if run else _GONE, icon=":material/info:")
            return None
        sources[name] = source
    if not asked:
        return None
    st.session_state[f"{key}_source"] = name
    steps = sources[name].steps
    if not number:
        step = steps[-1] if steps else None
    else:
        step = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else -1
        if step not in steps:
            if steps:
                st.warning(
                    f"The model after step {number[:20]} is not kept, or no longer: here is "
                    f"the one after {steps[-1]:,} steps.",
                    icon=":material/info:",
                )
            step = steps[-1] if steps else None
    if step is not None:
        st.session_state[f"{key}_step_{name}"] = step
    return step


def _choose_step(key: str, source: Source, usual: int | None) -> int | None:
    if len(source.steps) < 2:
        return usual
    widget = f"{key}_step_{source.name}"
    if st.session_state.get(widget) not in source.steps:
        st.session_state[widget] = usual
    step: int = st.select_slider(
        "After how many steps of training", source.steps, key=widget, format_func="{:,}".format
    )
    return step


def _open(source: Source, step: int | None, *, optional: bool) -> Inspected | None:
    if source.name == SMOLLM2:
        if optional and st.session_state["model_source"] == SMOLLM2:  # it was offered already
            return None
        return _large() or (None if optional else _tiny(None))
    if source.run is not None and source.run.config.body:
        return _large(source.run) or (None if optional else _tiny(None))
    if source.run is not None and step is not None:
        return _trained(source.run, step)
    return _tiny(step)


def _tiny(step: int | None) -> Inspected:
    import torch

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    newest = step is None or step == snapshot_steps()[-1]
    name, title = (TINY, "Our tiny GPT") if newest else (f"{TINY}@{step}", _after(step))
    model, tokenizer = load(name)
    texts = with_spoilt({HELD_OUT: TALE_HELD_OUT, READ: TALE_READ})
    return Inspected(name, title, model, tokenizer, _shipped_code(name), texts, MOST_TOKENS)


def _after(step: int | None) -> str:
    return f"Our tiny GPT after {step:,} steps"


def _large(run: Run | None = None) -> Inspected | None:
    """SmolLM2, with the texts of a run that has trained a head for it, if there is one."""
    loaded = requested_model(SMOLLM2, key=f"_{run.id}" if run else "")
    if loaded is None:
        st.caption("Until it is loaded, you see what is chosen otherwise.")
        return None
    title, texts = "SmolLM2", with_spoilt({"new to it": OWLS, "famous": FAMOUS})
    head_of = ""
    if run is not None:
        title = f"SmolLM2 below “{run.title}”"
        texts = _run_texts(run, loaded[1], run.id, MOST_OF_LARGE)
        head_of = run.id
        st.caption("Its head changed nothing of SmolLM2: what you see is what the head reads.")
    code = _shipped_code(SMOLLM2)
    return Inspected(SMOLLM2, title, *loaded, code, texts, MOST_OF_LARGE, head_of)


def _trained(run: Run, step: int) -> Inspected:
    folder = launcher().store.run_folder(run.id)
    checkpoint = next((c for c in list_checkpoints(folder) if checkpoint_step(c) == step), folder)
    try:
        model, tokenizer = kept_model(checkpoint)
        changed = checkpoint.stat().st_mtime_ns
    except (DamagedCheckpointError, OSError) as error:
        raise ValueError(
            f"What this run kept after {step:,} steps cannot be read: choose another step."
        ) from error
    most = min(model.config.context_length, MOST_TOKENS)
    return Inspected(
        f"{run.id}@{step}:{changed}",
        f"{run.title} after {step:,} steps",
        model,
        tokenizer,
        _run_code(run, checkpoint),
        _run_texts(run, tokenizer, run.id, most),
        MOST_TOKENS,
        run.id if has_head(folder) else "",
    )


@st.cache_data(max_entries=50, show_spinner=False)
def _run_texts(_run: Run, _tokenizer: Any, run_id: str, most: int) -> dict[str, str]:
    """Passages of what the run learns from, once a run: a corpus may have megabytes."""
    if _run.config.corpus:
        whole = find_corpus(_run.config.corpus).load()
    else:
        path = _folder_of(run_id) / OWN_TEXT
        whole = path.read_text(encoding="utf-8") if path.exists() else OWLS
    if _run.config.tuned:
        return tuned_texts(whole, _tokenizer, most, table=has_head(_folder_of(run_id)))
    fraction = _run.config.validation_fraction
    return texts_of(whole, _tokenizer, most, validation_fraction=fraction)


def _folder_of(run_id: str) -> Path:
    return launcher().store.run_folder(run_id)


def _distinct(titles: dict[str, str]) -> dict[str, str]:
    """Number what would have the same title."""
    counts: dict[str, int] = {}
    distinct = {}
    for name, title in titles.items():
        counts[title] = counts.get(title, 0) + 1
        distinct[name] = title if counts[title] == 1 else f"{title} ({counts[title]})"
    return distinct


def _shipped_code(name: str) -> str:
    return (
        "import torch\n\nfrom llm_core.pretrained.registry import load\n\n"
        f"torch.set_num_threads(1)\nmodel, tokenizer = load({name!r})"
    )


def _run_code(run: Run, checkpoint: Path) -> str:
    return f"""import torch

from llm_core.training.checkpoints import load_model
from llm_core.training.runs import RunStore, data_folder

torch.set_num_threads(1)
folder = RunStore(data_folder()).run_folder({run.id!r})
model, tokenizer = load_model(folder / {checkpoint.name!r})"""
