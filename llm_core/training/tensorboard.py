"""Write a run's curves as an event file for TensorBoard. No library needed, and no torch.

The format is a few lines: records with a length and checksums around messages of protocol
buffers ("TFRecord", tensorflow/core/lib/io/record_writer.h; event.proto; summary.proto).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from llm_core.training.curves import Curves
from llm_core.training.events import layer_names

_POLYNOMIAL = 0x82F63B78  # CRC-32C, "Castagnoli", bits reversed


def event_file(curves: Curves, *, started: float) -> bytes:
    """Return the content of an event file; `started`: seconds since 1970."""
    records = [_record(_double(1, started) + _bytes(3, b"brain.Event:2"))]
    for seconds, step, tag, value in _scalars(curves):
        summary = _bytes(1, _bytes(1, tag.encode()) + _float(2, value))
        event = _double(1, started + seconds) + _varint_field(2, step) + _bytes(5, summary)
        records.append(_record(event))
    return b"".join(records)


def event_file_name(started: float) -> str:
    """Return a name by which TensorBoard knows what it is."""
    return f"events.out.tfevents.{int(started)}.inside-llms"


def write_events(curves: Curves, folder: Path, *, started: float) -> Path:
    """Write one event file below `folder` and return it; `started`: seconds since 1970."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / event_file_name(started)
    path.write_bytes(event_file(curves, started=started))
    return path


def _scalars(curves: Curves) -> Iterator[tuple[float, int, str, float]]:
    """Yield seconds since the start, step, name and value of everything that was measured."""
    seconds_at = {0: 0.0}
    for point in curves.points:
        seconds_at[point.step] = point.seconds
        yield point.seconds, point.step, "loss/train", point.loss
        yield point.seconds, point.step, "learning_rate", point.learning_rate
        yield point.seconds, point.step, "gradient_norm", point.gradient_norm
        yield point.seconds, point.step, "tokens_per_second", point.tokens_per_second
    for step, tag, value in _beside_steps(curves):
        yield seconds_at[max(known for known in seconds_at if known <= step)], step, tag, value


def _beside_steps(curves: Curves) -> Iterator[tuple[int, str, float]]:
    """Yield step, name and value of what is not measured with every point."""
    for evaluation in curves.evaluations:
        yield evaluation.step, "loss/validation", evaluation.loss
    for moved in curves.layers:
        for name, weights, update in zip(
            layer_names(len(moved.weights)), moved.weights, moved.updates, strict=True
        ):
            yield moved.step, f"weights/{name}", weights
            yield moved.step, f"updates/{name}", update
    for answers in curves.answers:
        yield answers.step, "right_answers", answers.right / answers.asked


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked_checksum(length) + data + _masked_checksum(data)


def _masked_checksum(data: bytes) -> bytes:
    """CRC-32C, turned and shifted, as the format wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _float(number: int, value: float) -> bytes:
    return _varint(number << 3 | 5) + struct.pack("<f", value)
