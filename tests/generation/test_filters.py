"""Every filter against transformers' logits processors; two that it lacks, against plain loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation import logits_process as theirs

from llm_core.generation import filters
from llm_core.generation.filters import filtered, stages
from llm_core.generation.settings import SamplingSettings

V = 211
HISTORY = [3, 7, 7, 200, 3, 3]


def some_logits(seed, spread=3.0, rows=4):
    return torch.randn(rows, V, generator=torch.Generator().manual_seed(seed)) * spread


def agree(ours, expected, **allowed):
    assert torch.equal(ours.isneginf(), expected.isneginf())
    torch.testing.assert_close(ours.softmax(-1), expected.softmax(-1), **allowed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 2.5])
def test_temperature(seed, temperature):
    logits = some_logits(seed)
    agree(
        filters.heat(logits, temperature),
        theirs.TemperatureLogitsWarper(temperature)(None, logits),
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 2, 17, V, 10 * V])
def test_top_k(seed, k):
    logits = some_logits(seed).round(decimals=1)  # with ties
    agree(filters.keep_top_k(logits, k), theirs.TopKLogitsWarper(k)(None, logits))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.999])
def test_top_p(seed, p):
    logits = some_logits(seed)
    agree(filters.keep_top_p(logits, p), theirs.TopPLogitsWarper(p)(None, logits))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [1e-6, 0.05, 0.5, 1.0])
def test_min_p(seed, share):
    logits = some_logits(seed)
    agree(filters.keep_min_p(logits, share), theirs.MinPLogitsWarper(share)(None, logits))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("p", [1e-9, 0.2, 0.6, 0.95])
def test_typical(seed, p):
    logits = some_logits(seed)
    agree(filters.keep_typical(logits, p), theirs.TypicalLogitsWarper(p)(None, logits))


@pytest.mark.parametrize("penalty", [0.5, 1.3, 4.0])
def test_repetition_penalty(penalty):
    logits = some_logits(0, rows=1)
    expected = theirs.RepetitionPenaltyLogitsProcessor(penalty)(
        torch.tensor([HISTORY]), logits.clone()
    )
    ours = filters.penalise_repetition(logits, penalty, history=torch.tensor(HISTORY))
    torch.testing.assert_close(ours, expected)


def test_presence_and_frequency_penalties_are_what_their_makers_say():
    """The logit loses count · frequency + (count > 0) · presence."""
    logits, history = some_logits(1, rows=1)[0], torch.tensor(HISTORY)
    expected = [
        float(logit) - 0.7 * HISTORY.count(i) - 0.4 * (i in HISTORY)
        for i, logit in enumerate(logits)
    ]
    ours = filters.penalise_frequency(logits, 0.7, history=history)
    ours = filters.penalise_presence(ours, 0.4, history=history)
    torch.testing.assert_close(ours, torch.tensor(expected))


def test_banned_and_forced_tokens():
    logits = some_logits(2)
    expected = theirs.SuppressTokensLogitsProcessor([5, 9, 5], device="cpu")(None, logits)
    agree(filters.ban(logits, [5, 9, 5]), expected)
    expected = theirs.ForcedBOSTokenLogitsProcessor(8)(torch.zeros(4, 1), logits)
    agree(filters.force(logits, 8), expected)
    with pytest.raises(ValueError, match="nothing is left"):
        filters.ban(logits, range(V))


@pytest.mark.parametrize("seed", range(8))
def test_all_together_are_transformers_chain(seed):
    """In its order, one after the other, over a vocabulary of a real size."""
    logits = torch.randn(1, 5000, generator=torch.Generator().manual_seed(seed)) * 4
    chain = theirs.LogitsProcessorList(
        [
            theirs.RepetitionPenaltyLogitsProcessor(1.2),
            theirs.SuppressTokensLogitsProcessor([11, 12], device="cpu"),
            theirs.TemperatureLogitsWarper(0.8),
            theirs.TopKLogitsWarper(60),
            theirs.TopPLogitsWarper(0.92),
            theirs.MinPLogitsWarper(0.02),
            theirs.TypicalLogitsWarper(0.9),
        ]
    )
    settings = SamplingSettings(
        repetition_penalty=1.2,
        banned=(11, 12),
        temperature=0.8,
        top_k=60,
        top_p=0.92,
        min_p=0.02,
        typical_p=0.9,
    )
    expected = chain(torch.tensor([HISTORY]), logits.clone())[0]
    agree(filtered(logits[0], settings, history=HISTORY), expected)


def test_stages_come_in_the_stated_order_and_only_if_asked_for():
    everything = SamplingSettings(
        repetition_penalty=1.2,
        presence_penalty=0.1,
        frequency_penalty=0.1,
        banned=(1,),
        forced=(2,),
        temperature=0.5,
        top_k=9,
        top_p=0.9,
        min_p=0.1,
        typical_p=0.9,
    )
    logits = some_logits(0)[0]
    names = [stage.name for stage in stages(logits, everything, history=HISTORY)]
    assert names == [
        *("repetition penalty", "presence penalty", "frequency penalty", "banned", "forced"),
        *("temperature", "top-k", "top-p", "min-p", "typical"),
    ]
    later = [stage.name for stage in stages(logits, everything, history=HISTORY, place=1)]
    assert later == [name for name in names if name != "forced"]
    assert list(stages(logits, SamplingSettings())) == []
    assert filtered(logits, SamplingSettings()) is logits


@given(
    st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=40),
    st.floats(0, 5),
    st.integers(0, 50),
    st.floats(1e-6, 1),
    st.floats(0, 1),
    st.floats(1e-6, 1),
)
def test_at_least_one_token_always_stays(logits, temperature, k, p, share, typical):
    settings = SamplingSettings(
        temperature=temperature, top_k=k, top_p=p, min_p=share, typical_p=typical
    )
    result = filtered(torch.tensor(logits), settings).softmax(-1)
    assert float(result.sum()) == pytest.approx(1, abs=1e-5)
    assert not result.isnan().any()


@given(st.lists(st.floats(-9, 9, width=32), min_size=2, max_size=30), st.floats(0.05, 0.99))
def test_no_smaller_set_reaches_top_p(logits, p):
    """The kept ones reach p, and without the least of them they would not."""
    probabilities = torch.tensor(logits).double().softmax(-1)
    kept = probabilities[~filters.keep_top_p(torch.tensor(logits), p).isneginf()]
    assert kept.sum() > p - 1e-5
    assert kept.sum() - kept.min() < p + 1e-5
    assert math.isclose(kept.max(), probabilities.max(), rel_tol=1e-6)


def test_filters_leave_their_input_alone():
    logits = some_logits(3, rows=1)[0]
    before = logits.clone()
    settings = SamplingSettings(
        temperature=0.5, top_k=3, top_p=0.7, min_p=0.1, repetition_penalty=2.0, banned=(4,)
    )
    filtered(logits, settings, history=HISTORY)
    assert torch.equal(logits, before)
