"""Tiny tales: short stories told by a grammar, for a model so small that it trains in a minute.

The idea of a tiny language for tiny models is that of TinyStories (Eldan and Li 2023,
https://arxiv.org/abs/2305.07759); the words, the plots and the grammar here are this course's own.
A tale draws a plot and a cast once, then says each beat of the plot in one of several ways. Who
wishes, loses or breaks something at the start is therefore still the same at the end. The hero
and the other one are of opposite sex, so that "he" and "she" always tell who is meant.
"""

import re
from collections.abc import Iterator
from random import Random

from llm_core.data.tiny_tales_words import FRESH, draw_cast, pick

Plot = tuple[tuple[bool, tuple[str, ...]], ...]  # per beat: may it be left out, the ways to say it

OPTIONAL_SHARE = 0.5  # how often a beat marked with "?" is told

# A line is a beat of the plot, a line with "/" another way to say it; "?" marks a beat that may
# be left out. A beat holds two sentences where the second needs the first. Nearly every sentence
# has two slots or more: with fewer, sentences of the training part would return in validation.
PLOTS = {
    "the lost thing": """{intro}
{hers} {kin} had given {her} a {thing}, and {she} loved it.
/ more than anything, {hero} loved {hers} {thing}.
/ {hero} had a {thing} from {hers} {kin}.
{when}, {hero} lost the {thing}.
/ but {when}, the {thing} was gone.
? {hero} looked {spot} and {spot2}.
/ {she} looked for the {thing} {spot}, but it was not there.
"Why are you so sad, {hero}?" asked a {helper}.
/ then a {helper} came by and saw {hero} cry.
"I have lost my {thing}," said {hero}.
the {helper} found the {item} {spot3}.
/ {spot3} lay the {thing}, and the {helper} saw it first.
{hero} thanked the {helper} and gave {him} a {food}.
/ {hero} was happy and shared a {food} with the {helper}.
? after that, {hero} took good care of the {thing}.
/ {she} never lost the {thing} again.""",
    "the journey": """{intro}
all {hers} life, {hero} wanted to see {goal}.
/ every night, {hero} dreamed of {goal}.
{when}, {she} took a {food} and set out.
/ {when}, {hero} set out with a {food}.
but on the way to {goal}, {hero} saw that {block}.
then a {helper} came down the road to {goal}.
/ "I can help you, {hero}," said a {helper}.
the {helper} {opening}.
so {hero} came to {goal} at last.
/ in the evening, {hero} stood at {goal} and smiled.
they sat down {spot} and ate the {food}.
/ {hero} gave the {helper} half of {hers} {food}.
? "The road is short with a friend," {hero} told the {helper}.
/ after that, {hero} and the {helper} were good friends.""",
    "half for a friend": """{intro}
{when}, {hero} sat {spot} and ate a {food}.
/ {when}, {hero} had a {food} and sat down {spot}.
a {helper} came by and looked at the {food}.
/ "I am so hungry, {hero}," said a {helper}.
{hero} gave the {helper} half of the {food}.
/ "Here, take half of my {food}," said {hero}.
? "I will not forget this, {hero}," said the {helper}.
soon after, {when}, {hero} {trouble}.
but the {helper} {rescue}.
/ the {helper} came at once and {rescue}.
"You gave me half of your {food}," said the {helper}.
/ {hero} thanked the {helper} and gave {him} a {food2}.
? from then on, {hero} and the {helper} were good friends.
/ and {hero} never ate a {food} alone again.""",
    "the closed door": """{intro}
{when}, {hers} {kin} gave {hero} a {food}.
/ {when}, {hero} got a {food} from {hers} {kin}.
a {helper} came to the door and looked at the {food}.
/ "I am so hungry, {hero}," said a {helper} at the door.
"No, the {food} is all mine," said {hero}.
/ "No," said {hero}, and hid the {food}.
{hero} ate the {food} alone, but it did not taste good.
/ {hero} ate the {food} alone {spot} and felt sad.
? all night, {hero} thought of the {helper}.
in the morning, {hero} took a {food2} to the {helper}.
/ so {hero} found the {helper} {spot2} and gave {him} a {food2}.
"I am sorry," {hero} told the {helper}.
they shared the {food2}, and it was better than the {food}.
/ {hero} and the {helper} ate the {food2} and were happy.""",
    "the broken pot": """{intro}
{when}, {hero} broke {hers} {kin}'s {pot}.
/ {when}, {hero} ran in the kitchen and broke a {pot}.
{hero} hid the {pot} {spot} and told nobody.
"Where is my {pot}, {hero}?" asked {hers} {kin}.
"A {animal} took the {pot}," said {hero}.
/ {hero} said that a {animal} had the {pot}.
? all night, {hero} thought of the {pot}.
in the morning, {hero} told {hers} {kin} the truth about the {pot}.
/ "I broke the {pot}, and I am sorry," said {hero}.
"I am glad you told me, {hero}," said {hers} {kin}.
/ {hers} {kin} smiled and was not angry about the {pot}.
after that, {hero} liked the old {pot} even more.
/ {hero} mended the {pot} and never told a lie again.""",
    "the fear": """{intro}
{hero} was afraid of {fear}, and {hers} {kin} knew it.
/ {hers} {kin} knew that {hero} was afraid of {fear}.
when {hero} was afraid, {she} held {hers} {thing}.
/ {hero} had a {thing} to make {her} brave.
but {when}, {hero} heard a {helper} call for help.
/ {when}, a {helper} cried, "Help me, {hero}!"
{hero} took the {thing} and {deed}.
/ {hero} was afraid, but {she} {deed}.
{she} found the {helper} {spot} and carried {him} home.
/ the {helper} lay {spot}, and {hero} carried {him} home.
"How brave you are, {hero}!" said the {helper}.
/ "Were you not afraid of {fear}?" asked the {helper}.
? "I was, but you needed me," {hero} told the {helper}.
/ "I was afraid, but my {thing} helped me," said {hero}.
with the {thing}, {hero} was not so afraid of {fear}.
/ {hero} gave the {thing} to the {helper} and was glad.""",
    "the quarrel": """{friends}
{when}, they found a {thing} {spot}.
"The {thing} is mine," said {hero}.
/ {hero} wanted the {thing}, and {friend} wanted it too.
they both pulled, and the {thing} {mishap}.
/ {hero} and {friend} pulled until the {thing} {mishap}.
? {hero} was angry with {friend}, and {friend} was angry with {hero}.
/ all day, {hero} did not talk to {friend}.
but {when}, {hero} came to {friend}'s door.
/ but {hero} was sad without {friend}.
"I am sorry, {friend}," said {hero}.
/ "You are better than a {thing}, {friend}," said {hero}.
so {hero} and {friend} {repair}.
after that, {hero} and {friend} shared the {thing}.
/ {hero} gave the {thing} to {friend}, and {he} gave it back.""",
    "the guest": """{intro}
one {stormy} {night}, somebody knocked at {hero}'s door.
/ one {stormy} {night}, {hero} heard a knock at the door.
a {helper} stood there in the {storm} and asked {hero} for a bed.
"Come in and sit by the stove," {hero} told the {helper}.
/ "Come in out of the {storm}," said {hero}, and took {his} hand.
{hero} had only a {food}, but {she} shared it.
/ {hero} gave {him} half of {hers} {food} and a {colour} blanket.
? the {helper} slept in the bed, and {hero} slept by the stove.
in the morning, the {helper} gave {hero} a {thing}.
/ in the morning, the {helper} was gone, but there lay a {thing}.
{hero} put the {thing} by the door for the next guest.
/ {hero} told {hers} {kin} about the {helper} and the {thing}.""",
    "the race": """{intro}
"Nobody can run to {goal} as fast as I can," said {hero}.
/ {hero} wanted to be the first at {goal}.
"Then let us run to {goal}," said a {helper}.
/ a {helper} wanted to run to {goal} too.
{when}, {hero} ran off, and the {helper} came after {her}.
{hero} stopped {spot} to eat a {food}.
/ on the way, {hero} sat down {spot} and fell asleep.
but the {helper} did not stop.
/ the {helper} was slow, but {he} did not stop {spot}.
when {hero} came to {goal}, the {helper} was there.
/ so the {helper} was the first at {goal}.
"You are better than I am," {hero} told the {helper}.
/ {hero} was sad, but then {she} gave the {helper} a {food2}.
? after that, {hero} and the {helper} went to {goal} together.""",
    "the sick friend": """{friends}
{when}, {friend} was ill and lay in bed.
/ {when}, {hero} heard that {friend} was ill.
{hero} cooked {soup} soup for {friend}.
/ {hero} took some {soup} soup to {friend}'s house.
but {friend} was too sad to eat {hero}'s {soup} soup.
then {hero} told {him} a story about a {animal} and {goal}.
/ {hero} sat down and told {him} about a {animal} and a {animal2}.
{friend} smiled about the {animal} and ate all the soup.
/ "I like the {animal}," said {friend}, and ate the {soup} soup.
soon {friend} ran to {goal} with {hero}.
/ after that, {friend} was well again and thanked {hero}.
? when {hero} was ill, {friend} came with a {food}.
/ {friend} never forgot the {animal} and the {soup} soup.""",
}


