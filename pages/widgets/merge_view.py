"""A text in the middle of byte pair encoding: what was merged last, and what comes next."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from llm_core.tokenizers.bpe import TIE_RULE, BPETokenizer, MergeStep
from pages.widgets.glossary import literal
from pages.widgets.graphemes import visible_text
from pages.widgets.token_chips import Chip, Highlight, token_chips


def show_merging(text: str, steps: Sequence[MergeStep], done: int, pattern: str) -> None:
    """Show the text after `done` of the merges, and how the next one is chosen."""
    tokenizer = BPETokenizer([step.pair for step in steps[:done]], pattern=pattern)
    ids = tokenizer.encode(text)
    highlights = []
    if done:
        made = [place for place, index in enumerate(ids) if index == steps[done - 1].new_id]
        highlights.append(Highlight(made, "train", name="merged last"))
    if done < len(steps):
        highlights.append(Highlight(pair_places(ids, steps[done].pair), "pair", name="next pair"))
    token_chips(
        [Chip(tokenizer.token_bytes(index), id=index) for index in ids],
        key="merge_chips",
        label=f"The text after {done} merges",
        highlights=highlights,
        selectable=False,
        height=260,
    )
    st.caption(f"**{len(ids):,} tokens** for your text of {len(text):,} characters.")
    if done < len(steps):
        _next(steps[done])
    else:
        st.markdown("**All merges are done.**")


def pair_places(ids: Sequence[int], pair: tuple[int, int]) -> list[int]:
    """Places of the tokens that the next merge joins, from left to right, none of them twice."""
    places, place = [], 0
    while place < len(ids) - 1:
        if (ids[place], ids[place + 1]) == pair:
            places += [place, place + 1]
            place += 1
        place += 1
    return places


def _next(step: MergeStep) -> None:
    left, right = (f"`{_code(token)}`" for token in step.tokens)
    st.markdown(
        f"**Merge {step.number}** joins {left} and {right} to `{_code(step.new_token)}`, token "
        f"{step.new_id}: of all pairs, this one occurs most often, {step.count:,} times."
    )
    if step.tied:
        st.caption(f"Another pair occurs as often. {literal(TIE_RULE)}")
    rivals = [
        {"pair": " + ".join(map(visible_text, rival.tokens)), "times": rival.count}
        for rival in step.runners_up
    ]
    if rivals:
        st.markdown("The runners-up:")
        st.table(pd.DataFrame(rivals), border="horizontal", hide_index=True, width="content")


def _code(token: bytes) -> str:
    return visible_text(token).replace("`", "ˋ")
