"""Measure what the lesson on fine-tuning says, and train the model that it ships with.

python benchmarks/finetuning.py layers        which weights to train, against baselines
python benchmarks/finetuning.py instructions  a model tuned on instructions, and what it forgets

The first command wrote llm_core/finetuning/measured/layers.json, the second forgetting.json beside
it and llm_core/pretrained/checkpoints/tiny_instructions. `--check` writes nothing and only prints.
One thread; the same seeds give the same numbers but for rounding on another machine.
"""

import argparse
import dataclasses
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning.baselines import counted_words, majority
from llm_core.finetuning.classification import Classifier, Scored, fine_tune
from llm_core.finetuning.experiment import (
    INSTRUCTION_SETTINGS,
    instruction_parts,
    pretraining_text,
)
from llm_core.finetuning.instructions import InstructionScore, tune_on_instructions
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.pretrained.tiny import TUNED_FOLDER, Snapshot, load_tiny, save_snapshot
from llm_core.training.loop import evaluate

TASKS = ("who", "letters", "plots", "century", "authors", "topics")
LABELLED, STEPS = 100, 100
SEEDS = (1, 2, 3)
WAYS = (
    ("head", None),
    ("last block", None),
    ("lora", None),
    ("all", None),
    ("all", 0),  # the same network from its random start
)
MEASURED = Path(__file__).parents[1] / "llm_core" / "finetuning" / "measured"


def measure_way(task: str, trained: str, start: int | None, seed: int) -> dict[str, Any]:
    """Fine-tune once; return what it came to."""
    texts = make_texts(task, train=LABELLED, seed=seed)
    model, tokenizer = load_tiny(start)
    generator = torch.Generator().manual_seed(seed)
    classifier = Classifier(model, len(texts.labels), generator=generator)
    settings = FinetuneSettings(trained=trained, steps=STEPS, score_interval=STEPS, seed=seed)
    _, validation = pretraining_text(tokenizer)
    events = list(fine_tune(classifier, tokenizer, texts, settings, pretraining_ids=validation))
    last = events[-1]
    assert isinstance(last, Scored)
    numbers = sum(p.numel() for p in classifier.parameters() if p.requires_grad)
    return {"numbers": numbers, "accuracy": last.accuracy, "forgotten": last.pretraining_loss}


def layers(check: bool) -> None:
    """Compare which weights are trained, over a few seeds, with the baselines of the same texts."""
    found: list[dict[str, Any]] = []
    for task in TASKS:
        rows = [make_texts(task, train=LABELLED, seed=seed) for seed in SEEDS]
        for name, baseline in (("majority", majority), ("counted words", counted_words)):
            found.append(
                {"task": task, "way": name, "numbers": 0, "forgotten": None}
                | spread([baseline(texts).accuracy for texts in rows])
            )
        for trained, start in WAYS:
            runs = [measure_way(task, trained, start, seed) for seed in SEEDS]
            way = "from scratch" if start == 0 else trained
            forgotten = statistics.mean(run["forgotten"] for run in runs)
            found.append(
                {"task": task, "way": way, "numbers": runs[0]["numbers"]}
                | {"forgotten": round(forgotten, 4)}
                | spread([run["accuracy"] for run in runs])
            )
        for row in found[-7:]:
            print(*(f"{key}={value}" for key, value in row.items()), flush=True)
        content = {"labelled": LABELLED, "steps": STEPS, "seeds": list(SEEDS), "rows": found}
        if not check:
            write(MEASURED / "layers.json", content)


def spread(values: list[float]) -> dict[str, float]:
    """The mean of several measurements, the lowest and the highest."""
    return {
        "accuracy": round(statistics.mean(values), 4),
        "lowest": round(min(values), 4),
        "highest": round(max(values), 4),
    }


def instructions(check: bool) -> None:
    """Tune on instructions in three ways, and keep the model of the first."""
    curves = {}
    for name, start, replay in (("plain", None, 0.0), ("replay", None, 0.25), ("scratch", 0, 0.0)):
        settings = dataclasses.replace(INSTRUCTION_SETTINGS, replay=replay)
        model, tokenizer = load_tiny(start)
        text = pretraining_text(tokenizer)
        pairs, unseen = instruction_parts()
        curve = []
        for event in tune_on_instructions(
            model, tokenizer, pairs, unseen, settings, pretraining_ids=text
        ):
            if isinstance(event, InstructionScore):
                curve.append(
                    {
                        "step": event.step,
                        "right": round(event.right, 4),
                        "loss": round(event.loss, 4),
                        "forgotten": round(event.pretraining_loss or 0.0, 4),
                    }
                )
                print(name, *(f"{key}={value}" for key, value in curve[-1].items()), flush=True)
        curves[name] = curve
        if name == "plain" and not check:
            model.requires_grad_(False)
            loss, _ = evaluate(model, text[1])
            save_snapshot(model, Snapshot(settings.steps, round(loss, 4)), tokenizer, TUNED_FOLDER)
    if not check:
        write(MEASURED / "forgetting.json", curves)


def write(path: Path, content: Any) -> None:
    """Keep what was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line, and do one of the two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("layers", "instructions"))
    parser.add_argument("--check", action="store_true", help="print, and write nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    {"layers": layers, "instructions": instructions}[given.what](given.check)


if __name__ == "__main__":
    main()
