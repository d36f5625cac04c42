"""One word in several sentences: its vector as it enters an encoder, and after each layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_core.inspection.trace import trace_model
from llm_core.models.encoder import Encoder
from llm_core.pretrained.minilm import MOST_TOKENS
from llm_core.pretrained.wordpiece import WordPieceTokenizer


@dataclass(frozen=True)
class WordInContext:
    """A word's vectors in sentences, layer by layer.

    layers: "token" (the row of the token table), "embedding" (with its position, normalised: what
    the first block reads), then "layer 1", "layer 2", ...; vectors (layers, sentences, C); pieces:
    the tokens that the word was cut into, over whose vectors the mean is taken.
    """

    word: str
    layers: tuple[str, ...]
    vectors: Tensor
    pieces: tuple[str, ...]

    def similarities(self) -> Tensor:
        """Return the cosine of every two sentences' vectors, (layers, sentences, sentences)."""
        return F.cosine_similarity(self.vectors[:, :, None], self.vectors[:, None], dim=-1)


def word_in_context(
    model: Encoder, tokenizer: WordPieceTokenizer, sentences: Sequence[str], word: str
) -> WordInContext:
    """Follow a word through the layers, in each of the sentences: where it stands first.

    Raises ValueError if `word` is not one word, or if a sentence does not have it among its first
    256 tokens.
    """
    names = ["embedding"]
    names += [f"blocks.{index}.after_feedforward" for index in range(model.config.n_layers)]
    asked = tokenizer.words(word)
    if len(asked) != 1:
        raise ValueError("Give one word to follow through the sentences.")
    columns = []
    for sentence in sentences:
        first, last = _place_of(tokenizer, sentence, asked[0])
        ids = torch.tensor([tokenizer.encode_text(sentence, most=MOST_TOKENS)])
        _, trace = trace_model(model, ids, only=tuple(names))
        row = model.token_embedding.weight[ids[0, first:last]].detach()
        stages = [row, *(trace[name][0, first:last] for name in names)]
        columns.append(torch.stack([stage.mean(dim=0) for stage in stages]))
    layers = ("token", "embedding", *(f"layer {n + 1}" for n in range(model.config.n_layers)))
    pieces = tuple(tokenizer.tokens[index] for index in tokenizer.encode(asked[0]))
    return WordInContext(asked[0], layers, torch.stack(columns, dim=1), pieces)


def _place_of(tokenizer: WordPieceTokenizer, sentence: str, word: str) -> tuple[int, int]:
    """Return the first place of the word's tokens in the sentence, and that after its last."""
    place = 1  # after [CLS]
    for each in tokenizer.words(sentence):
        end = place + len(tokenizer.encode(each))
        if each == word and end < MOST_TOKENS:
            return place, end
        place = end
    raise ValueError(f"The word {word!r} does not stand in the sentence “{sentence[:60]}”.")
