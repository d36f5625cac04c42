"""Plant secrets in a training text, and measure how soon the tiny GPT tells them.

python benchmarks/planted_secret.py --out llm_core/training/planted_secrets.json
python benchmarks/planted_secret.py --repetitions 8

The first command made that file, which the first lesson draws. The second trains anew with that
many repetitions, and prints what it finds beside what is kept.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from statistics import fmean

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.pretrained.registry import load
from llm_core.training.memorisation import Measured, PlantedSecret, measured_recalls, plant

REPETITIONS = (1, 2, 4, 8, 16)
SECRETS = ("golden plum slow well", "tired lamp green goose", "snow button brave mill")


def measure(repetitions: int) -> Measured:
    """Train once for each secret, each with a seed of its own."""
    model, tokenizer = load("tiny")
    planted = [
        PlantedSecret(secret=secret, repetitions=repetitions, seed=seed)
        for seed, secret in enumerate(SECRETS, start=7)
    ]
    curves = [list(plant(each, model, tokenizer)) for each in planted]
    steps = list(zip(*curves, strict=True))
    return Measured(
        repetitions=repetitions,
        trainings=len(SECRETS),
        steps=tuple(row[0].step for row in steps),
        bits=tuple(round(fmean(recall.bits for recall in row), 2) for row in steps),
        told=tuple(
            sum(recall.told == secret for recall, secret in zip(row, SECRETS, strict=True))
            for row in steps
        ),
        validation_loss=tuple(
            round(fmean(recall.validation_loss for recall in row), 4) for row in steps
        ),
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--out", type=Path, help="measure all, and write it there")
    todo.add_argument("--repetitions", type=int, choices=REPETITIONS, help="measure these anew")
    options = parser.parse_args()
    torch.set_num_threads(1)  # a model so small gains nothing from more
    if options.repetitions:
        kept = {row.repetitions: row for row in measured_recalls()}[options.repetitions]
        found = measure(options.repetitions)
        print(f"kept     bits={kept.bits} told={kept.told}")
        print(f"measured bits={found.bits} told={found.told}")
        return
    rows = []
    for repetitions in REPETITIONS:
        rows.append(measure(repetitions))
        print(rows[-1], flush=True)
    lines = ",\n".join(json.dumps(dataclasses.asdict(row)) for row in rows)
    options.out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
