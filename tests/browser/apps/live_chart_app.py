"""A run that is no run: the numbers follow a formula, so that every test sees the same picture.

LIVE_CHART_TICKS says after how many ticks it is finished, LIVE_CHART_START how many are done when
the page opens, LIVE_CHART_INTERVAL how many seconds lie between two.
"""

import math
import os

import streamlit as st

from pages.figures.curve import Curve
from pages.figures.training import Reference, loss_alt_text, loss_figure
from pages.widgets.live_chart import live_chart, plotly_library

TICKS = int(os.environ.get("LIVE_CHART_TICKS", "60"))
START = int(os.environ.get("LIVE_CHART_START", "0"))
INTERVAL = float(os.environ.get("LIVE_CHART_INTERVAL", "0.4"))
STEPS = 1500
REFERENCES = [Reference("knows nothing, ln(65)", math.log(65)), Reference("bigram model", 2.45)]


def curves(step: int) -> tuple[Curve, Curve]:
    """Loss every 5 steps and validation every 37.5: 300 and 40 points when all is done."""
    steps = list(range(5, step + 1, 5))
    noise = [0.06 * math.sin(n * 12.9898) * math.cos(n * 4.1) for n in steps]
    train = [1.02 + 3.1 * math.exp(-n / 210) + e for n, e in zip(steps, noise, strict=True)]
    checks = [round(n * 37.5) for n in range(1, 41) if n * 37.5 <= step]
    validation = [1.16 + 3.0 * math.exp(-n / 225) + 0.0001 * n for n in checks]
    return Curve(steps, train), Curve(checks, validation)


st.set_page_config(layout="wide")
st.title("A run")
plotly_library()
st.button("Run the page again")
running = st.session_state.setdefault("tick", START) < TICKS


@st.fragment(run_every=INTERVAL if running else None)
def live() -> None:
    """One tick: a bit more of the curve."""
    tick = st.session_state["tick"] = min(st.session_state["tick"] + 1, TICKS)
    train, validation = curves(STEPS * tick // TICKS)
    alt = loss_alt_text(train, validation, REFERENCES, total_steps=STEPS)
    figure = loss_figure(train, validation, REFERENCES, total_steps=STEPS)
    live_chart(figure, key="loss", alt=alt)
    st.caption(f"tick {tick} of {TICKS}")
    if running and tick == TICKS:
        st.rerun()  # declares the fragment anew, without a timer


live()
st.text("Below the chart")
