"""Train the tiny GPT that ships with the course, or check that it can be trained again.

python benchmarks/pretrained_tiny.py --out llm_core/pretrained/checkpoints/tiny
python benchmarks/pretrained_tiny.py --check 100

The first command made what is in that folder. The second trains the first steps anew and prints
how far the weights are from those that are kept: rounding to float16, and sums in another order
on another machine, is all that may differ.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.models.gpt import GPT
from llm_core.pretrained.tiny import CORPUS, Snapshot, load_tiny, save_snapshot
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.checkpoints import load_model
from llm_core.training.config import RunConfig
from llm_core.training.events import CheckpointEvent, EvalEvent
from llm_core.training.loop import evaluate, train
from llm_core.training.recipes import RECIPES
from llm_core.training.state import prepare

KEPT = (0, 100, 250, 500, 1000, 2000)
CONFIG = RunConfig(
    corpus=CORPUS,
    tokenizer="bpe",
    vocab_size=1280,  # more than there are to learn: every word of the tales becomes one token
    model={
        "n_layers": 4,
        "n_heads": 4,
        "d_model": 96,
        "context_length": 128,
        "bias": False,
        # GPT-2's parts, which the lessons take apart; the recipe only says how they are trained.
        "position": "learned",
        "norm": "layernorm",
        "activation": "gelu",
        "qk_norm": False,
        "zero_init_projections": False,
    },
    recipe=RECIPES["modern"],
    steps=KEPT[-1],
    batch_size=16,
    eval_interval=50,
    checkpoint_interval=50,
    seed=1337,
    device="cpu",
)


def snapshots(last: int) -> Iterator[tuple[int, GPT, BPETokenizer]]:
    """Train, and yield the model at each step that is kept, up to `last`."""
    start = prepare(CONFIG)
    assert isinstance(start.tokenizer, BPETokenizer)
    yield 0, start.model, start.tokenizer
    with tempfile.TemporaryDirectory() as folder:
        for event in train(CONFIG, out=Path(folder)):
            if isinstance(event, EvalEvent):
                print(f"step={event.step} val_loss={event.loss:.4f}", flush=True)
            if isinstance(event, CheckpointEvent) and event.step in KEPT:
                model, tokenizer = load_model(event.path)
                assert isinstance(tokenizer, BPETokenizer)
                yield event.step, model, tokenizer
                if event.step >= last:
                    return


def make(out: Path) -> None:
    """Write all snapshots, with the loss that each has as it is kept."""
    validation_ids = prepare(CONFIG).validation_ids
    for step, model, tokenizer in snapshots(KEPT[-1]):
        rounded = GPT(model.config)
        rounded.load_state_dict({name: t.half() for name, t in model.state_dict().items()})
        loss, _ = evaluate(rounded.eval(), validation_ids)
        save_snapshot(model, Snapshot(step, round(loss, 4)), tokenizer, out)
        print(f"snapshot step={step} val_loss={loss:.4f}", flush=True)


def check(last: int) -> None:
    """Print the largest difference of any weight from those that are kept."""
    for step, model, _ in snapshots(last):
        kept, new = load_tiny(step)[0].state_dict(), model.state_dict()
        far = max(float((new[name] - tensor).abs().max()) for name, tensor in kept.items())
        print(f"check step={step} largest_difference={far:.2e}", flush=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--out", type=Path, help="train, and keep the snapshots there")
    todo.add_argument("--check", type=int, choices=KEPT[1:], help="train until there")
    options = parser.parse_args()
    torch.set_num_threads(1)  # a model so small gains nothing from more
    make(options.out) if options.out else check(options.check)


if __name__ == "__main__":
    main()
