"""The command that trains a run again, from its config. Imports no torch."""

import shlex

from llm_core.training.config import RunConfig
from llm_core.training.options import options_of


def command_for(
    config: RunConfig,
    *,
    text: str = "text.txt",
    tokenizer_file: str = "checkpoint/tokenizer.json",
    out: str = "my_run",
) -> str:
    """Return the command line that trains the same: the same text in, the same losses out.

    `text` and `tokenizer_file` are where a text of the owner's and a saved tokenizer lie, if the
    run has them: in a run's file they lie there.
    """
    source = ["--corpus", config.corpus] if config.corpus else ["--text", text]
    if config.tokenizer == "file":
        source += ["--tokenizer-file", tokenizer_file]
    options = [*source, *options_of(config), "--out", out]
    return shlex.join(["python", "-m", "llm_core.training", *options])
