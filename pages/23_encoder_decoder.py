"""From one sequence to another: an encoder reads, a decoder writes and looks back at it."""

from typing import Any

import numpy as np
import streamlit as st

from llm_core.data.tasks import Task
from llm_core.generation.blanks import guess_from_both_sides, guess_from_the_left
from llm_core.generation.translate import forced_choices, translate
from llm_core.inspection.translation import cosine_similarities, encoder_stages, three_attentions
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.training.translation import measure, train_translator
from pages.widgets.blank_filling import Guesses, fill_a_blank, guessed, show_measured
from pages.widgets.code_viewer import show_code
from pages.widgets.frame import open_lesson
from pages.widgets.token_chips import Chip, token_chips
from pages.widgets.translation_forcing import shares_table, show_accuracy, show_forcing
from pages.widgets.translation_model import (
    DATES,
    MEASURED,
    Reading,
    Written,
    another_date,
    read_date,
    shipped,
    write,
)
from pages.widgets.translation_model import (
    measure as measured,
)
from pages.widgets.translation_steps import show_decoding, show_sight, show_vectors
from pages.widgets.translation_training import train_it
from pages.widgets.view import current_view

LOADED = """import torch

from llm_core.pretrained.registry import load

model, task = load("translator{step}")
source = task.encode_source({text!r})"""


def code(reading: Reading, step: int | None = None) -> str:
    """What all code on this page begins with."""
    return LOADED.format(step="" if step is None else f"@{step}", text=reading.text)


def rounded(values: np.ndarray) -> list[float]:
    """Numbers as the code prints them."""
    return [round(float(value), 2) for value in values]


def take_another() -> None:
    """Put a date that the model has never seen into the field. A callback."""
    place = st.session_state.get("dates_taken", 0) + 1
    st.session_state["dates_taken"] = place
    st.session_state["date"] = another_date(place)


def choose_date() -> Reading:
    """Ask for a date in words, and translate it."""
    left, right = st.columns([4, 1], gap="medium", vertical_alignment="bottom")
    text = left.text_input(
        "A date in words", DATES.example, key="date", bind="query-params", max_chars=120
    )
    right.button("Another date", key="another", icon=":material/casino:", on_click=take_another)
    reading = read_date(text)
    written = write(shipped(), reading)
    token_chips(
        [Chip(word, id=index) for word, index in zip(reading.words, reading.ids, strict=True)],
        key="date_chips",
        label="The date as tokens",
        show_ids=True,
        selectable=False,
        joined=False,
    )
    st.markdown(f"The model writes **{written.text}**. {verdict(reading, written)}")
    show_code(
        translate,
        key="task",
        call=f"""{code(reading)}
from llm_core.generation.translate import translate

steps = translate(model, source, start=1, end=2)
print(task.decode([step.id for step in steps]))  # {written.text}""",
    )
    return reading


def verdict(reading: Reading, written: Written) -> str:
    """Say what the answer is worth, and whether the model may have known the date."""
    if reading.right is None:
        return "There is no right answer: these words are no date of the years 1300 to 2099."
    if written.text != reading.right:
        return f"That is wrong: it is {reading.right}."
    seen = "it may have trained on this very date" if reading.seen else "it never saw this date"
    return f"That is right, and {seen}."


def encode(reading: Reading) -> None:
    """What the encoder makes of the words."""
    stage, vectors, alike = show_vectors(reading)
    show_code(
        encoder_stages,
        cosine_similarities,
        EncoderDecoder.encode,
        key="encoder",
        call=f"""{code(reading)}
from llm_core.inspection.translation import cosine_similarities, encoder_stages

vectors = encoder_stages(model, source)[{stage!r}]
print(tuple(vectors.shape))  # {vectors.shape}
print([round(float(x), 2) for x in vectors[0, :4]])  # {rounded(vectors[0, :4])}
print([round(float(x), 2) for x in cosine_similarities(vectors)[0]])  # {rounded(alike[0])}""",
    )


@st.fragment
def decode(reading: Reading) -> None:
    """The answer, sign by sign."""
    written = write(shipped(), reading)
    show_decoding(reading, written)
    show_code(
        translate,
        EncoderDecoder.decode,
        key="decoder",
        call=f"""{code(reading)}
from llm_core.generation.translate import translate

steps = list(translate(model, source, start=1, end=2))
print([task.tokens[step.id] for step in steps])  # {list(written.signs)}
weights = steps[0].attention[-1]  # of the last block, one row a head
print([round(float(x), 2) for x in weights.mean(dim=0)])  # {
            rounded(written.attention[0].mean(axis=0))
        }""",
    )


