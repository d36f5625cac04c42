"""Let a model answer from passages that were found, and see what in its answer they support.

"Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks" (Lewis et al., 2020) trained the
two together; putting passages into the prompt of a model that is done came after it. Imports no
torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_core.pretrained.smollm2_tokenizer import ChatMessage
from llm_core.retrieval.bm25 import BM25Index, find_words
from llm_core.retrieval.chunks import sentence_spans

SYSTEM = (
    "You answer questions from the sources that you are given. Use only what the sources say, and "
    "answer in one or two sentences. If the sources do not say it, reply: I do not know."
)
CITED_FROM = 0.5  # of a sentence's words, the rare ones counting more


@dataclass(frozen=True)
class Support:
    """A sentence of an answer, the passage that holds most of its words, and that share of them.

    passage: its place among those given, from 0; None if no passage holds enough to be cited.
    """

    sentence: str
    passage: int | None
    share: float


def grounded_messages(question: str, passages: Sequence[str]) -> list[ChatMessage]:
    """Return the conversation that asks to answer from numbered passages.

    Raises ValueError without a question or without a passage.
    """
    _check(question)
    if not passages:
        raise ValueError("There is no passage to answer from: search for some first.")
    sources = "\n\n".join(f"Source {number}: {text}" for number, text in enumerate(passages, 1))
    asked = f"{sources}\n\nQuestion: {question.strip()}"
    return [ChatMessage("system", SYSTEM), ChatMessage("user", asked)]


def plain_messages(question: str) -> list[ChatMessage]:
    """Return the same question without any passage; raise ValueError without a question."""
    _check(question)
    return [ChatMessage("user", question.strip())]


def supports(answer: str, passages: Sequence[str], index: BM25Index) -> list[Support]:
    """Return for each sentence of an answer which passage holds its words, weighted by rarity.

    It measures words, not truth: a sentence may turn the words of its source around. `index` says
    how rare words are.
    """
    held = [set(find_words(passage)) for passage in passages]
    found = []
    for start, end in sentence_spans(answer):
        sentence = answer[start:end]
        words = set(find_words(sentence))
        weights = {word: index.rarity(word) for word in words}
        total = sum(weights.values())
        shares = [sum(weights[word] for word in words & each) / total for each in held if total]
        best = max(range(len(shares)), key=shares.__getitem__, default=None)
        share = 0.0 if best is None else shares[best]
        found.append(Support(sentence, best if share >= CITED_FROM else None, share))
    return found


def _check(question: str) -> None:
    if not question.strip():
        raise ValueError("Write a question first.")
