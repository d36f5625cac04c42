"""Questions that people ask a chatbot, with what they are about: real ones, and few.

They come with the course, in question_topics.tsv, from the package chatterbot-corpus (by Gunther
Cox and others, BSD licence). With that at hand, which

    pip install --no-deps chatterbot-corpus==1.3.3

brings,

    python -m llm_core.data.question_topics

writes the file again.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from llm_core.data.corpora import package_folder

FILE: Final = Path(__file__).parent / "question_topics.tsv"
TOPICS: Final = ("programming", "the world", "the chatbot")
KEPT: Final = 4  # every fourth question is only ever measured on
_SOURCES = {
    "programming": ("coding",),
    "the world": ("trivia",),
    "the chatbot": ("ai", "emotion", "psychology", "botprofile", "conversations", "food"),
}
_ASKS = re.compile(
    r"(are|can|could|did|do|does|have|how|is|shall|should|what|when|where|which|who|why|will|would)"
    r"\b.*\byou(r|rself)?\b",
    re.I,
)
_EACH = 76  # questions of a topic: there are hardly more about the chatbot
_BAD = re.compile(  # rude, or broken
    r"\b(stupid|bend|kill|crazy|insane|idiot|cheat|liar|drunk|intoxicated|mate|testicles|dead)\b"
    r"|make you$|ever love|you worry$|you felt$|you control$|you experiencing|official$"
    r"|^(do|make) a",
    re.I,
)


def draw_questions(seed: int, unseen: bool) -> Iterator[tuple[str, int]]:
    """Draw questions with the place of their topic, without end but not all different."""
    chance = Random(f"question topics {seed}")
    parts = [
        [text for place, text in enumerate(_read()[topic]) if (place % KEPT == 0) == unseen]
        for topic in TOPICS
    ]
    while True:
        for label, texts in enumerate(parts):
            yield texts[int(chance.random() * len(texts))], label


@lru_cache(maxsize=1)
def _read() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {topic: [] for topic in TOPICS}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        topic, text = line.split("\t")
        found[topic].append(text)
    return found


def gather_questions(folder: Path) -> list[tuple[str, str]]:
    """Return (topic, question) of the corpus in `folder`, `_EACH` of a topic, in an even mixture.

    Raises ValueError if there are too few.
    """
    found = []
    for topic, names in _SOURCES.items():
        texts = dict.fromkeys(text for name in names for text in _questions(folder, name, topic))
        if len(texts) < _EACH:
            raise ValueError(f"There are only {len(texts)} questions about {topic}.")
        chosen = Random(topic).sample(list(texts), _EACH)
        found += [(topic, text) for text in chosen]
    return found


def _questions(folder: Path, name: str, topic: str) -> Iterator[str]:
    """Yield how a file's conversations begin, with the sign that belongs at the end."""
    whole = (folder / f"{name}.yml").read_text(encoding="utf-8")
    for found in re.findall(r"^- - (.+(?:\n {4,}.+)*)", whole, re.M):
        text = " ".join(found.split()).strip("\"'").rstrip("?. ")
        about_it = topic != "the chatbot" or _ASKS.match(text)
        if 8 <= len(text) <= 160 and about_it and not _BAD.search(text):
            sign = "." if re.match(r"(build|create|explain|show|write) ", text, re.I) else "?"
            yield f"{text[0].upper()}{text[1:]}{sign}"


if __name__ == "__main__":
    place = package_folder("chatterbot_corpus")
    if place is None:
        raise SystemExit("Run `pip install --no-deps chatterbot-corpus==1.3.3` first.")
    questions = gather_questions(Path(place) / "data" / "english")
    FILE.write_text("".join(f"{a}\t{b}\n" for a, b in questions), encoding="utf-8")
    print(f"{len(questions)} questions on {len(TOPICS)} topics")
