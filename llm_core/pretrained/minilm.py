"""all-MiniLM-L6-v2, a real encoder: BERT's shape, trained so that like sentences get like vectors.

"MiniLM" (Wang et al., 2020), trained on a billion pairs of sentences in the manner of
"Sentence-BERT" (Reimers and Gurevych, 2019) by the sentence-transformers project.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from llm_core.models.encoder import Encoder, sentence_vectors
from llm_core.models.huggingface import load_huggingface
from llm_core.pretrained.assets import Progress, fetch
from llm_core.pretrained.wordpiece import PAD, WordPieceTokenizer

NAME = "minilm"
MOST_TOKENS = 256  # of a text, as its makers advise: it was trained on shorter ones


def load_minilm(
    *, on_progress: Callable[[Progress], None] | None = None
) -> tuple[Encoder, WordPieceTokenizer]:
    """Return the model, in evaluation mode on the CPU, and its tokenizer.

    Raises ValueError, saying what to install, if the model's files cannot be had.
    """
    folder = fetch(NAME, on_progress=on_progress)
    model = load_huggingface(folder)
    assert isinstance(model, Encoder)
    return model, WordPieceTokenizer.from_vocabulary(folder / "vocab.txt")


def pad_texts(
    tokenizer: WordPieceTokenizer, texts: Sequence[str], *, most_tokens: int = MOST_TOKENS
) -> tuple[Tensor, Tensor]:
    """Return ids (B, T) of the texts, and (B, T) True where these are tokens and no padding.

    T is the longest text's length; longer texts than `most_tokens` lose their ends.
    """
    rows = [tokenizer.encode_text(text, most=most_tokens) for text in texts]
    longest = max(map(len, rows), default=0)
    ids = torch.full((len(rows), longest), tokenizer.id_of(PAD))
    real = torch.zeros_like(ids, dtype=torch.bool)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        real[place, : len(row)] = True
    return ids, real


@torch.inference_mode()
def embed_texts(
    model: Encoder,
    tokenizer: WordPieceTokenizer,
    texts: Sequence[str],
    *,
    most_tokens: int = MOST_TOKENS,
    batch_size: int = 16,
) -> Tensor:
    """Return a vector of length 1 for each text, (texts, C): near each other if they say alike.

    Their dot product is their similarity, the cosine. Texts of like length are read together.
    """
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors = torch.empty(len(texts), model.config.d_model)
    for start in range(0, len(texts), batch_size):
        places = order[start : start + batch_size]
        ids, real = pad_texts(
            tokenizer, [texts[place] for place in places], most_tokens=most_tokens
        )
        vectors[places] = sentence_vectors(model, ids, real)
    return vectors
