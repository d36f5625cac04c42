"""Run a model and look at what it computes on the way.

The names of what can be seen stand in `llm_core.layers.trace`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from llm_core.layers.trace import Edit, Trace


@torch.no_grad()
def trace_model(
    model: nn.Module,
    *inputs: Any,
    only: tuple[str, ...] = ("*",),
    edits: Mapping[str, Edit] | None = None,
    **options: Any,
) -> tuple[Any, Trace]:
    """Run `model` on `inputs` without dropout or gradients; return its output and the trace.

    `only` and `edits` are those of `Trace`; `options` go to the model. A model that is being
    trained goes on being so. Raises ValueError for an edit of what the model does not have.
    """
    trace = Trace(only=only, edits=edits)
    training = model.training
    model.eval()
    try:
        output = model(*inputs, trace=trace, **options)
    finally:
        model.train(training)
    if trace.unused_edits():
        raise ValueError(
            f"This model has nothing called {', '.join(sorted(trace.unused_edits()))}."
        )
    return output, trace
