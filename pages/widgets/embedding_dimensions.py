"""What the dimension buys: keep only the first axes, and watch neighbours and analogies go."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.projection import principal_axes, shared_neighbours
from llm_core.pretrained.glove import WordVectors
from pages.figures.word_geometry import dimension_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.embedding_analogies import answers
from pages.widgets.embedding_words import Source, ask_word, neighbour_chips
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part

AMONG = 20_000  # words whose neighbours are counted: the most frequent
ASKED = 100  # of them, evenly spread
K = 10


@dataclass(frozen=True)
class Dimensions:
    """What is kept with the first axes only, one entry a number of them.

    turned (N, C): the vectors along their principal axes, the strongest first; kept, solved and
    variance: shares from 0 to 1.
    """

    sizes: tuple[int, ...]
    turned: np.ndarray
    kept: tuple[float, ...]
    solved: tuple[float, ...]
    variance: tuple[float, ...]


def sizes_up_to(width: int) -> tuple[int, ...]:
    """Numbers of axes to try, up to all."""
    return (*(n for n in (1, 2, 3, 5, 10, 15, 20, 30, 40, 60, 80) if n < width), width)


@st.cache_resource(show_spinner="Measuring …", max_entries=2)
def measure_dimensions(name: str, _vectors: WordVectors, among: int) -> Dimensions:
    """Turn the vectors to their principal axes, and measure what fewer of them keep.

    They are turned only, and not shifted: with all axes, every cosine is what it was.
    """
    count = min(among, AMONG)
    matrix = np.ascontiguousarray(_vectors.matrix[:count])
    width = matrix.shape[1]
    axes = principal_axes(matrix, width)
    turned = matrix @ axes.directions.T.astype(np.float32)
    rows = np.arange(0, count, max(1, count // ASKED))[:ASKED]
    squares = (turned.astype(np.float64) ** 2).sum(axis=0)
    questions = [each.question for each in answers(name, _vectors, among) if each.right]
    sizes = sizes_up_to(width)
    return Dimensions(
        sizes,
        turned,
        tuple(shared_neighbours(matrix, turned[:, :size], rows, k=K) for size in sizes),
        tuple(_solved(_shortened(_vectors, turned[:, :size]), questions) for size in sizes),
        tuple(float(squares[:size].sum() / squares.sum()) for size in sizes),
    )


def _shortened(vectors: WordVectors, numbers: np.ndarray) -> WordVectors:
    return WordVectors(vectors.words(len(numbers)), numbers)


def _solved(vectors: WordVectors, questions: list[tuple[str, str, str, str]]) -> float:
    asked = [each for each in questions if all(word in vectors for word in each)]
    right = [vectors.analogy(*each[:3], k=1)[0].word == each[3] for each in asked]
    return sum(right) / max(1, len(asked))


@own_part
def drop_dimensions(source: Source) -> None:
    """Neighbours with all numbers and with few, and the measured curve."""
    found = measure_dimensions(source.name, source.vectors, source.among)
    width = found.sizes[-1]
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    with left:
        word = ask_word(source, "A word", source.pair[0], key="shortened")
    size = right.select_slider(
        "Numbers kept a word",
        found.sizes,
        3,
        key=f"kept_{source.name}",
        bind="query-params",
    )
    row = source.vectors.row(word)
    if row >= len(found.turned):
        raise ValueError(f"Take one of the {len(found.turned):,} most frequent words here.")
    full = _shortened(source.vectors, found.turned)
    short = _shortened(source.vectors, found.turned[:, :size])
    near = [each.nearest(each.vector(word), k=K, without=(word,)) for each in (full, short)]
    common = {each.word for each in near[0]} & {each.word for each in near[1]}
    for title, each, count in (("all", near[0], width), ("kept", near[1], size)):
        st.markdown(f"**Nearest to “{word}” with {count} numbers**, of {len(found.turned):,} words")
        neighbour_chips(
            each, key=f"{title}_chips", label=f"Nearest with {count} numbers", marked=common
        )
    at = found.sizes.index(size)
    show_figure(
        dimension_figure(found.sizes, found.kept, found.solved, found.variance, chosen=size),
        key="dimension_figure",
        alt=f"With {size} of {width} numbers, “{word}” keeps {len(common)} of its {K} nearest "
        f"words; {ASKED} words keep {found.kept[at]:.0%} on average, and {found.solved[at]:.0%} of "
        "the analogies that all numbers solve come out right.",
        table=pd.DataFrame(
            {
                "neighbours found": [f"{each:.0%}" for each in found.kept],
                "analogies": [f"{each:.0%}" for each in found.solved],
                "variance": [f"{each:.0%}" for each in found.variance],
            },
            index=pd.Index(found.sizes, name="numbers"),
        ),
    )
    _code(source, len(found.turned), size, found.kept[at])


def _code(source: Source, count: int, size: int, kept: float) -> None:
    show_code(
        principal_axes,
        shared_neighbours,
        key="dimension",
        call=f"""{source.code}
import numpy as np
from llm_core.inspection.projection import principal_axes, shared_neighbours

matrix = np.ascontiguousarray(vectors.matrix[:{count}])
axes = principal_axes(matrix, {source.vectors.matrix.shape[1]})
turned = matrix @ axes.directions.T.astype(np.float32)
rows = np.arange(0, {count}, {max(1, count // ASKED)})[:{ASKED}]
kept = shared_neighbours(matrix, turned[:, :{size}], rows, k={K})
print(round(kept, 2))  # {round(kept, 2)}""",
    )
