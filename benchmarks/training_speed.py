"""Our training against nanoGPT's own code path on this machine: tokens per second, and loss.

python benchmarks/training_speed.py [--text FILE] [--rounds 8] [--steps 30] [--threads N] [--loss]

The baseline is in nanogpt_baseline.py: its small CPU model (4 layers, 4 heads, width 128, context
64, 12 windows a step) and its loop. The contenders take turns in this process, so that a drift of
the machine's speed meets all; ratios are of neighbouring turns, and their median counts. With
--loss, the baseline's 2,000 steps and the recipe *modern* are then trained in turns as well, the
latter only for as many steps as it takes to validate at 1.886 nats or better on tiny Shakespeare,
and the seconds of training are compared.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from benchmarks.nanogpt_baseline import BATCH, CONTEXT, HEADS, LAYERS, STEPS, WIDTH, Baseline
from llm_core.data.corpora import find_corpus
from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent, StartEvent, StepEvent
from llm_core.training.loop import train
from llm_core.training.recipes import RECIPES

TARGET = 1.886  # what nanoGPT's readme run reaches
MODERN_STEPS = 280


def run_config(path: str, recipe: str, precision: str, steps: int) -> RunConfig:
    """Return nanoGPT's small shape with one of our recipes, as the command line makes it."""
    shape = {"n_layers": LAYERS, "n_heads": HEADS, "d_model": WIDTH, "context_length": CONTEXT}
    return RunConfig(
        text_path=path,
        model=shape | {"bias": False},
        recipe=RECIPES[recipe],
        precision=precision,
        steps=steps,
        batch_size=BATCH,
        eval_interval=0,
        device="cpu",
    )


def our_steps(config: RunConfig, found: dict[str, object] | None = None) -> Iterator[float]:
    """Yield the seconds of each of our steps; note what else the loop tells in `found`."""
    before = 0.0
    for event in train(config):
        if isinstance(event, StepEvent):
            yield event.seconds - before
            before = event.seconds
        elif found is not None:
            found[type(event).__name__] = event


def compare_speed(path: Path, rounds: int, steps: int) -> None:
    """Print tokens per second of all, and the ratios to the baseline turn by turn."""
    total = (rounds + 1) * steps + 1
    found: dict[str, dict[str, object]] = {}
    loops = {"nanoGPT's path": Baseline(path.read_text(encoding="utf-8")).steps(total)}
    for recipe, precision in itertools.product(("classic", "modern"), ("float32", "auto")):
        name = f"{recipe}, {precision}"
        found[name] = {}
        loops[name] = our_steps(run_config(str(path), recipe, precision, total), found[name])
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(rounds + 1):
        for name, loop in loops.items():
            taken = sum(itertools.islice(loop, steps))
            if turn:  # the first one warms up
                seconds[name].append(taken)
    baseline = seconds["nanoGPT's path"]
    for name, each in seconds.items():
        speed = steps * BATCH * CONTEXT / statistics.median(each)
        ratios = [a / b for a, b in zip(baseline, each, strict=True)]
        start = found.get(name, {}).get("StartEvent")
        chosen = f" ({start.precision})" if isinstance(start, StartEvent) else ""
        print(
            f"{name}{chosen}: {speed:,.0f} tokens per second, {statistics.median(ratios):.2f} x "
            f"nanoGPT's (turns: {min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


def compare_loss(path: Path, seed: int) -> None:
    """Train both to the end in turns; print losses, and the share of the baseline's seconds."""
    baseline = Baseline(path.read_text(encoding="utf-8"), seed=seed)
    config = replace(run_config(str(path), "modern", "auto", MODERN_STEPS), seed=seed)
    found: dict[str, object] = {}
    ours, theirs = our_steps(config, found), baseline.steps()
    seconds = [0.0, 0.0]
    for _ in range(20):  # parts of both runs take turns
        seconds[0] += sum(itertools.islice(theirs, STEPS // 20))
        seconds[1] += sum(itertools.islice(ours, MODERN_STEPS // 20))
    next(ours, None)  # lets the last evaluation happen
    start, last = found["StartEvent"], found["EvalEvent"]
    assert isinstance(start, StartEvent)
    assert isinstance(last, EvalEvent)
    size = sum(each.numel() for each in baseline.model.parameters())
    print(
        f"nanoGPT's path, {STEPS:,} steps: validation loss {baseline.validation_loss():.4f}, "
        f"{seconds[0]:.1f} s of training, {size:,} parameters\n"
        f"modern ({start.precision}), {MODERN_STEPS} steps: validation loss {last.loss:.4f} "
        f"(target {TARGET}), {seconds[1]:.1f} s of training, {start.parameters:,} parameters\n"
        f"share of nanoGPT's time: {seconds[1] / seconds[0]:.3f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a UTF-8 text; the tiny tales unless given")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=30, help="steps a turn")
    parser.add_argument("--threads", type=int, help="torch's own choice unless given")
    parser.add_argument("--seed", type=int, default=1337)
    parser.add_argument("--loss", action="store_true", help="also train both to the end")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        path = options.text
        if path is None:
            path = Path(folder) / "text.txt"
            path.write_text(find_corpus("tiny_tales").load(), encoding="utf-8")
        compare_speed(path, options.rounds, options.steps)
        if options.loss:
            compare_loss(path, options.seed)


if __name__ == "__main__":
    main()
