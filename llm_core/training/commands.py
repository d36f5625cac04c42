"""The command that trains a run again, from its config. Imports no torch."""

import shlex

from llm_core.training.config import RunConfig
from llm_core.training.recipes import RECIPES


def command_for(config: RunConfig) -> str:
    """Return the command line that trains the same: the same text in, the same losses out."""
    shape = config.transformer(vocab_size=2)
    source = ["--corpus", config.corpus] if config.corpus else ["--text", "text.txt"]
    options: list[object] = [*source, "--tokenizer", config.tokenizer]
    if config.tokenizer == "bpe":
        options += ["--vocab-size", config.vocab_size]
    if config.tokenizer == "file":
        options += ["--tokenizer-file", "checkpoint/tokenizer.json"]
    options += ["--layers", shape.n_layers, "--heads", shape.n_heads, "--width", shape.d_model]
    options += ["--context", shape.context_length, "--dropout", shape.dropout]
    options += ["--batch", config.batch_size, "--stride", config.stride, "--steps", config.steps]
    options += ["--recipe", config.recipe.name, "--seed", config.seed]
    usual = RECIPES.get(config.recipe.name)
    if usual is None or usual.learning_rate != config.recipe.learning_rate:
        options += ["--learning-rate", config.recipe.learning_rate]
    options += ["--precision", config.precision, "--out", "my_run"]
    return shlex.join(["python", "-m", "llm_core.training", *map(str, options)])
