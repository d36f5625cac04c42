import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BloomConfig, LlamaConfig, T5Config
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding
from transformers.models.t5.modeling_t5 import T5Attention

from llm_core.layers.positions import (
    AlibiBias,
    LearnedPositions,
    RotaryPositions,
    ShawRelativePositions,
    SinusoidalPositions,
    T5RelativeBias,
)

PLACES = st.integers(0, 3000)


def close(actual, expected, tolerance=1e-5):
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


def test_learned_positions_add_a_row_a_place():
    positions = LearnedPositions(context_length=6, d_model=4)
    x = torch.randn(2, 3, 4)
    assert torch.equal(positions(x), x + positions.weight[:3])
    assert torch.equal(positions(x, start=3), x + positions.weight[3:])
    places = torch.tensor([[0, 0, 1], [5, 4, 3]])
    assert torch.equal(positions(x, places=places), x + positions.weight[places])
    with pytest.raises(ValueError, match="7 tokens, and the model has places for 6"):
        positions(x, start=4)
    with pytest.raises(ValueError, match="9 tokens, and the model has places for 6"):
        positions(x, places=places + 3)


def test_sinusoids_equal_the_papers_formula():
    table = SinusoidalPositions(d_model=7).table(50)
    for place in (0, 1, 17, 49):
        for i in range(7):
            angle = place / 10_000 ** (2 * (i // 2) / 7)
            expected = math.cos(angle) if i % 2 else math.sin(angle)
            assert float(table[place, i]) == pytest.approx(expected, abs=1e-6)


def test_sinusoids_equal_transformers_marian():
    theirs = MarianSinusoidalPositionalEmbedding(40, 8)
    rows = torch.as_tensor(theirs.create_weight())  # sines first there, then cosines
    table = SinusoidalPositions(d_model=8).table(40)
    close(torch.cat([table[:, 0::2], table[:, 1::2]], dim=-1), rows.float())


def test_sinusoids_are_added_from_any_place():
    positions = SinusoidalPositions(d_model=6)
    x, table = torch.randn(2, 3, 6), positions.table(200)
    close(positions(x), x + table[:3])
    close(positions(x, start=150), x + table[150:153])
    places = torch.tensor([[0, 0, 1], [99, 7, 3]])
    close(positions(x, places=places), x + table[places])


@pytest.mark.parametrize("scaling", [1.0, 4.0])
def test_rope_equals_transformers_llama(scaling):
    rope = {"rope_type": "linear", "factor": scaling, "rope_theta": 500.0}
    if scaling == 1:
        rope = {"rope_type": "default", "rope_theta": 500.0}
    config = LlamaConfig(hidden_size=32, num_attention_heads=2, rope_parameters=rope)
    q, k = torch.randn(2, 2, 9, 16), torch.randn(2, 2, 9, 16)
    cos, sin = LlamaRotaryEmbedding(config)(q, torch.arange(3, 12)[None])
    expected = apply_rotary_pos_emb(q, k, cos, sin)
    ours = RotaryPositions(d_head=16, base=500.0, scaling=scaling)
    close(ours(q, start=3), expected[0])
    close(ours(k, start=3), expected[1])


def test_interleaved_rope_turns_neighbours_as_complex_numbers():
    x = torch.randn(1, 1, 12, 10)
    speeds = 10_000.0 ** (-torch.arange(0, 10, 2) / 10)
    turns = torch.polar(torch.ones(12, 5), torch.arange(12)[:, None] * speeds)
    pairs = torch.view_as_complex(x.reshape(1, 1, 12, 5, 2))
    expected = torch.view_as_real(pairs * turns).flatten(-2)
    interleaved = RotaryPositions(d_head=10, interleaved=True)
    close(interleaved(x), expected)
    # Half rotation is the same with the numbers of a head in another order.
    order = torch.arange(10).view(5, 2).T.flatten()
    close(RotaryPositions(d_head=10)(x[..., order]), expected[..., order])


@settings(deadline=None)
@given(
    query=PLACES,
    key=PLACES,
    shift=st.integers(0, 5000),
    interleaved=st.booleans(),
    seed=st.integers(0, 100),
)
def test_rope_scores_depend_on_the_distance_only(query, key, shift, interleaved, seed):
    generator = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(1, 16, generator=generator) for _ in range(2))
    rope = RotaryPositions(d_head=16, interleaved=interleaved)
    score = rope(q, start=query) @ rope(k, start=key).T
    shifted = rope(q, start=query + shift) @ rope(k, start=key + shift).T
    close(shifted, score, 1e-4)
    close(rope(q, start=query).norm(), q.norm(), 1e-4)


def test_rope_needs_pairs():
    with pytest.raises(ValueError, match="a head of 5 numbers leaves one over"):
        RotaryPositions(d_head=5)


@pytest.mark.parametrize("n_heads", [1, 2, 3, 4, 6, 8, 12, 16, 25])
def test_alibi_weights_equal_those_of_transformers_bloom(n_heads):
    assert BloomConfig().model_type == "bloom"
    theirs = build_alibi_tensor(torch.ones(1, 10), n_heads, torch.float32)
    places = torch.arange(10)
    ours = AlibiBias(n_heads=n_heads)(places, places)
    # Theirs differs by one number a row, which no softmax sees.
    hidden = torch.ones(10, 10, dtype=torch.bool).triu(1)
    scores = torch.randn(n_heads, 10, 10)
    expected = (scores + theirs).masked_fill(hidden, float("-inf")).softmax(-1)
    close((scores + ours).masked_fill(hidden, float("-inf")).softmax(-1), expected)


def their_t5(bidirectional, buckets, max_distance):
    config = T5Config(
        d_model=8,
        d_kv=4,
        num_heads=2,
        relative_attention_num_buckets=buckets,
        relative_attention_max_distance=max_distance,
        is_decoder=not bidirectional,
    )
    return T5Attention(config, has_relative_attention_bias=True, layer_idx=0)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 11), (6, 20)])
