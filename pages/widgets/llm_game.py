"""The guessing game: the next word of a text, against a model, with a score in bits."""

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.data.passages import Passage, find_passage, other_passages
from llm_core.generation.guessing import OPTIONS, Round, bits_paid, make_rounds, text_probabilities
from pages.figures.distribution import top_outcomes
from pages.figures.foundations import score_figure
from pages.figures.palette import PREDICTION
from pages.figures.sampling import rank_figure
from pages.widgets.address import asked_value, write_value
from pages.widgets.code_viewer import show_code
from pages.widgets.distribution import show_distribution
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.graphemes import visible_text
from pages.widgets.model_request import requested_model
from pages.widgets.view import current_view

RIVALS = {"tiny": "Our tiny GPT", "smollm2": "SmolLM2"}
SURE = (0.4, 0.6, 0.8, 0.95)
_GUESSES = "guesses"  # in the address: two digits a word, the option and how sure
_PLACE = "_game_place"  # in the session: which word is on the table
_TITLES = {"tale1": "Tale 1", "tale2": "Tale 2", "tale3": "Tale 3"}


@dataclass(frozen=True)
class Game:
    """A text, its words to guess, and the model's whole distribution (V,) at each of them."""

    rival: str
    passage: Passage
    ids: tuple[int, ...]
    rounds: tuple[Round, ...]
    distributions: np.ndarray
    tokenizer: Any

    def word(self, index: int) -> str:
        """A token as a word."""
        return str(self.tokenizer.decode([index])).strip()


@dataclass(frozen=True)
class Guess:
    """Which option was taken, and the probability it was given."""

    option: int
    sure: float

    def bits(self, played: Round) -> float:
        """What it costs."""
        right = self.option == played.right
        return bits_paid(self.sure, right=right, options=len(played.options))


@own_part
def play() -> None:
    """Choose a rival and a text; guess word by word."""
    game = _choose()
    if game is None:
        return
    guesses = _read_guesses(game)
    place = min(st.session_state.get(_PLACE, max(0, len(guesses) - 1)), len(game.rounds) - 1)
    place = min(place, len(guesses))
    _show_text(game, place, revealed=place < len(guesses))
    if place < len(guesses):
        _reveal(game, guesses, place)
    elif current_view() == "print":
        st.caption("On the page, you choose one of six words here, and say how sure you are.")
    else:
        _ask(game, place)
    if guesses:
        _score(game, guesses)
    _code(game, place)


def _choose() -> Game | None:
    left, right = st.columns(2, gap="large")
    rival = left.radio(
        "You play against",
        list(RIVALS),
        format_func=RIVALS.__getitem__,
        key="rival",
        bind="query-params",
        horizontal=True,
        on_change=_start_again,
    )
    loaded = _tiny() if rival == "tiny" else requested_model(rival)
    if loaded is None:
        return None
    names = list(_TITLES) if rival == "tiny" else [each.name for each in other_passages()]
    titles = _TITLES | {each.name: each.title for each in other_passages()}
    name = right.radio(
        "Text",
        names,
        format_func=titles.__getitem__,
        key=f"text_{rival}",
        bind="query-params",
        horizontal=True,
        on_change=_start_again,
    )
    model, tokenizer = loaded
    passage = find_passage(name)
    right.caption(passage.note)
    ids, rounds, distributions = _rounds(model, tokenizer, rival, passage.text)
    return Game(rival, passage, ids, rounds, distributions, tokenizer)


@st.cache_data(max_entries=8, show_spinner="The model reads …")
def _rounds(
    _model: Any, _tokenizer: Any, rival: str, text: str
) -> tuple[tuple[int, ...], tuple[Round, ...], np.ndarray]:
    ids = tuple(_tokenizer.encode(text))
    probabilities = text_probabilities(_model, ids)
    rounds = make_rounds(probabilities, ids, _tokenizer)
    at = [played.place - 1 for played in rounds]
    return ids, rounds, probabilities[at].numpy()


def _tiny() -> Any:
    import torch

    from llm_core.pretrained.registry import load

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    return load("tiny")


def _read_guesses(game: Game) -> list[Guess]:
    """The guesses so far, from the address at first; whatever makes no sense is no guess."""
    asked = asked_value(_GUESSES)
    if asked is not None:
        st.session_state[f"_{_GUESSES}"] = asked
        st.session_state.pop(_PLACE, None)
    coded = st.session_state.get(f"_{_GUESSES}", "")
    guesses = []
    for played, pair in zip(game.rounds, zip(coded[::2], coded[1::2], strict=False), strict=False):
        if not "".join(pair).isascii() or not "".join(pair).isdigit():
            break
        option, sure = int(pair[0]), int(pair[1])
        if option >= len(played.options) or sure >= len(SURE):
            break
        guesses.append(Guess(option, SURE[sure]))
    write_value(_GUESSES, coded[: 2 * len(guesses)])
    return guesses


def _guess(place: int, option: int) -> None:
    """Take an option. A callback."""
    sure = SURE.index(st.session_state.get("sure") or SURE[1])
    coded = st.session_state.get(f"_{_GUESSES}", "")[: 2 * place]
    st.session_state[f"_{_GUESSES}"] = f"{coded}{option}{sure}"
    st.session_state[_PLACE] = place


def _go_to(place: int) -> None:
    st.session_state[_PLACE] = place


def _start_again() -> None:
    st.session_state[f"_{_GUESSES}"] = ""
    st.session_state[_PLACE] = 0


