import itertools

import pytest
import torch

from llm_core.generation.sample import SamplingSettings, generate
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT

CONFIG = TransformerConfig(vocab_size=7, context_length=5, d_model=16, n_layers=2, n_heads=2)


@pytest.fixture
def model():
    model = GPT(CONFIG, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():  # far from uniform, or a wrong distribution would not show
        model.token_embedding.weight.mul_(40)
    return model.eval()


def test_greedy_text_equals_a_plain_loop(model):
    ids = torch.tensor([1, 2])
    expected = ids
    for _ in range(9):
        logits = model(expected[None, -5:]).logits[0, -1]
        expected = torch.cat([expected, logits.argmax()[None]])
    steps = list(generate(model, ids, SamplingSettings(max_new_tokens=9, temperature=0)))
    assert [step.id for step in steps] == expected[2:].tolist()
    assert all(step.probability == 1 for step in steps)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_with_the_stated_probability(model, temperature):
    ids = torch.tensor([3])
    with torch.no_grad():
        expected = (model(ids[None]).logits[0, -1] / temperature).softmax(-1)
    settings = SamplingSettings(max_new_tokens=1, temperature=temperature)
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(7)
    for _ in range(2000):
        (step,) = generate(model, ids, settings, generator=generator)
        counts[step.id] += 1
        assert step.probability == pytest.approx(float(expected[step.id]), abs=1e-6)
    # Four standard deviations of a count, and a little for tokens that hardly ever come.
    deviation = 4 * (2000 * expected * (1 - expected)).sqrt() + 2
    assert ((counts - 2000 * expected).abs() < deviation).all()


def test_the_same_seed_writes_the_same_text(model):
    def write(seed):
        generator = torch.Generator().manual_seed(seed)
        settings = SamplingSettings(max_new_tokens=30, temperature=2.0)
        return [s.id for s in generate(model, torch.tensor([0]), settings, generator=generator)]

    assert write(1) == write(1)
    assert write(1) != write(2)


def test_it_is_lazy(model):
    settings = SamplingSettings(max_new_tokens=10**9)
    assert len(list(itertools.islice(generate(model, torch.tensor([0]), settings), 3))) == 3


def test_a_tiny_temperature_is_still_a_distribution(model):
    settings = SamplingSettings(max_new_tokens=3, temperature=1e-40)
    greedy = SamplingSettings(max_new_tokens=3, temperature=0)
    ids = torch.tensor([0])
    cold = [step.id for step in generate(model, ids, settings)]
    assert cold == [step.id for step in generate(model, ids, greedy)]


def test_bad_requests_are_refused(model):
    with pytest.raises(ValueError, match="at least one token"):
        next(generate(model, torch.tensor([], dtype=torch.long), SamplingSettings()))
    with pytest.raises(ValueError, match="at least one new token"):
        SamplingSettings(max_new_tokens=0)
    for temperature in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="temperature"):
            SamplingSettings(temperature=temperature)
