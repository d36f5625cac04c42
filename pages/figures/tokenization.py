"""Pictures of what a vocabulary does to a text: how far merges shorten it, and whose text."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.figures.palette import ATTENTION, KEY, NEUTRAL, QUERY, TRAIN

_MARGIN = {"l": 52, "r": 12, "t": 30, "b": 46}
# Tokenizers are no roles; each has a pattern besides its colour.
_SERIES = ((TRAIN, ""), (QUERY, "/"), (KEY, "x"), (ATTENTION, "."))


def merges_figure(text_tokens: Sequence[int], characters: int, *, chosen: int) -> go.Figure:
    """Draw the characters that a token holds on average, over the number of merges.

    text_tokens: tokens of the training text after 0, 1, 2, ... merges; `chosen` is marked.
    """
    merges = list(range(len(text_tokens)))
    lengths = [characters / tokens for tokens in text_tokens]
    figure = go.Figure(
        [
            go.Scatter(
                x=merges,
                y=lengths,
                mode="lines",
                line={"color": TRAIN, "width": 2},
                hovertemplate="%{x} merges: %{y:.2f} characters a token<extra></extra>",
            ),
            go.Scatter(
                x=[chosen],
                y=[lengths[chosen]],
                mode="markers",
                marker={"color": TRAIN, "size": 12, "symbol": "diamond"},
                hovertemplate="now: %{y:.2f} characters a token<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title_text="merges", rangemode="tozero", zeroline=False)
    figure.update_yaxes(title_text="characters a token", rangemode="tozero", zeroline=False)
    figure.update_layout(showlegend=False, height=260, margin=_MARGIN)
    return figure


def merges_alt_text(text_tokens: Sequence[int], characters: int, *, chosen: int) -> str:
    """Say in a sentence what `merges_figure` shows."""
    first, now, last = (
        characters / text_tokens[place] for place in (0, chosen, len(text_tokens) - 1)
    )
    return (
        f"A token holds {first:.2f} characters before the first merge, {now:.2f} after {chosen}, "
        f"and {last:.2f} after all {len(text_tokens) - 1}."
    )


def languages_figure(tokens: Mapping[str, Sequence[int]], texts: Sequence[str]) -> go.Figure:
    """Draw how many tokens each text takes (a group of bars) under each tokenizer (a bar)."""
    bars = [
        go.Bar(
            name=name,
            x=list(texts),
            y=list(counts),
            marker={
                "color": colour,
                "pattern": {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.25},
            },
            hovertemplate=f"%{{x}}, {name}: %{{y}} tokens<extra></extra>",
        )
        for (name, counts), (colour, shape) in zip(tokens.items(), _SERIES, strict=False)
    ]
    figure = go.Figure(bars)
    figure.update_yaxes(title_text="tokens", zeroline=False)
    figure.update_xaxes(tickangle=-40, linecolor=NEUTRAL)
    legend = {"orientation": "h", "y": 1.15, "x": 0}
    figure.update_layout(barmode="group", height=380, margin=_MARGIN, legend=legend)
    return figure


def languages_alt_text(tokens: Mapping[str, Sequence[int]], texts: Sequence[str]) -> str:
    """Say which text is the dearest under each tokenizer, against the first one."""
    parts = []
    for name, counts in tokens.items():
        most = max(range(len(texts)), key=counts.__getitem__)
        ratio = counts[most] / counts[0]
        parts.append(f"{name}: {texts[most]} takes {ratio:.1f} times the tokens of {texts[0]}")
    return "; ".join(parts) + "."
