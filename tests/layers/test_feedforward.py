import pytest
import torch
from torch import nn
from transformers import LlamaConfig
from transformers.activations import ACT2FN
from transformers.models.llama.modeling_llama import LlamaMLP

from llm_core.layers.feedforward import ACTIVATIONS, FeedForward
from llm_core.layers.trace import Trace

THEIRS = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu", "relu_squared": "relu2"}


@pytest.mark.parametrize("name", THEIRS)
def test_activations_equal_transformers(name):
    x = torch.linspace(-6, 6, 101)
    torch.testing.assert_close(ACTIVATIONS[name](x), ACT2FN[THEIRS[name]](x), atol=1e-6, rtol=1e-5)
    layer = FeedForward(d_model=4, d_ff=10, activation=name)
    theirs = nn.Sequential(layer.widen, ACT2FN[THEIRS[name]], layer.narrow)
    x = torch.randn(3, 4)
    torch.testing.assert_close(layer(x), theirs(x), atol=1e-6, rtol=1e-5)


def test_swiglu_equals_transformers_llama():
    theirs = LlamaMLP(LlamaConfig(hidden_size=6, intermediate_size=10, num_attention_heads=2))
    ours = FeedForward(d_model=6, d_ff=10, activation="swiglu", bias=False)
    with torch.no_grad():
        ours.widen.weight.copy_(torch.cat([theirs.gate_proj.weight, theirs.up_proj.weight]))
        ours.narrow.weight.copy_(theirs.down_proj.weight)
    x, trace = torch.randn(2, 3, 6), Trace()
    torch.testing.assert_close(ours(x, trace=trace), theirs(x), atol=1e-6, rtol=1e-5)
    assert trace["activations"].shape == (2, 3, 10)


def test_unknown_activations_are_named():
    with pytest.raises(ValueError, match="Unknown activation 'sine'"):
        FeedForward(d_model=4, d_ff=8, activation="sine")
