"""RoPE by hand: arrows that turn with the place, and what base and scaling do."""

import math

import pandas as pd
import streamlit as st

from llm_core.inspection.positions import rope_arrows, rope_similarity
from llm_core.layers.positions import RotaryPositions
from llm_core.pretrained.position_runs import CONTEXT
from pages.figures.positions import arrows_figure, turning_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.window_tables import named_table

D_HEAD = 16  # as in the experiment's models: 64 numbers in 4 heads
FAR = 4 * CONTEXT
BASES = (10, 100, 1000, 10_000, 100_000, 1_000_000)


@own_part
def turn_arrows() -> None:
    """Two arrows on a circle, turned by their places."""
    controls, picture = st.columns([2, 3], gap="large")
    with controls:
        query = st.slider("Place of the query", 0, 63, 9, key="m", bind="query-params")
        key = st.slider("Place of the key", 0, 63, 4, key="n", bind="query-params")
        together = st.slider("Move both by", 0, 40, 0, key="both", bind="query-params")
        pair = st.slider("Pair of numbers", 0, D_HEAD // 2 - 1, 1, key="pair", bind="query-params")
    m, n = query + together, key + together
    turn = 10_000 ** (-2 * pair / D_HEAD)
    tips = rope_arrows(pair=pair, places=[m, n], d_head=D_HEAD)
    product = float(tips[0] @ tips[1])
    with picture:
        show_figure(
            arrows_figure(tips[0].tolist(), tips[1].tolist(), places=(m, n), turn=turn),
            key="arrows_figure",
            alt=f"One place turns this pair by {math.degrees(turn):.3g}°. The query is at "
            f"{m} · {math.degrees(turn):.3g}° = {math.degrees(m * turn):,.4g}°, the key at "
            f"{math.degrees(n * turn):,.4g}°. Between them are {m - n} · "
            f"{math.degrees(turn):.3g}° = {math.degrees((m - n) * turn):,.4g}°, wherever they "
            f"stand, so their product stays {product:.3f}.".replace("-", "−"),
        )
    show_code(
        RotaryPositions.forward,
        rope_arrows,
        key="arrows",
        call=f"""import math
from llm_core.inspection.positions import rope_arrows

q, k = rope_arrows(pair={pair}, places=[{m}, {n}], d_head={D_HEAD})
print(f"{{float(q @ k):.3f}}")  # {product:.3f}
turn = 10_000 ** (-2 * {pair} / {D_HEAD})
print(f"{{math.cos(({m} - {n}) * turn):.3f}}")  # {math.cos((m - n) * turn):.3f}""",
    )


@own_part
def choose_base() -> None:
    """What base and scaling do to the speeds of all pairs, and to the score over the distance."""
    left, right = st.columns(2, gap="large")
    base = left.select_slider("Base", BASES, 10_000, key="rope_base", bind="query-params")
    scaling = right.select_slider(
        "Divide places by", [1, 2, 4, 8], 1, key="scaling", bind="query-params"
    )
    curve = rope_similarity(FAR, d_head=D_HEAD, base=float(base), scaling=float(scaling)).tolist()
    usual = rope_similarity(FAR, d_head=D_HEAD).tolist()
    name = f"base {base:,}, places ÷ {scaling}"
    curves = (
        {name: curve}
        if (base, scaling) == (10_000, 1)
        else {
            name: curve,
            "base 10,000, places ÷ 1": usual,
        }
    )
    show_figure(
        turning_figure(curves, trained=CONTEXT),
        key="turning_figure",
        alt=f"How alike a vector is to itself some places on. At distance {CONTEXT}: "
        f"{curve[CONTEXT]:.3f}; at {FAR - 1}: {curve[-1]:.3f}.",
        table=pd.DataFrame(curves).rename_axis("distance"),
    )
    rows = [
        {
            "pair": pair,
            "turns once in (tokens)": f"{math.tau / turn:,.0f}",
            f"turned after {CONTEXT} tokens": f"{math.degrees(CONTEXT * turn):,.0f}°",
            f"after {FAR}": f"{math.degrees(FAR * turn):,.0f}°",
        }
        for pair in range(D_HEAD // 2)
        for turn in [base ** (-2 * pair / D_HEAD) / scaling]
    ]
    st.html(named_table(rows, "How fast each pair turns"))
    show_code(
        rope_similarity,
        key="base",
        call=f"""from llm_core.inspection.positions import rope_similarity

alike = rope_similarity({FAR}, d_head={D_HEAD}, base={float(base)}, scaling={float(scaling)})
print(f"{{float(alike[{CONTEXT}]):.3f}}")  # {curve[CONTEXT]:.3f}
print(f"{{float(alike[-1]):.3f}}")  # {curve[-1]:.3f}""",
    )
