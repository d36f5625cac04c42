import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm_core.layers.attention import (
    MultiHeadAttention,
    causal_mask,
    scaled_dot_product_attention,
)
from llm_core.layers.cache import LayerCache
from llm_core.layers.dot_product import attention_scores, fused_attention
from llm_core.layers.positions import (
    AlibiBias,
    RotaryPositions,
    ShawRelativePositions,
    T5RelativeBias,
)
from llm_core.layers.trace import Trace

POSITIONS = {
    "none": lambda: None,
    "rope": lambda: RotaryPositions(d_head=8),
    "alibi": lambda: AlibiBias(n_heads=4),
    "t5": lambda: T5RelativeBias(n_heads=4),
    "shaw": lambda: ShawRelativePositions(d_head=8, max_distance=3),
}


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_attention_equals_torchs():
    q, k, v = random(2, 3, 5, 8), random(2, 3, 7, 8, seed=1), random(2, 3, 7, 8, seed=2)
    bias = random(3, 5, 7, seed=3)
    mask = random(2, 1, 5, 7, seed=4) > -1
    mask[..., 0] = True
    output, weights = scaled_dot_product_attention(q, k, v, mask=mask, bias=bias)
    expected = F.scaled_dot_product_attention(
        q, k, v, attn_mask=bias.masked_fill(~mask, float("-inf"))
    )
    close(output, expected)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5))
    assert (weights[~mask.expand_as(weights)] == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.sampled_from([(1, 1), (4, 4), (4, 2), (6, 1)])),
    lengths=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    masked=st.booleans(),
    biased=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_kernel_and_the_open_formula_agree(shape, lengths, masked, biased, seed):
    (batch, (heads, kv_heads)), (t, s) = shape, lengths
    q, k = random(batch, heads, t, 8, seed=seed), random(batch, kv_heads, s, 8, seed=seed + 1)
    v = random(batch, kv_heads, s, 8, seed=seed + 2)
    # Some rows may look nowhere at all.
    mask = random(batch, 1, t, s, seed=seed + 3) > 0.3 if masked else None
    bias = random(heads, t, s, seed=seed + 4) if biased else None
    wide = [part.repeat_interleave(heads // kv_heads, dim=1) for part in (k, v)]
    output, weights = scaled_dot_product_attention(q, *wide, mask=mask, bias=bias)
    close(fused_attention(q, k, v, mask=mask, bias=bias), output)
    sums = weights.sum(-1)
    blind = torch.zeros_like(sums, dtype=torch.bool)
    if masked:
        blind = ~mask.any(-1).expand_as(sums)
    close(sums, (~blind).float())


def test_without_the_division_one_key_would_take_all():
    q, k = random(1, 64, 512), random(1, 64, 512, seed=1)
    scores = attention_scores(q, k)
    assert scores.std() == pytest.approx(1, abs=0.1)
    assert (q @ k.transpose(-2, -1)).softmax(-1).amax(-1).mean() > 0.8
    assert scores.softmax(-1).amax(-1).mean() < 0.3


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("qk_norm", [True, False])
def test_fused_and_explicit_attention_agree(position, causal, qk_norm):
    attention = MultiHeadAttention(
        d_model=32,
        n_heads=4,
        n_kv_heads=2,
        position=POSITIONS[position](),
        causal=causal,
        qk_norm=qk_norm,
    )
    x = random(2, 10, 32)
    explicit, weights = attention.forward_with_weights(x)
    close(attention(x), explicit)
    assert weights.shape == (2, 4, 10, 10)
    close(weights.sum(-1), torch.ones(2, 4, 10))
    assert bool((weights.triu(1) == 0).all()) == causal


def torch_pair(d_model=24, n_heads=3, **options):
    ours = MultiHeadAttention(d_model=d_model, n_heads=n_heads, **options)
    theirs = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
    with torch.no_grad():
        ours.query_key_value.bias.normal_()
        theirs.in_proj_weight.copy_(ours.query_key_value.weight)
        theirs.in_proj_bias.copy_(ours.query_key_value.bias)
        theirs.out_proj.weight.copy_(ours.output.weight)
        theirs.out_proj.bias.copy_(ours.output.bias)
    return ours, theirs


def test_multi_head_attention_equals_torchs_module():
    ours, theirs = torch_pair()
    x = random(2, 10, 24)
    torch_says_true_is_hidden = ~causal_mask(10)
    expected, expected_weights = theirs(
        x, x, x, attn_mask=torch_says_true_is_hidden, average_attn_weights=False
    )
    close(ours(x), expected)
    close(ours.forward_with_weights(x)[1], expected_weights)


def test_cross_attention_with_padding_equals_torchs_module():
    ours, theirs = torch_pair(causal=False)
    x, context = random(2, 5, 24), random(2, 9, 24, seed=1)
    real = torch.ones(2, 9, dtype=torch.bool)
    real[1, 4:] = False
    expected, expected_weights = theirs(
        x, context, context, key_padding_mask=~real, average_attn_weights=False
    )
    output, weights = ours.forward_with_weights(x, context=context, mask=real[:, None, None])
    close(output, expected)
    close(weights, expected_weights)
    close(ours(x, context=context, mask=real[:, None, None]), expected)
    cache = LayerCache(batch=2, n_kv_heads=3, capacity=5, d_head=8)
    for _ in range(2):  # the second time, the context is not even looked at
        close(ours(x, context=context, mask=real[:, None, None], cache=cache), expected)
        context = torch.zeros_like(context)


def test_grouped_heads_are_heads_that_share_keys_and_values():
    grouped = MultiHeadAttention(d_model=32, n_heads=4, n_kv_heads=2)
    full = MultiHeadAttention(d_model=32, n_heads=4)
    with torch.no_grad():
        for kind in ("weight", "bias"):
            source = getattr(grouped.query_key_value, kind)
            q, k, v = source.split([32, 16, 16])
            wide = [
                part.unflatten(0, (2, 8)).repeat_interleave(2, 0).flatten(0, 1) for part in (k, v)
            ]
            getattr(full.query_key_value, kind).copy_(torch.cat([q, *wide]))
        full.output.load_state_dict(grouped.output.state_dict())
    x = random(2, 9, 32)
    close(grouped(x), full(x))


@pytest.mark.parametrize("window", [1, 2, 5, 20])
@pytest.mark.parametrize("causal", [True, False])
def test_a_window_hides_what_is_far(window, causal):
    attention = MultiHeadAttention(d_model=8, n_heads=2, window=window, causal=causal)
    x = random(1, 9, 8)
    output, weights = attention.forward_with_weights(x)
    for i in range(9):
        for j in range(9):
            seen = abs(i - j) < window and not (causal and j > i)
            assert bool((weights[0, :, i, j] > 0).all()) == seen
    close(attention(x), output)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_later_token_changes_nothing_before_it(position):
    attention = MultiHeadAttention(d_model=32, n_heads=4, position=POSITIONS[position]())
    x = random(1, 6, 32)
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(attention(x)[:, :4], attention(changed)[:, :4])
    assert not torch.allclose(attention(x)[:, 4:], attention(changed)[:, 4:])


@pytest.mark.parametrize("position", POSITIONS)
def test_a_cache_alone_serves_a_layer_alone(position):
    attention = MultiHeadAttention(
        d_model=32, n_heads=4, n_kv_heads=2, position=POSITIONS[position]()
    )
    x = random(1, 7, 32)
    cache = LayerCache(batch=1, n_kv_heads=2, capacity=7, d_head=8)
    pieces = [attention(piece, cache=cache) for piece in x.split([3, 1, 1, 2], dim=1)]
    close(torch.cat(pieces, dim=1), attention(x))


def test_query_key_norm_bounds_every_score():
    attention = MultiHeadAttention(d_model=32, n_heads=4, qk_norm=True)
    trace = Trace()
    attention(1000 * random(1, 9, 32), trace=trace)
    # Two vectors of root mean square 1 score at most D / √D.
    assert trace["scores"].abs().max() <= 8**0.5 + 1e-4


@pytest.mark.parametrize("position", ["none", "shaw"])
def test_dropout_drops_weights_in_training_only(position):
    attention = MultiHeadAttention(
        d_model=32, n_heads=4, dropout=0.5, position=POSITIONS[position]()
    )
    x = random(1, 6, 32)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width of 10 cannot be split evenly into 3 heads"):
        MultiHeadAttention(d_model=10, n_heads=3)
    with pytest.raises(ValueError, match="4 query heads cannot share 3 key-value heads"):
        MultiHeadAttention(d_model=8, n_heads=4, n_kv_heads=3)
