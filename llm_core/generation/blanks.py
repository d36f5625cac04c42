"""Guess a hidden word: an encoder reads both sides of the blank, a decoder only what is before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from llm_core.data.corpora import find_corpus
from llm_core.data.splits import split_by_position
from llm_core.models.encoder import Encoder
from llm_core.models.gpt import GPT
from llm_core.pretrained.tiny import CORPUS, load_tiny

MOST_TOKENS = 120  # of a text with a blank: the models were made for 128
_WORD = re.compile(r" ?[A-Za-z]{3,}")
_PAD = 0  # any token: it is masked, or stands where nobody looks


@dataclass(frozen=True)
class Blank:
    """A text's ids, and the place of the one that is hidden."""

    ids: tuple[int, ...]
    place: int

    def __post_init__(self) -> None:
        """Raise ValueError if the place is not in the text."""
        if not 0 <= self.place < len(self.ids):
            raise ValueError("The blank must be one of the text's tokens.")

    @property
    def answer(self) -> int:
        """The hidden token."""
        return self.ids[self.place]


@torch.inference_mode()
def guess_from_both_sides(model: Encoder, blanks: Sequence[Blank]) -> Tensor:
    """Return the probabilities (N, V) of all tokens for each blank, from all around it.

    The model's last id is the mask that it reads in place of the hidden token; V leaves it out.
    """
    mask_id = model.config.vocab_size - 1
    ids, real = _padded([blank.ids for blank in blanks])
    rows, places = torch.arange(len(blanks)), torch.tensor([blank.place for blank in blanks])
    ids[rows, places] = mask_id
    logits: Tensor | None = model(ids, mask=real).logits
    assert logits is not None, "this encoder has no masked-token head"
    return logits[rows, places, :mask_id].softmax(-1)


@torch.inference_mode()
def guess_from_the_left(model: GPT, blanks: Sequence[Blank]) -> Tensor:
    """Return the probabilities (N, V) of all tokens for each blank, from what stands before it.

    Nothing else could be used: with the causal mask, no place knows what comes after it. Raises
    ValueError for a blank that nothing stands before.
    """
    if any(blank.place == 0 for blank in blanks):
        raise ValueError("A decoder needs at least one token before the blank.")
    ids, _ = _padded([blank.ids for blank in blanks])
    places = torch.tensor([blank.place for blank in blanks])
    logits: Tensor = model(ids).logits
    return logits[torch.arange(len(blanks)), places - 1].softmax(-1)


def held_out_blanks(count: int, *, seed: int) -> list[Blank]:
    """Hide a word, drawn at random, in each of the first `count` tales that no model trained on.

    They are in the last tenth of the corpus. Never is it a tale's first token, nor a sign or a
    word of one or two letters.
    """
    tokenizer = load_tiny()[1]
    held_out = split_by_position(find_corpus(CORPUS).load(), 0.1)[1]
    random, blanks = Random(seed), []
    for tale in held_out.strip().split("\n\n")[1 : count + 1]:  # the first one is cut
        ids = tuple(tokenizer.encode(tale))[:MOST_TOKENS]
        words = [n for n, each in enumerate(ids) if n and _WORD.fullmatch(tokenizer.decode([each]))]
        blanks.append(Blank(ids, random.choice(words)))
    return blanks


def share_right(probabilities: Tensor, blanks: Sequence[Blank]) -> float:
    """Return the share of blanks whose hidden token is the most probable one, (N, V)."""
    answers = torch.tensor([blank.answer for blank in blanks])
    return float((probabilities.argmax(-1) == answers).float().mean())


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return ids (N, T) filled up to the longest, and which of them are real."""
    length = max(map(len, rows))
    ids = torch.tensor([[*row, *[_PAD] * (length - len(row))] for row in rows])
    real = torch.tensor([[place < len(row) for place in range(length)] for row in rows])
    return ids, real
