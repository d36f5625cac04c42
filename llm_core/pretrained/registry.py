"""Models that a server holds: each loaded once, shared by all, let go when memory is short.

Imports no torch until a model is asked for. What comes back is shared by everyone at once: read it,
and never change it. Who wants to train a model loads one of its own.
"""

import contextlib
import functools
import importlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from llm_core.pretrained.assets import Progress
from llm_core.pretrained.tiny import TUNED_FOLDER, snapshot_steps
from llm_core.pretrained.translator import translator_steps

BUDGET = "INSIDE_LLMS_MODEL_MEMORY"  # megabytes that all models together may take
_SHARE = 0.5  # of the machine's memory, unless the environment says otherwise
_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_MB = 1_000_000
OnProgress = Callable[[Progress], None] | None


@dataclass(frozen=True)
class Entry:
    """How a model is loaded, and the bytes that it then takes, roughly."""

    load: Callable[[OnProgress], Any]
    size: int


class Registry:
    """Holds models within a budget; those that nobody has asked for longest go first."""

    def __init__(self, entries: Mapping[str, Entry], *, budget: Callable[[], int]) -> None:
        """Take the models that can be asked for; `budget` says how many bytes all may take."""
        self.entries, self.budget = dict(entries), budget
        self._held: OrderedDict[str, Any] = OrderedDict()  # the longest unused first
        self._loading: set[str] = set()
        self._lock = threading.Lock()  # of the books, held for an instant only
        self._locks = {name: threading.Lock() for name in self.entries}  # one loads, others wait

    def load(self, name: str, *, on_progress: OnProgress = None) -> Any:
        """Return the model, loading it if it is not held; `on_progress` hears of a download.

        Raises ValueError for an unknown name, for a model that cannot be had, and if it would
        need more memory than there is for models.
        """
        if name not in self.entries:
            raise ValueError(f"There is no model {name!r}: choose of {', '.join(self.entries)}.")
        with self._locks[name]:
            with self._lock:
                if name in self._held:
                    self._held.move_to_end(name)
                    return self._held[name]
                self._make_room(name)
                self._loading.add(name)
            try:
                model = self.entries[name].load(on_progress)
                with self._lock:
                    self._held[name] = model
            finally:
                with self._lock:
                    self._loading.discard(name)
            return model

    def held(self) -> list[str]:
        """Return the names of the models in memory, the longest unused first."""
        with self._lock:
            return list(self._held)

    def release(self, name: str) -> None:
        """Let a model go; its memory is free once nobody uses it any more."""
        with self._lock:
            self._held.pop(name, None)

    def _make_room(self, name: str) -> None:
        """Let models go until this one fits beside the rest."""
        size, budget = self.entries[name].size, self.budget()
        if size > budget:
            raise ValueError(
                f"The model {name} takes {size // _MB} MB of memory, and this server has "
                f"{budget // _MB} MB for models. The environment variable {BUDGET} sets that."
            )
        while self._taken() + size > budget:
            if not self._held:
                raise ValueError("Other models are just being loaded: try again in a moment.")
            self._held.popitem(last=False)

    def _taken(self) -> int:
        return sum(self.entries[name].size for name in {*self._held, *self._loading})


def default_budget() -> int:
    """Return the bytes for models: what the environment says, or half of the machine's memory.

    Raises ValueError if the environment says no positive number of megabytes.
    """
    chosen = os.environ.get(BUDGET)
    if chosen is None:
        total = int(psutil.virtual_memory().total)
        with contextlib.suppress(OSError, ValueError):  # a container may have less
            total = min(total, int(_CONTAINER.read_text()))
        return int(_SHARE * total)
    try:
        megabytes = float(chosen)
    except ValueError:
        megabytes = 0.0
    if not 0 < megabytes < float("inf"):
        raise ValueError(f"{BUDGET} must be a number of megabytes above 0, not {chosen!r}.")
    return int(megabytes * _MB)


def _entry(module: str, function: str, megabytes: int) -> Entry:
    def load_it(on_progress: OnProgress) -> Any:
        return _shared(_function(module, function)(on_progress=on_progress))

    return Entry(load_it, megabytes * _MB)


def _snapshot(step: int | None, _: OnProgress) -> Any:
    return _shared(_function("tiny", "load_tiny")(step))


def _translator(step: int | None, _: OnProgress) -> Any:
    return _shared(_function("translator", "load_translator")(step))


def _tiny_encoder(_: OnProgress) -> Any:
    return _shared(_function("tiny_encoder", "load_tiny_encoder")())


def _tiny_instructions(_: OnProgress) -> Any:
    return _shared(_function("tiny", "load_tiny")(folder=TUNED_FOLDER))


def _function(module: str, function: str) -> Callable[..., Any]:
    """Find a loader when it is needed: its module imports torch."""
    found: Callable[..., Any] = getattr(
        importlib.import_module(f"llm_core.pretrained.{module}"), function
    )
    return found


def _shared(loaded: Any) -> Any:
    """Freeze the weights of what many read."""
    for part in loaded if isinstance(loaded, tuple) else (loaded,):
        if hasattr(part, "requires_grad_"):
            part.requires_grad_(False)
    return loaded


def _entries() -> dict[str, Entry]:
    """List the course's models: those that are fetched, and our own with their snapshots."""
    entries = {
        "smollm2": _entry("smollm2", "load_smollm2", 430),
        "minilm": _entry("minilm", "load_minilm", 110),
        "glove": _entry("glove", "load_glove", 90),
        "tiny": Entry(functools.partial(_snapshot, None), 5 * _MB),
        "tiny_instructions": Entry(_tiny_instructions, 5 * _MB),
        "tiny_encoder": Entry(_tiny_encoder, 5 * _MB),
        "translator": Entry(functools.partial(_translator, None), _MB),
    }
    for step in snapshot_steps():
        entries[f"tiny@{step}"] = Entry(functools.partial(_snapshot, step), 5 * _MB)
    for step in translator_steps():
        entries[f"translator@{step}"] = Entry(functools.partial(_translator, step), _MB)
    return entries


MODELS = Registry(_entries(), budget=default_budget)  # the server's one shelf


def load(name: str, *, on_progress: OnProgress = None) -> Any:
    """Return a shared model: smollm2, minilm, glove, tiny, tiny_encoder or translator.

    tiny@STEP and translator@STEP are their snapshots, tiny_instructions is the tiny GPT that was
    tuned. It is what `load_smollm2`, `load_minilm`, `load_glove`, `load_tiny`, `load_tiny_encoder`
    and `load_translator` return. Raises ValueError, as `Registry.load` does.
    """
    return MODELS.load(name, on_progress=on_progress)
