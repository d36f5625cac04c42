"""A plotly chart that changes under the reader's eyes: no flicker, zoom and hover stay.

Streamlit's own `st.plotly_chart` is mounted anew whenever its figure changes, and its library holds
a page up for most of a second before the words are there. Here the browser keeps one chart per key
and hands it the new figure; it loads the library when the page has come to rest, and draws what the
reader is about to see first. The course's frame mounts the library once, outside any fragment:

    plotly_library()

    @st.fragment(run_every=1.0 if running else None)
    def live():
        live_chart(loss_figure(...), key="loss", alt=loss_alt_text(...))
"""

import gzip
import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

HERE = Path(__file__).parent

_library = st.components.v2.component(
    "inside_llms_plotly_library",
    js=(HERE / "plotly_library.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
# These two travel at every tick, so they are short: what draws is part of the library.
_chart = st.components.v2.component(
    "inside_llms_live_chart",
    html="<div class='live-chart' role='img'></div>",
    js=(HERE / "live_chart.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly puts its styles into the document, not into a shadow root
)


def plotly_library() -> None:
    """Bring plotly into the browser, from this server. To be called once a page, in no fragment.

    It is the very version that the Python package holds, 4.8 MB, sent as 1.5 MB. Streamlit sends
    an unchanged message as a short reference as long as the browser remembers it.
    """
    _library(key="plotly-library", data=_packed_plotly())


def live_chart(
    figure: go.Figure | dict[str, Any],
    *,
    key: str,
    alt: str,
    height: int = 380,
    on_pick: Callable[[float], None] | None = None,
) -> None:
    """Show `figure` in the chart that already stands under `key`, `height` pixels high.

    It may be plotly's plain description of one: that is not checked, and quicker. `alt` says in a
    sentence what it shows, to those who do not see it. The reader's zoom stays as long as the
    figure's `layout.uirevision` does; a double click gives it back. Colours of text, grid and hover
    label come from the theme. The page must call `plotly_library` too. A click on the curves calls
    `on_pick`, as a callback, with the place on the horizontal axis.
    """
    if isinstance(figure, dict):
        drawn = json.dumps(figure)
    else:
        plain = figure.to_plotly_json()
        plain["layout"].pop("template", None)  # 7 kB; the library has the course's own
        drawn = to_json_plotly(plain)
    data = {"figure": drawn, "alt": alt, "height": height, "pick": on_pick is not None}

    def on_picked() -> None:
        place = _picked(key)
        if on_pick is not None and place is not None:
            on_pick(place)

    _chart(key=key, data=data, height=height, on_picked_change=on_picked)


def _picked(key: str) -> float | None:
    """The place that the browser says was clicked; it may send anything."""
    state: Any = st.session_state.get(key)
    place = state.get("picked") if isinstance(state, dict) else None
    valid = isinstance(place, int | float) and not isinstance(place, bool) and math.isfinite(place)
    return float(place) if valid else None


@cache
def _packed_plotly() -> bytes:
    # Imported here, as it takes a while and most pages draw nothing live.
    from plotly.offline import get_plotlyjs

    # No time stamp: the bytes must be the same after a restart, for the browser to recognise them.
    return gzip.compress(get_plotlyjs().encode("utf-8"), mtime=0)
