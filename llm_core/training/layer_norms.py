"""How large the weights of each layer are, and how far a step moves them."""

import torch
from torch import Tensor, nn

from llm_core.training.events import LayerEvent

_DIGITS = 4  # that are kept: more would be noise, and travel to the browser


class LayerWatch:
    """Measures one step: call `before` it, and `after` it.

    It copies the weights for that, so it costs some passes over memory, and no matrix product.
    """

    def __init__(self, model: nn.Module, n_layers: int) -> None:
        """Sort the model's parameters into embeddings, `n_layers` layers and output."""
        self._count = n_layers + 2
        named = dict(model.named_parameters())
        self._parameters: list[Tensor] = list(named.values())
        places = [_place(name, n_layers) for name in named]
        self._places = torch.tensor(places, device=self._parameters[0].device)
        self._copies: list[Tensor] = []

    @torch.no_grad()
    def before(self) -> None:
        """Keep the weights as they are."""
        if not self._copies:
            self._copies = [torch.empty_like(each) for each in self._parameters]
        torch._foreach_copy_(self._copies, self._parameters)

    @torch.no_grad()
    def after(self, step: int) -> LayerEvent:
        """Return what the step since `before` came to."""
        torch._foreach_sub_(self._copies, self._parameters)
        moved, weights = self._by_layer(self._copies), self._by_layer(self._parameters)
        shares = [m / w if w else 0.0 for m, w in zip(moved, weights, strict=True)]
        return LayerEvent(step, tuple(map(_rounded, weights)), tuple(map(_rounded, shares)))

    def _by_layer(self, tensors: list[Tensor]) -> list[float]:
        """Norms of all numbers of a layer together, (L + 2,)."""
        squares = torch.stack(torch._foreach_norm(tensors)).float().square()
        total = torch.zeros(self._count, device=squares.device)
        found: list[float] = total.index_add_(0, self._places, squares).sqrt().tolist()
        return found


def _place(name: str, n_layers: int) -> int:
    if name.startswith("blocks."):
        return 1 + int(name.split(".")[1])
    return 0 if "embedding" in name or name.startswith("positions") else n_layers + 1


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
