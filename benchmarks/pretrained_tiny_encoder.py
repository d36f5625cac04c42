"""Train the tiny encoder that ships with the course, or check that it can be trained again.

python benchmarks/pretrained_tiny_encoder.py --out llm_core/pretrained/checkpoints/tiny_encoder
python benchmarks/pretrained_tiny_encoder.py --check

The first command made what is in that folder. The second trains it anew and prints how many hidden
tokens of the validation part both guess.
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.data.corpora import find_corpus
from llm_core.data.splits import split_by_position
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.pretrained.tiny import CORPUS, load_tiny
from llm_core.pretrained.tiny_encoder import load_tiny_encoder, save_tiny_encoder
from llm_core.training.masked import MaskedScore, MaskedSettings, score_masked, train_masked

SETTINGS = MaskedSettings(steps=3000, batch_size=16, share=0.2, score_interval=500)
SIZES = ("context_length", "d_model", "n_layers", "n_heads", "d_ff", "bias")  # the tiny GPT's


def train_it() -> tuple[Encoder, torch.Tensor]:
    """Train, and return the model in evaluation mode with the validation ids."""
    tiny, tokenizer = load_tiny()
    ids = torch.from_numpy(tokenizer.encode_array(find_corpus(CORPUS).load()))
    train_ids, validation_ids = split_by_position(ids, 0.1)
    config = TransformerConfig(
        kind="encoder",
        vocab_size=tokenizer.vocab_size + 1,  # and the mask
        mlm_head=True,
        **{name: getattr(tiny.config, name) for name in SIZES},
        # With learned places an encoder has to find out first what a neighbour is: it stands still
        # for hundreds of steps before it begins to learn.
        **SETTINGS.recipe.model,
    )
    trained: Encoder | None = None
    for model, event in train_masked(config, SETTINGS, train_ids, validation_ids):
        trained = model
        if isinstance(event, MaskedScore):
            print(f"step={event.step} loss={event.loss:.4f} right={event.right:.4f}", flush=True)
        elif event.step == SETTINGS.steps:
            print(f"seconds={event.seconds:.0f}", flush=True)
    assert trained is not None
    return trained.eval(), validation_ids


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--out", type=Path, help="train, and keep the model there")
    todo.add_argument("--check", action="store_true", help="train, and compare")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, validation_ids = train_it()
    if options.out:
        model.load_state_dict({name: t.half() for name, t in model.state_dict().items()})
        kept = score_masked(model, SETTINGS, validation_ids)
        save_tiny_encoder(model, round(kept.right, 4), options.out)
    else:
        kept = score_masked(load_tiny_encoder()[0], SETTINGS, validation_ids)
        new = score_masked(model, SETTINGS, validation_ids)
        print(f"check kept_right={kept.right:.4f} new_right={new.right:.4f}")


if __name__ == "__main__":
    main()