def _show_text(game: Game, place: int, *, revealed: bool) -> None:
    """The text so far, with a gap where the word will stand."""
    played = game.rounds[place]
    before = game.tokenizer.decode(list(game.ids[: played.place]))
    word = game.word(game.ids[played.place]) if revealed else "?"
    style = f"border-bottom:3px solid {PREDICTION};padding:0 .4rem;font-weight:700"
    st.html(
        f'<p role="region" aria-label="The text so far" style="font-size:1.2rem;line-height:1.6;'
        f'margin:.25rem 0">{html.escape(before)} <span style="{style}">{html.escape(word)}</span>'
        "</p>"
    )


def _ask(game: Game, place: int) -> None:
    played = game.rounds[place]
    st.segmented_control(
        "How sure are you, when you choose?",
        SURE,
        default=SURE[1],
        required=True,
        format_func=lambda sure: f"{sure:.0%}",
        key="sure",
        help="The rest is shared out evenly among the other five words.",
    )
    st.markdown(f"**Word {place + 1} of {len(game.rounds)}. Which word comes next?**")
    with st.container(horizontal=True, gap="small"):
        for number, index in enumerate(played.options):
            st.button(
                game.word(index),
                key=f"option_{number}",
                on_click=_guess,
                args=(place, number),
            )


def _reveal(game: Game, guesses: list[Guess], place: int) -> None:
    """What came, what both paid, and the model's whole distribution."""
    played, guess = game.rounds[place], guesses[place]
    taken, came = (game.word(played.options[n]) for n in (guess.option, played.right))
    verdict = "Right!" if guess.option == played.right else f"It was “{came}”."
    st.markdown(
        f"**{verdict}** You gave “{taken}” {guess.sure:.0%}, and pay "
        f"**{guess.bits(played):.2f} bits**. Of these six words, the model gave “{came}” "
        f"{played.shares[played.right]:.0%}, and pays **{played.bits:.2f} bits**."
    )
    with st.container(horizontal=True):
        if place + 1 < len(game.rounds):
            st.button(
                "Next word",
                key="next_word",
                type="primary",
                icon=":material/arrow_forward:",
                on_click=_go_to,
                args=(place + 1,),
            )
        st.button("Start again", key="start_again", icon=":material/replay:", on_click=_start_again)
    st.markdown("**What the model expected**, of all the tokens that it knows:")
    _distribution(game, place)


def _distribution(game: Game, place: int) -> None:
    """The likeliest tokens as bars, and all of them as a curve."""
    distribution = game.distributions[place]
    right = game.ids[game.rounds[place].place]
    best, _ = top_outcomes(distribution, 8)
    shown = list(best) if right in best else [*best, right]
    left, beside = st.columns([3, 2], gap="large")
    with left:
        log = st.toggle("Logarithmic scale", key="game_log", bind="query-params")
        show_distribution(
            [_label(game, index) + (" ← it came" if index == right else "") for index in shown],
            [float(distribution[index]) for index in shown],
            key="game_bars",
            tail=max(0.0, 1 - float(distribution[shown].sum())),
            tail_label=f"{len(distribution) - len(shown):,} others",
            log=log,
        )
    with beside:
        show_figure(
            rank_figure(distribution, listed=len(best)),
            key="game_ranks",
            alt=_ranks_said(distribution, right),
        )


def _ranks_said(distribution: np.ndarray, right: int) -> str:
    ordered = -np.sort(-distribution.astype(np.float64))
    half = int(np.searchsorted(np.cumsum(ordered), 0.99)) + 1
    rank = int((distribution > distribution[right]).sum()) + 1
    return (
        f"All {len(ordered):,} tokens by rank: the {half:,} likeliest have 99% of the probability. "
        f"The one that came is number {rank:,}, and no token has a probability of 0."
    )


def _label(game: Game, index: int) -> str:
    return visible_text(game.tokenizer.token_bytes(index))


def _score(game: Game, guesses: list[Guess]) -> None:
    played = game.rounds[: len(guesses)]
    yours = [guess.bits(each) for guess, each in zip(guesses, played, strict=True)]
    models = [each.bits for each in played]
    blind = float(np.log2(OPTIONS))
    with st.container(horizontal=True):
        st.metric("You", f"{sum(yours):.1f} bits", width=150)
        st.metric(RIVALS[game.rival], f"{sum(models):.1f} bits", width=150)
        st.metric("A blind guess", f"{blind * len(yours):.1f} bits", width=150)
    show_figure(
        score_figure(yours, models, blind=blind),
        key="game_score",
        alt=f"After {len(yours)} of {len(game.rounds)} words you have paid {sum(yours):.2f} bits, "
        f"{RIVALS[game.rival]} {sum(models):.2f}, and who knows nothing {blind * len(yours):.2f}.",
        table=pd.DataFrame(
            {
                "word": [game.word(game.ids[each.place]) for each in played],
                "you": [f"{bits:.3f}" for bits in yours],
                "the model": [f"{bits:.3f}" for bits in models],
            }
        ),
    )


def _code(game: Game, place: int) -> None:
    played = game.rounds[place]
    words = [game.word(index) for index in played.options]
    shares = [round(share, 3) for share in played.shares]
    show_code(
        text_probabilities,
        make_rounds,
        bits_paid,
        key="game",
        call=f"""from llm_core.data.passages import find_passage
from llm_core.generation.guessing import make_rounds, text_probabilities
from llm_core.pretrained.registry import load

model, tokenizer = load({game.rival!r})
ids = tokenizer.encode(find_passage({game.passage.name!r}).text)
word = make_rounds(text_probabilities(model, ids), ids, tokenizer)[{place}]
print([tokenizer.decode([option]).strip() for option in word.options])  # {words}
print([round(share, 3) for share in word.shares])  # {shares}""",
    )
