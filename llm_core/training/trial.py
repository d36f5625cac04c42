"""How long will it take? A few real steps of a run, in a process of its own, tell.

python -m llm_core.training.trial < config.json
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TextIO

import psutil

from llm_core.training.config import RunConfig
from llm_core.training.limits import Limits
from llm_core.training.worker_process import NICENESS

_WARM_UP = 3  # the very first steps are slower than all others
_STEPS = 20
_LEAST_SECONDS = 1.5  # of measured steps: what else the machine does comes in bursts
_ENOUGH_SECONDS = 6.0  # of measured steps: slow models need not make twenty
_MOST_SECONDS = 120.0
_ROOT = Path(__file__).parents[2]
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Trial:
    """What was measured, in seconds: until it was ready, a step, an evaluation, a sample, a save.

    steps: how many were measured; windows: of the whole validation split; tokens: of the text.
    """

    start: float
    step: float
    evaluation: float
    sample: float
    steps: int
    save: float = 0.0
    parameters: int = 0
    vocab_size: int = 0
    tokens: int = 0
    windows: int = 0

    def seconds(self, config: RunConfig) -> float:
        """Return how long the whole run will take on a machine as busy as it was then.

        A loss to stop at is left out: nobody knows when it will be reached.
        """
        steps = config.steps
        if config.stop_minutes is not None:
            steps = min(steps, max(1, int(60 * config.stop_minutes / self.step)))
        total = self.start + steps * self.step
        total += self._evaluations(config, steps) * self.evaluation
        if config.sample_interval:
            total += (1 + steps // config.sample_interval) * self.sample
        if config.checkpoint_interval:
            total += (1 + steps // config.checkpoint_interval) * self.save
        return total

    def _evaluations(self, config: RunConfig, steps: int) -> float:
        """How many evaluations of the usual size there are: the last one may be larger."""
        final = 1.0
        usual = self._windows(config.eval_windows)
        if usual:
            final = self._windows(config.final_eval_windows) / usual or 1.0
        if not config.eval_interval:
            return final
        return (steps - 1) // config.eval_interval + 1 + final

    def _windows(self, most: int | None) -> int:
        if most is None or not self.windows:
            return most or self.windows
        return min(most, self.windows)


def try_out(config: RunConfig, text: str | None, folder: Path, limits: Limits) -> Trial:
    """Measure a run in a process of its own; ValueError, in a sentence, if it cannot be.

    text: the learner's own, if it is one; it is written into `folder` for a moment.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise ValueError("Another measurement is going on: try again in a few seconds.")
    path = folder / "trial.txt"
    try:
        given = config.to_json()
        if text is not None:
            path.write_text(text, encoding="utf-8", newline="\n")
            given = json.dumps(json.loads(given) | {"corpus": None, "text_path": str(path)})
        done = subprocess.run(
            [sys.executable, "-m", "llm_core.training.trial", str(limits.threads)],
            input=given,
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    except subprocess.TimeoutExpired as error:
        raise ValueError("The measurement took too long: take a smaller model.") from error
    except OSError as error:
        raise ValueError(f"It cannot be measured now: {error.strerror or error}.") from error
    finally:
        path.unlink(missing_ok=True)
        _one_at_a_time.release()
    if "step" not in answer:
        raise ValueError(str(answer.get("error", "The measurement ended without a result.")))
    return Trial(**answer)


def measure(config: RunConfig) -> Trial:
    """Begin the run here, take a few steps and say how long each part took."""
    from llm_core.training.events import CheckpointEvent, EvalEvent, SampleEvent, StartEvent
    from llm_core.training.loop import train

    start: StartEvent | None = None
    parts: dict[type, float] = {}  # of each kind of event, the first one's seconds
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        last = time.perf_counter()
        for event in train(config, out=Path(folder)):
            now = time.perf_counter()
            if isinstance(event, StartEvent):
                start = event
            if isinstance(event, StartEvent | EvalEvent | SampleEvent | CheckpointEvent):
                parts.setdefault(type(event), now - last)
            else:
                seconds.append(now - last)
            last = now
            if _enough(seconds[_WARM_UP:]):
                break
    assert start is not None
    # The mean, as what else the machine does will slow the run just so.
    measured = seconds[_WARM_UP:] or seconds
    context_length = config.transformer(start.vocab_size).context_length
    return Trial(
        start=parts[StartEvent],
        step=sum(measured) / len(measured),
        evaluation=parts.get(EvalEvent, 0.0),
        sample=parts.get(SampleEvent, 0.0),
        steps=len(measured),
        save=parts.get(CheckpointEvent, 0.0),
        parameters=start.parameters,
        vocab_size=start.vocab_size,
        tokens=start.train_tokens + start.validation_tokens,
        windows=-(-(start.validation_tokens - 1) // context_length),
    )


def _enough(measured: list[float]) -> bool:
    """Whether so many seconds of steps tell how long a step takes."""
    total = sum(measured)
    many = len(measured) >= _STEPS and total > _LEAST_SECONDS
    return many or (len(measured) > 1 and total > _ENOUGH_SECONDS)


def main(source: TextIO) -> None:
    """Measure the run whose config `source` holds, and print one line of JSON."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # as the run itself will step back behind everything else
    import torch

    import llm_core.training.loop  # noqa: F401

    torch.set_num_threads(int(sys.argv[1]))
    begun = time.time() - psutil.Process().create_time()  # Python and torch take their time too
    try:
        trial = measure(RunConfig.from_json(source.read()))
        answer = asdict(replace(trial, start=trial.start + begun))
    except (ValueError, RuntimeError, OSError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.stdin)
