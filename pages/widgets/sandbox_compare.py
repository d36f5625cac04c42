"""Compare runs: what was changed, who came lowest, and all their curves in one picture."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from llm_core.training.comparison import Best, best_of, comparable, what_changed
from llm_core.training.runs import Run
from pages.figures.curve import Curve
from pages.figures.run_comparison import (
    MOST_RUNS,
    NamedCurve,
    run_sign,
    runs_alt_text,
    runs_figure,
)
from pages.widgets.catalog import Lesson
from pages.widgets.errors import error_boundary
from pages.widgets.live_chart import live_chart
from pages.widgets.prose import show_prose
from pages.widgets.run_panel import badge_of
from pages.widgets.training import launcher, record_trouble

_TICK_SECONDS = 3.0
_ADDRESS = "compare"  # ids, joined by dots; the first one is what the others are compared with
_CELL = "border-bottom:1px solid rgba(128,128,128,.4);padding:.35rem .6rem;vertical-align:top;"
_TUNED = " Of a model that was tuned to sort, the loss is per text, and no measure beside others."


def compare(lesson: Lesson, visitor: str) -> None:
    """Compare the visitor's runs, or those that the address names; silent below two runs."""
    known = _known(visitor)
    if len(known) < 2:
        return
    st.header("Compare", divider="gray", anchor="compare")
    show_prose(lesson, "compare")
    chosen = _choose(known)
    if not chosen:
        return
    active = any(run.active for run in chosen)

    @st.fragment(run_every=_TICK_SECONDS if active else None)
    def picture() -> None:
        with error_boundary("The comparison"), record_trouble():
            _show(chosen)

    picture()


def _known(visitor: str) -> list[Run]:
    """The visitor's own runs, newest first, and before them those that a link brought."""
    own = launcher().store.of_owner(visitor)
    known = {run.id: run for run in own}
    linked = [run_id for run_id in _asked() if run_id not in known]
    found = [run for run_id in linked if (run := launcher().store.get(run_id))]
    return found + own


def _asked() -> list[str]:
    return [each for each in st.query_params.get(_ADDRESS, "").split(".") if each][:MOST_RUNS]


def _choose(known: Sequence[Run]) -> list[Run]:
    """Ask which runs; the choice goes into the address, so that a link shows the same."""
    runs = {run.id: run for run in known}
    names = distinct_names(known)
    asked = [each for each in _asked() if each in runs]
    default = asked if len(asked) > 1 else list(runs)[:MOST_RUNS]
    # The oldest of them is what the others change, unless the address says otherwise.
    base_default = asked[0] if len(asked) > 1 else min(default, key=lambda each: runs[each].created)
    left, right = st.columns([3, 2], gap="large")
    with left:
        ids = st.multiselect(
            "Runs",
            list(runs),
            default=default,
            format_func=names.__getitem__,
            max_selections=MOST_RUNS,
            key=f"compared_{len(runs)}",
        )
    if not ids:
        st.caption("Choose at least one run.")
        return []
    with right:
        base = st.selectbox(
            "What changed, against",
            ids,
            index=ids.index(base_default) if base_default in ids else 0,
            format_func=names.__getitem__,
            key=f"against_{len(runs)}",
        )
    ordered = [base, *(each for each in ids if each != base)]
    usual = [base_default, *(each for each in default if each != base_default)]
    if ordered != usual or asked:
        st.query_params[_ADDRESS] = ".".join(ordered)
    return [runs[each] for each in ordered]


def distinct_names(runs: Sequence[Run]) -> dict[str, str]:
    """Return a name for each run's id; runs of one title are numbered, the oldest first."""
    titles = [run.title for run in runs]
    counts: dict[str, int] = {}
    names = {}
    for run in sorted(runs, key=lambda each: each.created):
        counts[run.title] = counts.get(run.title, 0) + 1
        several = titles.count(run.title) > 1
        names[run.id] = f"{run.title} #{counts[run.title]}" if several else run.title
    return names


def _show(chosen: Sequence[Run]) -> None:
    store = launcher().store
    runs = [now for run in chosen if (now := store.get(run.id))]
    if not runs:
        st.info("These runs are not here any more.")
        return
    if any(run.active for run in chosen) and not any(run.active for run in runs):
        st.rerun()  # the fragment anew, without its timer
    names = distinct_names(runs)
    measured = {run.id: store.evaluations(run.id) for run in runs}
    curves = [
        NamedCurve(
            names[run.id],
            Curve([e.step for e in measured[run.id]], [e.loss for e in measured[run.id]]),
        )
        for run in runs
    ]
    live_chart(runs_figure(curves, height=420), key="runs", alt=runs_alt_text(curves), height=420)
    bests = {run.id: best_of(measured[run.id]) for run in runs}
    st.html(runs_table(runs, names, bests, store.notes(run.id for run in runs)))
    if not all(comparable(run.config, runs[0].config) for run in runs):
        st.caption(
            "These runs read different texts, or cut them into different tokens. Losses per token "
            "then say little about which model is better: longer tokens are harder to guess."
            + (_TUNED if any(run.config.tuned for run in runs) else "")
            + " The star is for the lowest loss among those that can be compared with the first."
        )


def runs_table(
    runs: Sequence[Run],
    names: dict[str, str],
    bests: dict[str, Best | None],
    notes: Mapping[str, str] | None = None,
) -> str:
    """Return the runs as an HTML table; the first is what the others are compared with."""
    alike = {run.id for run in runs if comparable(run.config, runs[0].config)}
    losses = {run: best.loss for run, best in bests.items() if best and run in alike}
    lowest = min(losses.values(), default=None)
    rows = ""
    for index, run in enumerate(runs):
        sign, colour = run_sign(index)
        best = bests[run.id]
        star = run.id in losses and losses[run.id] == lowest and len(losses) > 1
        loss = f"{best.loss:.3f} after {best.step:,}" if best else "–"
        changed = what_changed(run.config, runs[0].config)
        words = ", ".join(changed) or ("nothing" if index else "the others are compared with it")
        note = html.escape((notes or {}).get(run.id, ""))
        said = f'<br><i style="white-space:pre-wrap">{note}</i>' if note else ""
        size = f"{run.facts.parameters:,}" if run.facts else "–"
        cells = [
            f'<b style="color:{colour}" aria-hidden="true">{sign}</b>&nbsp;{index + 1}',
            f"<b>{html.escape(names[run.id])}</b><br>{html.escape(words)}{said}",
            f"<b>★ {loss} (lowest)</b>" if star else loss,
            f"{run.step:,} of {run.config.steps:,}",
            html.escape(badge_of(run)[0]),
            size,
        ]
        rows += "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"
    titles = ("", "Run, and what changed", "Lowest validation loss", "Steps", "State", "Parameters")
    head = "".join(f'<th scope="col" style="{_CELL}text-align:left">{each}</th>' for each in titles)
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" aria-label="Runs compared">'
        f'<table style="border-collapse:collapse;min-width:44rem"><tr>{head}</tr>{rows}</table>'
        "</div>"
    )
