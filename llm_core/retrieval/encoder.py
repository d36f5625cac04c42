"""The encoder that questions and passages are compared by, as what the index needs: arrays.

MiniLM reads 256 tokens at most, about 1,100 characters of English: what is beyond does not count.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from llm_core.pretrained.minilm import embed_texts
from llm_core.retrieval.vector_files import Embed

NAME, WIDTH = "minilm", 384


def embedder(loaded: tuple[Any, Any], *, bfloat16: bool = False) -> Embed:
    """Return a function from texts to their vectors, float32 (n, 384) of length 1.

    loaded: the model and its tokenizer, as `registry.load("minilm")` gives them. bfloat16:
    multiply in half as many bytes, which takes half the time where a processor is made for it.
    """
    model, tokenizer = loaded

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            vectors = embed_texts(model, tokenizer, texts).float()
        found: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=-1).numpy()
        return found

    return embed