def compare_sight(reading: Reading) -> Written:
    """Who may look at whom."""
    written = write(shipped(), reading)
    means = show_sight(reading, written)
    read = ["<start>", *written.signs[:-1]]
    show_code(
        three_attentions,
        key="sight",
        call=f"""{code(reading)}
from llm_core.inspection.translation import three_attentions

ids = [task.tokens.index(sign) for sign in {read}]
found = three_attentions(model, source, ids)
print([tuple(weights.shape) for weights in found.values()])  # {
            [(2, *weights.shape) for weights in means.values()]
        }
print([round(float(x), 2) for x in found["decoder"].mean(dim=0)[1]])  # {
            rounded(means["decoder"][1])
        }""",
    )
    return written


@st.fragment
def force(reading: Reading) -> None:
    """Teacher forcing and free running."""
    show_forcing(reading)
    st.markdown(f"**Measured** on {MEASURED} dates that were never trained on:")
    st.html(shares_table())
    show_code(forced_choices, measure, key="forcing", call=forcing_code())


def forcing_code() -> str:
    """Code that measures a half-trained model both ways."""
    shares = measured(60, "unseen")
    return f"""from llm_core.pretrained.registry import load
from llm_core.training.translation import score

model, task = load("translator@60")
scored = score(model, task, task.examples({MEASURED}, 7, unseen=True))
print(round(scored.forced, 3), round(scored.free, 3))  # {round(shares.forced, 3)} {
        round(shares.free, 3)
    }"""


def check_accuracy() -> None:
    """How often it is right on dates that it never saw, and where it fails."""
    if not page.predict("early_century", {}):
        return
    _accuracy()


@st.fragment
def _accuracy() -> None:
    steps = show_accuracy()
    unseen, early = (measured(steps, kind) for kind in ("unseen", "early"))
    show_code(
        measure,
        Task.is_unseen,
        key="accuracy",
        call=f"""from llm_core.data.tasks import early_dates
from llm_core.pretrained.registry import load
from llm_core.training.translation import score

model, task = load("translator@{steps}")
unseen, early = task.examples({MEASURED}, 7, unseen=True), early_dates({MEASURED}, 7)
print(round(score(model, task, unseen).whole, 3))  # {round(unseen.whole, 3)}
print(round(score(model, task, early).whole, 3))  # {round(early.whole, 3)}""",
    )


def train() -> None:
    """Train one, and watch."""
    train_it()
    if current_view() != "print":
        show_code(train_translator, key="train", call=TRAINING_CODE)


def fill() -> Guesses | None:
    """A blank, filled from both sides and from one."""
    if not page.predict("after_the_blank", {}):
        return None
    guesses = fill_a_blank()
    show_measured()
    lines = f"""from llm_core.generation.blanks import (
    Blank,
    guess_from_both_sides,
    guess_from_the_left,
)
from llm_core.pretrained.registry import load

encoder, tokenizer = load("tiny_encoder")
decoder, _ = load("tiny")
blank = [Blank({guesses.ids}, {guesses.place})]
found = guess_from_both_sides(encoder, blank)[0]
{printed_guess(guesses.both)}"""
    if guesses.left is not None:
        lines += f"""
found = guess_from_the_left(decoder, blank)[0]
{printed_guess(guesses.left)}"""
    show_code(guess_from_both_sides, guess_from_the_left, key="blank", call=lines)
    return guesses


def printed_guess(probabilities: np.ndarray) -> str:
    """A line that prints the most probable token, and what it prints."""
    best = int(probabilities.argmax())
    said = f"{guessed(best)!r} {round(float(probabilities[best]), 3)}"
    return (
        "print(repr(tokenizer.decode([int(found.argmax())])), round(float(found.max()), 3))"
        f"  # {said}"
    )


def settings(reading: Reading, written: Written) -> dict[str, Any]:
    """The values on screen that questions ask about."""
    words, signs = len(reading.words), len(written.signs)
    wrong = len(measured(180, "unseen").wrong)
    return {
        "words": words,
        "signs": signs,
        "cross": words * signs,
        "own": signs * signs,
        "both": words + signs,
        "encoder_runs": 1,
        "wrong": wrong,
        "measured": MEASURED,
        "share": round(100 * (MEASURED - wrong) / MEASURED, 1),
        "share_wrong": round(100 * wrong / MEASURED, 1),
    }


TRAINING_CODE = """from llm_core.training.translation import (
    Scored,
    TranslatorSettings,
    train_translator,
)

settings = TranslatorSettings(task="reverse", steps=20, batch_size=16, score_interval=20)
events = list(train_translator(settings))
print([type(event).__name__ for event in events].count("Learned"))  # 20
print([event.step for event in events if isinstance(event, Scored)])  # [0, 20]"""

page = open_lesson("encoder_decoder")
reading = page.show("task", choose_date)
page.show("encoder", encode, reading)
page.show("decoder", decode, reading)
written = page.show("sight", compare_sight, reading)
page.show("forcing", force, reading)
page.show("accuracy", check_accuracy)
page.show("train", train)
page.show("blank", fill)
page.close(settings(reading, written) if reading and written else None)
