"""What a model wrote along the way: choose a step, see the sample of then, its words judged."""

import html
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from llm_core.data.corpora import find_corpus
from llm_core.data.line_tasks import line_task
from llm_core.training.events import EvalEvent, SampleEvent
from llm_core.training.phases import Word, judge_words, known_share, words_in
from llm_core.training.runs import Run
from pages.figures.palette import KEY, PREDICTION
from pages.widgets.catalog import Lesson
from pages.widgets.errors import error_boundary
from pages.widgets.prose import show_prose
from pages.widgets.run_samples import MOVED, TIME
from pages.widgets.training import launcher, record_trouble

_MOST_SHARES = 10  # in a sentence, beside the first


def time_line(lesson: Lesson, run: Run) -> None:
    """Let the learner go through an ended run's samples; silent if there are fewer than two."""
    if len(launcher().store.samples(run.id)) < 2:
        return
    st.header("What it wrote on the way", divider="gray")
    show_prose(lesson, "time_line")
    _choose(run)


@st.fragment
def _choose(run: Run) -> None:
    with error_boundary("The time line"), record_trouble():
        samples = {each.step: each for each in launcher().store.samples(run.id)}
        steps = list(samples)
        if st.session_state.get(TIME) not in (None, *steps):
            del st.session_state[TIME]  # another run's
        # After a click on the chart the place is set already, and a default would contradict it.
        usual = {} if st.session_state.pop(MOVED, False) else {"value": steps[-1]}
        step = st.select_slider(
            "After how many steps",
            steps,
            **usual,
            format_func=lambda each: f"{each:,}",
            key=TIME,
            bind="query-params",
        )
        if line_task(run.config.corpus):  # it has no words
            st.html(sample_html(samples[step], []))
            return
        known = _known_words(run.config.corpus, run.config.text_path)
        st.html(sample_html(samples[step], judged(samples[step], known)))
        losses = launcher().store.evaluations(run.id)
        st.caption(measured_sentence(samples[step], judged(samples[step], known), losses))
        shares = [(each.step, known_share(judged(each, known))) for each in samples.values()]
        st.caption(shares_sentence(shares))


def judged(sample: SampleEvent, known: frozenset[str]) -> list[Word]:
    """Return the words of a sample, and whether each is in the text."""
    return judge_words(sample.prompt, sample.text, known)


def sample_html(sample: SampleEvent, words: Sequence[Word]) -> str:
    """Return a sample as HTML, what is no word of the text underlined with a wave."""
    parts, place = [], 0
    for word in words:
        parts.append(html.escape(sample.text[place : word.start]))
        shown = html.escape(sample.text[word.start : word.end])
        style = f"text-decoration:underline wavy {KEY} 1px;text-underline-offset:3px"
        parts.append(shown if word.known else f'<span style="{style}">{shown}</span>')
        place = word.end
    parts.append(html.escape(sample.text[place:]))
    return (
        f'<div style="white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid '
        f'{PREDICTION};padding:.25rem 1rem" role="region" aria-label="What it wrote then">'
        f"<b>{html.escape(sample.prompt)}</b>{''.join(parts)}</div>"
    )


def measured_sentence(
    sample: SampleEvent, words: Sequence[Word], losses: Sequence[EvalEvent]
) -> str:
    """Say how good the model was then: its loss, if it was measured, and its words."""
    found = [each.loss for each in losses if each.step == sample.step]
    loss = f"Validation loss {found[0]:.2f}. " if found else ""
    known = sum(word.known for word in words)
    return (
        f"{loss}{known} of {len(words)} whole words are words of the text it learns from; the "
        "others have a wave under them."
    )


def shares_sentence(shares: Sequence[tuple[int, float | None]]) -> str:
    """Say how the share of real words went, and when it had half of it."""
    counted = [(step, share) for step, share in shares if share is not None]
    if not counted:
        return "It has not written a whole word yet."
    last = len(counted) - 1
    few = sorted({round(n * last / _MOST_SHARES) for n in range(_MOST_SHARES + 1)})
    shown = counted if last <= _MOST_SHARES else [counted[place] for place in few]
    row = " · ".join(f"{step:,}: {share:.0%}" for step, share in shown)
    half = next((step for step, share in counted if share >= 0.5), None)
    after = f" At step {half:,} half of it was, for the first time." if half else ""
    return f"Letters that are part of real words, by step: {row}.{after}"


@st.cache_resource(max_entries=4, show_spinner="Collecting the text's words …")
def _known_words(corpus: str | None, text_path: str | None) -> frozenset[str]:
    if corpus is not None:
        return words_in(find_corpus(corpus).load())
    return words_in(Path(str(text_path)).read_text(encoding="utf-8"))
