"""Four tasks put to a language model as prompts, with right answers, and what SmolLM2 answers.

Its answers are recorded, so that they can be read without loading it: benchmarks/smollm2_tasks.py
made smollm2_answers.json. Imports no torch until something is asked.
"""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ANSWERS = Path(__file__).with_name("smollm2_answers.json")
READINGS = Path(__file__).with_name("smollm2_readings.json")
MOST_TOKENS = 50
Task = Literal["continue", "answer", "summarise", "classify"]

_STORY = (
    "The owl had lived in the church tower for nine winters, and nobody had ever thanked her for "
    "the mice. One evening the bell ringer climbed up with a candle, a stool and half a cheese. "
    "She took him for a thief at first, and then, slowly, for company. By spring they shared "
    "supper every Sunday."
)
_REVIEW = "Is this review positive or negative? Answer with one word. Review: “{}”"


@dataclass(frozen=True)
class Prompt:
    """What the model is told, and what would be right: one of `right`, as a whole word.

    Without anything in `right`, there is no single right answer.
    """

    task: Task
    text: str
    right: tuple[str, ...] = ()

    def judge(self, answer: str) -> bool:
        """Is the answer right? Only its first sentence counts, and it may name no other choice."""
        first = re.split(r"(?<=[.!?])\s", answer.strip())[0]
        return any(re.search(rf"\b{re.escape(word)}\b", first, re.I) for word in self.right)


def _fact(question: str, *right: str) -> Prompt:
    return Prompt("answer", question, right)


def _review(text: str, right: str) -> Prompt:
    return Prompt("classify", _REVIEW.format(text), (right,))


PROMPTS = (
    Prompt("continue", "The owl sat in the old oak and"),
    Prompt("continue", "Dear neighbour, your piano has been"),
    Prompt("continue", "One, two, three, four, five,"),
    _fact("What is the capital of France?", "Paris"),
    _fact("What is the capital of Australia?", "Canberra"),
    _fact("Which planet is closest to the sun?", "Mercury"),
    _fact("What is the largest planet in the solar system?", "Jupiter"),
    _fact("Who wrote Faust?", "Goethe"),
    _fact("Who painted the Mona Lisa?", "Leonardo"),
    _fact("In which year did the Second World War end?", "1945"),
    _fact("Who was the first person on the moon?", "Armstrong"),
    _fact("How many legs does a spider have?", "8", "eight"),
    _fact("What is 17 + 25?", "42"),
    _fact("How many letters are in the word “owl”?", "3", "three"),
    _fact("What is the opposite of hot?", "cold"),
    Prompt("summarise", f"Summarise this in one sentence: {_STORY}"),
    Prompt("summarise", f"Give this story a title of three words: {_STORY}"),
    _review("The soup was cold and the waiter was rude.", "negative"),
    _review("Best pancakes I ever had, and such kind people.", "positive"),
    _review("I waited an hour for a burnt pizza.", "negative"),
    _review("We laughed all evening, and will come back soon.", "positive"),
    _review("The room smelled of smoke, and the bed was broken.", "negative"),
    _review("A quiet place with a lovely view of the lake.", "positive"),
    _review("Do not waste your money on this book.", "negative"),
    _review("I read it twice, and cried both times. Wonderful!", "positive"),
    _review("The music was too loud to hear each other.", "negative"),
    _review("Fresh bread, good coffee, fair prices.", "positive"),
)


def prompts_of(task: Task) -> tuple[Prompt, ...]:
    """Return the prompts of one task."""
    return tuple(prompt for prompt in PROMPTS if prompt.task == task)


@functools.lru_cache(maxsize=1)
def read_answers() -> dict[str, str]:
    """Return what SmolLM2 answered to each prompt, by the prompt's text."""
    answers: dict[str, str] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return answers


@functools.lru_cache(maxsize=1)
def read_readings() -> dict[str, float]:
    """Return SmolLM2's bits a character on the passages of `data.passages`, by their names."""
    readings: dict[str, float] = json.loads(READINGS.read_text(encoding="utf-8"))
    return readings


def right_answers(task: Task) -> tuple[int, int]:
    """Return how many recorded answers to a task are right, and how many can be judged."""
    judged = [prompt for prompt in prompts_of(task) if prompt.right]
    return sum(prompt.judge(read_answers()[prompt.text]) for prompt in judged), len(judged)


def answer(prompt: Prompt, name: str = "smollm2") -> str:
    """Let a model of the registry answer: always the likeliest token, MOST_TOKENS at the most.

    SmolLM2 gets every task but "continue" as a message of a chat, which it was tuned to answer.
    """
    import torch

    from llm_core.generation.sample import SamplingSettings, generate
    from llm_core.pretrained.registry import load
    from llm_core.pretrained.smollm2_tokenizer import STOP_IDS

    model, tokenizer = load(name)
    chat = name == "smollm2" and prompt.task != "continue"
    ids = _chat_ids(tokenizer, prompt.text) if chat else tokenizer.encode(prompt.text)
    settings = SamplingSettings(
        temperature=0,
        max_new_tokens=MOST_TOKENS,
        stop_tokens=STOP_IDS if name == "smollm2" else (),
        alternatives=0,
    )
    steps = generate(model, torch.tensor(ids), settings, tokenizer=tokenizer)
    return "".join(step.text for step in steps).strip("\n")


def _chat_ids(tokenizer: Any, text: str) -> list[int]:
    from llm_core.pretrained.smollm2_tokenizer import ChatMessage, chat_ids

    return chat_ids(tokenizer, [ChatMessage("user", text)])
