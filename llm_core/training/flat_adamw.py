"""AdamW in a few lines, with all weights in one row: for tiny models that train inside a page."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters


class FlatAdamW:
    """AdamW ("Decoupled Weight Decay", 2017) on all weights of a tiny model as one vector.

    `torch.optim` is quicker for large models, and imports 800 modules at its first step: seconds,
    and 80 MB, that a server has to spare for a training of its own but not for one on a page. Here
    a step is a dozen operations on one vector, however many tensors the model has.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        self.parameters = list(parameters)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.steps = 0
        size = sum(parameter.numel() for parameter in self.parameters)
        self.mean = torch.zeros(size)  # of gradients, lately
        self.square = torch.zeros(size)  # of their squares

    @torch.no_grad()
    def step(self, learning_rate: float, *, clip_norm: float | None = None) -> None:
        """Change all weights by their gradients, and forget these.

        With `clip_norm`, a whole gradient longer than that is shortened to it.
        """
        gradient = torch.cat([_gradient(parameter).flatten() for parameter in self.parameters])
        if clip_norm is not None:
            gradient *= (clip_norm / (gradient.norm() + 1e-6)).clamp(max=1.0)
        self.steps += 1
        slow, slower = self.betas
        self.mean.lerp_(gradient, 1 - slow)
        self.square.lerp_(gradient.square(), 1 - slower)
        mean = self.mean / (1 - slow**self.steps)  # both start at 0, which is made up for
        square = self.square / (1 - slower**self.steps)
        weights = parameters_to_vector(self.parameters)
        weights *= 1 - learning_rate * self.weight_decay
        weights -= learning_rate * mean / (square.sqrt() + self.eps)
        vector_to_parameters(weights, self.parameters)
        for parameter in self.parameters:
            parameter.grad = None


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
