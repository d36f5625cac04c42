import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from llm_core.training.flat_adamw import FlatAdamW


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_it_takes_the_steps_of_torchs_adamw(weight_decay, clip_norm):
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.LayerNorm(7), nn.Linear(7, 3))
    theirs = copy.deepcopy(ours)
    settings = {"betas": (0.9, 0.98), "weight_decay": weight_decay}
    flat = FlatAdamW(ours.parameters(), **settings)
    torchs = torch.optim.AdamW(theirs.parameters(), lr=1.0, **settings)
    for step in range(20):
        x, rate = torch.randn(9, 5), 0.01 / (step + 1)
        ours(x).square().sum().backward()
        theirs(x).square().sum().backward()
        if clip_norm:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip_norm)
        flat.step(rate, clip_norm=clip_norm)
        torchs.param_groups[0]["lr"] = rate
        torchs.step()
        torchs.zero_grad()
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)
            assert a.grad is None


def test_a_weight_without_a_gradient_is_only_decayed():
    weight = nn.Parameter(torch.tensor([2.0]))
    FlatAdamW([weight], weight_decay=0.1).step(0.5)
    assert weight.item() == pytest.approx(2 * 0.95)


def test_a_training_does_not_import_torchs_compiler():
    code = (
        "import sys\n"
        "from llm_core.training.translation import TranslatorSettings, train_translator\n"
        "settings = TranslatorSettings(steps=1, batch_size=2, score_interval=1)\n"
        "list(train_translator(settings))\n"
        "sys.exit('torch._dynamo' in sys.modules or 'sympy' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
