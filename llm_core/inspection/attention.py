"""What attention reaches, why its scores are scaled, and what it costs: measured."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.dot_product import (
    attention_scores,
    attention_weights,
    fused_attention,
    scaled_dot_product_attention,
)
from llm_core.layers.masks import causal_mask

_PROFILER = threading.Lock()  # torch has one for the whole process


@dataclass(frozen=True)
class ScoreSpread:
    """How scores and weights of random queries and keys spread, plain and divided by √D.

    variance: of the scores. entropy: of a query's weights, in bits, on average; log2(n_keys) if
    all keys get the same, 0 if one gets all. largest: a query's largest weight, on average.
    """

    d_head: int
    n_keys: int
    variance: float
    scaled_variance: float
    entropy: float
    scaled_entropy: float
    largest: float
    scaled_largest: float


def score_spread(
    d_head: int, *, n_keys: int = 16, n_queries: int = 200, seed: int = 0
) -> ScoreSpread:
    """Compare `n_queries` random queries with `n_keys` keys of their own, of width `d_head`.

    All numbers are drawn with mean 0 and variance 1, as in footnote 4 of "Attention Is All You
    Need" (2017). Raises ValueError unless there are two keys and a query at least.
    """
    if d_head < 1 or n_keys < 2 or n_queries < 1:
        raise ValueError("This needs a width of 1 or more, two keys or more, and a query.")
    draw = torch.Generator().manual_seed(seed)
    q = torch.randn(n_queries, 1, d_head, generator=draw)
    k = torch.randn(n_queries, n_keys, d_head, generator=draw)
    scaled = attention_scores(q, k)[:, 0]
    numbers = []
    for scores in (scaled * math.sqrt(d_head), scaled):
        weights = attention_weights(scores)
        entropy = torch.special.entr(weights).sum(dim=-1).mean() / math.log(2)
        numbers.append((scores.var().item(), entropy.item(), weights.amax(dim=-1).mean().item()))
    (variance, entropy_, largest), (scaled_variance, scaled_entropy, scaled_largest) = numbers
    return ScoreSpread(
        d_head=d_head,
        n_keys=n_keys,
        variance=variance,
        scaled_variance=scaled_variance,
        entropy=entropy_,
        scaled_entropy=scaled_entropy,
        largest=largest,
        scaled_largest=scaled_largest,
    )


def influence(layer: Callable[[Tensor], Tensor], *, length: int, d_model: int, seed: int) -> Tensor:
    """Measure how much the last output of `layer` depends on each of `length` random inputs.

    layer: maps (1, T, d_model) to (1, T, C). Returns (T,): the Frobenius norm of the derivative of
    the last output with respect to each input, which is 0 where nothing comes through.
    """
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(1, length, d_model, generator=draw)
    x.requires_grad_()
    last = layer(x)[0, -1]
    squares = torch.zeros(length)
    for number in last:
        (derivative,) = torch.autograd.grad(number, x, retain_graph=True)
        squares += derivative[0].square().sum(dim=-1)
    return squares.sqrt()


def compare_reach(
    length: int, *, window: int = 8, d_model: int = 32, seed: int = 0
) -> dict[str, Tensor]:
    """Measure `influence` for three untrained layers that a last token can look back with.

    "attention" over all tokens, attention within a "window" of so many, and a "recurrent" network
    (torch.nn.RNN), all of one width, with the weights torch begins training with. Values (T,).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # layers draw their weights from torch's own generator
        whole = MultiHeadAttention(d_model=d_model, n_heads=4)
        windowed = MultiHeadAttention(d_model=d_model, n_heads=4, window=window)
        windowed.load_state_dict(whole.state_dict())
        recurrent = torch.nn.RNN(d_model, d_model, batch_first=True)
    layers: dict[str, Callable[[Tensor], Tensor]] = {
        "attention": whole,
        "window": windowed,
        "recurrent": lambda x: recurrent(x)[0],
    }
    return {
        name: influence(layer, length=length, d_model=d_model, seed=seed)
        for name, layer in layers.items()
    }


@dataclass(frozen=True)
class AttentionCost:
    """Seconds and bytes of attention over `length` tokens, in the open and in torch's kernel.

    seconds: the quickest of several runs. bytes: the most that was allocated at one moment, on
    top of queries, keys and values.
    """

    length: int
    explicit_seconds: float
    fused_seconds: float
    explicit_bytes: int
    fused_bytes: int


def measure_attention(
    lengths: Sequence[int], *, n_heads: int = 4, d_head: int = 32, repeats: int = 3, seed: int = 0
) -> Iterator[AttentionCost]:
    """Time causal attention over texts of these lengths on this machine's CPU, one by one."""
    for length in lengths:
        draw = torch.Generator().manual_seed(seed)
        q, k, v = torch.randn(3, 1, n_heads, length, d_head, generator=draw)
        mask = causal_mask(length)

        def explicit(q: Tensor = q, k: Tensor = k, v: Tensor = v, mask: Tensor = mask) -> Tensor:
            return scaled_dot_product_attention(q, k, v, mask=mask)[0]

        def fused(q: Tensor = q, k: Tensor = k, v: Tensor = v) -> Tensor:
            return fused_attention(q, k, v, causal=True)

        yield AttentionCost(
            length,
            explicit_seconds=_quickest(explicit, repeats),
            fused_seconds=_quickest(fused, repeats),
            explicit_bytes=peak_bytes(explicit),
            fused_bytes=peak_bytes(fused),
        )


@torch.no_grad()
def peak_bytes(compute: Callable[[], object]) -> int:
    """Return the most memory that `compute` holds at one moment, in bytes, as torch records it."""
    with _PROFILER, profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        result = compute()
    del result
    assert record.profiler is not None
    events = [e for e in record.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return int(peak)


@torch.no_grad()
def _quickest(compute: Callable[[], object], repeats: int) -> float:
    compute()  # the first run also finds memory and wakes threads
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        compute()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
