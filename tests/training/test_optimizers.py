import math

import numpy as np
import pytest
import torch

from llm_core.models.config import preset
from llm_core.models.gpt import GPT
from llm_core.training.optimizers import adamw, decay_groups
from llm_core.training.recipes import Recipe
from llm_core.training.schedules import cosine_with_warmup, warmup_stable_decay

RECIPE = Recipe(name="test", learning_rate=0.01, weight_decay=0.3, beta1=0.8, beta2=0.95)


def model_with_gradients():
    model = GPT(
        preset("pico", vocab_size=11, bias=True), generator=torch.Generator().manual_seed(0)
    )
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return model


def test_two_steps_equal_torchs_adamw_and_the_papers_formula():
    ours, theirs, paper = (model_with_gradients() for _ in range(3))
    optimizer = adamw(ours.parameters(), RECIPE)
    # torch's reference implementation (no fused or foreach kernel), one tensor at a time.
    references = [
        torch.optim.AdamW(
            [parameter],
            lr=0.01,
            betas=(0.8, 0.95),
            weight_decay=0.0 if name.endswith("bias") or "norm" in name else 0.3,
            foreach=False,
            fused=False,
        )
        for name, parameter in theirs.named_parameters()
    ]
    first = {name: torch.zeros_like(p) for name, p in paper.named_parameters()}
    second = {name: torch.zeros_like(p) for name, p in paper.named_parameters()}
    for step in (1, 2):
        optimizer.step()
        for reference in references:
            reference.step()
        with torch.no_grad():
            for name, p in paper.named_parameters():
                first[name] = 0.8 * first[name] + 0.2 * p.grad
                second[name] = 0.95 * second[name] + 0.05 * p.grad**2
                decay = 0.0 if name.endswith("bias") or "norm" in name else 0.3
                p.mul_(1 - 0.01 * decay)
                rms = (second[name] / (1 - 0.95**step)).sqrt() + 1e-8
                p.sub_(0.01 * first[name] / (1 - 0.8**step) / rms)
    for name, tensor in ours.state_dict().items():
        torch.testing.assert_close(tensor, theirs.state_dict()[name], msg=name)
        torch.testing.assert_close(tensor, paper.state_dict()[name], atol=1e-6, rtol=1e-5)


def test_every_parameter_is_in_exactly_one_group():
    model = model_with_gradients()
    decayed, plain = decay_groups(model.parameters(), 0.1)
    assert decayed["weight_decay"] == 0.1
    assert plain["weight_decay"] == 0.0
    ids = [id(p) for group in (decayed, plain) for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in model.parameters())


def rate(step, steps=1000, warmup_steps=100):
    return cosine_with_warmup(
        step, steps=steps, peak=2.0, warmup_steps=warmup_steps, final_fraction=0.1
    )


def test_the_schedule_equals_torchs_schedulers():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=2.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=900, eta_min=0.2)
    assert rate(50) == pytest.approx(1.0)
    assert rate(100) == pytest.approx(2.0)
    for step in range(101, 1001):
        optimizer.step()
        cosine.step()
        assert rate(step) == pytest.approx(optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("steps", [1, 2, 5, 11, 50])
def test_a_short_run_still_has_a_rate_at_every_step(steps):
    rates = [rate(step, steps=steps) for step in range(1, steps + 1)]
    assert all(math.isfinite(each) and 0.2 - 1e-9 <= each <= 2.0 for each in rates)


def test_warm_up_stable_decay_is_three_straight_lines():
    steps = np.arange(1, 501)
    expected = np.interp(steps, [0, 50, 300, 500], [0.0, 1.0, 1.0, 0.1])
    found = [
        warmup_stable_decay(
            int(step), steps=500, warmup_steps=80, decay_share=0.4, final_fraction=0.1
        )
        for step in steps
    ]
    assert found == pytest.approx(expected)  # the warm-up was cut to a tenth of the run


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"final_fraction": 2.0},
        {"warmup_steps": -1},
        {"clip_norm": 0.0},
        {"beta1": 1.0},
    ],
)
def test_bad_settings_are_refused(change):
    with pytest.raises(ValueError, match=r"must"):
        Recipe(**({"name": "bad", "learning_rate": 0.1} | change))
