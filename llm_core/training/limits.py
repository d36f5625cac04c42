"""What a visitor may ask of this machine: nothing is set on one's own, a hosted demo sets it.

Every limit can be given as an environment variable, INSIDE_LLMS_ and its name in capitals:
INSIDE_LLMS_MAX_STEPS=5000. INSIDE_LLMS_HOSTED=1 sets those of a demo on a small shared machine.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from llm_core.training.config import RunConfig
from llm_core.training.machine import cores, free_memory
from llm_core.training.memory import estimate_memory

_WORKER_BYTES = 600_000_000  # what a worker with a small model takes, with some room
_LEAST_LEASE = 90  # seconds: browsers let hidden tabs speak once a minute


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is allowed; None is no limit. A visitor's own: runs, waiting.

    workers: runs that train at once; threads: of each; lease_seconds: how long a visitor who is
    not seen keeps places in the queue.
    """

    max_parameters: int | None = None
    max_steps: int | None = None
    max_minutes: int | None = None
    max_runs: int | None = None
    max_waiting: int | None = None
    max_upload_mb: int = 100
    max_disk_mb: int | None = None
    max_memory_mb: int | None = None
    workers: int = 0
    threads: int = 0
    lease_seconds: int = 120

    def __post_init__(self) -> None:
        workers = self.workers or max(1, min(cores(), free_memory() // _WORKER_BYTES))
        object.__setattr__(self, "workers", workers)
        object.__setattr__(self, "threads", self.threads or max(1, cores() // workers))
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 1:
                raise ValueError(f"{field.name} must be at least 1, not {value}.")
        if self.lease_seconds < _LEAST_LEASE:
            raise ValueError(
                f"lease_seconds must be at least {_LEAST_LEASE}: hidden tabs are slow."
            )

    def check_run(
        self, config: RunConfig, *, parameters: int, vocab_size: int, free: int | None = None
    ) -> None:
        """Raise ValueError, with the number that is allowed, for a run that asks for too much.

        `free` is the memory in bytes that may be taken; it is measured unless given.
        """
        _refuse("parameters", parameters, self.max_parameters, "take a smaller model")
        self.check_steps(config.steps)
        needed = estimate_memory(config, parameters=parameters, vocab_size=vocab_size)
        free = free_memory() if free is None else free
        allowed = min(free, self.max_memory_mb * 10**6) if self.max_memory_mb else free
        if needed > allowed and config.device in ("auto", "cpu"):
            raise ValueError(
                f"This run would need about {needed / 1e9:,.1f} GB of memory, and "
                f"{allowed / 1e9:,.1f} GB can be had here: take a smaller model, context or batch."
            )

    def check_steps(self, steps: int) -> None:
        """Raise ValueError for a run of more steps than are allowed."""
        _refuse("steps", steps, self.max_steps, "train for fewer")

    def check_visitor(self, *, runs: int, waiting: int) -> None:
        """Raise ValueError if a visitor with so many runs, some of them waiting, asks for more."""
        _refuse("runs kept", runs + 1, self.max_runs, "delete one first")
        _refuse("runs in the queue", waiting + 1, self.max_waiting, "wait until one has begun")

    def check_disk(self, used_bytes: int) -> None:
        """Raise ValueError if no more may be stored."""
        if self.max_disk_mb is not None and used_bytes > self.max_disk_mb * 10**6:
            raise ValueError(
                f"The runs here fill {used_bytes / 1e6:,.0f} MB, and {self.max_disk_mb:,} MB are "
                "allowed: some must be deleted first."
            )

    def check_upload(self, size: int) -> None:
        """Raise ValueError for a file of more bytes than are allowed."""
        if size > self.max_upload_mb * 10**6:
            raise ValueError(
                f"The file has {size / 1e6:,.1f} MB, and {self.max_upload_mb:,} MB are allowed."
            )

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables that say the same, for a worker."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {_variable(name): str(value or "") for name, value in given.items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Limits":
        """Read the limits from environment variables; ValueError for one that is no number."""
        environment = os.environ if environment is None else environment
        limits = HOSTED if environment.get("INSIDE_LLMS_HOSTED", "0") not in ("", "0") else cls()
        given = {}
        for field in fields(cls):
            name = _variable(field.name)
            if value := environment.get(name):
                if not value.isdecimal():
                    raise ValueError(f"{name} must be a whole number, not {value!r}.")
                given[field.name] = int(value)
        return replace(limits, **given)


def _variable(name: str) -> str:
    return f"INSIDE_LLMS_{name.upper()}"


def _refuse(what: str, asked: int, allowed: int | None, advice: str) -> None:
    if allowed is not None and asked > allowed:
        raise ValueError(
            f"That makes {asked:,} {what}, and {allowed:,} are allowed here: {advice}."
        )


HOSTED = Limits(
    max_parameters=3_000_000,
    max_steps=5_000,
    max_minutes=15,
    max_runs=10,
    max_waiting=2,
    max_upload_mb=20,
    max_disk_mb=2_000,
    max_memory_mb=1_500,
)
