"""Read back whichever tokenizer a file holds."""

from pathlib import Path

from llm_core.tokenizers import bpe, character, word
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.tokenizers.files import read_tokenizer_file
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.tokenizers.word import WordTokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Return the saved tokenizer; raise ValueError if the file is damaged or of no known kind."""
    kind = read_tokenizer_file(path)["kind"]
    if kind == character.KIND:
        return CharacterTokenizer.load(path)
    if kind == word.KIND:
        return WordTokenizer.load(path)
    if kind == bpe.KIND:
        return BPETokenizer.load(path)
    raise ValueError(f"{path.name} holds a tokenizer of an unknown kind, {kind!r}.")
