import pytest
import torch
import torch.nn.functional as F
from torch import nn

from llm_core.layers.attention import (
    MultiHeadAttention,
    causal_mask,
    scaled_dot_product_attention,
)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_attention_equals_torchs():
    q, k, v = random(2, 3, 5, 8), random(2, 3, 7, 8, seed=1), random(2, 3, 7, 8, seed=2)
    bias = random(3, 5, 7, seed=3)
    mask = random(2, 1, 5, 7, seed=4) > -1
    mask[..., 0] = True  # a row that may look nowhere has no answer
    output, weights = scaled_dot_product_attention(q, k, v, mask=mask, bias=bias)
    expected = F.scaled_dot_product_attention(
        q, k, v, attn_mask=bias.masked_fill(~mask, float("-inf"))
    )
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5))
    assert (weights[~mask.expand_as(weights)] == 0).all()


def test_fused_and_explicit_attention_agree():
    attention = MultiHeadAttention(d_model=24, n_heads=3)
    x = random(2, 10, 24)
    explicit, weights = attention.forward_with_weights(x)
    torch.testing.assert_close(attention(x), explicit, atol=1e-5, rtol=1e-5)
    assert weights.shape == (2, 3, 10, 10)
    assert (weights.triu(1) == 0).all()


def test_multi_head_attention_equals_torchs_module():
    ours, theirs = MultiHeadAttention(d_model=24, n_heads=3), nn.MultiheadAttention(24, 3)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.query_key_value.weight)
        theirs.in_proj_bias.copy_(ours.query_key_value.bias)
        theirs.out_proj.weight.copy_(ours.output.weight)
        theirs.out_proj.bias.copy_(ours.output.bias)
    x = random(2, 10, 24)
    torch_says_true_is_hidden = ~causal_mask(10)
    expected, _ = theirs(
        *[x.transpose(0, 1)] * 3, attn_mask=torch_says_true_is_hidden, need_weights=False
    )
    torch.testing.assert_close(ours(x), expected.transpose(0, 1), atol=1e-5, rtol=1e-5)


def test_a_later_token_changes_nothing_before_it():
    attention = MultiHeadAttention(d_model=8, n_heads=2)
    x = random(1, 6, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(attention(x)[:, :4], attention(changed)[:, :4])
    assert not torch.allclose(attention(x)[:, 4:], attention(changed)[:, 4:])


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width of 10 cannot be split evenly into 3 heads"):
        MultiHeadAttention(d_model=10, n_heads=3)
