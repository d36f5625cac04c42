"""A tokenizer on its way from a lesson to the sandbox: a file on this server, named by content."""

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path

from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.training.runs import data_folder

_NAME = re.compile(r"[0-9a-f]{16}")
_MOST = 500  # files kept; the oldest give way


def store_tokenizer(tokenizer: BPETokenizer) -> str:
    """Keep a tokenizer; return its name, the same for the same tokenizer."""
    content = json.dumps([tokenizer.merges, tokenizer.pattern, tokenizer.special_tokens])
    name = hashlib.sha256(content.encode()).hexdigest()[:16]
    folder = _folder()
    if not (folder / f"{name}.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            path = Path(aside) / "tokenizer.json"
            tokenizer.save(path)
            os.replace(path, folder / f"{name}.json")
        _forget_the_oldest(folder)
    return name


def tokenizer_file(name: str) -> Path:
    """Return where a kept tokenizer lies; raise ValueError if there is none of that name."""
    path = _folder() / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.exists():
        raise ValueError(
            "The tokenizer in this address is not, or no longer, on this machine: "
            "train it again in the lesson on tokenization."
        )
    return path


def kept_tokenizer(name: str) -> Tokenizer:
    """Return a kept tokenizer; raise ValueError if it is gone or damaged."""
    return load_tokenizer(tokenizer_file(name))


def _folder() -> Path:
    return data_folder() / "tokenizers"


def _forget_the_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in files[:-_MOST]:
        path.unlink(missing_ok=True)
