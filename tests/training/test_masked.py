import math

import pytest
import torch

from llm_core.models.config import TransformerConfig
from llm_core.training.masked import (
    MaskedScore,
    MaskedSettings,
    MaskedStep,
    score_masked,
    train_masked,
)
from llm_core.training.recipes import RECIPES

VOCAB = 12
CONFIG = TransformerConfig(
    kind="encoder",
    vocab_size=VOCAB + 1,
    context_length=16,
    d_model=32,
    n_layers=1,
    n_heads=2,
    mlm_head=True,
    **RECIPES["modern"].model,
)


@pytest.fixture(scope="module")
def ids():
    """Pairs of a random token below 6 and the same plus 6: the first is known from the second."""
    drawn = torch.randint(VOCAB // 2, (3000,), generator=torch.Generator().manual_seed(1))
    return torch.stack([drawn, drawn + VOCAB // 2], dim=1).flatten()


def run(ids, steps, **changes):
    settings = MaskedSettings(steps=steps, score_interval=steps, score_windows=64, **changes)
    return settings, list(train_masked(CONFIG, settings, ids[:5000], ids[5000:]))


def test_it_learns_to_look_at_both_sides(ids):
    settings, events = run(ids, 150)
    steps = [event for _, event in events if isinstance(event, MaskedStep)]
    (score,) = [event for _, event in events if isinstance(event, MaskedScore)]
    assert [each.step for each in steps] == list(range(1, 151))
    assert steps[0].loss == pytest.approx(math.log(VOCAB + 1), rel=0.1)
    # Who looks to the left alone finds the second of a pair, and one in six of the first ones.
    assert score.right > 0.75
    model = events[-1][0]
    again = score_masked(model, settings, ids[5000:], step=150)
    assert again == score


def test_one_seed_one_result(ids):
    def losses(seed):
        return [e.loss for _, e in run(ids, 4, seed=seed)[1] if isinstance(e, MaskedStep)]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)
