"""The labelled texts to fine-tune on: which task, how many, and what they look like."""

import html
from dataclasses import dataclass

import streamlit as st

from llm_core.data.labelled_table import read_table, texts_from_table
from llm_core.data.labelled_texts import (
    TASKS,
    Labelled,
    LabelledTexts,
    find_label_task,
    make_texts,
)
from pages.figures.finetuning import Landmark
from pages.widgets.window_tables import named_table

OWN = "own"
DEFAULT_COUNT = 100
_SHOWN = 5  # texts
_OWN_TITLE = "My own table (CSV)"


@dataclass(frozen=True)
class Chosen:
    """What is learnt: the texts, how many the task could give, and what the baselines reach."""

    texts: LabelledTexts
    title: str
    ceiling: float
    majority: float
    words: float

    @property
    def landmarks(self) -> list[Landmark]:
        """The baselines, for a picture."""
        return [Landmark("commonest label", self.majority), Landmark("counted words", self.words)]


def choose_texts() -> Chosen | None:
    """Ask for a task and how much of it is learnt from; None while a table is waited for."""
    titles = {task.name: task.title for task in TASKS} | {OWN: _OWN_TITLE}
    left, right = st.columns(2, gap="large")
    name = left.radio(
        "What is to be told from a text",
        list(titles),
        2,
        format_func=lambda each: titles[each],
        key="texts",
        bind="query-params",
    )
    with right:
        count = int(
            st.slider(
                "Labelled texts to learn from",
                20,
                800,
                DEFAULT_COUNT,
                20,
                key="labelled",
                bind="query-params",
            )
        )
        texts = _own_texts() if name == OWN else _made(name)
    if texts is None:
        return None
    few = texts.take(count)
    majority, words = baselines(few)
    ceiling = 1.0 if name == OWN else find_label_task(name).ceiling
    return Chosen(few, titles[name], ceiling, majority, words)


def limited(chosen: Chosen, train: int, test: int) -> Chosen:
    """Return the task with fewer texts, for a model that reads slowly, and its baselines anew."""
    whole = chosen.texts
    few = LabelledTexts(whole.name, whole.labels, whole.train[:train], whole.test[:test])
    majority, words = baselines(few)
    return Chosen(few, chosen.title, chosen.ceiling, majority, words)


def show_texts(chosen: Chosen) -> None:
    """Some texts with their labels, and what is reached without any network."""
    texts = chosen.texts
    st.html(examples_table(texts.train[:_SHOWN], texts.labels, "Some of the texts to learn from"))
    with st.container(horizontal=True):
        st.metric("To learn from", f"{len(texts.train)}", width=150)
        st.metric("Only measured on", f"{len(texts.test)}", width=160)
        st.metric("Commonest label, right", f"{chosen.majority:.1%}", width=190)
        st.metric("Counted words, right", f"{chosen.words:.1%}", width=190)
    if chosen.ceiling < 1:
        st.caption(
            f"{1 - chosen.ceiling:.0%} of these labels are wrong on purpose, as in real life: "
            f"nobody can be right in much more than {chosen.ceiling:.0%}."
        )


def examples_table(texts: tuple[Labelled, ...], labels: tuple[str, ...], title: str) -> str:
    """Texts with their labels as HTML, in a box that scrolls by itself."""
    rows = "".join(
        f'<tr><td style="padding:.25rem .8rem .25rem 0;white-space:nowrap"><b>'
        f"{html.escape(labels[each.label])}</b></td>"
        f'<td style="padding:.25rem 0;min-width:15rem">{html.escape(each.text[:300])}</td></tr>'
        for each in texts
    )
    return (
        f'<div style="max-height:300px;overflow:auto" tabindex="0" role="region" '
        f'aria-label="{html.escape(title)}"><table>{rows}</table></div>'
    )


@st.cache_data(max_entries=8, show_spinner="Gathering the texts …")
def _made(name: str) -> LabelledTexts:
    return make_texts(name)


@st.cache_data(max_entries=32, show_spinner="Counting words …")
def baselines(texts: LabelledTexts) -> tuple[float, float]:
    """Shares right of the commonest label and of counted words."""
    from llm_core.finetuning.baselines import counted_words, majority

    return majority(texts).accuracy, counted_words(texts).accuracy


def _own_texts() -> LabelledTexts | None:
    """Ask for a table, and for its columns. A ValueError's sentence is the learner's."""
    given = st.file_uploader(
        "A CSV file with a first line of names, one column of texts and one of labels",
        type=["csv", "tsv", "txt"],
        key="table",
    )
    if given is None:
        st.caption(
            "At least 20 rows, 2 to 12 labels. It stays in this server's memory while you look; a "
            "model that you fine-tune keeps what it learnt from with it, until you delete the run."
        )
        return None
    table = read_table(given.getvalue())
    names = list(table.columns)
    text = st.selectbox("Texts", names, names.index(table.text_column()), key="text_column")
    label = st.selectbox("Labels", names, names.index(table.label_column()), key="label_column")
    return texts_from_table(table, text, label)


def rows_table(rows: list[dict[str, object]], title: str, left: tuple[str, ...]) -> None:
    """Show rows of named cells, wide or narrow."""
    st.html(named_table(rows, title, left=left))
