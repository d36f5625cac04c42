"""The words of the tiny tales, in tables, and the cast of a tale that is drawn from them.

Entries are parted by "|". In them, as in the plots of `tiny_tales`, {slots} and <this|or that>
may stand; she, her and hers mean the hero, he, him and his the other one, whatever their sex.
No entry begins with a vowel that is spoken as a consonant, or the other way round (one, hour):
so "a" before a vowel letter can become "an" without a list of exceptions.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def table(entries: str) -> tuple[str, ...]:
    """Split a table's text at the bars; a line break reads as a space."""
    return tuple(" ".join(entry.split()) for entry in entries.split("|"))


def pairs(entries: str) -> tuple[tuple[str, ...], ...]:
    """Split a table whose entries have several sides, parted by " = "."""
    return tuple(tuple(entry.split(" = ")) for entry in table(entries))


GIRLS = table(
    "Ada|Anna|Bea|Clara|Dora|Ella|Emma|Ida|Iris|Lena|Lily|Lucy|Mia|Nina|Nora|Rosa|Sara|Zoe"
)
BOYS = table("Adam|Ben|Carl|Dan|Emil|Finn|Gus|Hugo|Ivan|Jack|Karl|Leo|Max|Ned|Otto|Paul|Sam|Tom")
KINSWOMEN = table("mother|aunt|sister|grandmother")
KINSMEN = table("father|uncle|brother|grandfather")

SHARE_OF_CHILDREN = 0.3  # of the heroes; the others have a trade or are animals
WORKERS = table("baker|miller|sailor|farmer|painter|cook|teacher|gardener")
ANIMALS = table("mouse|fox|owl|crow|bear|hare|frog|goat|cat|dog|duck|goose|wolf|pony|rabbit|mole")
HERO_TRAITS = table("small|tall|young|quiet|merry|clever|shy|busy|proud|funny|poor|bright")
HELPER_TRAITS = table(
    "old|kind|wise|small|tall|young|thin|round|quiet|merry|shy|tired|lonely|clever"
)

HOMES = table("""by the river|by the sea|on a hill|near the wood|behind the mill|by a lake|
in a small town|in a valley|near the bridge|on an island|in a little house|near the school""")
GOALS = table("""the old tower|the castle|the lighthouse|the market|the far shore|
the rose garden|the white cliffs|the deep cave|the silver lake|the end of the road|
the great forest|the city gate""")
SPOTS = table("""under the bridge|behind the barn|in the long grass|by the well|on the stairs|
in the hay|by the gate|near the pond|on the wall|under the tree|in the garden|on the roof|
behind the house|in the old boat|near the stove|between two stones""")

THINGS = table("""hat|scarf|coat|ribbon|bag|kite|ring|key|bell|cup|spoon|drum|flute|lamp|button|
horn|ball|star|box|book|clock|doll""")
COLOURS = table("red|blue|green|yellow|white|grey|black|brown|silver|golden")
THING_LOOKS = (*COLOURS, "little", "new")
POTS = table("cup|jug|bowl|vase|pot|mug|plate|lamp")
FOODS = table("cake|pie|bun|pear|plum|apple|roll|tart|loaf|egg")
# Words by their kind: do vectors that are trained on the tales know it?
KINDS = {
    "girls": GIRLS,
    "boys": BOYS,
    "animals": ANIMALS,
    "trades": WORKERS,
    "traits": HERO_TRAITS,
    "things": THINGS,
    "colours": COLOURS,
    "food": FOODS,
}
FOOD_LOOKS = table("warm|sweet|fresh|big|small|fine|good")
SOUPS = table("onion|carrot|bean|pea|fish|potato|leek|hot|thick|good|green|red")

# What blocks the road = how the other one opens it.
ROADBLOCKS = pairs("""the river was too deep = took {her} over in a boat|
the bridge was broken = laid a board from bank to bank|
the gate was locked = had the key in {his} bag|
the wood was too dark = lit a lamp and went first|
the hill was too steep = pulled {her} up with a rope|
a big dog lay on the road = sang until the dog slept|
there was no road = knew the way by heart|
a high wall was in the way = showed {her} a hole in the wall""")
TROUBLES = pairs("""fell into a deep hole = pulled {her} out with a rope|
was lost in the wood = took {hers} hand and led {her} home|
was stuck in the mud = pulled until {she} was free|
saw that the barn was on fire = put the fire out with water|
dropped {hers} key into the well = brought up the key|
fell and hurt {hers} foot = carried {her} home|
was in a boat on the wild sea = pulled the boat to the shore""")
FEARS = pairs("""the dark = ran into the dark|deep water = went into the deep water|
the storm = ran out into the storm|the forest = ran into the forest|
high places = went up to the roof|the old mill = opened the door of the old mill|
big dogs = walked past the big dog|the wild wind = went out into the wild wind""")
MISHAPS = pairs("""fell into the river = pulled it out with a rope|
fell into the well = pulled it up with a rope|landed on the roof = got it down from the roof|
was broken = mended it together|fell behind the wall = climbed the wall to get it""")
STORMS = pairs("rain = rainy|snow = snowy|wind = windy|cold = cold|dark = dark|fog = foggy")

