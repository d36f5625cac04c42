"""Read GGUF files, in which llama.cpp keeps models: facts, a list of tensors, the tensors.

The `gguf` package knows how numbers are packed in tensors. Its own reader makes an array of every
token of a vocabulary, which takes seconds and 170 MB: the head of a file is read here.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from gguf import GGMLQuantizationType, dequantize, quant_shape_to_byte_shape
from numpy.typing import DTypeLike
from torch import Tensor

_MAGIC, _VERSION = b"GGUF", 3
_NUMBERS: dict[int, str] = {
    0: "<u1",
    1: "<i1",
    2: "<u2",
    3: "<i2",
    4: "<u4",
    5: "<i4",
    6: "<f4",
    7: "?",
    10: "<u8",
    11: "<i8",
    12: "<f8",
}
_STRING, _LIST = 8, 9
_ALIGNMENT = 32  # bytes, unless the file says otherwise
_ROWS = 1024  # of a matrix that are unpacked at once: little memory beside what is kept


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that lies packed in a file."""

    path: Path
    offset: int  # of its first byte in the file
    kind: GGMLQuantizationType
    shape: tuple[int, ...]  # of its numbers

    def read_into(self, out: Tensor) -> None:
        """Unpack the numbers into `out`, float32 and of the same shape.

        A few rows at a time are read, and none mapped: a mapped file would count as memory.
        """
        plain = self.kind == GGMLQuantizationType.F32
        packed_type: DTypeLike = np.float32 if plain else np.uint8
        offset = self.offset
        for rows in torch.split(out, _ROWS):
            shape = tuple(rows.shape)
            if not plain:
                shape = quant_shape_to_byte_shape(shape, self.kind)
            count = int(np.prod(shape))
            packed = np.fromfile(self.path, packed_type, count, offset=offset).reshape(shape)
            rows.copy_(torch.from_numpy(dequantize(packed, self.kind)))
            offset += packed.nbytes


def read_gguf(path: Path) -> tuple[dict[str, Any], dict[str, StoredTensor]]:
    """Return a file's facts and its tensors, by name. Raises ValueError if it is no GGUF file."""
    with path.open("rb") as file:
        if file.read(4) != _MAGIC or _number(file, 4) != _VERSION:
            raise ValueError(f"{path.name} is no GGUF file of version {_VERSION}.")
        n_tensors, n_facts = _number(file, 10), _number(file, 10)
        facts = {_string(file): _value(file, _number(file, 4)) for _ in range(n_facts)}
        heads = [_tensor_head(file) for _ in range(n_tensors)]
        alignment = facts.get("general.alignment", _ALIGNMENT)
        start = -(-file.tell() // alignment) * alignment
    tensors = {
        name: StoredTensor(path, start + offset, kind, shape) for name, shape, kind, offset in heads
    }
    return facts, tensors


def _tensor_head(file: BinaryIO) -> tuple[str, tuple[int, ...], GGMLQuantizationType, int]:
    name = _string(file)
    sizes = [_number(file, 10) for _ in range(_number(file, 4))]
    kind = GGMLQuantizationType(_number(file, 4))
    return name, tuple(reversed(sizes)), kind, _number(file, 10)  # sizes: the innermost first


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind != _LIST:
        return _number(file, kind)
    kind, count = _number(file, 4), _number(file, 10)
    if kind in _NUMBERS:
        dtype = np.dtype(_NUMBERS[kind])
        return np.frombuffer(file.read(count * dtype.itemsize), dtype).tolist()
    return [_value(file, kind) for _ in range(count)]


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    return file.read(length).decode("utf-8")


def _number(file: BinaryIO, kind: int) -> Any:
    dtype = np.dtype(_NUMBERS[kind])
    return np.frombuffer(file.read(dtype.itemsize), dtype)[0].item()
