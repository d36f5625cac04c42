import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from llm_core.layers.norms import LayerNorm, RMSNorm, make_norm


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


@settings(deadline=None)
@given(
    width=st.integers(1, 9),
    scale=st.sampled_from([1e-4, 1.0, 1e4]),
    eps=st.sampled_from([1e-12, 1e-5, 0.1]),
)
def test_norms_equal_torchs_and_transformers(width, scale, eps):
    x = scale * torch.randn(3, width)
    ours, theirs = LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            theirs.get_parameter(name).copy_(parameter.normal_())
    close(ours(x), theirs(x))
    unbiased = LayerNorm(width, eps=eps, bias=False)
    assert unbiased.bias is None
    close(unbiased(x), F.layer_norm(x, (width,), eps=eps))
    ours, theirs = RMSNorm(width, eps=eps), LlamaRMSNorm(width, eps=eps)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight.normal_())
    close(ours(x), theirs(x))
    close(ours(x), F.rms_norm(x, (width,), ours.weight, eps))


def test_rms_norm_keeps_half_precision_and_its_range():
    x = torch.full((2, 4), 300.0, dtype=torch.float16)  # its square does not fit
    y = RMSNorm(4).half()(x)
    assert y.dtype == torch.float16
    close(y.float(), torch.ones(2, 4))


def test_norms_are_found_by_name():
    assert isinstance(make_norm("layernorm", 4), LayerNorm)
    assert isinstance(make_norm("rmsnorm", 4, bias=True), RMSNorm)
    with pytest.raises(ValueError, match="no norm 'batchnorm'"):
        make_norm("batchnorm", 4)
