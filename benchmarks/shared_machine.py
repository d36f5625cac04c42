"""What runs, pages and visitors cost each other on one machine.

python benchmarks/shared_machine.py [--rounds 6] [--seconds 8]

*Page latency*: a slider of the data sampling lesson to its new picture (AppTest, in this process),
while two runs train in workers of their own, against the same with both workers halted, in turns.
*Watchers*: steps a second of one run while ten sessions watch it live, against nobody, in turns; a
session is a client of a real server that polls as a browser does, on this same machine, so that
what the clients themselves cost is counted, too. *Saving*: the share of a run's time that its
checkpoints take, as often as the page saves.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run from anywhere, without installing

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.app_latency import opened, other_value, server
from llm_core.training.config import RunConfig
from llm_core.training.events import CheckpointEvent
from llm_core.training.limits import Limits
from llm_core.training.loop import train
from llm_core.training.queue import RunQueue
from llm_core.training.runs import Run, RunState, RunStore
from pages.widgets.catalog import find_lesson

WATCHERS = 10
SHAPE = {"n_layers": 4, "n_heads": 4, "d_model": 128, "context_length": 64, "bias": False}
CONFIG = RunConfig(
    corpus="tiny_tales",
    model=SHAPE,
    steps=100_000,
    log_interval=50,
    eval_interval=0,
    checkpoint_interval=1000,
    device="cpu",
    precision="float32",
)


@contextlib.contextmanager
def training(folder: Path, count: int) -> Iterator[list[Run]]:
    """Let `count` runs train, each in a worker of its own; end them afterwards."""
    queue = RunQueue(RunStore(folder), Limits(workers=count))
    runs = [
        queue.launch(replace(CONFIG, seed=n), owner=f"visitor {n}", title=f"run {n}")
        for n in range(count)
    ]
    try:
        while not all(now(queue.store, run).state is RunState.RUNNING for run in runs):
            time.sleep(0.2)
        yield [now(queue.store, run) for run in runs]
    finally:
        queue.close()


def now(store: RunStore, run: Run) -> Run:
    """Return the run as it stands."""
    found = store.get(run.id)
    assert found is not None
    return found


def page_latency(folder: Path, rounds: int) -> None:
    """Print how much longer a slider takes while two runs train."""
    app = opened(find_lesson("data_sampling"))

    def moved() -> float:
        slider = app.slider(key="context")
        slider.set_value(other_value(slider))
        started = time.perf_counter()
        app.run()
        return 1000 * (time.perf_counter() - started)

    idle, busy = [], []
    with training(folder, 2) as runs:
        for _ in range(rounds):
            for times, sign in ((idle, signal.SIGSTOP), (busy, signal.SIGCONT)):
                for run in runs:
                    assert run.pid is not None
                    os.kill(run.pid, sign)
                time.sleep(0.5)
                moved()
                times += [moved() for _ in range(10)]
    ratio = statistics.median(busy) / statistics.median(idle)
    print(
        f"page latency: {statistics.median(idle):.0f} ms idle, {statistics.median(busy):.0f} ms "
        f"while two runs train: {ratio:.2f} x"
    )


async def watch(url: str, run: Run, until: float) -> int:
    """One session that looks at a run, and asks for news as often as the page says.

    Returns how many pictures of the run's curves came.
    """
    pictures = 0
    async with websockets.connect(
        url.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"], max_size=None
    ) as socket:
        asked = BackMsg()
        asked.rerun_script.page_name = "training_sandbox"
        asked.rerun_script.query_string = f"run={run.id}"
        await socket.send(asked.SerializeToString())
        polls: list[asyncio.Task[None]] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(until - time.monotonic()):
                while True:
                    message = ForwardMsg()
                    message.ParseFromString(await socket.recv())
                    element = message.delta.new_element.WhichOneof("type")
                    pictures += element == "bidi_component"
                    if message.WhichOneof("type") == "auto_rerun":
                        polls.append(asyncio.create_task(poll(socket, message.auto_rerun)))
        for task in polls:
            task.cancel()
    return pictures


async def poll(socket: Any, rerun: Any) -> None:
    """Run a fragment again at its interval."""
    while True:
        await asyncio.sleep(rerun.interval)
        message = BackMsg()
        message.rerun_script.fragment_id = rerun.fragment_id
        message.rerun_script.is_auto_rerun = True
        await socket.send(message.SerializeToString())


async def all_watch(url: str, run: Run, seconds: float) -> int:
    """Let all watchers look for so long; return how many pictures came to all of them."""
    until = time.monotonic() + seconds
    return sum(await asyncio.gather(*(watch(url, run, until) for _ in range(WATCHERS))))


def watchers(folder: Path, rounds: int, seconds: float) -> None:
    """Print how much slower a run is while ten sessions watch it."""
    alone, watched, pictures = [], [], 0
    with server(ROOT / "app.py", str(folder)) as (url, _), training(folder, 1) as (run,):
        store = RunStore(folder)
        for turn in range(rounds + 1):  # the first one warms the server up
            for speeds, busy in ((alone, False), (watched, True)):
                before, started = now(store, run).step, time.monotonic()
                if busy:
                    pictures = asyncio.run(all_watch(url, run, seconds))
                else:
                    time.sleep(seconds)
                steps = now(store, run).step - before
                if turn:
                    speeds.append(steps / (time.monotonic() - started))
    ratios = [one / other for one, other in zip(watched, alone, strict=True)]
    print(
        f"{WATCHERS} watchers: {statistics.median(alone):.0f} steps a second alone, "
        f"{statistics.median(watched):.0f} watched: {statistics.median(ratios):.2f} x "
        f"({pictures / WATCHERS / seconds:.1f} pictures a second each)"
    )


def saving(folder: Path) -> None:
    """Print the share of the time that a run of 1,000 steps, saved every 200, spends on it."""
    config = replace(CONFIG, steps=1000, checkpoint_interval=200)
    asked, saved = time.perf_counter(), 0.0
    started = asked
    for event in train(config, out=folder / "saving"):
        if isinstance(event, CheckpointEvent):
            saved += time.perf_counter() - asked
        asked = time.perf_counter()
    share = saved / (time.perf_counter() - started)
    print(f"saving: {share:.1%} of the time of 1,000 steps with 5 checkpoints")


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["INSIDE_LLMS_DATA"] = str(folder / "page")
        page_latency(folder / "latency", options.rounds)
        watchers(folder / "watchers", options.rounds, options.seconds)
        saving(folder)


if __name__ == "__main__":
    main()
