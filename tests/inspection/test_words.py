"""A model's own words as word vectors."""

import numpy as np
import pytest
import torch

from llm_core.inspection.words import words_of_model
from llm_core.pretrained.registry import load


def test_words_have_their_tokens_rows_the_most_frequent_first():
    model, tokenizer = load("tiny")
    text = "Then the owl saw Emma. Then Emma saw the old owl, and the owl flew to qwertyland."
    vectors = words_of_model(model, tokenizer, text)
    assert vectors.words(3) == ["the", "owl", "saw"]
    assert "qwertyland" not in vectors
    assert "then" in vectors  # the second one stands inside a sentence
    for word, piece in (("owl", " owl"), ("emma", " Emma")):
        (index,) = tokenizer.encode(piece)
        row = model.token_embedding.weight[index].numpy()
        np.testing.assert_array_equal(vectors.vector(word), row)
    table = torch.tensor(np.array(vectors.matrix))
    cosine = torch.nn.functional.cosine_similarity(
        table[vectors.row("owl")], table[vectors.row("emma")], dim=0
    )
    assert vectors.similarity("owl", "Emma") == pytest.approx(float(cosine), abs=1e-6)


def test_a_text_without_such_words_is_refused():
    with pytest.raises(ValueError, match="No word of this text"):
        words_of_model(*load("tiny"), "qwertyland zzyzx")
