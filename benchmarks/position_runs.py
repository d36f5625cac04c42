"""Train one tiny GPT with each kind of positions, and read longer texts than it was trained on.

python benchmarks/position_runs.py --out llm_core/pretrained/checkpoints/positions
python benchmarks/position_runs.py --check alibi

The first command made what is in that folder. The second trains one of the models anew and prints
how far its losses are from those that are kept.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.layers.positions import RotaryPositions
from llm_core.models.config import POSITIONS, PRESETS
from llm_core.models.gpt import GPT
from llm_core.pretrained.position_runs import (
    CONTEXT,
    LONGEST,
    RESULTS,
    Experiment,
    PositionRun,
    evaluation_starts,
    load_experiment,
    loss_by_place,
    save_experiment,
    save_position_model,
)
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.checkpoints import load_model
from llm_core.training.config import RunConfig
from llm_core.training.events import CheckpointEvent, EvalEvent, StepEvent
from llm_core.training.loop import train
from llm_core.training.points import PointLog
from llm_core.training.recipes import RECIPES
from llm_core.training.state import prepare

RECIPE = "modern"
# What the sandbox calls Pico, with a tokenizer that it can be sent.
CONFIG = RunConfig(
    corpus="tiny_tales",
    tokenizer="bpe",
    vocab_size=512,  # short words are one token, long ones two or three; a tale takes about 170
    model=PRESETS["pico"] | {"context_length": CONTEXT},
    recipe=RECIPES[RECIPE],
    steps=2000,
    batch_size=16,
    eval_interval=100,
    checkpoint_interval=2000,
    seed=1337,
    device="cpu",
)


def config_for(position: str) -> RunConfig:
    """The run of one position type: nothing else differs."""
    return replace(CONFIG, model=CONFIG.model | {"position": position})


def run(position: str, validation_ids: Tensor) -> tuple[PositionRun, GPT, BPETokenizer]:
    """Train one model, round it to what will be kept, and measure that."""
    config = config_for(position)
    log, started = PointLog(25, config.steps), time.process_time()
    points, evaluations = [], []
    with tempfile.TemporaryDirectory() as folder:
        for event in train(config, out=Path(folder)):
            if isinstance(event, StepEvent) and (point := log.add(event)):
                points.append((point.step, round(point.loss, 4)))
            if isinstance(event, EvalEvent):
                evaluations.append((event.step, round(event.loss, 4)))
            if isinstance(event, CheckpointEvent):
                model, tokenizer = load_model(event.path)
    assert isinstance(tokenizer, BPETokenizer)
    model.load_state_dict({name: t.half() for name, t in model.state_dict().items()})
    by_place = loss_by_place(model.eval(), validation_ids)
    scaled = torch.empty(0)
    if isinstance(model.positions, RotaryPositions):
        stretched = GPT(replace(model.config, rope_scaling=LONGEST / CONTEXT))
        stretched.load_state_dict(model.state_dict())
        scaled = loss_by_place(stretched.eval(), validation_ids)
    result = PositionRun(
        position=position,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        training=tuple(points),
        validation=tuple(evaluations),
        by_place=_rounded(by_place),
        scaled_by_place=_rounded(scaled),
    )
    print(
        f"position={position} val_loss={evaluations[-1][1]:.4f} "
        + " ".join(f"{name}={value}" for name, value in summary(result).items())
        + f" cpu_seconds={time.process_time() - started:.0f}",
        flush=True,
    )
    return result, model, tokenizer


def summary(result: PositionRun) -> dict[str, str]:
    """Mean losses over each quarter of a long window, as far as the model can read."""
    quarters = [result.by_place[at : at + CONTEXT] for at in range(0, LONGEST, CONTEXT)]
    return {
        f"places_{at * CONTEXT}_{(at + 1) * CONTEXT}": f"{sum(part) / len(part):.3f}"
        for at, part in enumerate(quarters)
        if part
    }


def make(out: Path, positions: list[str]) -> None:
    """Train, and keep results and weights after each run; runs not asked for stay as they are."""
    validation_ids = prepare(CONFIG).validation_ids
    for position in positions:
        result, model, tokenizer = run(position, validation_ids)
        save_position_model(model, tokenizer, out)
        earlier = load_experiment(out).runs if (out / RESULTS).exists() else ()
        runs = {each.position: each for each in (*earlier, result)}
        experiment = Experiment(
            runs=tuple(runs[name] for name in POSITIONS if name in runs),
            model=CONFIG.recipe.model | CONFIG.model,
            recipe=RECIPE,
            corpus=str(CONFIG.corpus),
            steps=CONFIG.steps,
            batch_size=CONFIG.batch_size,
            seed=CONFIG.seed,
            windows=len(evaluation_starts(len(validation_ids))),
        )
        save_experiment(experiment, out)


def check(position: str) -> None:
    """Print the largest difference of a loss from those that are kept, averaged over 16 places."""
    old = load_experiment().run(position)
    new, _, _ = run(position, prepare(CONFIG).validation_ids)
    pairs = zip(*(torch.tensor(r.by_place).split(16) for r in (old, new)), strict=True)
    far = max(float((a.mean() - b.mean()).abs()) for a, b in pairs)
    print(f"check position={position} largest_difference={far:.4f}", flush=True)


def _rounded(losses: Tensor) -> tuple[float, ...]:
    return tuple(round(loss, 4) for loss in losses.tolist())


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--out", type=Path, help="train, and keep the results there")
    todo.add_argument("--check", choices=POSITIONS, help="train one again, and compare")
    parser.add_argument("--only", choices=POSITIONS, nargs="+", default=list(POSITIONS))
    options = parser.parse_args()
    torch.set_num_threads(1)  # a model so small gains nothing from more
    make(options.out, options.only) if options.out else check(options.check)


if __name__ == "__main__":
    main()
