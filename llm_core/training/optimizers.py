"""Optimizers, and which weights each setting reaches."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from llm_core.training.muon import Muon
from llm_core.training.recipes import Recipe


def build_optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Return the recipe's optimizers: AdamW alone, or Muon for the matrices inside the blocks too.

    Every group of theirs has its own "peak" learning rate. Token and position tables are no maps
    from vectors to vectors, so they stay AdamW's.
    """
    inside = {
        id(parameter)
        for name, parameter in model.named_parameters()
        if parameter.ndim == 2 and name.startswith("blocks.") and recipe.matrix_optimizer == "muon"
    }
    others = [each for each in model.parameters() if id(each) not in inside]
    optimizers: list[torch.optim.Optimizer] = [adamw(others, recipe)]
    if inside:
        muon = Muon(
            [each for each in model.parameters() if id(each) in inside],
            lr=recipe.matrix_learning_rate,
            momentum=recipe.momentum,
            newton_schulz_steps=recipe.newton_schulz_steps,
            weight_decay=recipe.weight_decay,
        )
        optimizers.append(muon)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Split parameters in two: matrices are decayed, vectors are not.

    Pulling a matrix towards 0 keeps it from leaning on few inputs. A bias or a norm's scale is
    no such map: decay would only shift it. Follows GPT-2's and nanoGPT's practice.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim >= 2]
    vectors = [parameter for parameter in trained if parameter.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def adamw(parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.AdamW:
    """AdamW with decoupled weight decay on matrices only ("Decoupled Weight Decay", 2017).

    The fused kernel does a whole update in one pass over each tensor.
    """
    return torch.optim.AdamW(
        decay_groups(parameters, recipe.weight_decay),
        lr=recipe.learning_rate,
        betas=(recipe.beta1, recipe.beta2),
        fused=True,
    )
