"""Train the translator of dates that ships with the course, or check that it can be trained again.

python benchmarks/pretrained_translator.py --out llm_core/pretrained/checkpoints/translator
python benchmarks/pretrained_translator.py --check

The first command made what is in that folder. The second trains it anew and prints how far the
weights are from those that are kept: rounding to float16, and sums in another order on another
machine, is all that may differ.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.data.tasks import find_task
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.pretrained.translator import TranslatorSnapshot, load_translator, save_translator
from llm_core.training.translation import (
    Learned,
    Scored,
    TranslatorSettings,
    build_translator,
    score,
    train_translator,
)

KEPT = (0, 60, 120, 180, 600)
SETTINGS = TranslatorSettings(task="dates", steps=KEPT[-1], score_interval=60)
TASK = find_task(SETTINGS.task)
SCORED, SCORE_SEED = 2000, 1  # unseen dates, drawn for the scores that are kept


def snapshots() -> Iterator[tuple[int, EncoderDecoder]]:
    """Train, and yield the model at each step that is kept."""
    model, seconds = build_translator(SETTINGS), 0.0
    for event in train_translator(SETTINGS, model=model):
        if isinstance(event, Learned):
            seconds = event.seconds
        if isinstance(event, Scored):
            print(
                f"step={event.step} forced={event.forced:.4f} free={event.free:.4f} "
                f"whole={event.whole:.4f} seconds={seconds:.1f}",
                flush=True,
            )
            if event.step in KEPT:
                yield event.step, model


def make(out: Path) -> None:
    """Write all snapshots, with the share right that each has as it is kept."""
    pairs = TASK.examples(SCORED, SCORE_SEED, unseen=True)
    for step, model in snapshots():
        rounded = EncoderDecoder(model.config)
        rounded.load_state_dict({name: t.half() for name, t in model.state_dict().items()})
        right = score(rounded, TASK, pairs).whole
        save_translator(model, TranslatorSnapshot(step, round(right, 4)), TASK, out)
        print(f"snapshot step={step} right={right:.4f}", flush=True)


def check() -> None:
    """Print the largest difference of any weight from those that are kept."""
    for step, model in snapshots():
        kept, new = load_translator(step)[0].state_dict(), model.state_dict()
        far = max(float((new[name] - tensor).abs().max()) for name, tensor in kept.items())
        print(f"check step={step} largest_difference={far:.2e}", flush=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--out", type=Path, help="train, and keep the snapshots there")
    todo.add_argument("--check", action="store_true", help="train, and compare")
    options = parser.parse_args()
    torch.set_num_threads(1)  # a model so small gains nothing from more
    make(options.out) if options.out else check()


if __name__ == "__main__":
    main()