# Slots that are drawn once a tale, and from where.
ALONE = {"home": HOMES, "goal": GOALS, "soup": SOUPS}

# Slots of one kind that must differ within a tale.
UNLIKE = {("spot", "spot2", "spot3"): SPOTS, ("animal", "animal2"): ANIMALS}

# Slots that are drawn together, and from where.
PAIRED = {
    ("block", "opening"): ROADBLOCKS,
    ("trouble", "rescue"): TROUBLES,
    ("fear", "deed"): FEARS,
    ("mishap", "repair"): MISHAPS,
    ("storm", "stormy"): STORMS,
}

# Drawn anew each time a slot is met; all other slots stay the same through a tale.
FRESH = {
    "when": table("one {weather} {daytime}"),
    "weather": table("windy|cold|warm|rainy|sunny|grey|misty|quiet|wet|fine|dark|bright"),
    "daytime": table("morning|evening|afternoon|day"),
    "night": table("night|evening"),
    "colour": COLOURS,
    "intro": table("""there once was a {trait} {kind} named {hero} who lived {home}.|
    {hero} was a {trait} {kind} who lived {home}.|
    a {trait} {kind} named {hero} lived {home}."""),
    "friends": table("""{hero} and {friend} were good friends who lived {home}.|
    there once were two friends named {hero} and {friend} who lived {home}."""),
}


def pick(choices: Sequence[T], chance: Random) -> T:
    """Draw one: of Random's methods, random() alone keeps its row of numbers in every version."""
    return choices[int(chance.random() * len(choices))]


def draw_cast(chance: Random) -> dict[str, str]:
    """Draw all that stays the same through a tale, as the filling of each slot."""
    slots = _draw_people(chance)
    for name, choices in ALONE.items():
        slots[name] = pick(choices, chance)
    for pair, sides in PAIRED.items():
        slots |= dict(zip(pair, pick(sides, chance), strict=True))
    for names, choices in UNLIKE.items():
        slots |= dict(zip(names, _pick_some(choices, len(names), chance), strict=True))
    looks = _pick_some(FOOD_LOOKS, 2, chance)
    foods = _pick_some(FOODS, 2, chance)
    slots["food"], slots["food2"] = (
        f"{look} {food}" for look, food in zip(looks, foods, strict=True)
    )
    slots["item"] = pick(THINGS, chance)
    slots["thing"] = f"{pick(THING_LOOKS, chance)} {slots['item']}"
    slots["pot"] = f"{pick(COLOURS, chance)} {pick(POTS, chance)}"
    return slots


def _pick_some(choices: Sequence[T], count: int, chance: Random) -> list[T]:
    """Draw `count` different ones."""
    rest = list(choices)
    return [rest.pop(int(chance.random() * len(rest))) for _ in range(count)]


def _draw_people(chance: Random) -> dict[str, str]:
    """Draw the hero, the other one, who is of the other sex, and their pronouns."""
    girl = chance.random() < 0.5
    heroes, friends, kin = (GIRLS, BOYS, KINSMEN) if girl else (BOYS, GIRLS, KINSWOMEN)
    hers, his = (("she", "her", "her"), ("he", "him", "his"))[:: 1 if girl else -1]
    kind, pal = _pick_some(WORKERS + ANIMALS, 2, chance)
    if chance.random() < SHARE_OF_CHILDREN:
        kind = "girl" if girl else "boy"
    return {
        "hero": pick(heroes, chance),
        "friend": pick(friends, chance),
        "kin": pick(kin, chance),
        "trait": pick(HERO_TRAITS, chance),
        "kind": kind,
        "helper": f"{pick(HELPER_TRAITS, chance)} {pal}",
        **dict(zip(("she", "her", "hers", "he", "him", "his"), hers + his, strict=True)),
    }
