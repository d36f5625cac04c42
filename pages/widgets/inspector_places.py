"""A text by places: the loss at each as colour, what was expected there, the surest mistakes."""

from typing import Any

import numpy as np
import streamlit as st

from llm_core.inspection.lens import Neighbour, nearest_neighbours
from llm_core.inspection.surprise import certain_and_wrong, read_text
from pages.figures.distribution import percent
from pages.widgets.code_viewer import show_code
from pages.widgets.distribution import show_distribution
from pages.widgets.inspector_reading import Beside, Sight
from pages.widgets.stepper import go_to_step, stepper
from pages.widgets.token_chips import Chip, Highlight, token_chips
from pages.widgets.token_text import token_piece

PLACE = "place"  # in the address, counted from 1; the one after the text is what comes next
MOST_MISTAKES, BARS, NEIGHBOURS = 8, 8, 12
_AT_THE_END = 10**6  # the stepper takes its last step for it
_COLOURS = ("difference", "the first model", "the second model")


def chance(probability: float) -> str:
    """A probability that may be next to nothing, in per cent."""
    return "under\N{NO-BREAK SPACE}0.001 %" if 0 <= probability < 1e-5 else percent(probability)


def choose_place(sight: Sight, beside: Beside | None) -> int:
    """Show the text by its losses; return the place that is chosen, T for what comes next."""
    colours = _COLOURS[0]
    if beside is not None:
        colours = (
            st.segmented_control(
                "Colours: the loss of",
                _COLOURS,
                default=_COLOURS[0],
                required=True,
                key="colours",
                bind="query-params",
            )
            or _COLOURS[0]
        )
    start = _first_place(sight)
    shown = st.container()  # the chips stand above the stepper, and show where it is
    place = stepper(len(sight.ids) + 1, key=PLACE, label="Place", start=start)
    with shown:
        if beside is None or colours == _COLOURS[1]:
            _loss_chips(sight, place, key="loss_chips")
        elif colours == _COLOURS[2]:
            _loss_chips(beside.other, beside.other_place(place, len(sight.ids)), beside=beside)
        else:
            _difference_chips(sight, beside, place)
    return place


def _first_place(sight: Sight) -> int:
    """Where to begin: at the surest mistake, if there is one."""
    mistakes = certain_and_wrong(sight.reading)
    return mistakes[0].place if mistakes else len(sight.ids)


def _loss_chips(
    sight: Sight, place: int, *, key: str = "other_chips", beside: Beside | None = None
) -> None:
    """Tokens with their loss. Chosen in the second model's, it is the place in the first's."""
    tokenizer, reading, count = sight.inspected.tokenizer, sight.reading, len(sight.ids)
    chips = [Chip(token_piece(tokenizer, sight.ids[0]), id=sight.ids[0], detail="place 1")]
    for number, index in enumerate(sight.ids[1:], 1):
        share = float(np.exp(-float(reading.losses[number - 1])))
        guess = sight.label(int(reading.guesses[number - 1, 0]))
        detail = f"place {number + 1} · probability {chance(share)} · first guess “{guess}”"
        chips.append(Chip(token_piece(tokenizer, index), id=index, detail=detail))

    def take(chosen: int) -> None:
        if beside is not None:
            before = [n for n, start in enumerate(beside.seconds) if start <= chosen]
            chosen = _AT_THE_END if chosen == count else beside.firsts[before[-1]]
        go_to_step(PLACE, chosen)

    token_chips(
        [*chips, Chip("…", detail="what comes next")],
        key=key,
        label="The text's tokens; the deeper the colour, the more surprised the model was",
        highlights=_marks(count, place),
        levels=[0.0, *map(float, reading.losses), 0.0],
        level_name="loss in nats",
        level_role="prediction",
        selected=place,
        on_choose=take,
    )


def _difference_chips(sight: Sight, beside: Beside, place: int) -> None:
    """The pieces that both models have, by how much more one is surprised than the other."""
    names = sight.inspected.title, beside.other.inspected.title
    difference = beside.ours - beside.theirs
    chips = [
        Chip(piece, detail=f"place {first + 1} · losses {ours:.2f} and {theirs:.2f}")
        for piece, first, ours, theirs in zip(
            beside.pieces, beside.firsts, beside.ours, beside.theirs, strict=True
        )
    ]
    starts = [*beside.firsts, len(sight.ids)]
    chosen = len(chips) if place == len(sight.ids) else beside.piece(place)
    token_chips(
        [*chips, Chip("…", detail="what comes next")],
        key="difference_chips",
        label="The text's pieces; the deeper the colour, the more the two models differ",
        highlights=_marks(len(chips), chosen),
        levels=[*map(float, difference), 0.0],
        level_name="more nats for the first",
        level_role="prediction",
        below_name="more nats for the second",
        below_role="value",
        joined=False,
        selected=chosen,
        on_choose=lambda number: go_to_step(PLACE, starts[number]),
    )
    total = float(difference.sum())
    better = names[0] if total < 0 else names[1]
    st.caption(
        f"Over the pieces that both read, {better} is less surprised, by {abs(total):.2f} nats in "
        f"all. First: {names[0]}. Second: {names[1]}."
    )


