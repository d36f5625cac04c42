"""Pictures of models by size: parameters, training tokens, compute."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.palette import KEY, NEUTRAL, PREDICTION, QUERY

_MARGIN = {"l": 64, "r": 12, "t": 12, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
TOKENS_A_PARAMETER = 20
_LANDMARKS = {  # and where beside their points the names stand
    "GPT-1": "bottom center",
    "GPT-3": "bottom center",
    "Chinchilla": "bottom left",
    "Llama 3.1 405B": "top center",
    "SmolLM2 135M": "top center",
    "Our tiny GPT": "bottom center",
}
Place = tuple[float, float]


@dataclass(frozen=True)
class Sized:
    """A model as a point: its name, the year, parameters at work, and tokens it learnt from."""

    name: str
    year: int
    parameters: float
    tokens: float
    ours: bool = False

    @property
    def flops(self) -> float:
        """Training compute, 6ND."""
        return 6 * self.parameters * self.tokens


def size_figure(models: Sequence[Sized], *, chosen: str) -> go.Figure:
    """Draw models by parameters and training tokens, both logarithmic, and the optimal line.

    Through the chosen model goes a line of equal compute; where it meets the compute-optimal line
    of 20 tokens a parameter, a diamond says how the same compute would have been spent there.
    """
    figure = go.Figure()
    low = min(model.parameters for model in models) / 3
    high = max(model.parameters for model in models) * 3
    figure.add_scatter(
        x=[low, high],
        y=[TOKENS_A_PARAMETER * low, TOKENS_A_PARAMETER * high],
        mode="lines",
        name="20 tokens a parameter",
        line={"color": NEUTRAL, "dash": "dash", "width": 2},
        hoverinfo="skip",
    )
    picked = next(model for model in models if model.name == chosen)
    _equal_compute(figure, picked, low, high)
    _landmarks(figure, models, picked, lambda model: (model.parameters, model.tokens))
    _points(figure, models, picked, lambda model: (model.parameters, model.tokens))
    figure.update_xaxes(title_text="parameters at work on a token", **_log_axis([low, high]))
    tokens = [model.tokens for model in models]
    figure.update_yaxes(title_text="training tokens", **_log_axis([min(tokens) / 4, max(tokens)]))
    figure.update_layout(height=460, legend=_LEGEND, margin=_MARGIN | {"t": 52})
    return figure


def compute_figure(models: Sequence[Sized], *, chosen: str) -> go.Figure:
    """Draw the compute of each model's training (logarithmic) over the years."""
    figure = go.Figure()
    picked = next(model for model in models if model.name == chosen)
    _landmarks(figure, models, picked, lambda model: (model.year, model.flops))
    _points(figure, models, picked, lambda model: (model.year, model.flops))
    years = [model.year for model in models]
    figure.update_xaxes(
        title_text="year", dtick=1, range=[min(years) - 0.6, max(years) + 0.6], zeroline=False
    )
    flops = [model.flops for model in models]
    figure.update_yaxes(title_text="training compute in FLOP", **_log_axis(flops))
    figure.update_layout(height=460, legend=_LEGEND, margin=_MARGIN | {"t": 34})
    return figure


def _equal_compute(figure: go.Figure, picked: Sized, low: float, high: float) -> None:
    budget = picked.flops / 6
    figure.add_scatter(
        x=[low, high],
        y=[budget / low, budget / high],
        mode="lines",
        name=f"as much compute as {picked.name}",
        line={"color": KEY, "dash": "dot", "width": 2},
        hoverinfo="skip",
    )
    best = math.sqrt(budget / TOKENS_A_PARAMETER)
    figure.add_scatter(
        x=[best],
        y=[TOKENS_A_PARAMETER * best],
        mode="markers",
        name="spent by the 20-token rule",
        marker={"color": KEY, "symbol": "diamond-open", "size": 13, "line": {"width": 2}},
        hovertemplate=f"{short(best)} parameters, {short(20 * best)} tokens<extra></extra>",
    )


def _landmarks(
    figure: go.Figure, models: Sequence[Sized], picked: Sized, place: Callable[[Sized], Place]
) -> None:
    """Name the few models that a reader may have heard of."""
    named = [model for model in models if model.name in _LANDMARKS and model is not picked]
    figure.add_scatter(
        x=[place(model)[0] for model in named],
        y=[place(model)[1] for model in named],
        mode="markers+text",
        marker={"size": 16, "opacity": 0},  # keeps the name off the point
        text=[model.name for model in named],
        textposition=[_LANDMARKS[model.name] for model in named],
        textfont={"size": 11},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _points(
    figure: go.Figure, models: Sequence[Sized], picked: Sized, place: Callable[[Sized], Place]
) -> None:
    """One point a model: round for published ones, a star for ours; the chosen one is named."""
    for name, ours, colour, symbol, size in (
        ("published models", False, QUERY, "circle", 9),
        ("our tiny GPT", True, PREDICTION, "star", 15),
    ):
        shown = [model for model in models if model.ours == ours]
        figure.add_scatter(
            x=[place(model)[0] for model in shown],
            y=[place(model)[1] for model in shown],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": size, "opacity": 0.85},
            customdata=[
                [
                    model.name,
                    model.year,
                    short(model.parameters),
                    short(model.tokens),
                    power(model.flops),
                ]
                for model in shown
            ],
            hovertemplate="%{customdata[0]} (%{customdata[1]}): %{customdata[2]} parameters, "
            "%{customdata[3]} tokens, %{customdata[4]} FLOP<extra></extra>",
        )
    x, y = place(picked)
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers+text",
        text=[f"<b>{picked.name}</b>"],
        textposition="bottom center",
        textfont={"size": 13},
        marker={"color": KEY, "symbol": "circle-open", "size": 18, "line": {"width": 3}},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _log_axis(values: Sequence[float]) -> dict[str, object]:
    low, high = math.log10(min(values)), math.log10(max(values))
    powers = range(math.ceil(low - 0.4), math.floor(high + 0.6) + 1)
    step = 2 if len(powers) > 8 else 1
    ticks = [10.0**exponent for exponent in powers][::step]
    return {
        "type": "log",
        "range": [low - 0.4, high + 0.6],
        "tickvals": ticks,
        "ticktext": [short(tick) if tick < 1e15 else power(tick) for tick in ticks],
        "zeroline": False,
    }


def short(count: float) -> str:
    """A count with three digits and a letter: 567 k, 1.7 M, 175 B, 15.6 T."""
    for size, letter in ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " k")):
        if count >= 0.9995 * size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.3g}"


def power(count: float) -> str:
    """A count as a power of ten: 3.15 · 10²³."""
    exponent = math.floor(math.log10(count))
    digits = f"{count / 10**exponent:.3g}"
    ten = "10" + str(exponent).translate(_SUPERSCRIPTS)
    return ten if digits == "1" else f"{digits} · {ten}"
