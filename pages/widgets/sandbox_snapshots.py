"""Scrub over a run's snapshots: its heads, its tokens on a map, and what it expects next."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from llm_core.training.checkpoint_index import DamagedCheckpointError
from llm_core.training.runs import Run
from llm_core.training.snapshot_index import list_snapshots, snapshot_step
from pages.figures.distribution import (
    distribution_alt_text,
    distribution_figure,
    top_outcomes,
)
from pages.widgets.attention_heads import show_weights
from pages.widgets.catalog import Lesson
from pages.widgets.figure import show_finding
from pages.widgets.fragments import own_part
from pages.widgets.head_grid import head_grid
from pages.widgets.live_chart import live_chart
from pages.widgets.point_map import Point, point_map
from pages.widgets.prose import show_prose
from pages.widgets.stepper import stepper
from pages.widgets.token_text import token_label
from pages.widgets.training import launcher

MOST_TOKENS = 24  # of a prompt: on a phone, each still has a label
_TOKENS, _BARS, _NAMED = 150, 8, 5
_FEW = 20  # tokens on a map that can all have their names
_PROMPT_LENGTH = 200  # characters


def show_snapshots(lesson: Lesson, run: Run) -> None:
    """Offer to go through the run's snapshots; silent until there are two.

    Torch is loaded only when somebody asks: a page that is merely watched does without.
    """
    if len(list_snapshots(launcher().store.run_folder(run.id))) < 2:
        return
    st.header("Inside it, while it learnt", divider="gray", anchor="snapshots")
    show_prose(lesson, "snapshots")
    if st.toggle("Look inside", key="look_inside", bind="query-params"):
        _scrub(run)


@own_part
def _scrub(run: Run) -> None:
    kept = list_snapshots(launcher().store.run_folder(run.id))
    prompt = st.text_input(
        "It reads",
        _usual_prompt(run),
        key=f"inside_prompt_{run.id}",
        max_chars=_PROMPT_LENGTH,
        help=f"The last {MOST_TOKENS} tokens count.",
    )
    place = stepper(len(kept), key="snapshot", label="Snapshot", start=len(kept) - 1)
    model, tokenizer = _open(kept[place])
    most = min(MOST_TOKENS, model.config.context_length)
    ids = tuple(tokenizer.encode(prompt)[-most:])
    moment = _moment(str(kept[place]), kept[place].stat().st_mtime_ns, ids)
    st.markdown(_sentence(run, snapshot_step(kept[place])))
    left, right = st.columns(2, gap="large")
    with right:
        st.markdown("**Whom its heads look at**")
        _heads(moment.maps, [token_label(tokenizer, each) for each in ids])
    with left:
        bars = st.container()
        st.markdown("**Its tokens on a map**")
        _map(run, kept, place, tokenizer)
    with bars:  # last: it takes longest, and the others need not wait for it
        st.markdown("**What it expects next**")
        _expected(tokenizer, moment.probabilities)


def _usual_prompt(run: Run) -> str:
    samples = launcher().store.samples(run.id)
    first = samples[0].prompt if samples else run.config.sample_prompt
    if first.strip():
        return first
    written = samples[-1].text.strip() if samples else ""
    return written[:MOST_TOKENS].partition("\n")[0] or "a"


def _sentence(run: Run, step: int) -> str:
    losses = launcher().store.evaluations(run.id)
    near = min(losses, key=lambda each: abs(each.step - step), default=None)
    loss = "" if near is None else f", when its validation loss was about {near.loss:.2f}"
    return f"After **{step:,} of {run.config.steps:,} steps**{loss}:"


def _expected(tokenizer: Any, probabilities: np.ndarray) -> None:
    """The likeliest next tokens, and how much is left for all others."""
    likely, tail = top_outcomes(probabilities, _BARS)
    others = len(probabilities) - len(likely)
    labels = [token_label(tokenizer, index) for index in likely]
    shares = [float(probabilities[index]) for index in likely]
    rest = {"tail": tail if others > 0 else None, "tail_label": f"{others:,} others"}
    finding = distribution_alt_text(labels, shares, **rest)
    figure = distribution_figure(labels, shares, **rest)
    # A live chart: it stays where it is while one scrubs, and does not flicker.
    live_chart(figure, key="inside_expected", alt=finding, height=int(figure.layout.height or 320))
    show_finding(finding)


def _heads(maps: np.ndarray, labels: Sequence[str]) -> None:
    """All heads, and the chosen one larger: the same one at every snapshot."""
    layers, heads = maps.shape[:2]
    layer, head = st.session_state.get("inside_head", (0, 0))
    if layer >= layers or head >= heads:
        layer, head = 0, 0
    head_grid(
        maps,
        chosen=(layer, head),
        key=f"inside_heads_{layers}_{heads}",
        on_choose=_take_head,
    )
    st.caption(f"Layer {layer + 1}, head {head + 1}:")
    show_weights(labels, maps[layer, head], key="inside_weights")


def _take_head(layer: int, head: int) -> None:
    st.session_state["inside_head"] = (layer, head)


def _map(run: Run, kept: list[Path], place: int, tokenizer: Any) -> None:
    from llm_core.inspection.moments import KINDS

    found = _table_map(run.id, tuple((str(each), each.stat().st_mtime_ns) for each in kept), run)
    places = found.places[place]
    chosen = st.session_state.get("inside_token")
    chosen = chosen if isinstance(chosen, int) and chosen < len(found.ids) else None
    groups = sorted(set(found.kinds))
    names = [token_label(tokenizer, index) for index in found.ids]
    near: list[int] = []
    said = f"The {len(names)} tokens that are most frequent in its text."
    if chosen is not None:
        distances = np.linalg.norm(places - places[chosen], axis=1)
        near = [int(each) for each in distances.argsort()[1 : _NAMED + 1]]
        said = f"On the map, nearest to “{names[chosen]}” lie {', '.join(names[n] for n in near)}."
    point_map(
        [
            Point(name, float(x), float(y), groups.index(kind))
            for name, (x, y), kind in zip(names, places, found.kinds, strict=True)
        ],
        key="inside_map",
        alt=said,
        groups=[KINDS[group] for group in groups],
        limits=(-found.reach, found.reach, -found.reach, found.reach),
        chosen=chosen,
        named=near or (range(len(names)) if len(names) <= _FEW else []),
        on_pick=_take_token,
        height=360,
    )
    st.caption(
        f"The two directions in which its tokens differ most at the newest snapshot; they hold "
        f"{found.share:.0%} of what differs. The same axes at every snapshot."
    )


def _take_token(place: int) -> None:
    st.session_state["inside_token"] = place


def _open(snapshot: Path) -> Any:
    try:
        return _load(str(snapshot), snapshot.stat().st_mtime_ns)
    except (DamagedCheckpointError, OSError) as error:
        raise ValueError(
            f"The snapshot of step {snapshot_step(snapshot):,} cannot be read, or is not kept any "
            "more: choose another one."
        ) from error


@st.cache_resource(max_entries=10, show_spinner=False)
def _load(snapshot: str, _changed: int) -> Any:
    import torch

    from llm_core.training.snapshots import load_snapshot

    torch.set_num_threads(1)  # models this small only wait for a second thread, and visitors too
    return load_snapshot(Path(snapshot))


@st.cache_data(max_entries=60, show_spinner=False)
def _moment(snapshot: str, _changed: int, ids: tuple[int, ...]) -> Any:
    from llm_core.inspection.moments import look_inside

    return look_inside(_open(Path(snapshot))[0], ids)


@st.cache_data(max_entries=10, show_spinner="Reading the snapshots …")
def _table_map(run_id: str, kept: tuple[tuple[str, int], ...], _run: Run) -> Any:
    from llm_core.inspection.moments import frequent_tokens, map_tables, token_kind
    from llm_core.training.state import load_text

    models = [_open(Path(name))[0] for name, _ in kept]
    tokenizer = _open(Path(kept[-1][0]))[1]
    ids = frequent_tokens(tokenizer, load_text(_run.config), _TOKENS)
    kinds = [token_kind(tokenizer.decode([index])) for index in ids]
    tables = [model.token_embedding.weight.numpy(force=True) for model in models]
    return map_tables(tables, ids, kinds)
