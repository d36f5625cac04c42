"""Muon: change a matrix in all its directions by the same amount, not in the loudest ones only.

Follows "Muon: An optimizer for hidden layers in neural networks" (Keller Jordan and others, 2024).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

# Coefficients of x ↦ a x + b x³ + c x⁵, one row a repetition: as few as three of them bring most
# x of 0 to 1 near 1. From "The Polar Express" (Amsel, Persson, Musco and Gower, 2025).
_COEFFICIENTS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
)
_MARGIN = 1.01  # rounding must not push a singular value above 1, where the curves run away


class Muon(torch.optim.Optimizer):
    """Momentum, then orthogonalisation: an update's singular values all become about 1.

    Takes matrices only. Equal shapes are orthogonalised together, in one batch of products:
    matrix by matrix, small ones would spend their time on calls.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float,
        newton_schulz_steps: int,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "newton_schulz_steps": newton_schulz_steps,
            "weight_decay": weight_decay,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Change every matrix that has a gradient (which is used up: it holds the update then)."""
        assert closure is None
        for group in self.param_groups:
            parameters = [each for each in group["params"] if each.grad is not None]
            for parameter in parameters:
                if not self.state[parameter]:
                    self.state[parameter]["momentum"] = torch.zeros_like(parameter)
            self._update(parameters, group)

    def _update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        momenta = [self.state[each]["momentum"] for each in parameters]
        updates = [each.grad for each in parameters if each.grad is not None]
        torch._foreach_lerp_(momenta, updates, 1 - group["momentum"])
        torch._foreach_lerp_(updates, momenta, group["momentum"])  # Nesterov: look one step ahead
        alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for parameter, update in zip(parameters, updates, strict=True):
            for weights, change in _pieces(parameter, update):
                alike[change.shape].append((weights, change))
        for shape, pieces in alike.items():
            stacked = torch.stack([change for _, change in pieces])
            changes = orthogonalize(stacked, group["newton_schulz_steps"])
            # A tall matrix makes its output longer by this, as a square one leaves it.
            factor = max(1.0, shape[0] / shape[1]) ** 0.5
            weights_of_shape = [each for each, _ in pieces]
            torch._foreach_mul_(weights_of_shape, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(
                weights_of_shape, list(changes.unbind()), alpha=-group["lr"] * factor
            )


def orthogonalize(matrices: Tensor, steps: int) -> Tensor:
    """Bring all singular values of matrices (N, R, C) to about 1, and leave their directions.

    Products do it, and no decomposition (Newton-Schulz). Three `steps` leave the values between
    almost 0 and 1.9, about 1 in the middle, which trains as well; seven bring all but the
    smallest within a thousandth of 1.
    """
    wide = matrices if matrices.shape[-2] <= matrices.shape[-1] else matrices.mT
    length: Tensor = torch.linalg.matrix_norm(
        wide, keepdim=True
    )  # none of the singular values is larger
    x: Tensor = wide / (_MARGIN * length + 1e-7)
    for step in range(steps):
        a, b, c = _COEFFICIENTS[min(step, len(_COEFFICIENTS) - 1)]
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x if wide is matrices else x.mT


def _pieces(parameter: Tensor, update: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    """Split queries, keys and values, which share one matrix (3C, C) but are three maps."""
    rows, columns = parameter.shape
    if rows == 3 * columns:
        return zip(torch.split(parameter, columns), torch.split(update, columns), strict=True)
    return [(parameter, update)]
