"""The chart of a run: which curve, along which axis, and what a click on it asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import streamlit as st

from llm_core.data.line_tasks import line_task
from llm_core.inspection.counting import flops_per_token
from llm_core.training.comparison import best_of, comparable, factor_words
from llm_core.training.events import layer_names
from llm_core.training.points import (
    Point,
    elapsed_seconds,
    seconds_at,
    seconds_left,
    step_at,
    tokens_per_step,
)
from llm_core.training.runs import Run
from pages.figures.curve import SECONDS, STEPS, TOKENS, Axis, Curve, thin
from pages.figures.palette import KEY, NEUTRAL, QUERY, VALIDATION
from pages.figures.run_curves import layers_alt_text, layers_plot, measure_plot
from pages.figures.training import Change, Reference, loss_alt_text, loss_plot
from pages.widgets.live_chart import live_chart
from pages.widgets.training import launcher
from pages.widgets.watched import Watched

HEIGHT = 400
_AXES = {"steps": STEPS, "tokens": TOKENS, "seconds": SECONDS}
_ANSWERS = "right answers"
_VIEWS = ("loss", "gradient", "rate", "speed", "updates", "weights")
_NAMES = {
    "loss": "Loss",
    _ANSWERS: "Right answers",
    "gradient": "Gradient norm",
    "rate": "Learning rate",
    "speed": "Tokens per second",
    "updates": "Updates, by layer",
    "weights": "Weights, by layer",
}
_MOST_COMPARED = 20  # of the owner's runs, for the best so far
_PRECISIONS = {
    "float32": "32-bit numbers",
    "bfloat16": "16-bit numbers (bfloat16), which this machine was found to multiply faster",
}
_READ = {
    "gradient": "How steep the loss is, taken over all weights at once, before it is clipped. A "
    "jump tells of a hard batch; a climb over many steps, of a run that is about to run away.",
    "rate": "How far a step goes. Up at the start, so that nothing breaks; down at the end, so "
    "that the loss can settle.",
    "speed": "Tokens that it reads a second, evaluations and samples not counted. It dips when "
    "this machine is busy with something else.",
    "updates": "How far one step moves a layer, as a share of its weights. About 0.001 is usual; "
    "much more in one row than in the others, and that layer is thrown about; next to nothing, "
    "and it does not learn.",
    "weights": "How large the weights of a layer are, all of them together. They grow while it "
    "learns; one row that runs away from the others is where a run breaks down.",
    _ANSWERS: "The share of questions that it never trained on and answers right, to the last "
    "sign.",
}


@dataclass(frozen=True)
class _Scale:
    """Where steps lie on the chosen axis, where the axis ends, and back from places to steps."""

    axis: Axis
    at: Callable[[Sequence[float]], list[float]]
    step: Callable[[float], int]
    total: float


def best_so_far(run: Run) -> float | None:
    """Return the lowest validation loss among its owner's other runs on the same tokens."""
    store = launcher().store
    others = [each for each in store.of_owner(run.owner)[:_MOST_COMPARED] if each.id != run.id]
    found = [
        best.loss
        for each in others
        if comparable(each.config, run.config) and (best := best_of(store.evaluations(each.id)))
    ]
    return min(found, default=None)


def run_chart(
    run: Run,
    seen: Watched,
    *,
    best: float | None,
    picked: int | None,
    on_pick: Callable[[int], None],
) -> None:
    """Show the chart that is asked for; a click on it calls `on_pick` with a step, as a callback.

    best: as `best_so_far` found it; picked: the step of the sample that is shown.
    """
    view, axis = _controls(run, seen)
    scale = _scale(_AXES[axis], run, seen)
    mark = None if picked is None else Change(scale.at([picked])[0], "shown")
    draw = _loss if view == "loss" else _layers if view in ("updates", "weights") else _measure
    figure, alt = draw(view, run, seen, scale, mark, best)
    live_chart(
        figure,
        key="loss",
        alt=alt,
        height=HEIGHT,
        on_pick=lambda place: on_pick(scale.step(place)),
    )
    st.caption(_READ.get(view, "") + _layers_missing(view, seen) or _facts(run))


