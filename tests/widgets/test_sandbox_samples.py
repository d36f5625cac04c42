from llm_core.training.events import EvalEvent, SampleEvent
from pages.widgets.sandbox_samples import (
    judged,
    measured_sentence,
    sample_html,
    shares_sentence,
)

SAMPLE = SampleEvent(50, "The ", "cat <b>& zog</b> sat")
KNOWN = frozenset({"cat", "b"})


def test_a_sample_is_text_and_its_unknown_words_are_marked():
    shown = sample_html(SAMPLE, judged(SAMPLE, KNOWN))
    assert "<b>The </b>cat &lt;b&gt;&amp; <span" in shown
    assert ">zog</span>&lt;/b&gt; sat</div>" in shown  # `sat` may go on: it is not judged
    assert shown.count("<span") == 1


def test_what_is_measured_is_said():
    words = judged(SAMPLE, KNOWN)
    told = measured_sentence(SAMPLE, words, [EvalEvent(50, 1.2345, 10), EvalEvent(60, 1.0, 10)])
    assert told.startswith("Validation loss 1.23. 3 of 4 whole words")
    assert measured_sentence(SAMPLE, words, []).startswith("3 of 4")
    row = shares_sentence([(0, None), (25, 0.1), (50, 0.6), (75, 0.4)])
    assert "25: 10% · 50: 60% · 75: 40%." in row
    assert "At step 50 half of it was" in row
    many = shares_sentence([(step, step / 1000) for step in range(0, 601, 10)])
    assert "by step: 0: 0% · 60: 6% · 120: 12% · " in many
    assert many.endswith(" · 600: 60%. At step 500 half of it was, for the first time.")
    assert "whole word yet" in shares_sentence([(0, None)])