def tiny_tales(characters: int = 2_000_000, seed: int = 1337) -> str:
    """Return tales, parted by empty lines: `characters` in all, and what the last tale needs more.

    The text ends with a whole tale and a newline. The same seed gives the same text everywhere, and
    a longer text begins with the shorter one. Raises ValueError if `characters` is below 1.
    """
    if characters < 1:
        raise ValueError(f"Tiny tales need at least 1 character, not {characters}.")
    tales: list[str] = []
    length = -1  # the last tale is followed by one newline, every other one by two
    for tale in iter_tales(seed):
        tales.append(tale)
        length += len(tale) + 2
        if length >= characters:
            break
    return "\n\n".join(tales) + "\n"


def iter_tales(seed: int = 1337) -> Iterator[str]:
    """Tell tales without end, each one a line of seven to nine sentences."""
    for _, tale in iter_named_tales(seed):
        yield tale


def iter_named_tales(seed: int = 1337) -> Iterator[tuple[str, str]]:
    """Tell the same tales, each with the name of its plot, a key of `PLOTS`."""
    chance = Random(seed)
    plots = [(name, _read_plot(plot)) for name, plot in PLOTS.items()]
    while True:
        name, plot = pick(plots, chance)
        yield name, _tell(plot, chance)


def _read_plot(text: str) -> Plot:
    beats: list[tuple[bool, tuple[str, ...]]] = []
    for line in text.splitlines():
        if line.startswith("/ "):
            optional, ways = beats.pop()
            beats.append((optional, (*ways, line[2:])))
        else:
            beats.append((line.startswith("? "), (line.removeprefix("? "),)))
    return tuple(beats)