def _controls(run: Run, seen: Watched) -> tuple[str, str]:
    tuned = bool(run.config.tuned)
    answers = [_ANSWERS] if tuned or line_task(run.config.corpus) else []
    views = [*_VIEWS[:1], *answers, *(_VIEWS[1:-2] if tuned else _VIEWS[1:])]
    if tuned and seen.points and not seen.points[-1].tokens_per_second:
        views.remove("speed")  # a frozen body has read its texts beforehand
    axes = [each for each in _AXES if not (tuned and each == "tokens")]  # texts differ in length
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.selectbox(
            "Curve",
            views,
            format_func=_NAMES.__getitem__,
            key="curve",
            bind="query-params",
            width=230,
        )
        axis = st.segmented_control(
            "Against",
            axes,
            default="steps",
            required=True,
            format_func=str.capitalize,
            key="against",
            bind="query-params",
        )
    return view if view in views else "loss", axis if axis in axes else "steps"


def _scale(axis: Axis, run: Run, seen: Watched) -> _Scale:
    steps, points = run.config.steps, seen.points
    if axis is TOKENS:
        each = tokens_per_step(run.config)
        return _Scale(
            axis,
            lambda places: [float(step * each) for step in places],
            lambda place: round(place / each),
            float(steps * each),
        )
    if axis is SECONDS:
        passed = elapsed_seconds(points)[-1] if points else 0.0
        left = (seconds_left(points, run.config) or 0.0) if run.active else 0.0
        return _Scale(
            axis,
            lambda places: seconds_at(points, places),
            lambda place: step_at(points, place),
            _ceiling(passed + left) if run.active else max(passed, 0.1),
        )
    return _Scale(axis, list, round, float(steps))


