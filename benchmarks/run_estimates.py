"""What the sandbox says before a run, time and memory, against what the run then takes.

python benchmarks/run_estimates.py [--threads N]

Three settings as the page makes them are each measured by a trial, as the page's button does, and
then trained by a real worker from a queue, from the click to the end. Prints for each the estimate,
the truth and their ratio: time should lie within 25%, memory within a third. Memory is the peak of
the worker's resident set, which the system keeps (Linux only).
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import PRESETS
from llm_core.training.config import RunConfig
from llm_core.training.limits import Limits
from llm_core.training.memory import estimate_memory
from llm_core.training.queue import RunQueue
from llm_core.training.recipes import RECIPES
from llm_core.training.runs import Run, RunState, RunStore
from llm_core.training.trial import Trial, try_out

USUAL = {
    "corpus": "tiny_tales",
    "batch_size": 16,
    "precision": "float32",
    "sample_prompt": "Once upon a time",
    "sample_temperature": 0.5,
    "keep_checkpoints": 7,
    "final_eval_windows": 512,
}
SETTINGS = {
    "pico, classic, characters, 1000 steps": RunConfig(
        **USUAL, model=PRESETS["pico"], steps=1000, log_interval=5, eval_interval=50,
        sample_interval=80, checkpoint_interval=200,
    ),
    "nano, modern, characters, 500 steps": RunConfig(
        **USUAL, model=PRESETS["nano"], recipe=RECIPES["modern"], steps=500, log_interval=2,
        eval_interval=25, sample_interval=40, checkpoint_interval=100,
    ),
    "pico, classic, 2048 pairs, 2 batches a step, 200 steps": RunConfig(
        **USUAL, model=PRESETS["pico"], tokenizer="bpe", vocab_size=2048, accumulation=2,
        steps=200, log_interval=1, eval_interval=10, sample_interval=15, checkpoint_interval=100,
    ),
}  # fmt: skip


def peak_bytes(pid: int) -> int:
    """Return the largest resident set that a process has had so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def watch(queue: RunQueue, run: Run) -> tuple[float, int]:
    """Wait for a run's end; return seconds since it was launched, and its worker's peak."""
    peak = 0
    started = time.perf_counter()
    while run.active:
        time.sleep(0.1)
        run = queue.check(run)
        if run.pid is not None and psutil.pid_exists(run.pid):
            try:
                peak = max(peak, peak_bytes(run.pid))
            except OSError:
                continue
    if run.state is not RunState.DONE:
        raise RuntimeError(run.reason)
    return time.perf_counter() - started, peak


def main() -> None:
    """Print a line for each setting and quantity."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    limits = Limits(workers=1, threads=parser.parse_args().threads)
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        queue = RunQueue(store, limits)
        for name, config in SETTINGS.items():
            trial: Trial = try_out(config, None, store.folder, limits)
            assert trial.parameters == count_parameters(config.transformer(trial.vocab_size))
            memory = estimate_memory(
                config, parameters=trial.parameters, vocab_size=trial.vocab_size
            )
            seconds, peak = watch(queue, queue.launch(config, owner="me", title=name))
            expected = trial.seconds(config)
            print(f"{name}: time", end=" ")
            print(f"estimate={expected:.1f} s truth={seconds:.1f} s ratio={expected / seconds:.2f}")
            print(f"{name}: memory", end=" ")
            print(f"estimate={memory / 1e6:.0f} MB truth={peak / 1e6:.0f} MB", end=" ")
            print(f"ratio={memory / peak:.2f}", flush=True)
        queue.close()


if __name__ == "__main__":
    main()
