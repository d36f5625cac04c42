"""The experiment: seven models that differ in their positions only, on longer texts than before."""

import itertools
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from llm_core.pretrained.position_runs import (
    CONTEXT,
    LONGEST,
    Experiment,
    PositionRun,
    load_experiment,
    load_position_tokenizer,
    loss_by_place,
    mean_between,
)
from pages.figures.positions import learning_figure, name_of, reading_figure
from pages.widgets.carried_tokenizer import store_tokenizer
from pages.widgets.catalog import find_lesson
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.frame import link_to
from pages.widgets.positions_order import KINDS, choose_kind
from pages.widgets.view import current_view
from pages.widgets.window_tables import named_table

WIDTH = 8  # places that are drawn as one point
HOLDS = 0.05  # nats by which a loss may change and still count as the same
BEARABLE = 0.25  # nats by which it may rise and still not count as failing
TOP = 4.0  # nats; what is worse leaves the picture


def smooth(losses: Sequence[float]) -> list[float]:
    """Means of WIDTH places each."""
    return [sum(losses[at : at + WIDTH]) / WIDTH for at in range(0, len(losses) - WIDTH + 1, WIDTH)]


def lines_of(experiment: Experiment, *, scaled: bool) -> dict[str, list[float]]:
    """The losses over the place, smoothed, by kind; with RoPE's divided places if `scaled`."""
    lines = {kind: smooth(experiment.run(kind).by_place) for kind in KINDS}
    if scaled:
        lines["scaled"] = smooth(experiment.run("rope").scaled_by_place)
    return lines


def top_of(lines: dict[str, list[float]]) -> float:
    """The highest loss that the picture shows: as high as it gets, but not above TOP."""
    return min(TOP, 1.05 * max(max(losses[1:]) for losses in lines.values()))


@own_part
def read_longer() -> None:
    """Loss over the place in a text four times as long as those of training."""
    experiment = load_experiment()
    kind = choose_kind("shown", start="alibi")
    scaled = st.toggle(
        f"Also RoPE with its places divided by {LONGEST // CONTEXT}, without further training",
        key="divided",
        bind="query-params",
    )
    lines = lines_of(experiment, scaled=scaled)
    show_figure(
        reading_figure(lines, width=WIDTH, trained=CONTEXT, chosen=kind, top=top_of(lines)),
        key="reading_figure",
        alt=verdict(experiment.run(kind)),
        table=pd.DataFrame({name_of(k): pd.Series(v) for k, v in lines.items()}).rename_axis(
            f"places, {WIDTH} in one"
        ),
    )
    st.html(named_table(parts_of(experiment, scaled=scaled), "Mean loss by part of the text"))
    run = experiment.run(kind)
    last = len(run.by_place) - 1
    show_code(
        loss_by_place,
        key="longer",
        call=f"""from llm_core.pretrained.position_runs import load_experiment

run = load_experiment().run({kind!r})
print(run.parameters, len(run.by_place))  # {run.parameters} {len(run.by_place)}
print(run.by_place[{CONTEXT - 1}], run.by_place[{last}])  # {run.by_place[CONTEXT - 1]} {
            run.by_place[last]
        }""",
    )
    if current_view() == "learn":
        run_again(experiment, kind)


def verdict(run: PositionRun) -> str:
    """What became of one model beyond the places of training, from its numbers."""
    name, inside = name_of(run.position), mean_between(run.by_place, CONTEXT // 2, CONTEXT)
    outside = mean_between(run.by_place, LONGEST - CONTEXT, LONGEST)
    assert inside is not None
    if outside is None:
        return (
            f"{name}: {inside:.2f} nats at places {CONTEXT // 2} to {CONTEXT - 1}, and then "
            f"nothing: the table has no row for place {CONTEXT}."
        )
    change = outside - inside
    return (
        f"{name}: {inside:.2f} nats at places {CONTEXT // 2} to {CONTEXT - 1}, {outside:.2f} at "
        f"places {LONGEST - CONTEXT} to {LONGEST - 1}. Beyond what it was trained on, "
        f"{_judged(change)}."
    )


def _judged(change: float) -> str:
    """What to call a change of the loss, in nats."""
    if abs(change) <= HOLDS:
        return "it holds"
    if change < 0:
        return "it gets better"
    return "it gets a little worse" if change <= BEARABLE else "it fails"


def parts_of(experiment: Experiment, *, scaled: bool) -> list[dict[str, object]]:
    """A row a kind: mean losses in parts of a long text.

    The first places are left out, for nobody can guess well there: too little has been said.
    """
    named = {name_of(kind): experiment.run(kind).by_place for kind in KINDS}
    if scaled:
        named[name_of("scaled")] = experiment.run("rope").scaled_by_place
    edges = (CONTEXT // 2, *range(CONTEXT, LONGEST + 1, CONTEXT))
    return [
        {"positions": name}
        | {
            f"{first}–{last - 1}": "no row"
            if (mean := mean_between(losses, first, last)) is None
            else f"{mean:.3f}"
            for first, last in itertools.pairwise(edges)
        }
        for name, losses in named.items()
    ]


def run_again(experiment: Experiment, kind: str) -> None:
    """Send the chosen run's settings to the sandbox."""
    link_to(
        find_lesson("training_sandbox"),
        f"Run it again yourself: {name_of(kind)}, in the sandbox",
        size="Pico",
        recipe=experiment.recipe.capitalize(),
        steps=str(experiment.steps),
        context_length=str(CONTEXT),
        position=kind,
        tokenizer=store_tokenizer(load_position_tokenizer()),
    )


@own_part
def see_learning() -> None:
    """The validation losses while the seven models were trained."""
    experiment = load_experiment()
    lines = {kind: experiment.run(kind).validation for kind in KINDS}
    final = {kind: points[-1][1] for kind, points in lines.items()}
    best, worst = min(final, key=final.__getitem__), max(final, key=final.__getitem__)
    show_figure(
        learning_figure(lines, chosen=best),
        key="learning_figure",
        alt=f"After {experiment.steps:,} steps, {name_of(best)} is best with {final[best]:.3f} "
        f"nats, and {name_of(worst)} last with {final[worst]:.3f}, all on windows of {CONTEXT}.",
        table=pd.DataFrame(
            {name_of(kind): dict(points) for kind, points in lines.items()}
        ).rename_axis("step"),
    )
    show_code(
        key="learning",
        call=f"""from llm_core.pretrained.position_runs import load_experiment

final = {{run.position: run.validation[-1][1] for run in load_experiment().runs}}
print(min(final, key=final.get), min(final.values()))  # {best} {final[best]}""",
    )
