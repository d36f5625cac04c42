"""How long will it take? A few real steps of a run, in a process of its own, tell.

python -m llm_core.training.trial < config.json
"""

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TextIO

from llm_core.training.config import RunConfig
from llm_core.training.limits import Limits

_WARM_UP = 3  # the very first steps are slower than all others
_STEPS = 20
_ENOUGH_SECONDS = 6.0  # of measured steps: slow models need not make twenty
_MOST_SECONDS = 120.0
_ROOT = Path(__file__).parents[2]
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Trial:
    """What was measured, in seconds: until it was ready, a step, an evaluation, a sample."""

    start: float
    step: float
    evaluation: float
    sample: float
    steps: int

    def seconds(self, config: RunConfig) -> float:
        """Return how long the whole run will take on a machine as busy as it was then."""
        total = self.start + config.steps * self.step
        if config.eval_interval:
            total += (config.steps // config.eval_interval) * self.evaluation
        if config.eval_windows and config.final_eval_windows:
            total += self.evaluation * config.final_eval_windows / config.eval_windows
        if config.sample_interval:
            total += (1 + config.steps // config.sample_interval) * self.sample
        return total


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
    import time

    from llm_core.training.events import EvalEvent, SampleEvent, StartEvent, StepEvent
    from llm_core.training.loop import train

    begun = last = time.perf_counter()
    start = evaluation = sample = 0.0
    seconds: list[float] = []
    for event in train(config):
        now = time.perf_counter()
        match event:
            case StartEvent():
                start = now - begun
            case EvalEvent() if event.step == 0:
                evaluation = now - last
            case SampleEvent() if event.step == 0:
                sample = now - last
            case StepEvent():
                seconds.append(now - last)
        last = now
        measured = seconds[_WARM_UP:]
        if len(measured) >= _STEPS or (len(measured) > 1 and sum(measured) > _ENOUGH_SECONDS):
            break
    measured = seconds[_WARM_UP:] or seconds
    # The mean, as what else the machine does will slow the run just so; but no single hiccup.
    typical = [each for each in measured if each < 5 * median(measured)]
    return Trial(start, sum(typical) / len(typical), evaluation, sample, len(typical))


def main(source: TextIO) -> None:
    """Measure the run whose config `source` holds, and print one line of JSON."""
    import torch

    torch.set_num_threads(int(sys.argv[1]))
    try:
        answer = asdict(measure(RunConfig.from_json(source.read())))
    except (ValueError, RuntimeError, OSError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.stdin)