def _ceiling(seconds: float) -> float:
    """A round number above: an axis that moved with every guess would flicker."""
    unit = 10 ** (len(str(int(max(seconds, 1)))) - 1) / 2
    return max(unit, -(-seconds // unit) * unit)


_Drawn = tuple[dict[str, Any], str]


def _loss(
    view: str, run: Run, seen: Watched, scale: _Scale, mark: Change | None, best: float | None
) -> _Drawn:
    # Thinned first: what is not shown needs no place on the axis.
    train = thin(_curve(seen.points, "loss").finite())
    checks = Curve([e.step for e in seen.evaluations], [e.loss for e in seen.evaluations])
    validation = thin(checks.finite())
    references = _references(run, best)
    changes = [
        Change(scale.at([step])[0], f"rate × {factor_words(factor)}")
        for step, factor in run.config.rate_changes
    ]
    figure = loss_plot(
        Curve(scale.at(train.steps), train.losses),
        Curve(scale.at(validation.steps), validation.losses),
        references,
        total_steps=scale.total,
        run=f"{run.id} {scale.axis.word}",
        height=HEIGHT,
        changes=changes,
        axis=scale.axis,
        picked=mark,
    )
    if _per_text(run):
        figure["layout"]["yaxis"]["title"]["text"] = "loss (nats per text)"
    alt = loss_alt_text(train, validation, references, total_steps=run.config.steps)
    return figure, alt


def _per_text(run: Run) -> bool:
    """Is a loss that of a text's label, and not of a token?"""
    return bool(run.config.tuned and run.facts and run.facts.uniform_loss)


def _curve(points: Sequence[Point], field: str) -> Curve:
    """One number of all points. There may be thousands, each second: `map` is the quickest."""
    return Curve(list(map(attrgetter("step"), points)), list(map(attrgetter(field), points)))


def _references(run: Run, best: float | None) -> list[Reference]:
    if not run.facts:  # before it has begun there is nothing to compare
        return []
    if run.config.tuned:
        guessing = run.facts.uniform_loss
        return [Reference("guesses blindly", guessing)] if guessing else []
    found = [
        Reference(f"knows nothing: ln({run.facts.vocab_size})", run.facts.uniform_loss),
        Reference("bigram model", run.facts.bigram_loss),
    ]
    if run.facts.trigram_loss:
        found.append(Reference("trigram model", run.facts.trigram_loss))
    if best is not None:
        found.append(Reference("best other run", best))
    return found


def _measure(
    view: str, run: Run, seen: Watched, scale: _Scale, mark: Change | None, best: float | None
) -> _Drawn:
    if view == _ANSWERS:
        steps = [each.step for each in seen.answers]
        values = [each.right / max(1, each.asked) for each in seen.answers]
        name, color = "held-out questions answered right", VALIDATION
    else:
        field, name, color = {
            "gradient": ("gradient_norm", "gradient norm", KEY),
            "rate": ("learning_rate", "learning rate", NEUTRAL),
            "speed": ("tokens_per_second", "tokens per second", QUERY),
        }[view]
        curve = _curve(seen.points, field)
        steps, values = list(curve.steps), list(curve.losses)
    shown = thin(Curve(steps, values).finite())
    figure = measure_plot(
        Curve(scale.at(shown.steps), shown.losses),
        name=name,
        color=color,
        total=scale.total,
        axis=scale.axis,
        run=f"{run.id} {scale.axis.word} {view}",
        height=HEIGHT,
        share=view == _ANSWERS,
        picked=mark,
    )
    newest = (
        f"{values[-1]:.0%}"
        if view == _ANSWERS and values
        else f"{values[-1]:.3g}"
        if values
        else ""
    )
    said = f"The {name}: {newest} after {steps[-1]:,} steps." if values else "Not measured yet."
    return figure, said


def _layers(
    view: str, run: Run, seen: Watched, scale: _Scale, mark: Change | None, best: float | None
) -> _Drawn:
    what = "update, as a share of the weights," if view == "updates" else "norm of the weights"
    values = [getattr(each, view) for each in seen.layers]
    names = layer_names(len(values[0])) if values else []
    figure = layers_plot(
        scale.at([each.step for each in seen.layers]),
        values,
        names,
        what=what,
        total=scale.total,
        axis=scale.axis,
        run=f"{run.id} {scale.axis.word} {view}",
        height=HEIGHT,
        picked=mark,
    )
    return figure, layers_alt_text(values, names, what=what)


def _layers_missing(view: str, seen: Watched) -> str:
    missing = view in ("updates", "weights") and not seen.layers and len(seen.points) > 2
    return " This run was trained before the layers were measured here." if missing else ""


def _facts(run: Run) -> str:
    if not run.facts:
        return ""
    if run.config.tuned:
        each = "text" if _per_text(run) else "token"
        return f"{run.facts.parameters:,} parameters. Here the loss is in nats per {each}."
    return (
        f"{run.facts.parameters:,} parameters. It trains on {run.facts.train_tokens:,} "
        f"tokens and is validated on the {run.facts.validation_tokens:,} after them, "
        f"on {run.facts.device.upper()}, in {_PRECISIONS[run.facts.precision]}."
    )


def share_of_peak(run: Run, tokens_per_second: float) -> tuple[float, str] | None:
    """Return which share of the machine's measured peak a training makes use of, and how one knows.

    None where the peak was not measured.
    """
    if not (run.facts and run.facts.peak_flops and tokens_per_second):
        return None
    shape = run.config.transformer(run.facts.vocab_size)
    each = flops_per_token(shape, length=shape.context_length, training=True)
    share = each * tokens_per_second / run.facts.peak_flops
    return share, (
        f"Each token takes {each / 1e6:,.1f} million operations, so it computes "
        f"{each * tokens_per_second / 1e9:,.1f} billion a second: {share:.0%} of the "
        f"{run.facts.peak_flops / 1e9:,.0f} billion that this machine reached in one large matrix "
        "product when the run began."
    )
