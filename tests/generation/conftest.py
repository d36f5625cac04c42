import pytest
import torch

from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny models compute quicker without a crew of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def build():
    """A function that builds a small GPT whose guesses are far from uniform."""

    def make(seed=3, sharpness=40.0, **changes):
        shape = {"vocab_size": 13, "context_length": 12, "d_model": 16, "n_layers": 2, "n_heads": 2}
        config = TransformerConfig(**(shape | changes))
        model = GPT(config, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            model.token_embedding.weight.mul_(sharpness)
        return model.eval()

    return make


@pytest.fixture
def chi_square():
    """A function (counts, probabilities) -> p: how often draws differ as much by chance.

    Pearson's test; outcomes expected fewer than five times are counted as one.
    """

    def p_value(counts, probabilities):
        counts = torch.as_tensor(counts).double().flatten()
        expected = probabilities.double().flatten() * counts.sum()
        assert counts[expected == 0].sum() == 0  # the impossible must not come
        often = expected >= 5
        counts = torch.cat([counts[often], counts[~often].sum()[None]])
        expected = torch.cat([expected[often], expected[~often].sum()[None]])
        counts, expected = counts[expected > 0], expected[expected > 0]
        statistic = ((counts - expected) ** 2 / expected).sum()
        freedom = torch.tensor(len(counts) - 1.0, dtype=torch.float64)
        return float(torch.special.gammaincc(freedom / 2, statistic / 2))

    return p_value
