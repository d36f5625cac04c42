"""Pictures of the first lesson: a game's score, context lengths, two readers, a secret told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.palette import NEUTRAL, PREDICTION, QUERY, TRAIN, VALIDATION

_MARGIN = {"l": 64, "r": 12, "t": 12, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_REFERENCE = {"color": NEUTRAL, "dash": "dot", "width": 1.5}


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
