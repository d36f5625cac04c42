"""What the three kinds of transformer do with one text: tried out on small untrained models."""

from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.models.gpt import GPT

ANSWER = 3  # tokens that an encoder-decoder has written so far
_SEED = 0


@dataclass(frozen=True)
class KindTrial:
    """What came out of a model: `shape` without the batch; and which rows of it `moved`.

    moved: one truth value a row: did it change when another last token stood in the text?
    """

    shape: tuple[int, ...]
    moved: tuple[bool, ...]


@torch.no_grad()
def try_kind(kind: str, length: int) -> KindTrial:
    """Let an untrained model of that kind read `length` tokens, and again with another last one.

    An encoder gives a vector for each token of the text, a decoder scores for each token's
    successor, an encoder-decoder scores for each successor in an answer of ANSWER tokens. Raises
    ValueError for another kind, and for an empty text.
    """
    if length < 1:
        raise ValueError("An empty text has no last token.")
    config = TransformerConfig(
        kind=kind, vocab_size=50, context_length=length + ANSWER, d_model=32, n_layers=2, n_heads=4
    )
    text = torch.arange(length)[None] % 40
    other = text.clone()
    other[0, -1] = 41
    before, after = _outputs(config, (text, other))
    moved = (before - after).abs().amax(dim=-1) > 0
    return KindTrial(tuple(before.shape), tuple(moved.tolist()))


def _outputs(config: TransformerConfig, texts: tuple[Tensor, Tensor]) -> list[Tensor]:
    """What a model of fresh weights makes of both texts (1, T)."""
    generator = torch.Generator().manual_seed(_SEED)
    match config.kind:
        case "encoder":
            encoder = Encoder(config, generator=generator).eval()
            return [encoder(text).hidden[0] for text in texts]
        case "decoder":
            decoder = GPT(config, generator=generator).eval()
            return [decoder(text).logits[0] for text in texts]
    both, answer = EncoderDecoder(config, generator=generator).eval(), torch.arange(ANSWER)[None]
    return [both(text, answer).logits[0] for text in texts]
