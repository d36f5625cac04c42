"""Instructions with one right answer each, about the world of the tiny tales, from a seed.

Some are about words (what is a fox?), some about a text in the instruction (who has the hat?), some
ask to rewrite. A part of all words of each kind is kept from training: what a model says of these
it must know from the tales themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from llm_core.data.tiny_tales_words import (
    ANIMALS,
    BOYS,
    COLOURS,
    FOODS,
    GIRLS,
    GOALS,
    SPOTS,
    THINGS,
    WORKERS,
    pick,
)

_KEPT = 4  # every fourth word of each table is only in what is unseen
_SORTS = {"an animal": ANIMALS, "a thing": THINGS, "food": FOODS, "a trade": WORKERS}


@dataclass(frozen=True)
class Instruction:
    """What is asked, the one right answer, and of what kind it is: a key of `KINDS`."""

    kind: str
    instruction: str
    answer: str


@dataclass(frozen=True)
class Words:
    """The words that instructions of one part are made of."""

    sorts: dict[str, Sequence[str]]
    girls: Sequence[str]
    boys: Sequence[str]


def make_instructions(
    count: int = 400, seed: int = 1337, *, unseen: bool = False
) -> list[Instruction]:
    """Return different instructions, the kinds in turn; `unseen` ones are of words kept back.

    Raises ValueError for a count below 1, or above what there is.
    """
    if count < 1:
        raise ValueError(f"Ask for at least 1 instruction, not {count}.")
    chance = Random(f"instructions {seed} {unseen}")
    words = _words(unseen)
    kinds = list(KINDS)
    found: dict[str, Instruction] = {}
    for turn in range(50 * count):
        kind = kinds[turn % len(kinds)]
        made = KINDS[kind](words, chance)
        found.setdefault(made[0], Instruction(kind, *made))
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"There are not {count} different instructions.")


def _words(unseen: bool) -> Words:
    def part(table: Sequence[str]) -> Sequence[str]:
        return [word for place, word in enumerate(table) if (place % _KEPT == 0) == unseen]

    sorts = {sort: part(table) for sort, table in _SORTS.items()}
    return Words(sorts, part(GIRLS), part(BOYS))


def _what_is(words: Words, chance: Random) -> tuple[str, str]:
    sort = pick(list(words.sorts), chance)
    word = pick(words.sorts[sort], chance)
    return f"What is {_a(word)}?", f"{_a(word).capitalize()} is {sort}."


def _is_it(words: Words, chance: Random) -> tuple[str, str]:
    sort = pick(list(words.sorts), chance)
    word = pick(words.sorts[sort], chance)
    asked = pick((sort, *words.sorts), chance)
    said = "Yes" if asked == sort else "No"
    return f"Is {_a(word)} {asked}?", f"{said}, {_a(word)} is {sort}."


def _two_people(words: Words, chance: Random) -> tuple[str, str]:
    pair = [pick(words.girls, chance), pick(words.boys, chance)]
    return (pair[0], pair[1]) if chance.random() < 0.5 else (pair[1], pair[0])


def _who(words: Words, chance: Random) -> tuple[str, str]:
    first, second = _two_people(words, chance)
    thing, other = _two(words.sorts["a thing"], chance)
    ours, theirs = f"{pick(COLOURS, chance)} {thing}", f"{pick(COLOURS, chance)} {other}"
    asked, answer = pick(((ours, first), (theirs, second)), chance)
    return (
        f"{first} has a {ours}. {second} has a {theirs}. Who has the {asked}?",
        f"{answer} has it.",
    )


def _where(words: Words, chance: Random) -> tuple[str, str]:
    name, thing = pick((*words.girls, *words.boys), chance), pick(words.sorts["a thing"], chance)
    spot, goal = pick(SPOTS, chance), pick(GOALS, chance)
    ways = (
        f"{name} ran to {goal} and lost the {thing} {spot}.",
        f"On the way to {goal}, {name} hid the {thing} {spot}.",
    )
    return f"{pick(ways, chance)} Where is the {thing}?", f"The {thing} is {spot}."


def _turn(words: Words, chance: Random) -> tuple[str, str]:
    sort = pick(("an animal", "a trade"), chance)
    first, second = _two(words.sorts[sort], chance)
    return f"Turn round: the {first} and the {second}.", f"The {second} and the {first}."


def _begin(words: Words, chance: Random) -> tuple[str, str]:
    girl = chance.random() < 0.5
    name = pick(words.girls if girl else words.boys, chance)
    kind = pick((*words.sorts["an animal"], *words.sorts["a trade"]), chance)
    return (
        f"Begin a story about {_a(kind)} named {name}.",
        f"There once was {_a(kind)} named {name}.",
    )


def _two(table: Sequence[str], chance: Random) -> tuple[str, str]:
    """Draw two different words."""
    first = pick(table, chance)
    return first, pick([word for word in table if word != first], chance)


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


KINDS: Final[dict[str, Callable[[Words, Random], tuple[str, str]]]] = {
    "what is it": _what_is,
    "yes or no": _is_it,
    "who": _who,
    "where": _where,
    "turn round": _turn,
    "begin a story": _begin,
}


def kinds_of(instructions: Sequence[Instruction]) -> Iterator[tuple[str, list[int]]]:
    """Yield each kind with the places of its instructions."""
    for kind in KINDS:
        places = [place for place, each in enumerate(instructions) if each.kind == kind]
        if places:
            yield kind, places
