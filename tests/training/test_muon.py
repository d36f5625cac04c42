"""Muon against singular values by LAPACK, and against torch's own Muon."""

import pytest
import torch
from torch.optim import _muon as torchs

from llm_core.training import muon
from llm_core.training.muon import Muon, orthogonalize


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 16), (8, 24), (24, 8)])
@pytest.mark.parametrize("steps", [1, 3, 7])
def test_directions_stay_and_singular_values_follow_the_polynomials(shape, steps):
    matrices = random(5, *shape)
    left, values, right = torch.linalg.svd(matrices.double(), full_matrices=False)
    wanted = values / (1.01 * values.square().sum(dim=-1, keepdim=True).sqrt())
    for a, b, c in muon._COEFFICIENTS[:steps]:
        wanted = a * wanted + b * wanted**3 + c * wanted**5
    expected = left @ torch.diag_embed(wanted) @ right
    torch.testing.assert_close(orthogonalize(matrices, steps), expected.float(), atol=2e-5, rtol=0)


def test_seven_steps_make_a_matrix_orthogonal():
    change = orthogonalize(random(1, 8, 32), 7)[0]
    torch.testing.assert_close(change @ change.T, torch.eye(8), atol=4e-3, rtol=0)


def exactly(matrix):
    """The matrix whose singular values are all 1, with the same directions."""
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    return left @ right


def test_momentum_decay_and_rate_equal_torchs(monkeypatch):
    """With the same exact orthogonalisation in both, and q, k and v apart from each other."""
    monkeypatch.setattr(muon, "orthogonalize", lambda matrices, steps: exactly(matrices))
    monkeypatch.setattr(torchs, "_zeropower_via_newtonschulz", lambda grad, *_: exactly(grad))
    ours = [torch.nn.Parameter(random(*shape)) for shape in ((24, 8), (8, 8), (32, 8), (8, 32))]
    three = [torch.nn.Parameter(part.clone()) for part in ours[0].detach().split(8)]
    theirs = [*three, *(torch.nn.Parameter(each.detach().clone()) for each in ours[1:])]
    settings = {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.2}
    optimizer = Muon(ours, newton_schulz_steps=3, **settings)
    reference = torch.optim.Muon(theirs, nesterov=True, **settings)
    for step in range(3):
        gradients = [random(*each.shape, seed=10 * step + n) for n, each in enumerate(ours)]
        for parameter, gradient in zip(ours, gradients, strict=True):
            parameter.grad = gradient.clone()
        for parameter, gradient in zip(
            theirs, [*gradients[0].split(8), *gradients[1:]], strict=True
        ):
            parameter.grad = gradient.clone()
        optimizer.step()
        reference.step()
    joined = [torch.cat(theirs[:3]), *theirs[3:]]
    for parameter, expected in zip(ours, joined, strict=True):
        torch.testing.assert_close(parameter, expected, atol=1e-5, rtol=1e-5)
