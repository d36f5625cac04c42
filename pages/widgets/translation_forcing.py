"""Teacher forcing and free running side by side, and how well the translator does on new dates."""

import html
from collections.abc import Sequence

import streamlit as st

from pages.figures.distribution import percent
from pages.widgets.translation_model import (
    DATES,
    MEASURED,
    STEPS,
    Reading,
    Written,
    forced,
    measure,
    shipped,
    write,
)
from pages.widgets.translation_steps import shown
from pages.widgets.window_tables import named_table

NONE = "none"
_CELL = "border:1px solid rgba(128,128,128,.4);padding:.25rem .55rem;text-align:center"
_SHOWN = 8  # mistakes


def choose_steps(key: str, default: int) -> int:
    """Ask for how many steps the translator has been trained."""
    return int(
        st.select_slider("Steps of training", list(STEPS), default, key=key, bind="query-params")
    )


def show_forcing(reading: Reading) -> None:
    """What the decoder sees and writes at each place, forced and free; a sign can be overruled."""
    steps = choose_steps("forced_steps", STEPS[-1])
    left, right = st.columns(2, gap="large")
    place = left.slider(
        "Overrule the sign at place (0: none)", 0, 10, 9, key="place", bind="query-params"
    )
    sign = right.selectbox("with", DATES.signs, index=1, key="overruled", bind="query-params")
    model = shipped(steps)
    free = write(model, reading, {place - 1: sign} if place else None)
    taught = forced(model, reading) if reading.right else None
    st.html(side_by_side(reading.right, taught, free))
    st.caption(_outcome(reading.right, free, place))


def side_by_side(right: str | None, taught: Written | None, free: Written) -> str:
    """A table with a row a place: what each way sees, and what it writes then."""
    rows = ""
    for place, choice in enumerate(free.choices):
        seen = "".join(shown(sign) for sign in free.signs[:place])
        cells = f'<th scope="row" style="{_CELL}">{place + 1}</th>'
        if taught is not None:
            inside = place < len(taught.signs)
            given = "".join(shown(sign) for sign in taught.signs[:place]) if inside else ""
            cells += _cell(given)
            cells += _judged(taught.choices[place], taught.signs[place]) if inside else _cell("")
        overruled = choice != free.signs[place]
        wanted = taught.signs[place] if taught and place < len(taught.signs) else None
        cells += _cell(seen) + _judged(choice, wanted)
        cells += _cell(f"overruled: {shown(free.signs[place])}" if overruled else "")
        rows += f"<tr>{cells}</tr>"
    heads = ["place"]
    if right is not None:
        heads += ["teacher forcing: sees", "writes"]
    heads += ["free running: sees", "writes", ""]
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in heads)
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" '
        'aria-label="Teacher forcing and free running, place by place">'
        '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
        f"<tr>{head}</tr>{rows}</table></div>"
    )


def _outcome(right: str | None, free: Written, place: int) -> str:
    said = f"By itself it wrote {free.text}"
    if right is None:
        return f"{said}. Your words are no date that has a right answer, so there is no teacher."
    wrong = sum(
        a != b
        for n, (a, b) in enumerate(zip(free.choices, [*right, "<end>"], strict=False))
        if n != place - 1
    )
    count = {0: "none is wrong", 1: "1 is wrong"}.get(wrong, f"{wrong} are wrong")
    return f"{said}; right would be {right}. Of the signs that it chose itself, {count}."


def _cell(text: str) -> str:
    return f'<td style="{_CELL};text-align:right">{html.escape(text)}</td>'


def _judged(choice: str, wanted: str | None) -> str:
    mark = "" if wanted is None else " ✓" if choice == wanted else " ✗"
    return f'<td style="{_CELL}"><b>{html.escape(shown(choice))}</b>{mark}</td>'


def shares_table() -> str:
    """All three shares after each number of steps that is kept."""
    rows: list[dict[str, object]] = []
    for step in STEPS:
        measured = measure(step, "unseen")
        rows.append(
            {
                "steps": step,
                "signs right, teacher forcing": percent(measured.forced),
                "signs right, free running": percent(measured.free),
                "whole answers right": percent(measured.whole),
            }
        )
    return named_table(rows, "Shares right after each number of steps")


def show_accuracy() -> int:
    """Measure on dates that were never trained on, of known centuries and of unknown ones."""
    steps = choose_steps("steps", STEPS[-1])
    titles = {"unseen": "Unseen dates, 1800 to 2099", "early": "Dates from 1300 to 1799"}
    for place, (kind, title) in zip(st.columns(2, gap="large"), titles.items(), strict=True):
        with place:
            measured = measure(steps, kind)
            st.metric(title, percent(measured.whole), help="Answers right to the last sign")
            show_mistakes(measured.wrong, MEASURED, label=f"Mistakes: {title}")
    return steps


def show_mistakes(wrong: Sequence[tuple[str, str, str]], count: int, *, label: str) -> None:
    """Some of the wrong answers, beside the right ones."""
    if not wrong:
        st.markdown(f"All {count} answers are right: there is no mistake to show.")
        return
    st.markdown(f"**{len(wrong)} of {count} answers are wrong.** The first of them:")
    rows: list[dict[str, object]] = [
        {"in words": source, "right": right, "it wrote": said or "(nothing)"}
        for source, right, said in wrong[:_SHOWN]
    ]
    st.html(named_table(rows, label))
