import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import preset
from llm_core.models.gpt import GPT


def test_gpt2_small_has_its_published_size():
    assert count_parameters(preset("gpt2", vocab_size=50257)) == 124_439_808


@pytest.mark.parametrize("name", ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"])
def test_gpt2_sizes_equal_transformers(name):
    config = preset(name, vocab_size=50257)
    with torch.device("meta"):
        theirs = GPT2LMHeadModel(
            GPT2Config(n_embd=config.d_model, n_layer=config.n_layers, n_head=config.n_heads)
        )
    assert count_parameters(config) == sum(tensor.numel() for tensor in theirs.parameters())


@pytest.mark.parametrize("name", ["pico", "nano", "micro"])
@pytest.mark.parametrize("changes", [{}, {"bias": True}, {"tie_embeddings": False}, {"d_ff": 50}])
def test_counts_equal_the_real_module(name, changes):
    config = preset(name, vocab_size=97, **changes)
    model = GPT(config)
    assert count_parameters(config) == sum(tensor.numel() for tensor in model.parameters())
