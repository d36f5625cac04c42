"""In which numbers to compute: 32 bits, or 16 where this very machine multiplies those faster."""

import contextlib
import time
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from llm_core.models.gpt import GPT
from llm_core.training.config import PRECISIONS

_WORTHWHILE = 1.15  # below that, noise could decide, and two equal runs would differ
_ROUNDS = 6


@contextlib.contextmanager
def compute_in(precision: str, device: torch.device) -> Iterator[None]:
    """Compute in "float32" or "bfloat16" inside; weights, their sums and losses stay 32 bits.

    bfloat16 has float32's range and 8 bits of its fraction ("A Study of BFLOAT16 for Deep
    Learning Training", 2019): enough for products, too coarse for adding up small changes.
    """
    if precision == "float32":
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.autocast(device.type, torch.bfloat16))
        if device.type == "cpu":
            # At these sizes the fused attention kernel is slow in 16 bits; plain products are not.
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        yield


def choose_precision(name: str, model: GPT, inputs: Tensor, targets: Tensor) -> str:
    """Return `name`, or for "auto" what trains faster here: it is measured, in a second or less.

    inputs and targets (B, T) are a batch as the run will read them. The model's weights stay as
    they are.
    """
    if name != "auto":
        return name
    device = inputs.device
    seconds: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for turn in range(_ROUNDS + 1):
        for precision in PRECISIONS:  # they take turns: a busy moment meets both
            started = time.perf_counter()
            try:
                with compute_in(precision, device):
                    loss = model(inputs, targets).loss
                loss.backward()
            except RuntimeError:  # this device has no such kernels
                return "float32"
            _wait_for(device)
            if turn:  # the first one warms up
                seconds[precision].append(time.perf_counter() - started)
    model.zero_grad(set_to_none=True)
    # The best times: what else goes on in the machine can only add to them.
    faster = min(seconds["float32"]) > _WORTHWHILE * min(seconds["bfloat16"])
    return "bfloat16" if faster else "float32"


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
