"""What an encoder makes of its words, stage by stage, and how alike they are to each other."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_core.layers.trace import Trace
from llm_core.models.encoder_decoder import EncoderDecoder

STAGES = ("table", "placed", "context")


@torch.inference_mode()
def encoder_stages(model: EncoderDecoder, source: Sequence[int]) -> dict[str, Tensor]:
    """Return the vectors (S, C) of source (S,) at three stages of the encoder.

    "table": each token's row of the table; "placed": its place added; "context": what the encoder
    hands to the decoder. Needs absolute positions, which are added to the tokens.
    """
    trace = Trace(only=("encoder.embedding.*",))
    memory = model.encode(torch.tensor([list(source)]), trace=trace)[0]
    tokens = trace["encoder.embedding.tokens"][0]
    placed = trace["encoder.embedding.sum"][0]
    return {"table": tokens, "placed": placed, "context": memory}


@torch.inference_mode()
def three_attentions(
    model: EncoderDecoder, source: Sequence[int], ids: Sequence[int]
) -> dict[str, Tensor]:
    """Return the weights of a model's three kinds of attention, in its last blocks.

    source (S,): what the encoder reads; ids (T,): what the decoder reads, the start token first.
    "encoder" (H, S, S) and "decoder" (H, T, T) look at themselves, "cross" (H, T, S) goes from the
    decoder to the encoder.
    """
    trace = Trace(only=("*.weights",))
    model(torch.tensor([list(source)]), torch.tensor([list(ids)]), trace=trace)
    last = f"blocks.{model.config.n_layers - 1}"
    return {
        "encoder": trace[f"encoder.{last}.attention.weights"][0],
        "decoder": trace[f"decoder.{last}.attention.weights"][0],
        "cross": trace[f"decoder.{last}.cross_attention.weights"][0],
    }


def cosine_similarities(vectors: Tensor) -> Tensor:
    """Return how alike the directions of all pairs of vectors (N, C) are: (N, N), from -1 to 1."""
    unit = F.normalize(vectors, dim=-1)
    return unit @ unit.T
