"""What training would do to a token's vector, and why it could not do the same to its id."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_core.models.gpt import GPT


@dataclass(frozen=True)
class TableStep:
    """One step of plain gradient descent on the token tables, the rest of the model left alone.

    gradient (V, C): of the input table, which is the output table too where they are tied;
    output_gradient: of the output table where it is one of its own, else None; before, after: the
    probability of the target. The losses are the negative logarithms of those.
    """

    gradient: Tensor
    output_gradient: Tensor | None
    before: float
    after: float

    def rows_moved(self) -> Tensor:
        """Return the ids of the input table's rows that have moved at all."""
        return self.gradient.any(dim=1).nonzero()[:, 0]


def table_step(
    model: GPT, ids: Sequence[int], target: int, *, learning_rate: float, tied: bool
) -> TableStep:
    """Train one pair by one step: after ids (T,), `target` is to be likelier.

    tied: is the output table the input table, as in the model? If not, it begins as a copy of it.
    The model itself stays as it is.
    """
    table = model.token_embedding.weight.detach().clone().requires_grad_()
    output = table if tied else model.output_weight().detach().clone().requires_grad_()
    scale, rows = model.token_embedding.scale, torch.tensor([[*ids]])
    loss = _loss(model, scale * F.embedding(rows, table), output, target)[0]
    tables = (table,) if tied else (table, output)
    gradients = torch.autograd.grad(loss, tables)
    with torch.no_grad():
        for each, gradient in zip(tables, gradients, strict=True):
            each -= learning_rate * gradient
        later = _loss(model, scale * F.embedding(rows, table), output, target)[0]
    return TableStep(
        gradients[0],
        None if tied else gradients[1],
        float(torch.exp(-loss.detach())),
        float(torch.exp(-later)),
    )


@torch.no_grad()
def losses_of_ids(
    model: GPT, ids: Sequence[int], target: int, *, place: int, candidates: Sequence[int]
) -> Tensor:
    """Return the loss of `target` after ids (T,) with each candidate at `place` instead, (n,)."""
    rows = torch.tensor([*ids]).repeat(len(candidates), 1)
    rows[:, place] = torch.tensor([*candidates])
    return _loss(model, model.token_embedding(rows), model.output_weight(), target)


@dataclass(frozen=True)
class Descent:
    """The loss where a token's vector is moved straight against its gradient.

    distances (n,) from where it stands; losses (n,); slope: minus the gradient's length, which is
    how steeply the loss begins to fall.
    """

    distances: Tensor
    losses: Tensor
    slope: float


def descend_vector(
    model: GPT, ids: Sequence[int], target: int, *, place: int, distances: Sequence[float]
) -> Descent:
    """Move the vector at `place` of ids (T,), only there, and see what becomes of the loss."""
    vectors = model.token_embedding(torch.tensor([*ids])).detach()
    moving = vectors[place].clone().requires_grad_()
    text = torch.cat([vectors[:place], moving[None], vectors[place + 1 :]])
    output = model.output_weight().detach()
    (gradient,) = torch.autograd.grad(_loss(model, text[None], output, target)[0], moving)
    length = gradient.norm()
    steps = torch.tensor([*distances])
    with torch.no_grad():
        rows = vectors.repeat(len(steps), 1, 1)
        rows[:, place] -= steps[:, None] * gradient / length.clamp(min=1e-30)
        losses = _loss(model, rows, output, target)
    return Descent(steps, losses, -float(length))


def _loss(model: GPT, vectors: Tensor, output: Tensor, target: int) -> Tensor:
    """Return the loss of `target` after each text of token vectors (B, T, C): (B,)."""
    logits = F.linear(model.read(vectors)[:, -1], output)
    targets = torch.full((len(vectors),), target)
    return F.cross_entropy(logits, targets, reduction="none")
