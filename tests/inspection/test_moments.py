"""A model at a moment: its weights and chances against the model's own; the map's fixed axes."""

import numpy as np
import pytest
import torch

from llm_core.inspection.heads import attention_maps
from llm_core.inspection.moments import (
    KINDS,
    frequent_tokens,
    look_inside,
    map_tables,
    token_kind,
)
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.tokenizers.character import CharacterTokenizer

CONFIG = TransformerConfig(vocab_size=11, n_layers=2, n_heads=2, d_model=16, context_length=8)


def test_a_moment_is_what_the_model_computes() -> None:
    model = GPT(CONFIG, generator=torch.Generator().manual_seed(1)).eval()
    ids = [3, 1, 4, 1, 5]
    moment = look_inside(model, ids)
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0, -1].softmax(dim=-1)
    assert np.allclose(moment.probabilities, expected.numpy(), atol=1e-6)
    assert np.allclose(moment.maps, attention_maps(model, torch.tensor(ids)).numpy())
    with pytest.raises(ValueError, match="empty prompt"):
        look_inside(model, [])
    with pytest.raises(ValueError, match="9 tokens, and this model sees 8"):
        look_inside(model, [1] * 9)


def test_all_moments_lie_on_the_axes_of_the_last() -> None:
    draw = np.random.default_rng(0)
    first, last = draw.normal(size=(2, 30, 6))
    ids = [1, 4, 9, 16, 25]
    found = map_tables([first, last], ids, [0] * 5)
    centered = last[ids] - last[ids].mean(axis=0)
    shares = np.linalg.svd(centered, compute_uv=False) ** 2
    # Distances on the plane of the last one are those of its two largest directions.
    assert (found.places[1] ** 2).sum() == pytest.approx(shares[:2].sum())
    assert found.share == pytest.approx(shares[:2].sum() / shares.sum())
    assert np.abs(found.places).max() < found.reach
    with pytest.raises(ValueError, match="no map"):
        map_tables([first], [3], [0])


def test_frequent_tokens_and_what_they_are() -> None:
    tokenizer = CharacterTokenizer.from_text("aabbbbcd \n")
    assert frequent_tokens(tokenizer, "aabbbbcd", 2) == sorted(tokenizer.encode("ab"))
    kinds = [
        KINDS[token_kind(each)] for each in ("e", "x", "Q", "7", "\n", "?", " the", "ing", "--")
    ]
    assert kinds == [
        "vowels", "consonants", "capitals", "digits", "spaces and line ends", "signs",
        "begins a word", "inside a word", "signs",
    ]  # fmt: skip
