"""How a tokenizer lies on disk: one JSON object, whose "kind" says which class reads the rest."""

import json
from pathlib import Path
from typing import Any


def write_tokenizer_file(path: Path, kind: str, content: dict[str, Any]) -> None:
    """Write `content` to `path` under its kind; plain ASCII, so that no encoding can harm it."""
    path.write_text(json.dumps({"kind": kind} | content, ensure_ascii=True), encoding="utf-8")


def read_tokenizer_file(path: Path) -> dict[str, Any]:
    """Return the object in `path`; raise ValueError if that is no tokenizer's file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or absurdly nested
        raise ValueError(f"{path.name} is damaged: it holds no tokenizer.") from error
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
        raise ValueError(f"{path.name} is damaged: it holds no tokenizer.")
    return content


def read_tokenizer_of_kind(path: Path, kind: str) -> dict[str, Any]:
    """Return the object in `path`; raise ValueError if it is not a tokenizer of this kind."""
    content = read_tokenizer_file(path)
    if content["kind"] != kind:
        raise ValueError(f"{path.name} holds a tokenizer of another kind, not a {kind} one.")
    return content
