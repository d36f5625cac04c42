"""Pictures of a search: a map of passages, what each way finds, and scores without an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.figures.palette import ATTENTION, KEY, NEUTRAL, QUERY, VALUE

_MARGIN = {"l": 60, "r": 12, "t": 30, "b": 46}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
# Ways to search are no roles of the course; each has a shape or a pattern besides its colour.
LOOKS = {
    "BM25": (QUERY, "square", "/"),
    "dense": (KEY, "diamond", ""),
    "hybrid": (ATTENTION, "circle", "x"),
}


@dataclass(frozen=True)
class Neighbour:
    """A passage on the map, and which ways found it among their best."""

    title: str
    x: float
    y: float
    cosine: float
    by_vectors: bool
    by_words: bool
    right: bool

    @property
    def found_by(self) -> str:
        """The ways that found it, in words."""
        if self.by_vectors and self.by_words:
            return "both"
        return "vectors" if self.by_vectors else "words" if self.by_words else "neither"


def map_figure(passages: Sequence[Neighbour], question: tuple[float, float]) -> go.Figure:
    """Place passages around a question; each group has its own shape."""
    groups = (
        ("elsewhere in the text", "neither", NEUTRAL, "circle", 5),
        ("found by words only", "words", QUERY, "square", 10),
        ("found by vectors only", "vectors", KEY, "diamond", 11),
        ("found by both", "both", ATTENTION, "circle", 12),
    )
    figure = go.Figure()
    for name, found_by, colour, symbol, size in groups:
        chosen = [each for each in passages if each.found_by == found_by]
        if chosen:
            figure.add_scatter(
                x=[round(each.x, 4) for each in chosen],
                y=[round(each.y, 4) for each in chosen],
                customdata=[[each.title, round(each.cosine, 3)] for each in chosen],
                mode="markers",
                name=name,
                marker={
                    "color": colour,
                    "symbol": symbol,
                    "size": size,
                    "opacity": 0.45 if found_by == "neither" else 0.95,
                },
                hovertemplate="%{customdata[0]}<br>cosine %{customdata[1]}<extra></extra>",
            )
    _ring(figure, [each for each in passages if each.right])
    figure.add_scatter(
        x=[round(question[0], 4)],
        y=[round(question[1], 4)],
        mode="markers",
        name="the question",
        marker={"color": VALUE, "symbol": "star", "size": 17},
        hovertemplate="the question<extra></extra>",
    )
    figure.update_xaxes(title_text="direction 1", zeroline=False, showticklabels=False)
    figure.update_yaxes(title_text="direction 2", zeroline=False, showticklabels=False)
    figure.update_layout(height=420, margin=_MARGIN | {"l": 30}, legend=_LEGEND)
    return figure


def _ring(figure: go.Figure, right: Sequence[Neighbour]) -> None:
    """Draw a ring around the passages that hold the answer."""
    if not right:
        return
    figure.add_scatter(
        x=[round(each.x, 4) for each in right],
        y=[round(each.y, 4) for each in right],
        mode="markers",
        name="holds the answer",
        marker={
            "color": "rgba(0,0,0,0)",
            "symbol": "circle-open",
            "size": 19,
            "line": {"color": VALUE, "width": 3},
        },
        hoverinfo="skip",
    )


def measures_figure(
    values: Mapping[str, Sequence[float]], kinds: Sequence[str], measure: str
) -> go.Figure:
    """Compare ways to search: values[method][kind], from 0 to 1, as groups of bars."""
    figure = go.Figure()
    for method, numbers in values.items():
        colour, _, pattern = LOOKS[method]
        figure.add_bar(
            x=list(kinds),
            y=[round(number, 4) for number in numbers],
            name=method,
            marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "white", "size": 5}},
            text=[f"{number:.2f}" for number in numbers],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{method}, %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    figure.update_yaxes(title_text=measure, range=[0, 1.08], zeroline=False)
    figure.update_layout(height=340, margin=_MARGIN, legend=_LEGEND, barmode="group", bargap=0.25)
    return figure


def absent_figure(
    scores: Mapping[str, Sequence[float]],
    texts: Mapping[str, Sequence[str]],
    *,
    threshold: float,
    name: str,
    yours: float | None = None,
) -> go.Figure:
    """Draw the best score of each question, one row a kind, with a threshold across.

    scores and texts: of the questions, by kind. yours: of the question on the page.
    """
    figure = go.Figure()
    for kind, numbers in scores.items():
        answered = kind not in ("far off", "near by")
        figure.add_scatter(
            x=[round(number, 4) for number in numbers],
            y=[kind] * len(numbers),
            customdata=list(texts[kind]),
            mode="markers",
            marker={
                "color": VALUE if answered else KEY,
                "symbol": "line-ns-open" if answered else "x-thin-open",
                "size": 14 if answered else 10,
                "line": {"width": 2, "color": VALUE if answered else KEY},
            },
            showlegend=False,
            hovertemplate="%{customdata}<br>%{x:.3f}<extra></extra>",
        )
    figure.add_shape(
        type="line", x0=threshold, x1=threshold, y0=0, y1=1, yref="paper",
        line={"color": NEUTRAL, "dash": "dash", "width": 2},
    )  # fmt: skip
    if yours is not None:
        figure.add_shape(
            type="line", x0=yours, x1=yours, y0=0, y1=1, yref="paper",
            line={"color": ATTENTION, "width": 3},
        )  # fmt: skip
        figure.add_annotation(
            text="your question", x=yours, y=1, yref="paper", yanchor="bottom", showarrow=False
        )
    figure.update_xaxes(title_text=name, zeroline=False)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(height=300, margin=_MARGIN | {"l": 10})
    return figure
