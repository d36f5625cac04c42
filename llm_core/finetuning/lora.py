"""LoRA: leave a matrix as it is, and learn a small change of it that is kept apart.

The change is a product of two thin matrices, (out, r) and (r, in), so it has few numbers, can be
saved by itself, and can be added into the matrix in the end, after which nothing is slower.
Follows "LoRA: Low-Rank Adaptation of Large Language Models" (Hu et al. 2021).
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TARGETS: Final = ("query_key_value", "output", "widen", "narrow")  # all matrices of a block


class LoRALinear(nn.Module):
    """A frozen linear layer and its low-rank change: x Wᵀ + b + (alpha / rank) · x downᵀ upᵀ."""

    def __init__(
        self,
        base: nn.Linear,
        *,
        rank: int,
        alpha: float,
        generator: torch.Generator | None = None,
    ) -> None:
        """Freeze `base` and add a change that is 0 at first: `down` is random, `up` is 0.

        Raises ValueError if the rank is not between 1 and the smaller side of the matrix.
        """
        super().__init__()
        wide, narrow = base.in_features, base.out_features
        if not 1 <= rank <= min(wide, narrow):
            raise ValueError(
                f"The rank of a change of a {narrow} × {wide} matrix lies between 1 and "
                f"{min(wide, narrow)}, not {rank}."
            )
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        bound = 1 / math.sqrt(wide)
        down = (2 * torch.rand(rank, wide, generator=generator) - 1) * bound
        self.down = nn.Parameter(down)
        self.up = nn.Parameter(torch.zeros(narrow, rank))

    @property
    def weight(self) -> Tensor:
        """The matrix with its change, (out, in)."""
        return self.base.weight + self.scale * self.up @ self.down

    @property
    def bias(self) -> Tensor | None:
        """The layer's bias, which is not changed."""
        return self.base.bias

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., in) to (..., out), through the matrix and past it."""
        found: Tensor = self.base(x)
        return found + self.scale * F.linear(F.linear(x, self.down), self.up)

    def merged(self) -> nn.Linear:
        """Return one linear layer that computes the same."""
        with torch.no_grad():
            self.base.weight.copy_(self.weight)
        return self.base


def add_lora(
    model: nn.Module,
    *,
    rank: int = 8,
    alpha: float = 16.0,
    targets: Sequence[str] = TARGETS,
    generator: torch.Generator | None = None,
) -> list[nn.Parameter]:
    """Freeze `model`, put LoRA around its layers called `targets`, and return what is trained.

    Raises ValueError if there is no such layer, or for a rank that does not fit.
    """
    model.requires_grad_(False)
    found = list(_linears(model, targets))
    if not found:
        raise ValueError(f"The model has no layers called {', '.join(targets)}.")
    for parent, name, layer in found:
        setattr(parent, name, LoRALinear(layer, rank=rank, alpha=alpha, generator=generator))
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def merge_lora(model: nn.Module) -> None:
    """Add every change into its matrix: afterwards the model is of plain layers again."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRALinear):
                setattr(parent, name, child.merged())


def adapter_state(model: nn.Module) -> dict[str, Tensor]:
    """Return the changes alone, by name: all that has to be kept of a fine-tuning."""
    return {
        name: parameter.detach().clone()
        for name, parameter in model.named_parameters()
        if name.endswith((".down", ".up"))
    }


def load_adapter(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Put changes that were kept into a model with LoRA; ValueError if they do not fit it."""
    own = {name: value for name, value in model.named_parameters() if name in state}
    if set(own) != set(state) or len(own) != len(adapter_state(model)):
        raise ValueError("These changes were made for a model with other layers.")
    with torch.no_grad():
        for name, parameter in own.items():
            if parameter.shape != state[name].shape:
                raise ValueError("These changes were made for another rank or another size.")
            parameter.copy_(state[name])


def _linears(
    model: nn.Module, targets: Sequence[str]
) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    for parent in model.modules():
        for name, child in parent.named_children():
            if name in targets and isinstance(child, nn.Linear):
                yield parent, name, child
