"""Pictures of the first lesson: a game's score, models by size, context lengths, a secret told."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.palette import KEY, NEUTRAL, PREDICTION, QUERY, TRAIN, VALIDATION

_MARGIN = {"l": 64, "r": 12, "t": 12, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_REFERENCE = {"color": NEUTRAL, "dash": "dot", "width": 1.5}
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


def score_figure(yours: Sequence[float], models: Sequence[float], *, blind: float) -> go.Figure:
    """Draw what a player and a model paid for each word, in bits, beside what a blind guess costs.

    yours, models: one number a word, of the words guessed so far.
    """
    words = list(range(1, len(yours) + 1))
    figure = go.Figure()
    for name, bits, colour, shape in (
        ("you", yours, QUERY, ""),
        ("the model", models, PREDICTION, "/"),
    ):
        figure.add_bar(
            x=words,
            y=[round(each, 3) for each in bits],
            name=name,
            marker={"color": colour, "pattern": {"shape": shape}},
            hovertemplate="word %{x}: %{y:.2f} bits<extra>" + name + "</extra>",
        )
    figure.add_hline(
        y=blind,
        line=_REFERENCE,
        annotation={"text": f"a blind guess: {blind:.2f}", "yanchor": "bottom"},
    )
    figure.update_xaxes(title_text="word", dtick=1, zeroline=False)
    figure.update_yaxes(title_text="bits (fewer is better)", rangemode="tozero", zeroline=False)
    figure.update_layout(
        height=260, barmode="group", bargap=0.35, legend=_LEGEND, margin=_MARGIN | {"t": 34}
    )
    return figure


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
        mode="text",
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


def orders_figure(
    held_out: Sequence[float], learnt: Sequence[float], *, gpt: float, gpt_name: str
) -> go.Figure:
    """Draw the perplexity of counted models that look at 0, 1, 2, … tokens, beside a GPT's.

    held_out, learnt: per token, on text that was not counted and on text that was.
    """
    names = ["1", "2<br>bigram", "3<br>trigram"]
    names += [str(order) for order in range(4, len(held_out) + 1)]
    figure = go.Figure()
    for name, values, colour, dash, symbol in (
        ("on held-out text", held_out, VALIDATION, "solid", "diamond"),
        ("on the text that was counted", learnt, TRAIN, "dash", "circle"),
    ):
        figure.add_scatter(
            x=names[: len(values)],
            y=[float(f"{value:.4g}") for value in values],
            mode="lines+markers",
            name=name,
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"symbol": symbol, "size": 9},
            hovertemplate="%{x}: %{y:.2f}<extra>" + name + "</extra>",
        )
    figure.add_hline(y=gpt, line={"color": PREDICTION, "dash": "dot", "width": 2})
    figure.add_annotation(
        text=f"{gpt_name}, held-out: {gpt:.2f}",
        xref="paper",
        x=0,
        xanchor="left",
        y=math.log10(gpt),  # plotly takes places on a logarithmic axis so
        yanchor="bottom",
        showarrow=False,
    )
    figure.update_xaxes(
        title_text="tokens in a run (n)", zeroline=False, type="category", tickangle=0
    )
    figure.update_yaxes(
        title_text="perplexity per token",
        type="log",
        tickvals=[1, 2, 5, 10, 20, 50, 100, 200],
        range=[0, math.log10(1.4 * max(held_out))],
        zeroline=False,
    )
    figure.update_layout(height=360, legend=_LEGEND, margin=_MARGIN | {"t": 34})
    return figure


@dataclass(frozen=True)
class Recalled:
    """A curve: how surprised a model is by a secret after so many steps, in bits."""

    name: str
    steps: Sequence[int]
    bits: Sequence[float]
    live: bool = False


_DASHES = ("dot", "dashdot", "dash", "longdash", "solid")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")


def recall_figure(curves: Sequence[Recalled], *, blind: float, blind_name: str) -> go.Figure:
    """Draw curves of a secret's surprise while a model trains, and what a blind guess would give.

    Curves that were measured before are neutral, told apart by dash and marker; a live one is pink.
    """
    figure = go.Figure()
    for number, curve in enumerate(curves):
        figure.add_scatter(
            x=list(curve.steps),
            y=[round(bits, 2) for bits in curve.bits],
            mode="lines+markers",
            name=curve.name,
            line={
                "color": PREDICTION if curve.live else QUERY,
                "dash": "solid" if curve.live else _DASHES[number % len(_DASHES)],
                "width": 4 if curve.live else 2,
            },
            marker={
                "symbol": "star" if curve.live else _SYMBOLS[number % len(_SYMBOLS)],
                "size": 7,
            },
            hovertemplate="step %{x}: %{y:.1f} bits<extra>" + curve.name + "</extra>",
        )
    figure.add_hline(y=blind, line=_REFERENCE, annotation={"text": blind_name, "yanchor": "bottom"})
    figure.update_xaxes(title_text="training step", zeroline=False)
    figure.update_yaxes(
        title_text="surprise at the secret, bits", rangemode="tozero", zeroline=False
    )
    figure.update_layout(height=380, legend=_LEGEND, margin=_MARGIN | {"t": 74})
    return figure


def reading_figure(
    titles: Sequence[str], ours: Sequence[float], theirs: Sequence[float]
) -> go.Figure:
    """Draw what two models need to read several texts, in bits a character."""
    figure = go.Figure()
    for name, bits, colour, shape in (
        ("our tiny GPT", ours, PREDICTION, ""),
        ("SmolLM2", theirs, QUERY, "/"),
    ):
        figure.add_bar(
            orientation="h",
            y=list(titles),
            x=[round(each, 3) for each in bits],
            name=name,
            text=[f"{each:.2f}" for each in bits],
            textposition="outside",
            cliponaxis=False,
            marker={"color": colour, "pattern": {"shape": shape}},
            hovertemplate="%{y}: %{x:.2f} bits a character<extra>" + name + "</extra>",
        )
    figure.update_xaxes(
        title_text="bits a character (fewer is better)",
        range=[0, 1.15 * max(*ours, *theirs)],
        zeroline=False,
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(
        height=330,
        barmode="group",
        legend=_LEGEND | {"traceorder": "normal"},
        margin=_MARGIN | {"l": 8, "t": 34, "r": 40},
    )
    return figure
