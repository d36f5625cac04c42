import pytest
import torch

from llm_core.generation.sample import SamplingSettings, generate
from llm_core.generation.speculative import speculate

PROMPT = torch.tensor([1, 2])


@pytest.fixture
def pair(build):
    """A model, and a smaller one that guesses much the same now and then."""
    shape = {"context_length": 40, "vocab_size": 5}
    return build(3, sharpness=8, **shape), build(3, sharpness=5, n_layers=1, **shape)


@pytest.mark.parametrize("draft_length", [1, 3, 7])
def test_greedy_text_is_the_large_models_own(pair, draft_length):
    settings = SamplingSettings(max_new_tokens=20, temperature=0)
    expected = [step.id for step in generate(pair[0], PROMPT, settings)]
    rounds = list(speculate(*pair, PROMPT, settings, draft_length=draft_length))
    assert [index for each in rounds for index in each.ids] == expected
    assert all(each.ids[: each.accepted] == each.drafted[: each.accepted] for each in rounds)


def test_a_model_accepts_all_of_its_own_drafts(pair):
    settings = SamplingSettings(max_new_tokens=20)
    generator = torch.Generator().manual_seed(1)
    rounds = list(speculate(pair[0], pair[0], PROMPT, settings, generator=generator))
    assert [each.accepted for each in rounds] == [4, 4, 4, 4]


def test_draws_follow_the_large_models_distribution(pair, chi_square):
    """The chances of all 25 continuations of two tokens, against a count of draws."""
    settings = SamplingSettings(max_new_tokens=2, temperature=1.5)
    expected = torch.zeros(5, 5)
    with torch.no_grad():
        first = (pair[0](PROMPT[None]).logits[0, -1] / 1.5).softmax(-1)
        for i in range(5):
            text = torch.cat([PROMPT, torch.tensor([i])])
            expected[i] = first[i] * (pair[0](text[None]).logits[0, -1] / 1.5).softmax(-1)
    generator, counts = torch.Generator().manual_seed(0), torch.zeros(5, 5)
    rejected = 0
    for _ in range(1500):
        rounds = list(speculate(*pair, PROMPT, settings, draft_length=2, generator=generator))
        i, j = [index for each in rounds for index in each.ids]
        counts[i, j] += 1
        rejected += rounds[0].accepted < 2
    assert rejected > 100  # or nothing was tested
    assert chi_square(counts, expected) > 1e-4


def test_stop_tokens_end_it(pair):
    greedy = SamplingSettings(max_new_tokens=20, temperature=0)
    written = [step.id for step in generate(pair[0], PROMPT, greedy)]
    stop = written[5]
    settings = SamplingSettings(max_new_tokens=20, temperature=0, stop_tokens=(stop,))
    ids = [i for each in speculate(*pair, PROMPT, settings) for i in each.ids]
    assert ids == written[: written.index(stop) + 1]


def test_bad_requests_are_refused(pair, build):
    settings = SamplingSettings(max_new_tokens=20)
    with pytest.raises(ValueError, match="same vocabulary"):
        next(speculate(pair[0], build(), PROMPT, settings))
    with pytest.raises(ValueError, match="at least one token"):
        next(speculate(*pair, PROMPT, settings, draft_length=0))
    with pytest.raises(ValueError, match="of context"):
        next(speculate(*pair, PROMPT, SamplingSettings(max_new_tokens=40)))
