"""Attention small enough to compute by hand: words, vectors of one decimal, and every stage."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.dot_product import attention_scores, attention_weights
from llm_core.layers.masks import causal_mask
from llm_core.layers.trace import Trace

FEWEST, MOST = 3, 6  # words
LONGEST_WORD = 12

# The very lines that `Hand` runs, for whoever wants to paste them.
SETUP = '''import torch

words = {words}
draw = torch.Generator().manual_seed({seed})


def numbers(rows, size):
    """Random numbers of one decimal, so that a person can check the sums."""
    drawn = torch.randn(rows, {width}, generator=draw, dtype=torch.float64)
    return (size * drawn).round(decimals=1)


known = list(dict.fromkeys(words))  # a word that occurs twice has one vector
x = numbers({most}, 1)[[known.index(word) for word in words]]
w_q, w_k, w_v, w_o = (numbers({width}, {width}**-0.5) for _ in range(4))'''


@dataclass(frozen=True)
class Hand:
    """Words with their vectors x (T, C), and the weight matrices (C, C) that a seed gives."""

    words: tuple[str, ...]
    width: int
    seed: int
    x: Tensor
    w_q: Tensor
    w_k: Tensor
    w_v: Tensor
    w_o: Tensor

    @property
    def code(self) -> str:
        """The lines that make these numbers."""
        return SETUP.format(words=[*self.words], seed=self.seed, width=self.width, most=MOST)

    @property
    def labels(self) -> list[str]:
        """The words, numbered where one occurs twice."""
        return [
            f"{word} ({place + 1})" if self.words.count(word) > 1 else word
            for place, word in enumerate(self.words)
        ]


@dataclass(frozen=True)
class Stages:
    """What one head computes on the way, as arrays.

    q, k, v, output: (T, D); products: q·k; scores: those over √D; masked: minus infinity where
    no one may look; weights: all (T, T).
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    products: np.ndarray
    scores: np.ndarray
    masked: np.ndarray
    weights: np.ndarray
    output: np.ndarray


def read_words(sentence: str) -> tuple[str, ...]:
    """Split a sentence into its words; raise ValueError unless there are 3 to 6 short ones."""
    words = tuple(sentence.split())
    if not FEWEST <= len(words) <= MOST:
        raise ValueError(
            f"By hand, {FEWEST} to {MOST} words are the right number; these are {len(words)}."
        )
    if max(map(len, words)) > LONGEST_WORD:
        raise ValueError(f"Please take words of at most {LONGEST_WORD} letters.")
    return words


def make_hand(words: tuple[str, ...], width: int, seed: int) -> Hand:
    """Draw vectors and weight matrices, in the order of `SETUP`."""
    draw = torch.Generator().manual_seed(seed)

    def numbers(rows: int, size: float) -> Tensor:
        drawn = torch.randn(rows, width, generator=draw, dtype=torch.float64)
        return (size * drawn).round(decimals=1)

    known = list(dict.fromkeys(words))
    x = numbers(MOST, 1)[[known.index(word) for word in words]]
    w_q, w_k, w_v, w_o = (numbers(width, width**-0.5) for _ in range(4))
    return Hand(words, width, seed, x, w_q, w_k, w_v, w_o)


def simple_stages(hand: Hand) -> Stages:
    """Attention without weights: a word's vector is its query, its key and its value."""
    return _stages(hand.x, hand.x, hand.x, causal=False, scaled=False)


def head_stages(hand: Hand, *, causal: bool) -> Stages:
    """Attention of one head as wide as the vectors."""
    return _stages(hand.x @ hand.w_q, hand.x @ hand.w_k, hand.x @ hand.w_v, causal=causal)


def multi_head(hand: Hand, n_heads: int) -> tuple[list[Stages], np.ndarray]:
    """Causal attention in `n_heads` heads: the stages of each, and what they write together."""
    attention = MultiHeadAttention(d_model=hand.width, n_heads=n_heads, bias=False).double()
    with torch.no_grad():
        together = torch.cat([hand.w_q, hand.w_k, hand.w_v], dim=1)
        attention.query_key_value.weight.copy_(together.T)
        attention.output.weight.copy_(hand.w_o.T)
        trace = Trace()
        output = attention(hand.x[None], trace=trace)
    heads = [
        _stages(*(trace[name][0, head] for name in "qkv"), causal=True) for head in range(n_heads)
    ]
    return heads, output[0].numpy()


def _stages(q: Tensor, k: Tensor, v: Tensor, *, causal: bool, scaled: bool = True) -> Stages:
    products = q @ k.T
    scores = attention_scores(q, k) if scaled else products
    mask = causal_mask(len(q)) if causal else None
    masked = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
    weights = attention_weights(scores, mask=mask)
    arrays = (q, k, v, products, scores, masked, weights, weights @ v)
    return Stages(*(array.numpy() for array in arrays))


def rounded(numbers: np.ndarray) -> list[float]:
    """Round as torch's `round(decimals=3)` does, so that pasted code prints the same."""
    result: list[float] = torch.from_numpy(numbers).round(decimals=3).tolist()
    return result
