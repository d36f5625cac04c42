"""Why tokens must look at each other: a pronoun, and what three kinds of network reach."""

import pandas as pd
import streamlit as st

from llm_core.inspection.attention import compare_reach
from pages.figures.attention import reach_alt_text, reach_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.token_chips import Chip, Highlight, token_chips

ENDINGS = {"tired": "owl", "thin": "branch"}
REACH = 64


def who_is_meant() -> None:
    """A pronoun whose meaning hangs on the sentence's last word."""
    ending = st.radio(
        "The last word", [*ENDINGS], key="ending", bind="query-params", horizontal=True
    )
    sentence = f"The owl left the branch because it was too {ending}".split()
    st.caption("Which word does “it” stand for? Choose it in the sentence.")
    answer = ENDINGS[ending]
    chosen = token_chips(
        [Chip(word) for word in sentence],
        key="pronoun",
        label="The sentence",
        joined=False,
        highlights=[Highlight([sentence.index("it")], "query", name="“it” looks for")],
    )
    if chosen is None:
        return
    if sentence[chosen] == answer:
        st.markdown(f"Yes: “{ending}” decides, and it is the very last word to come.")
    else:
        st.markdown(
            f"Read it once more with “{sentence[chosen]}” in place of “it”: can that be {ending}?"
        )


@st.cache_data(show_spinner=False)
def reach_of(length: int, window: int) -> dict[str, list[float]]:
    """`compare_reach` as plain numbers, once for all visitors."""
    return {kind: way.tolist() for kind, way in compare_reach(length, window=window).items()}


def look_back() -> None:
    """How much of a token far back reaches the last one, in three kinds of network."""
    left, right = st.columns(2, gap="large")
    distance = left.slider("Tokens back", 1, REACH - 1, 30, key="back", bind="query-params")
    window = right.slider("The window's width", 2, 32, 8, key="reach", bind="query-params")
    ways = reach_of(REACH, window)
    said = reach_alt_text(ways, distance=distance)
    table = pd.DataFrame(ways).iloc[::-1].reset_index(drop=True).rename_axis("tokens back")
    show_figure(
        reach_figure(ways, distance=distance),
        key="reach_figure",
        alt=said,
        table=table.map(lambda n: f"{n:.4g}"),
    )
    place = REACH - 1 - distance
    show_code(
        compare_reach,
        key="reach",
        call=f"""from llm_core.inspection.attention import compare_reach

ways = compare_reach({REACH}, window={window})
print(round(float(ways["attention"][{place}]), 3))  # {round(ways["attention"][place], 3)}
print(round(float(ways["window"][{place}]), 3))  # {round(ways["window"][place], 3)}""",
    )
