"""Compute the vectors of many passages once, and keep them: stopped at any moment, it goes on.

A finished file holds a float16 for each number, and a checksum at its end. An unfinished one holds
whole batches, and perhaps a piece of the last, which is cut off. Imports no torch.
"""

import hashlib
import time
import zlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from llm_core.retrieval.chunks import Passages

Embed = Callable[[Sequence[str]], NDArray[np.floating]]  # texts to vectors (n, C)
BATCH = 32
KEPT_BYTES = 200_000_000  # of all kept files together; the longest unused go first
_CHECK = 4  # bytes of the checksum


@dataclass(frozen=True)
class Progress:
    """How far the computing is: passages done, of how many; those of now took `seconds`."""

    done: int
    total: int
    now: int
    seconds: float

    @property
    def remaining(self) -> float:
        """Seconds that the rest will take, at the speed of now."""
        return (self.total - self.done) * self.seconds / max(1, self.now)


class VectorFile:
    """The vectors (N, C) of passages in a folder, under a name made of the passages."""

    def __init__(self, folder: Path, passages: Passages, *, width: int, encoder: str) -> None:
        """Name the file by the passages and by the encoder; nothing is read or written yet."""
        name = hashlib.sha256(f"{encoder} {width} {passages.digest()}".encode()).hexdigest()[:32]
        self.path = folder / f"{name}.vectors"
        self._part = folder / f"{name}.part"
        self._passages, self._width, self._row = passages, width, 2 * width

    def done(self) -> int:
        """Return how many passages have their vectors here."""
        if self._is_finished():
            return len(self._passages)
        size = self._part.stat().st_size if self._part.exists() else 0
        return min(size // self._row, len(self._passages))

    def compute(self, embed: Embed) -> Generator[Progress, None, None]:
        """Compute what is missing, batch by batch; closing the generator keeps what is there.

        Raises ValueError if somebody else is at it, or if the folder cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path.with_suffix(".lock"), timeout=0, thread_local=False)
            lock.acquire()
        except Timeout as error:
            raise ValueError(
                "These passages are being indexed already, in another tab or by somebody else: "
                "look again in a moment."
            ) from error
        except OSError as error:
            raise ValueError(f"The folder {self.path.parent} cannot be written.") from error
        try:
            yield from self._go_on(embed)
        finally:
            lock.release()

    def read(self) -> NDArray[np.float32]:
        """Return all vectors; raise ValueError if they are not finished.

        A damaged file is removed, and its ValueError says so.
        """
        if not self._is_finished():
            raise ValueError("These passages are not indexed yet.")
        content = self.path.read_bytes()
        if zlib.crc32(content[:-_CHECK]) != int.from_bytes(content[-_CHECK:], "little"):
            self.path.unlink(missing_ok=True)
            raise ValueError("The stored index was damaged, and has been removed: make it anew.")
        self.path.touch()  # the longest unused goes first
        stored = np.frombuffer(content, dtype="<f2", count=len(self._passages) * self._width)
        return stored.reshape(-1, self._width).astype(np.float32)

    def _go_on(self, embed: Embed) -> Generator[Progress, None, None]:
        done, total = self.done(), len(self._passages)
        if self._is_finished():
            return
        first, started = done, time.perf_counter()
        with self._part.open("ab") as file:
            file.truncate(done * self._row)
            while done < total:
                batch = range(done, min(total, done + BATCH))
                vectors = np.asarray(embed([self._passages.text(index) for index in batch]))
                file.write(vectors.astype("<f2").tobytes())
                file.flush()
                done = batch.stop
                yield Progress(done, total, done - first, time.perf_counter() - started)
        self._finish()

    def _finish(self) -> None:
        with self._part.open("rb+") as file:
            check = zlib.crc32(file.read())
            file.write(check.to_bytes(_CHECK, "little"))
        self._part.replace(self.path)
        keep_within(self.path.parent, KEPT_BYTES, spare=self.path)

    def _is_finished(self) -> bool:
        size = len(self._passages) * self._row + _CHECK
        return self.path.exists() and self.path.stat().st_size == size


def keep_within(folder: Path, most: int, *, spare: Path) -> None:
    """Remove the vector files longest unused until they hold `most` bytes together."""
    found = [path for path in folder.iterdir() if path.suffix in {".vectors", ".part"}]
    found.sort(key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in found)
    for path in found:
        if total <= most:
            return
        if path != spare:
            total -= path.stat().st_size
            path.unlink(missing_ok=True)


def seconds_needed(passages: Passages, embed: Embed, *, count: int, sample: int = 8) -> float:
    """Estimate the seconds for `count` passages: by computing a few from all over the text."""
    places = np.linspace(0, len(passages) - 1, min(sample, len(passages))).astype(int)
    texts = [passages.text(int(place)) for place in places]
    embed(texts[:1])  # the first call of all also pays for setting up
    started = time.perf_counter()
    embed(texts)
    return (time.perf_counter() - started) / len(texts) * count
