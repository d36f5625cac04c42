"""The weights that a model starts with: random, but not anyhow."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from llm_core.models.config import TransformerConfig

# The matrices that write into the residual stream.
WRITERS = ("attention.output.weight", "feedforward.narrow.weight")


@torch.no_grad()
def initialise(
    model: nn.Module, config: TransformerConfig, generator: torch.Generator | None
) -> None:
    """Draw fresh weights by role from `generator` or, without one, torch's global one.

    - Matrices and tables: N(0, 0.02), as GPT-2 and BERT: small, so that at first no token is
      sure of anything, and the loss starts at that of a blind guess.
    - Where token embeddings are scaled by √d_model, the table is N(0, 1 / √d_model), so that
      scaled it is as large as the sinusoids that are added, and a matrix N(0, 1 / √inputs), so
      that what it puts out is as large again: with 0.02 a narrow model would whisper beside that
      stream, and learns next to nothing.
    - The matrices that write into a pre-norm residual stream: smaller by √(their number), so
      that the stream does not grow with the depth; or 0 with `zero_init_projections`: every
      block starts as doing nothing, and only adds what helps.
    - Norms at 1 and biases at 0: at first they do nothing.
    """
    names = [name for name, _ in model.named_parameters()]
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            if name.endswith("bias"):
                parameter.zero_()
            continue
        std = 0.02
        if config.scale_embeddings and name == "token_embedding.weight":
            std = config.d_model**-0.5
        elif config.scale_embeddings and isinstance(_owner(model, name), nn.Linear):
            std = parameter.shape[1] ** -0.5
        if name.endswith(WRITERS):
            if config.norm_placement == "pre":
                side = name.split("blocks")[0]  # of an encoder-decoder: each has its own stream
                std /= math.sqrt(sum(n.startswith(side) and n.endswith(WRITERS) for n in names))
            if config.zero_init_projections:
                std = 0.0
        parameter.normal_(std=std, generator=generator)


def _owner(model: nn.Module, name: str) -> nn.Module:
    return model.get_submodule(name.rpartition(".")[0])


@contextmanager
def without_weights() -> Iterator[None]:
    """Within, models are built on torch's meta device, without memory, to be filled from a file."""
    with torch.device("meta"), _NoDrawing():
        yield


class _NoDrawing(TorchFunctionMode):
    """Skips random starts: on the meta device they would first import 800 modules, 80 MB."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        if function.__name__ in ("normal_", "uniform_", "kaiming_uniform_"):
            return arguments[0] if arguments else (options or {})["tensor"]
        return function(*arguments, **(options or {}))
