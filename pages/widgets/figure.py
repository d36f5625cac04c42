"""The one way in which a page shows a plotly figure: with its finding in words, and its data."""

import html

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.widgets.live_chart import live_chart
from pages.widgets.view import current_view

_WHOLE_TABLE = 30  # rows; a longer table scrolls in its own box
_DEFAULT_HEIGHT = 450  # pixels: plotly's own, for a figure that names none
# Streamlit's grey for a quiet expander has a contrast of 4.3 on white; words want 4.5.
LEGIBLE = """
[class*=_data] > [data-testid=stExpander] summary {opacity: .85}
"""


def show_figure(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    table: pd.DataFrame | None = None,
    say: bool = True,
) -> None:
    """Show a figure as wide as its place.

    alt: its main finding in a sentence or two, for those who do not see it, and under the figure
    unless `say` is false. table: its data, to be opened by those who want it.
    """
    live_chart(figure, key=key, alt=alt, height=int(figure.layout.height or _DEFAULT_HEIGHT))
    if say:
        show_finding(alt)
    if table is not None:
        show_table(table, key=f"{key}_data")


def show_finding(sentence: str) -> None:
    """Show what a figure says. It may quote any token, so nothing in it is taken for markup."""
    st.html(f'<p style="margin:0;font-size:.9rem">{html.escape(sentence)}</p>')


def show_table(table: pd.DataFrame, *, key: str) -> None:
    """Offer a figure's data as a table; it is sent when it is opened, and not printed."""
    if current_view() != "print":
        _table_on_demand(table, key)


@st.fragment
def _table_on_demand(table: pd.DataFrame, key: str) -> None:
    """A fragment, for opening the table is no reason to run the page."""
    expander = st.expander(
        "Data as a table", icon=":material/table:", type="compact", key=key, on_change="rerun"
    )
    if expander.open:
        with expander:
            if len(table) <= _WHOLE_TABLE and len(table.columns) <= 4:
                st.table(table, border="horizontal")
            else:
                st.dataframe(table)
