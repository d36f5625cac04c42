"""Look into a safetensors file before any of it is used: names, types and shapes only."""

import json
import math
from dataclasses import dataclass

_MOST_HEADER_BYTES = 5_000_000
_SIZES = {"F32": 4, "I64": 8}


@dataclass(frozen=True)
class TensorFacts:
    """What the header says of a tensor."""

    dtype: str
    shape: tuple[int, ...]


def read_header(data: bytes, name: str) -> dict[str, TensorFacts]:
    """Return what the file says it holds; raise ValueError if that cannot be, or is not all.

    The tensors must be float32 or int64, and lie one after the other from start to end.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        if len(data) < 8 or length > min(_MOST_HEADER_BYTES, len(data) - 8):
            raise ValueError("its header is longer than it should be")
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        facts = {}
        end = 0
        for key, each in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            shape = tuple(each["shape"])
            if not all(type(size) is int and size >= 0 for size in shape):
                raise ValueError("a shape is no shape")
            start, stop = each["data_offsets"]
            if start != end or stop - start != math.prod(shape) * _SIZES[each["dtype"]]:
                raise ValueError("its tensors do not fill it")
            end = stop
            facts[key] = TensorFacts(each["dtype"], shape)
        if end != len(data) - 8 - length:
            raise ValueError("its tensors do not fill it")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{name} is no file of weights: {error}.") from error
    return facts