def _tell(plot: Plot, chance: Random) -> str:
    """Tell one tale of this plot."""
    cast = draw_cast(chance)
    sentences = []
    for optional, ways in plot:
        if optional and chance.random() > OPTIONAL_SHARE:
            continue
        sentences.append(say(pick(ways, chance), cast, chance))
    return " ".join(sentences)


def say(way: str, cast: dict[str, str], chance: Random) -> str:
    """Fill a sentence's slots from the cast, begin it with a capital, and put "an" where it must.

    This also serves those who make other texts of the same world.
    """
    sentence = _fill(way, cast, chance)
    sentence = re.sub("[A-Za-z]", lambda first: first[0].upper(), sentence, count=1)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", sentence)


def _fill(way: str, cast: dict[str, str], chance: Random) -> str:
    """Choose among <this|or that> and fill {slots}, also those that a filled slot brings along."""

    def choose(options: re.Match[str]) -> str:
        return pick(str(options[1]).split("|"), chance)

    def fill_slot(slot: re.Match[str]) -> str:
        return cast.get(slot[1]) or pick(FRESH[slot[1]], chance)

    while "{" in way or "<" in way:
        way = re.sub(r"\{(\w+)\}", fill_slot, re.sub("<([^<>]*)>", choose, way))
    return way
