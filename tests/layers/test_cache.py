import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.layers.cache import KeyValueCache, LayerCache
from llm_core.layers.masks import causal_mask, key_mask, place_mask


def numbered(start, count, batch=1):
    """Keys whose numbers are their places, so that a lost one shows."""
    places = torch.arange(start, start + count, dtype=torch.float32)
    return places.view(1, 1, count, 1).expand(batch, 2, count, 3)


def test_a_full_cache_refuses_more():
    cache = LayerCache(batch=1, n_kv_heads=2, capacity=4, d_head=3)
    cache.extend(numbered(0, 3), numbered(0, 3))
    with pytest.raises(ValueError, match="holds 4 tokens, and 5 were to be kept"):
        cache.extend(numbered(3, 2), numbered(3, 2))
    keys, _ = cache.extend(numbered(3, 1), numbered(3, 1))
    assert torch.equal(keys, numbered(0, 4))


def test_a_cache_without_room_is_refused():
    with pytest.raises(ValueError, match="at least one token, not 0"):
        LayerCache(batch=1, n_kv_heads=2, capacity=0, d_head=3)


@settings(deadline=None)
@given(capacity=st.integers(1, 6), pieces=st.lists(st.integers(1, 15), max_size=12))
def test_a_sliding_cache_gives_all_that_the_new_tokens_may_see(capacity, pieces):
    cache = LayerCache(batch=2, n_kv_heads=2, capacity=capacity, d_head=3, sliding=True)
    memory = cache.nbytes()
    for new in pieces:
        start = cache.length
        expected = cache.visible(new)
        fresh = numbered(start, new, batch=2)
        keys, values = cache.extend(fresh, -fresh)
        first = max(0, start - capacity + 1)  # the oldest that the first new one may see
        assert keys.shape[2] == expected == start + new - first
        assert torch.equal(keys, numbered(first, expected, batch=2))
        assert torch.equal(values, -keys)
    assert cache.length == sum(pieces)
    assert cache.nbytes() == memory == 2 * 4 * 2 * 2 * (2 * capacity) * 3


def test_real_tokens_are_remembered():
    cache = KeyValueCache(n_layers=1, batch=2, n_kv_heads=2, capacity=9, d_head=3)

    def read(count, real):
        result = cache.note_real(real, count)
        cache.layers[0].extend(numbered(0, count, 2), numbered(0, count, 2))
        return result

    assert read(2, None) is None
    padded = torch.tensor([[True], [False]])
    assert read(1, padded).tolist() == [[True] * 3, [True, True, False]]
    assert read(1, None).tolist() == [[True] * 4, [True, True, False, True]]
    assert cache.nbytes() == 2 * 4 * 2 * 2 * 9 * 3


@given(length=st.integers(1, 12), window=st.integers(1, 14), causal=st.booleans())
def test_the_rule_of_places(length, window, causal):
    places = torch.arange(length) + 5
    mask = place_mask(places, places, causal=causal, window=window)
    for i in range(length):
        for j in range(length):
            assert mask[i, j] == (abs(i - j) < window and (j <= i or not causal))
    assert torch.equal(place_mask(places, places), causal_mask(length))


def test_a_key_mask_fits_all_heads_and_queries():
    real = torch.tensor([[True, False]])
    assert key_mask(real).expand(1, 4, 3, 2)[0, 2, 1].tolist() == [True, False]
