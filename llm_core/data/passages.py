"""Short passages to read and to guess: of the tiny GPT's own world, and of the wide one.

Imports no torch; the tales are made when they are asked for.
"""

import functools
from dataclasses import dataclass

from llm_core.data.corpora import find_corpus

TALES = 3  # of the validation part, which the tiny GPT was not trained on


@dataclass(frozen=True)
class Passage:
    """A text with its name (in addresses), its title, and what its reader should know of it."""

    name: str
    title: str
    text: str
    note: str


_OTHERS = (
    Passage(
        "owl",
        "A story",
        "The owl had lived in the church tower for nine winters, and nobody had ever thanked her "
        "for the mice. One evening the bell ringer climbed up with a candle, a stool and half a "
        "cheese. She took him for a thief at first, and then, slowly, for company. By spring they "
        "shared supper every Sunday, and the mice moved to the school.",
        "Written for this course, so no model can have read it.",
    ),
    Passage(
        "lincoln",
        "Abraham Lincoln, 1862",
        "Fellow-citizens, we can not escape history. We of this Congress and this Administration "
        "will be remembered in spite of ourselves. No personal significance or insignificance can "
        "spare one or another of us. The fiery trial through which we pass will light us down in "
        "honor or dishonor to the latest generation.",
        "A famous speech: large models have read it, perhaps many times.",
    ),
    Passage(
        "manual",
        "A manual",
        "Before you clean the machine, switch it off and pull the plug. Open the cover on the left "
        "side, take out the filter and wash it in warm water. Let it dry for an hour. If the red "
        "light is still on when you close the cover, press the button for five seconds.",
        "Written for this course, so no model can have read it.",
    ),
)


@functools.lru_cache(maxsize=1)
def tales() -> tuple[Passage, ...]:
    """Return the last tales of the corpus tiny_tales, which lie in its validation part."""
    last = find_corpus("tiny_tales").load().rstrip().split("\n\n")[-TALES:]
    note = "One of the tales that were held out when the tiny GPT was trained."
    return tuple(
        Passage(f"tale{number}", f"Tale {number}", text, note)
        for number, text in enumerate(last, start=1)
    )


def other_passages() -> tuple[Passage, ...]:
    """Return the passages from outside of the tales' world."""
    return _OTHERS


def find_passage(name: str) -> Passage:
    """Return the passage of that name; raise ValueError if there is none."""
    for passage in (*_OTHERS, *(tales() if name.startswith("tale") else ())):
        if passage.name == name:
            return passage
    raise ValueError(f"There is no passage {name!r}.")