def _marks(count: int, place: int) -> list[Highlight]:
    return [
        Highlight([0], "unused", name="the first: nothing predicts it"),
        Highlight([count], "special", name="what comes next"),
        Highlight([place], "query", name="chosen"),
    ]


def show_expected(sight: Sight, place: int, *, key: str) -> None:
    """What the model expected at the place, and what came."""
    if place == 0:
        st.info(
            f"“{sight.labels[0]}” is the first token: nothing stands before it, so nothing "
            "predicts it. Choose another one."
        )
        return
    reading = sight.reading
    ids = reading.guesses[place - 1].tolist()[:BARS]
    shares = reading.probabilities[place - 1].tolist()[:BARS]
    chosen = None
    if place < len(sight.ids):
        came, loss = sight.ids[place], float(reading.losses[place - 1])
        if came not in ids:
            ids, shares = [*ids[:-1], came], [*shares[:-1], float(np.exp(-loss))]
        chosen = ids.index(came)
        st.markdown(_what_came(sight, place, loss))
    else:
        st.markdown("**After the whole text**, it expects:")
    others = sight.inspected.model.config.vocab_size - len(ids)
    show_distribution(
        [sight.label(index) for index in ids],
        [min(1.0, share) for share in shares],
        key=key,
        tail=max(0.0, 1 - sum(shares)) if others else None,
        tail_label=f"{others:,} others",
        chosen=chosen,
        mark="in the text",
    )


def _what_came(sight: Sight, place: int, loss: float) -> str:
    rank, count = int(sight.reading.ranks[place - 1]), sight.inspected.model.config.vocab_size
    placed = "its first guess" if rank == 0 else f"number {rank + 1:,} of its {count:,} guesses"
    label = sight.labels[place].replace("`", "ˋ")
    return (
        f"**Place {place + 1}** is `{label}`: probability {chance(float(np.exp(-loss)))}, a loss "
        f"of {loss:.2f} nats, {placed}."
    )


def show_mistakes(sight: Sight) -> None:
    """The places where it was most certain of something else, each a button that goes there."""
    mistakes = certain_and_wrong(sight.reading)
    if not mistakes:
        st.success("Nowhere: its first guess was right at every place.", icon=":material/check:")
    for mistake in mistakes[:MOST_MISTAKES]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                f"Place {mistake.place + 1}",
                key=f"mistake_{mistake.place}",
                on_click=go_to_step,
                args=(PLACE, mistake.place),
            )
            guess, came = sight.label(mistake.guess), sight.labels[mistake.place]
            shares = percent(mistake.certainty), chance(mistake.probability)
            st.text(f"“{guess}” {shares[0]}; came: “{came}” {shares[1]}", width="content")
    if len(mistakes) > MOST_MISTAKES:
        st.caption(f"And {len(mistakes) - MOST_MISTAKES} more, of which it was less certain.")
    first = [m.place for m in mistakes[:3]]
    show_code(
        read_text,
        certain_and_wrong,
        key="mistakes",
        call=f"""{sight.code}

from llm_core.inspection.surprise import certain_and_wrong, read_text

reading = read_text(model, ids)
print(round(reading.mean_loss, 3))  # {round(sight.reading.mean_loss, 3)}
print([mistake.place for mistake in certain_and_wrong(reading)[:3]])  # {first}""",
    )


def show_neighbours(sight: Sight, place: int) -> None:
    """The tokens whose rows of the table point most nearly where the chosen token's does."""
    index = sight.ids[place] if place < len(sight.ids) else int(sight.reading.guesses[-1, 0])
    which = "" if place < len(sight.ids) else ", its first guess for what comes next"
    near = _neighbours(sight.inspected.model, sight.inspected.key, index)
    tokenizer = sight.inspected.tokenizer
    label = sight.label(index).replace("`", "ˋ")
    st.markdown(
        f"Nearest of {sight.inspected.model.config.vocab_size:,} tokens to `{label}`{which}:"
    )
    token_chips(
        [
            Chip(
                token_piece(tokenizer, each.id), id=each.id, detail=f"cosine {each.similarity:.3f}"
            )
            for each in near
        ],
        key="neighbour_chips",
        label=f"The nearest neighbours of {label}, the nearest first",
        levels=[max(0.0, each.similarity) for each in near],
        level_name="cosine",
        joined=False,
        selectable=False,
    )


@st.cache_data(max_entries=100, show_spinner=False)
def _neighbours(_model: Any, key: str, index: int) -> list[Neighbour]:
    table = _model.token_embedding.weight
    return nearest_neighbours(table, table[index], k=NEIGHBOURS, without=(index,))
