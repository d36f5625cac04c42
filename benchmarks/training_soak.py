"""Thirty short runs from ten visitors through one queue: none lost, no orphan, no growing memory.

python benchmarks/training_soak.py [--runs 30] [--visitors 10]

It plays what the sandbox does, without a browser: each visitor keeps asking for runs, polls them
every second as the page does, stops some, deletes some and leaves some. At the end every run must
have ended as it should, no worker may be left, and this process (the server, in the app) may have
grown by 50 MB at most after the first five runs. Exits with status 1 if not.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.training.config import RunConfig
from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import OWN_TEXT, Run, RunState, RunStore

TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 200
MOST_GROWTH_MB = 50


def run_config(steps: int) -> RunConfig:
    """Return a run of a few seconds."""
    return RunConfig(
        text_path=OWN_TEXT,
        model={"n_layers": 1, "n_heads": 2, "d_model": 32, "context_length": 16, "bias": False},
        steps=steps,
        batch_size=8,
        log_interval=5,
        eval_interval=50,
        sample_interval=100,
        sample_tokens=20,
        checkpoint_interval=50,
        device="cpu",
    )


def visit(queue: RunQueue, name: str, count: int, outcomes: list[str]) -> None:
    """One visitor: ask for `count` runs, one after the other, and watch each to its end."""
    draw = random.Random(name)
    for number in range(count):
        run = queue.launch(
            run_config(draw.choice([100, 200])), owner=name, title=f"{name} {number}", text=TEXT
        )
        outcomes.append(watch(queue, run, name, stops=draw.random() < 0.2))


def watch(queue: RunQueue, run: Run, name: str, *, stops: bool) -> str:
    """Poll the run as the page does, and return how it ended, or what was wrong."""
    asked = False
    while True:
        queue.renew(name)
        now = queue.store.get(run.id)
        if now is None:
            return "lost"
        now = queue.check(now)
        queue.store.curves(run.id)
        queue.places()
        if stops and not asked and now.state is RunState.RUNNING and now.step > 20:
            queue.stop(now, by=name)
            asked = True
        if not now.active:
            if now.state is RunState.DONE and now.step == now.config.steps:
                return "done"
            return "stopped" if asked and now.state is RunState.STOPPED else f"wrong: {now}"
        time.sleep(1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--visitors", type=int, default=10)
    options = parser.parse_args()
    process, outcomes = psutil.Process(), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        queue = RunQueue(RunStore(Path(folder)), Limits())
        started = time.monotonic()
        visitors = [
            threading.Thread(
                target=visit, args=(queue, f"visitor {index}", share, outcomes), daemon=True
            )
            for index, share in enumerate(shares(options.runs, options.visitors))
        ]
        for visitor in visitors:
            visitor.start()
        early = 0.0
        while any(visitor.is_alive() for visitor in visitors):
            time.sleep(1.0)
            if not early and len(outcomes) >= 5:
                early = process.memory_info().rss / 1e6
        seconds = time.monotonic() - started
        grown = process.memory_info().rss / 1e6 - early
        queue.close()
        orphans = process.children(recursive=True)
        wrong = [each for each in outcomes if each not in ("done", "stopped")]
        lost = options.runs - len(outcomes)
        print(
            f"{len(outcomes)} runs of {options.visitors} visitors in {seconds:.0f} s, "
            f"{queue.limits.workers} at a time: {outcomes.count('done')} done, "
            f"{outcomes.count('stopped')} stopped, {lost} lost, {len(wrong)} wrong, "
            f"{len(orphans)} orphans; memory grew by {grown:.1f} MB"
        )
        for each in wrong:
            print(each)
    sys.exit(bool(wrong or lost or orphans or grown > MOST_GROWTH_MB))


def shares(runs: int, visitors: int) -> list[int]:
    """Divide the runs among the visitors, as evenly as may be."""
    return [runs // visitors + (index < runs % visitors) for index in range(visitors)]


if __name__ == "__main__":
    main()
