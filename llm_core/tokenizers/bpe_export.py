"""A trained BPE tokenizer for the engines of others: tiktoken's, and Hugging Face's."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import tiktoken

from llm_core.tokenizers.symbols import visible


def to_encoding(
    tokens: Sequence[bytes], pattern: str, special_ids: Mapping[str, int]
) -> tiktoken.Encoding:
    """Return the tokenizer in tiktoken's engine, which ranks tokens by their ids.

    It is not told the merges: any two neighbours that make up a token are merged, the lowest
    token first. With merges learned from a text, that is the same.
    """
    return tiktoken.Encoding(
        name="inside-llms",
        pat_str=pattern,
        mergeable_ranks={token: index for index, token in enumerate(tokens)},
        special_tokens=dict(special_ids),
    )


def to_tokenizer_json(
    tokens: Sequence[bytes],
    merges: Sequence[tuple[int, int]],
    pattern: str,
    special_ids: Mapping[str, int],
) -> str:
    """Return the text of a tokenizer.json; raise ValueError if a special token is also ordinary.

    The format has one name for one token, so it cannot tell the two apart.
    """
    names = [visible(token) for token in tokens]
    vocabulary = {name: index for index, name in enumerate(names)}
    for special in special_ids:
        if special in vocabulary:
            raise ValueError(
                f"The special token {special!r} is also an ordinary token of this tokenizer, "
                "and a tokenizer.json cannot hold both."
            )
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(name, index) for name, index in special_ids.items()],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [split | {"invert": False}, byte_level | {"use_regex": False}],
        },
        "post_processor": None,
        "decoder": byte_level | {"use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": [[names[left], names[right]] for left, right in merges],
        },
    }
    return json.dumps(content, ensure_ascii=False)


def _added_token(name: str, index: int) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": name, "special": True} | plain
