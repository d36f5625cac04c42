"""Optimizers, and which weights each setting reaches."""

from typing import Any

import torch
from torch import nn

from llm_core.training.recipes import Recipe


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's parameters in two: matrices are decayed, vectors are not.

    Pulling a matrix towards 0 keeps it from leaning on few inputs. A bias or a norm's scale is
    no such map: decay would only shift it. Follows GPT-2's and nanoGPT's practice.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def adamw(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW with decoupled weight decay on matrices only ("Decoupled Weight Decay", 2017).

    The fused kernel does a whole update in one pass over each tensor.
    """
    return torch.optim.AdamW(
        decay_groups(model, recipe.weight_decay),
        lr=recipe.learning_rate,
        betas=(recipe.beta1, recipe.beta2),
        fused=True,
    )
