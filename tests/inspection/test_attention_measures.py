"""What attention reaches, why it is scaled, and what it costs, against torch and arithmetic."""

import math

import numpy as np
import pytest
import torch

from llm_core.inspection.attention import (
    compare_reach,
    influence,
    measure_attention,
    peak_bytes,
    score_spread,
)


@pytest.mark.parametrize("width", [2, 64, 512])
def test_plain_scores_have_the_width_as_their_variance(width):
    spread = score_spread(width, n_queries=400)
    assert spread.variance == pytest.approx(width, rel=0.15)
    assert spread.scaled_variance == pytest.approx(spread.variance / width, rel=1e-5)


def test_spread_against_numpy():
    spread = score_spread(8, n_keys=5, n_queries=30, seed=3)
    draw = torch.Generator().manual_seed(3)
    q = torch.randn(30, 1, 8, generator=draw).double().numpy()
    k = torch.randn(30, 5, 8, generator=draw).double().numpy()
    for scale, entropy, largest in (
        (1, spread.entropy, spread.largest),
        (math.sqrt(8), spread.scaled_entropy, spread.scaled_largest),
    ):
        powers = np.exp((q * k).sum(axis=-1) / scale)
        weights = powers / powers.sum(axis=1, keepdims=True)
        assert entropy == pytest.approx(-(weights * np.log2(weights)).sum(axis=1).mean(), rel=1e-4)
        assert largest == pytest.approx(weights.max(axis=1).mean(), rel=1e-4)


def test_wide_plain_scores_give_everything_to_one_key():
    spread = score_spread(512)
    assert spread.entropy < 0.5 < 3 < spread.scaled_entropy < 4
    assert spread.scaled_largest < 0.5 < 0.9 < spread.largest


@pytest.mark.parametrize("wrong", [{"d_head": 0}, {"d_head": 4, "n_keys": 1}])
def test_nothing_to_compare_is_refused(wrong):
    with pytest.raises(ValueError, match="two keys"):
        score_spread(**wrong)


def test_influence_of_a_weighted_sum_is_its_weights():
    weights = torch.tensor([0.0, 2.0, 0.5])
    found = influence(lambda x: x * weights[:, None], length=3, d_model=4, seed=0)
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 1.0]))  # 0.5 · √4 numbers
    mixed = influence(
        lambda x: (weights @ x).expand(1, 3, 4), length=3, d_model=4, seed=0
    )  # every output is the same mix
    torch.testing.assert_close(mixed, 2 * weights)


def test_influence_is_torchs_jacobian():
    torch.manual_seed(1)
    layer = torch.nn.RNN(4, 4, batch_first=True)
    found = influence(lambda x: layer(x)[0], length=5, d_model=4, seed=2)
    x = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(2))
    jacobian = torch.autograd.functional.jacobian(lambda given: layer(given)[0][0, -1], x)
    torch.testing.assert_close(found, jacobian[:, 0].norm(dim=(0, 2)))


def test_a_window_reaches_no_further_and_a_recurrence_fades():
    ways = compare_reach(32, window=5)
    assert (ways["window"][:-5] == 0).all()
    assert (ways["window"][-5:] > 0).all()
    assert (ways["attention"] > 0).all()
    assert ways["recurrent"][0] < 1e-3 * ways["recurrent"][-1] < ways["attention"][0]
    again = compare_reach(32, window=5)
    assert all(torch.equal(ways[kind], again[kind]) for kind in ways)


def test_measuring_leaves_torchs_own_generator_alone():
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    compare_reach(4)
    assert torch.equal(torch.rand(3), expected)


def test_peak_bytes_counts_what_is_held_at_once():
    def two_at_once_then_one():
        first, second = torch.zeros(1000), torch.zeros(500)
        del first, second
        return torch.zeros(1200)

    assert peak_bytes(two_at_once_then_one) == pytest.approx(6000, abs=200)


def test_open_attention_holds_squares_and_the_kernel_does_not():
    short, long = measure_attention([64, 256], n_heads=2, d_head=8, repeats=1)
    square = 2 * 256 * 256 * 4
    assert long.explicit_bytes >= 2 * square
    assert long.explicit_bytes == pytest.approx(16 * short.explicit_bytes, rel=0.1)
    assert long.fused_bytes < square
    assert min(long.explicit_seconds, long.fused_seconds) > 0
