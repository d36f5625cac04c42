"""The words of a language model's own token table, to be asked like any word vectors."""

import re
from collections import Counter

import numpy as np

from llm_core.models.gpt import GPT
from llm_core.pretrained.glove import WordVectors
from llm_core.tokenizers.bpe import BPETokenizer


def words_of_model(model: GPT, tokenizer: BPETokenizer, text: str) -> WordVectors:
    """Return the words of `text` that are one token each, the most frequent first.

    A word is read as it stands inside a sentence, with the space before it, and written in small
    letters. Its vector is its token's row of the model's table. Raises ValueError if there is no
    such word.
    """
    rows: dict[str, int] = {}
    for word, _ in Counter(re.findall(r"(?<= )[A-Za-z]+", text)).most_common():
        ids = tokenizer.encode(f" {word}")
        if len(ids) == 1:
            rows.setdefault(word.lower(), ids[0])
    if not rows:
        raise ValueError("No word of this text is a single token of this model.")
    table = model.token_embedding.weight.numpy(force=True)
    matrix = np.ascontiguousarray(table[[*rows.values()]], dtype=np.float32)
    return WordVectors([*rows], matrix)
