"""What positions do, measured: to a shuffled text, to a moved one, and in tables of places."""

from collections.abc import Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.blocks import TransformerBlock
from llm_core.layers.dot_product import attention_scores
from llm_core.layers.positions import (
    LearnedPositions,
    RotaryPositions,
    ShawRelativePositions,
    SinusoidalPositions,
    T5RelativeBias,
)
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.models.stack import Stack

WIDTH, HEADS, LAYERS = 32, 4, 2  # of the small random transformer that reads shuffled texts


def random_stack(position: str, *, causal: bool, seed: int, places: int = 64) -> Stack:
    """Return a small transformer with loud random weights, and positions of that type.

    Matrices are N(0, 1 / inputs) and tables N(0, 1): larger than training starts from, so that
    what a position changes is seen without training. Raises ValueError for an unknown type.
    """
    config = TransformerConfig(
        vocab_size=1,
        context_length=places,
        d_model=WIDTH,
        n_layers=LAYERS,
        n_heads=HEADS,
        position=position,
        bias=False,  # biases of linear layers would be drawn from torch's global generator
    )
    stack = Stack(config, causal=causal, tokens=False)
    draw = torch.Generator().manual_seed(seed)
    linear = {id(part.weight) for part in stack.modules() if isinstance(part, nn.Linear)}
    with torch.no_grad():
        for parameter in stack.parameters():
            if parameter.ndim > 1:
                std = parameter.shape[1] ** -0.5 if id(parameter) in linear else 1.0
                parameter.normal_(std=std, generator=draw)
    return stack.eval()


@torch.inference_mode()
def order_differences(
    tokens: Sequence[int],
    order: Sequence[int],
    *,
    position: str,
    causal: bool = False,
    seed: int = 0,
) -> Tensor:
    """Read tokens (T,) as they are and in `order`; return how far each one's output moved, (T,).

    Entry t belongs to the token at place t of the shuffled text: the largest difference, over all
    numbers, of its output there from its output in the text as it was. Every token has a random
    vector, equal tokens the same. Raises ValueError if `order` is no order of the tokens.
    """
    if sorted(order) != list(range(len(tokens))):
        raise ValueError("The order must name every place of the text once.")
    draw = torch.Generator().manual_seed(seed)
    table = torch.randn(max(tokens) + 1, WIDTH, generator=draw)
    x = table[torch.tensor(tokens)]
    stack = random_stack(position, causal=causal, seed=seed, places=len(tokens))
    before, after = (stack.read(each[None])[0] for each in (x, x[list(order)]))
    return (after - before[list(order)]).abs().amax(dim=-1)


@torch.inference_mode()
def first_scores(model: GPT, ids: Tensor, *, start: int = 0, placed: bool = True) -> Tensor:
    """Return the first block's attention scores (H, T, T) on ids (T,), before mask and softmax.

    The text stands at places start ... start + T - 1. Without `placed`, positions are left out:
    the difference is what they add. Raises ValueError for an empty text, and past the last place
    of a learned table.
    """
    if not len(ids):
        raise ValueError("Write something first: an empty text has no scores.")
    x = model.token_embedding(ids[None])
    absolute = isinstance(model.positions, LearnedPositions | SinusoidalPositions)
    if absolute and placed:
        assert model.positions is not None
        x = model.positions(x, start=start)
    block = model.blocks[0]
    assert isinstance(block, TransformerBlock)
    q, k, _ = block.attention.heads(block.attention_norm(x))
    position = block.attention.position or model.positions
    if not placed or absolute or position is None:
        return attention_scores(q, k)[0]
    places = torch.arange(start, start + len(ids))
    if isinstance(position, RotaryPositions):
        return attention_scores(position(q, start=start), position(k, start=start))[0]
    if isinstance(position, ShawRelativePositions):
        return attention_scores(q, k, bias=position(q, places, places))[0]
    return attention_scores(q, k, bias=position(places, places))[0]


def place_similarity(table: Tensor, *, centred: bool = True) -> Tensor:
    """Return the cosine of every two rows of a table (P, C), (P, P).

    If `centred`, the mean row is taken off first: what all places share tells none of them apart.
    """
    rows = table - table.mean(dim=0) if centred else table
    rows = F.normalize(rows, dim=-1)
    return rows @ rows.T


def row_training(model: GPT, texts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return how many texts reach each row of a learned table, and how hard they pull at it.

    Each text of ids (T,) is read on its own from place 0, cut at the context length; the pull is
    the length of the gradient of the summed loss at that row, summed over texts. Both (P,). The
    model is changed in nothing. Raises ValueError if its positions are not learned.
    """
    if not isinstance(model.positions, LearnedPositions):
        raise ValueError("Only learned positions have rows that training pulls at.")
    table = model.positions.weight
    was, count = table.requires_grad, torch.zeros(len(table))
    pull = torch.zeros(len(table))
    table.requires_grad_(True)
    try:
        for ids in texts:
            ids = ids[: len(table) + 1]
            if len(ids) < 2:
                continue
            with torch.enable_grad():
                loss = model(ids[None, :-1], ids[None, 1:]).loss * (len(ids) - 1)
                (gradient,) = torch.autograd.grad(loss, table)
            count[: len(ids) - 1] += 1
            pull += gradient.norm(dim=-1)
    finally:
        table.requires_grad_(was)
    return count, pull


def share_last_bucket(model: GPT, *, trained: int) -> GPT:
    """Return a copy whose T5 bias goes on beyond training as it ended there.

    Ranges of distances that windows of `trained` tokens never reach keep the numbers of their
    random start. In the copy they have the number of the farthest range that was reached. Raises
    ValueError if the model's positions are not T5's.
    """
    if not isinstance(model.positions, T5RelativeBias):
        raise ValueError("Only T5's positions have ranges of distances with a number each.")
    copy = deepcopy(model)
    assert isinstance(copy.positions, T5RelativeBias)
    last = int(copy.positions.bucket(torch.tensor([1 - trained])))
    with torch.no_grad():
        copy.positions.weight[last + 1 :] = copy.positions.weight[last]
    return copy


def rope_arrows(
    *, pair: int, places: Sequence[int], d_head: int, base: float = 10_000.0, scaling: float = 1.0
) -> Tensor:
    """Return where RoPE turns the arrow (1, 0) of one pair at each place, (P, 2)."""
    if not 0 <= pair < d_head // 2:
        raise ValueError(f"A head of {d_head} numbers has the pairs 0 to {d_head // 2 - 1}.")
    rope = RotaryPositions(d_head=d_head, base=base, scaling=scaling)
    x = torch.zeros(max(places) + 1, d_head)
    x[:, pair] = 1
    turned: Tensor = rope(x)[list(places)]
    return turned[:, [pair, pair + d_head // 2]]


def rope_similarity(
    length: int, *, d_head: int, base: float = 10_000.0, scaling: float = 1.0
) -> Tensor:
    """Return the score of one vector at place 0 and again at places 0 ... length - 1, (length,).

    All pairs of the vector are equally long, and the score at distance 0 is 1: what is left is
    what RoPE's turning takes off.
    """
    rope = RotaryPositions(d_head=d_head, base=base, scaling=scaling)
    x = torch.zeros(length, d_head)
    x[:, : d_head // 2] = (2 / d_head) ** 0.5
    turned: Tensor = rope(x)
    return turned @ turned[0]
