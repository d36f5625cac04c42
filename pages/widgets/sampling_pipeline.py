"""From logits to the token that is drawn: every filter a column, then a dart, then a thousand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
import torch

from llm_core.generation.filters import filtered, heat, keep_min_p, keep_top_k, keep_top_p, stages
from llm_core.generation.sample import draw, draw_many
from llm_core.generation.settings import SamplingSettings
from pages.figures.distribution import percent, top_outcomes
from pages.figures.sampling import dart_figure, draws_figure, within_errors
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.sampling_settings import choose_settings, settings_code
from pages.widgets.sampling_step import Step
from pages.widgets.sampling_table import Column, stage_table

ROWS = 10
ORDER = ("penalties", "temperature", "top-k", "top-p", "min-p", "typical", "softmax", "dart")


@dataclass(frozen=True)
class Drawn:
    """What became of a step's logits: each stage (V,), the probabilities (V,), and one dart."""

    names: tuple[str, ...]
    logits: tuple[np.ndarray, ...]
    probabilities: torch.Tensor
    dart: float
    token: int


@own_part
def show_pipeline(step: Step) -> None:
    """Controls, the columns, the bar with its dart, and many draws."""
    settings, seed = choose_settings()
    drawn = run_pipeline(step, settings, seed)
    st.html(_table(step, drawn))
    _say_order(drawn)
    _show_dart(step, drawn)
    _show_many(step, drawn, settings, seed)


def run_pipeline(step: Step, settings: SamplingSettings, seed: int) -> Drawn:
    """Pass the logits through the engine's own filters, and throw a seeded dart."""
    logits = torch.from_numpy(step.logits)
    passed = list(stages(logits, settings, history=step.ids))
    last = passed[-1].logits if passed else logits
    probabilities = last.softmax(dim=-1)
    dart = float(torch.rand((), generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
    return Drawn(
        tuple(stage.name for stage in passed),
        tuple(stage.logits.numpy() for stage in passed),
        probabilities,
        dart,
        draw(probabilities, dart),
    )


def _table(step: Step, drawn: Drawn) -> str:
    """The likeliest tokens as rows, the stages as columns."""
    rows = step.best(ROWS)
    others = np.setdiff1d(np.arange(len(step.logits)), rows)
    after = drawn.probabilities.numpy()

    def scores(name: str, logits: np.ndarray) -> Column:
        left = int(np.isfinite(logits[others]).sum())
        cells = tuple(float(logits[row]) for row in rows)
        return Column(name, cells, f"{left:,} of {len(others):,} left")

    def shares(name: str, p: np.ndarray) -> Column:
        cells = tuple(float(p[row]) for row in rows)
        return Column(name, cells, percent(float(p[others].sum())), shares=True)

    columns = [shares("model’s probability", step.probabilities), scores("logit", step.logits)]
    columns += [
        scores(name, values) for name, values in zip(drawn.names, drawn.logits, strict=True)
    ]
    columns.append(shares("probability", after))
    return stage_table(
        [step.writer.label(row) for row in rows],
        columns,
        tail_label=f"{len(others):,} others",
        chosen=rows.index(drawn.token) if drawn.token in rows else None,
        label="From logits to probabilities, stage by stage",
    )


def _say_order(drawn: Drawn) -> None:
    active = {"penalties" if "penalty" in name else name for name in drawn.names}
    active |= {"softmax", "dart"}
    steps = [f"**{name}**" if name in active else name for name in ORDER]
    kept = int((drawn.probabilities > 0).sum())
    st.markdown(
        f"The order is always: {' → '.join(steps)}. "
        f"{kept:,} token{'s' if kept != 1 else ''} can still be drawn."
    )


def _show_dart(step: Step, drawn: Drawn) -> None:
    """The tokens end to end on a bar of length 1."""
    p = drawn.probabilities.double().numpy()
    best, tail = top_outcomes(p, 2 * ROWS)
    labels = [step.writer.label(index) for index in best]
    shown = [float(p[index]) for index in best]
    ends = np.cumsum(shown)
    label = step.writer.label(drawn.token)
    said = f"The dart lands at {drawn.dart:.3f} and hits “{label}”"
    if drawn.token in best:
        place = best.index(drawn.token)
        said += f", which lies from {ends[place] - shown[place]:.3f} to {ends[place]:.3f}"
    show_figure(
        dart_figure(labels, shown, tail=tail, dart=drawn.dart),
        key="dart_figure",
        alt=f"{said}. Another seed, another dart.",
        table=pd.DataFrame(
            {
                "token": labels,
                "from": [f"{end - p:.3f}" for end, p in zip(ends, shown, strict=True)],
                "to": [f"{end:.3f}" for end in ends],
            }
        )[: int((np.array(shown) > 0).sum())],
    )


def _show_many(step: Step, drawn: Drawn, settings: SamplingSettings, seed: int) -> None:
    """Throw many darts, and count."""
    draws = int(
        st.select_slider(
            "How many darts?", [10, 100, 1000, 10000], 1000, key="draws", bind="query-params"
        )
    )
    darts = torch.rand(draws, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    counts = torch.bincount(
        draw_many(drawn.probabilities, darts), minlength=len(drawn.probabilities)
    ).numpy()
    p = drawn.probabilities.double().numpy()
    best = [index for index in top_outcomes(p, ROWS)[0] if p[index] > 0]
    labels = [step.writer.label(index) for index in best]
    shown, came = [float(p[index]) for index in best], [int(counts[index]) for index in best]
    inside = within_errors(shown, came, draws=draws)
    show_figure(
        draws_figure(labels, shown, came, draws=draws),
        key="draws_figure",
        alt=f"Of {draws:,} darts, {came[0]:,} hit “{labels[0]}”: {came[0] / draws:.1%}, and its "
        f"probability is {shown[0]:.1%}. {inside} of the {len(best)} tokens shown came as often as "
        "their probability says, give or take two standard errors.",
        table=pd.DataFrame(
            {
                "token": labels,
                "times": came,
                "share": [f"{count / draws:.4f}" for count in came],
                "probability": [f"{p:.4f}" for p in shown],
            }
        ),
    )
    show_code(
        filtered,
        heat,
        keep_top_k,
        keep_top_p,
        keep_min_p,
        draw_many,
        key="pipeline",
        call=_code(step, drawn, settings, seed, draws, came[0]),
    )


def _code(
    step: Step, drawn: Drawn, settings: SamplingSettings, seed: int, draws: int, first: int
) -> str:
    token = step.writer.tokenizer.decode([drawn.token])
    kept = int((drawn.probabilities > 0).sum())
    return f"""{step.code}

from llm_core.generation.filters import filtered
from llm_core.generation.sample import draw, draw_many, next_logits
from llm_core.generation.settings import SamplingSettings

settings = {settings_code(settings)}
logits = filtered(next_logits(model, ids), settings, history=ids.tolist())
probabilities = logits.softmax(dim=-1)
print(int((probabilities > 0).sum()))  # {kept}

dart = torch.rand((), generator=torch.Generator().manual_seed({seed}), dtype=torch.float64)
print(round(float(dart), 3))  # {round(drawn.dart, 3)}
print(repr(tokenizer.decode([draw(probabilities, float(dart))])))  # {token!r}

darts = torch.rand({draws}, generator=torch.Generator().manual_seed({seed}), dtype=torch.float64)
hit = draw_many(probabilities, darts)
print(int((hit == probabilities.argmax()).sum()))  # {first}"""
