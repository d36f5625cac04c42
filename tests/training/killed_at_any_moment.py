"""Train in a child process, kill it again and again, and let it go on: python FILE CONFIG OUT SEED.

torch is imported once, before any child is forked, so that a life costs milliseconds. A life's
losses go into OUT/N/losses as they come. A new run N begins until 20 kills have struck; then the
last one is let live to its end. Prints how many runs there were.
"""

import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.config import RunConfig
from llm_core.training.events import StepEvent
from llm_core.training.loop import train

KILLS = 20


def live(config: RunConfig, out: Path) -> None:
    resume = out if list_checkpoints(out) else None
    with (out / "losses").open("a", buffering=1) as file:
        for event in train(config, resume=resume, out=out):
            if isinstance(event, StepEvent):
                file.write(f"{event.step} {event.loss.hex()}\n")


def main() -> None:
    torch.set_num_threads(1)
    config, out = RunConfig.load(Path(sys.argv[1])), Path(sys.argv[2])
    draw = random.Random(int(sys.argv[3]))
    kills = runs = 0
    while kills < KILLS:
        folder = out / str(runs)
        folder.mkdir(parents=True)
        while killed(folder, config, draw.uniform(0.0, 0.2) if kills < KILLS else None):
            kills += 1
        runs += 1
    print(runs)


def killed(folder: Path, config: RunConfig, seconds: float | None) -> bool:
    """Let the run live for `seconds`, or to its end; return whether it was killed."""
    child = os.fork()
    if child == 0:
        live(config, folder)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


main()