def test_t5_bias_equals_transformers(bidirectional, buckets, max_distance):
    theirs = their_t5(bidirectional, buckets, max_distance)
    ours = T5RelativeBias(
        n_heads=2, buckets=buckets, max_distance=max_distance, bidirectional=bidirectional
    )
    with torch.no_grad():
        ours.weight.copy_(theirs.relative_attention_bias.weight.normal_())
    places = torch.arange(300)
    close(ours(places, places)[None], theirs.compute_bias(300, 300))
    # One query after a cache of 299.
    close(ours(places[-1:], places)[None], theirs.compute_bias(1, 300, past_seen_tokens=299))


@settings(deadline=None)
@given(
    queries=st.lists(PLACES, min_size=1, max_size=5),
    keys=st.lists(PLACES, min_size=1, max_size=5),
    shift=st.integers(0, 100_000),
    bidirectional=st.booleans(),
)
def test_relative_biases_depend_on_the_distance_only(queries, keys, shift, bidirectional):
    q, k = torch.tensor(queries), torch.tensor(keys)
    for bias in (AlibiBias(n_heads=3), T5RelativeBias(n_heads=3, bidirectional=bidirectional)):
        assert torch.equal(bias(q + shift, k + shift), bias(q, k))
        assert bias(q, k).shape == (3, len(q), len(k))
    shaw = ShawRelativePositions(d_head=4)
    vectors = torch.randn(1, 2, len(q), 4)
    assert torch.equal(shaw(vectors, q + shift, k + shift), shaw(vectors, q, k))


@settings(deadline=None)
@given(distance=st.integers(-3000, 3000), bidirectional=st.booleans())
def test_t5_buckets_grow_with_the_distance(distance, bidirectional):
    bias = T5RelativeBias(n_heads=1, bidirectional=bidirectional)
    here, farther = bias.bucket(torch.tensor([distance, distance + (1 if distance > 0 else -1)]))
    assert 0 <= here <= farther < 32
    if distance > 0 and not bidirectional:
        assert here == 0  # a decoder looks at nothing ahead


def test_shaw_equals_the_papers_sum_token_by_token():
    shaw = ShawRelativePositions(d_head=4, max_distance=2)
    q, k, v = (torch.randn(1, 1, 6, 4) for _ in range(3))
    weights = torch.randn(1, 1, 6, 6).softmax(-1)
    places = torch.arange(6)
    scores, extra = shaw(q, places, places), shaw.gathered(weights, places, places)
    for i in range(6):
        gathered = torch.zeros(4)
        for j in range(6):
            row = max(-2, min(2, j - i)) + 2
            score = q[0, 0, i] @ (k[0, 0, j] + shaw.key_table[row]) / 2
            close(q[0, 0, i] @ k[0, 0, j] / 2 + scores[0, 0, i, j], score)
            gathered += weights[0, 0, i, j] * (v[0, 0, j] + shaw.value_table[row])
        close(weights[0, 0, i] @ v[0, 0] + extra[0, 0, i], gathered)
