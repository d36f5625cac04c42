"""A probability distribution on a page: bars, their finding in words, and the numbers on demand."""

from collections.abc import Sequence

import pandas as pd

from pages.figures.distribution import TAIL_LABEL, distribution_alt_text, distribution_figure
from pages.widgets.figure import show_figure


def show_distribution(
    labels: Sequence[str],
    probabilities: Sequence[float],
    *,
    key: str,
    tail: float | None = None,
    tail_label: str = TAIL_LABEL,
    chosen: int | None = None,
    log: bool = False,
    role: str = "prediction",
    outcome: str = "token",
    mark: str = "chosen",
) -> None:
    """Show `distribution_figure` of these, and its text and table; `outcome` heads the table.

    `pages.figures.distribution.top_outcomes` finds the most probable of many, and their tail.
    Raises ValueError if these are no probabilities.
    """
    figure = distribution_figure(
        labels,
        probabilities,
        tail=tail,
        tail_label=tail_label,
        chosen=chosen,
        log=log,
        role=role,
        mark=mark,
    )
    finding = distribution_alt_text(
        labels, probabilities, tail=tail, tail_label=tail_label, chosen=chosen, mark=mark
    )
    table = _table([*labels], [*probabilities], tail, tail_label, outcome)
    show_figure(figure, key=key, alt=finding, table=table)


def _table(
    labels: list[str],
    probabilities: list[float],
    tail: float | None,
    tail_label: str,
    outcome: str,
) -> pd.DataFrame:
    if tail is not None:
        labels, probabilities = [*labels, tail_label], [*probabilities, tail]
    return pd.DataFrame({outcome: labels, "probability": [f"{p:.4g}" for p in probabilities]})
