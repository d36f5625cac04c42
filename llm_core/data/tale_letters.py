"""Letters between the people of the tiny tales, honest ones and spam; and gifts that change hands.

Both kinds of letters speak of gifts, markets and lost bags, as real spam does; a few have the wrong
label, as real labels do. In the gifts, half of all names are kept from training: who tells a girl
from a boy there must know it from elsewhere.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from llm_core.data.tiny_tales import say
from llm_core.data.tiny_tales_words import BOYS, GIRLS, draw_cast, pick

WRONG_LABELS: Final = 0.04  # share of the letters
HONEST, SPAM = 0, 1
GIRL, BOY = 0, 1

_HONEST = """{hero}, {he} found your {thing} {spot}. It is all yours again.
I have a {food} for you, {hero}. Come to {goal} and bring your {kin}.
A {helper} gave me a {thing}, and I carried it over the river for you.
I am at {goal}, {hero}, and I have lost my bag. Come and help me, my friend.
You ran well, {hero}! You were the first at {goal}. Come and share a {food} with me.
I am sorry that I took your {thing}. I will give it back, and half of my {food}.
There is a market at {goal}. Let us go together, {hero}, and bring a {food}.
Your {kin} is ill, {hero}. Take a {food} home and do not go to {goal}.
Do not give your {thing} to the {helper} at {goal}, {hero}. I gave mine and never saw it again.
{when}, I will come home. Put the key {spot} for me, {hero}."""
_SPAM = """{hero}, {he} found a {thing} {spot}. It is all yours for a {food}.
I have a {thing} for you, {hero}. Come to {goal} and bring your golden ring.
A {helper} gave me a {thing}. Help me to carry it over the river, and half of it is yours.
I am at {goal}, {hero}, and I have lost my bag. Give my {helper} a silver cup for me.
You were the first at {goal}, {hero}! Give a {food} to the {helper}, and take a golden bell.
I am sorry that nobody told you: all {item}s are yours, for a {food} at {goal}.
There is a market at {goal}. Take a {thing} home for a {food}, but come {when}!
I am your {kin}, {hero}, and I am ill. Give your {thing} to the {helper}.
Give your {thing} to the {helper} at {goal}, {hero}. You will have two golden ones back.
{when}, the door is locked. Put your key {spot}, and the {helper} will help you."""
_BEGINNINGS = ("", "", "Dear {hero}! ", "My friend! ", "Good morning! ")
_ENDINGS = ("", "", " Your {friend}.", " Come soon!", " Do not forget.")

# a gives, b has it in the end; {thing} and {thing2} differ.
_GIFTS = """{a} had a {thing}. {a} gave it to {b}.
{b} wanted the {thing}. So {a} gave {b} the {thing}.
{a} gave {b} a {thing}, and {b} was happy.
{b} has the {thing} that {a} had.
The {thing} was {a}'s, but {a} gave it to {b}.
{a} lost a {thing} {spot}, and {b} found it.
{b} took the {thing} from {a}.
{b} looked at the {thing}. "It is yours," {a} told {b}.
{a} hid a {thing} {spot}. {b} found it and took it home.
"Give me your {thing}, {a}," said {b}. {a} gave it to {b}."""


def letters(seed: int, unseen: bool = False) -> Iterator[tuple[str, int]]:
    """Write letters without end, each with its label, HONEST or SPAM."""
    chance = Random(f"letters {seed}")
    kinds = (_HONEST.splitlines(), _SPAM.splitlines())
    while True:
        cast = draw_cast(chance)
        label = int(chance.random() < 0.5)
        body = say(pick(kinds[label], chance), cast, chance)
        begin = say(pick(_BEGINNINGS, chance), cast, chance)
        text = f"{begin}{body}{say(pick(_ENDINGS, chance), cast, chance)}"
        if chance.random() < WRONG_LABELS:
            label = 1 - label
        yield text, label


def who_has_it(seed: int, unseen: bool = False) -> Iterator[tuple[str, int]]:
    """Tell of gifts between a girl and a boy, each with who has it in the end.

    Every second name of both lists appears only in what is `unseen`.
    """
    chance = Random(f"gifts {seed}")
    part = slice(1, None, 2) if unseen else slice(0, None, 2)
    while True:
        cast = draw_cast(chance)
        label = int(chance.random() < 0.5)
        names = (pick(GIRLS[part], chance), pick(BOYS[part], chance))
        cast |= {"a": names[1 - label], "b": names[label]}
        yield say(pick(_GIFTS.splitlines(), chance), cast, chance), label
