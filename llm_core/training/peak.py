"""How fast this machine multiplies matrices at best: what a training's speed is a share of."""

import time
from functools import cache

import torch

_SECONDS = 0.08
_SIZES = {"cpu": 512, "mps": 2048, "cuda": 4096}


def measure_peak(device: torch.device, precision: str) -> float:
    """Return the floating-point operations a second of the quickest of some large products.

    A product of two (n, n) matrices counts 2 n³, as in torch's FlopCounterMode. `precision` is
    "float32" or "bfloat16". It takes a tenth of a second, once a process and number of threads.
    """
    return _measured(device.type, precision, torch.get_num_threads())


@cache
def _measured(device: str, precision: str, _threads: int) -> float:
    size = _SIZES.get(device, 512)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    factors = [torch.ones(size, size, device=device, dtype=dtype) for _ in range(2)]
    best, began = float("inf"), time.perf_counter()
    with torch.inference_mode():
        _product(factors, device)  # the first one warms up
        while time.perf_counter() - began < _SECONDS:
            started = time.perf_counter()
            _product(factors, device)
            best = min(best, time.perf_counter() - started)
        if best == float("inf"):  # one product takes longer than all the time there is
            started = time.perf_counter()
            _product(factors, device)
            best = time.perf_counter() - started
    return float(f"{2 * size**3 / best:.4g}")


def _product(factors: list[torch.Tensor], device: str) -> None:
    result = factors[0] @ factors[1]
    if device != "cpu":
        float(result[0, 0])  # wait until it is there
