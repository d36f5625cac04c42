"""Which tokenizer a run cuts its text with."""

from pathlib import Path

from llm_core.tokenizers.bpe import train_bpe
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.tokenizers.vocabularies import gpt2_tokenizer
from llm_core.training.config import RunConfig


def build_tokenizer(config: RunConfig, train_text: str, text: str) -> Tokenizer:
    """Return the tokenizer that the config asks for.

    Merges are learnt from the training text alone; characters are taken from the whole text, or
    the validation split could hold one without an id. Raises ValueError for a saved tokenizer that
    is missing, damaged, or cannot express the text, and if GPT-2's vocabulary cannot be had.
    """
    if config.tokenizer == "bpe":
        return train_bpe(train_text, config.vocab_size)
    if config.tokenizer == "file":
        return load_tokenizer(Path(str(config.tokenizer_path)))
    if config.tokenizer == "gpt2":
        return gpt2_tokenizer()
    return CharacterTokenizer.from_text(text)
