"""The vocabularies of published models, in tiktoken's engine and without tiktoken's network."""

import contextlib
import functools
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import tiktoken

from llm_core.pretrained.assets import cache_folder, fetch, find_asset
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.bpe_encoding import apply_merges
from llm_core.tokenizers.symbols import BYTE_ORDER, symbols_of

VOCABULARIES = ("gpt2", "cl100k_base", "o200k_base")
_CACHE_VARIABLE = "TIKTOKEN_CACHE_DIR"
_loading = threading.Lock()  # the environment belongs to the whole process


@functools.cache
def load_vocabulary(name: str) -> tiktoken.Encoding:
    """Return GPT-2's ("gpt2"), GPT-4's ("cl100k_base") or GPT-4o's ("o200k_base") tokenizer.

    tiktoken itself reads the files, checks their sha256 and cuts the text: what differs is only
    where they come from, see `llm_core.pretrained.assets`. Raises ValueError for another name, or
    with a sentence that says what to install if the files cannot be had.
    """
    if name not in VOCABULARIES:
        raise ValueError(f"There is no vocabulary {name!r}: choose of {', '.join(VOCABULARIES)}.")
    folder = _folder_with(name)
    with _loading, _tiktoken_cache(folder):
        return tiktoken.get_encoding(name)


@functools.cache
def gpt2_tokenizer() -> BPETokenizer:
    """Return GPT-2's tokenizer as one of our own, with the same 50,257 ids.

    A vocabulary file holds each token's rank and not its two halves. They are what the merges of
    lower rank leave of its bytes. Raises ValueError if the files cannot be had.
    """
    encoding = load_vocabulary("gpt2")
    merged: dict[str, str] = {}
    merges = []
    for rank in range(len(BYTE_ORDER), encoding.n_vocab - len(encoding.special_tokens_set)):
        symbols = symbols_of(encoding.decode_single_token_bytes(rank))
        halves = apply_merges(symbols, merged)
        merged[halves] = chr(rank)
        merges.append((ord(halves[0]), ord(halves[1])))
    return BPETokenizer(merges, special_tokens=sorted(encoding.special_tokens_set))


def _folder_with(name: str) -> Path:
    """A folder with the vocabulary's files under the names that tiktoken looks for."""
    # tiktoken names a file in its cache by the SHA-1 of the address it would download it from.
    wanted = {
        hashlib.sha1(str(file.address).encode()).hexdigest(): file
        for file in find_asset(name).files
    }
    for folder in (_own_cache(), cache_folder() / "tiktoken"):
        if folder and all(_holds(folder / key, file.sha256) for key, file in wanted.items()):
            return folder
    fetched, target = fetch(name), cache_folder() / "tiktoken"
    target.mkdir(exist_ok=True)
    for key, file in wanted.items():
        with tempfile.NamedTemporaryFile(dir=target, delete=False) as aside:
            aside.write((fetched / file.name).read_bytes())
        os.replace(aside.name, target / key)
    return target


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _own_cache() -> Path | None:
    """Where tiktoken would look by itself; None if its cache was switched off."""
    default = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    chosen = os.environ.get(_CACHE_VARIABLE, os.environ.get("DATA_GYM_CACHE_DIR", default))
    return Path(chosen) if chosen else None


@contextlib.contextmanager
def _tiktoken_cache(folder: Path) -> Iterator[None]:
    """Let tiktoken read `folder`, then put the user's own setting back."""
    before = os.environ.get(_CACHE_VARIABLE)
    os.environ[_CACHE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CACHE_VARIABLE]
        else:
            os.environ[_CACHE_VARIABLE] = before
