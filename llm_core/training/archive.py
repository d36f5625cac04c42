"""A run as one file to take away: everything to use it, to look at it, and to go on with it.

README.md          a model card, and the command that trains the like of it
run.json           title and facts
checkpoint/        weights, optimizer, config, tokenizer, and the checksums of these
curves/            what was measured, as CSV
text.txt           the text, if it was the learner's own
head.safetensors   a classifier's head, and labels.json: what its rows are scores for
transformers/      the same weights in the form that the transformers library opens

Of a head for a shipped model there are no weights but its own: run.json then holds config and step.
"""

import io
import json
import tempfile
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from llm_core.models.huggingface import ExportableTokenizer, add_head, save_huggingface
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.training.cards import About, head_card, model_card, tuned_card
from llm_core.training.checkpoint_index import FACTS, FILES, newest_whole, read_files
from llm_core.training.checkpoints import load_model
from llm_core.training.config import RunConfig
from llm_core.training.curves import Curves
from llm_core.training.events import StartEvent
from llm_core.training.heads import Head, read_head

FORMAT = "inside-llms run 1"
TEXT = "text.txt"


class _CharacterExport:
    """A character tokenizer in the words of the tokenizers library: each character is a word."""

    def __init__(self, tokenizer: CharacterTokenizer) -> None:
        self._characters = tokenizer.characters

    def to_huggingface(self) -> str:
        vocabulary = {character: index for index, character in enumerate(self._characters)}
        content = {
            "version": "1.0",
            "added_tokens": [],
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"Regex": r"[\s\S]"},
                "behavior": "Isolated",
                "invert": False,
            },
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
        }
        return json.dumps(content, ensure_ascii=False)


def pack_run(folder: Path, *, title: str, curves: Curves, facts: StartEvent | None = None) -> bytes:
    """Return the newest whole checkpoint below `folder`, with all that belongs to it, as a zip.

    Raises ValueError if nothing was saved, or nothing that is whole.
    """
    head = read_head(folder)
    about: dict[str, Any] = {"format": FORMAT, "title": title}
    about["facts"] = asdict(facts) if facts else None
    files: dict[str, bytes] = {f"curves/{n}": text.encode() for n, text in curves.to_csv().items()}
    files |= head.to_files() if head else {}
    labels = head.labels if head else ()
    config = _config_of_head(folder)
    if config is not None:
        if head is None:
            raise ValueError("No head was saved: there is nothing to take away.")
        step = max([e.step for e in curves.points] + [e.step for e in curves.evaluations])
        config = replace(config, text_path=TEXT)
        about |= {"config": config.to_json(), "step": step}
        card = head_card(config, About(title, step, curves, "", labels))
    else:
        (content, state), _ = newest_whole(folder, read_files)
        config = RunConfig.from_json(content["config.json"].decode())
        files |= {f"checkpoint/{name}": content[name] for name in (FACTS, *FILES)}
        exported, why_not = _for_transformers(folder, head)
        files |= exported
        config = replace(config, precision=state["precision"])  # what "auto" was found to be
        about_it = About(title, state["step"], curves, why_not, labels)
        card = (tuned_card if config.tuned else model_card)(config, about_it)
    if config.text_path is not None:
        files[TEXT] = (folder / config.text_path).read_bytes()
    files |= {"run.json": json.dumps(about, indent=1).encode(), "README.md": card.encode()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(files):
            # No time of day: the same run gives the same file.
            archive.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _config_of_head(folder: Path) -> RunConfig | None:
    """Return the config of a run that trained a head alone; None for any other."""
    path = folder / "run.json"
    if not path.exists():  # a run of the command line has none
        return None
    config = RunConfig.from_json(json.loads(path.read_bytes())["config"])
    return config if config.body else None


def _for_transformers(folder: Path, head: Head | None) -> tuple[dict[str, bytes], str]:
    """Return the files that transformers opens, or none and the reason why."""
    model, tokenizer = newest_whole(folder, load_model)[0]
    export: ExportableTokenizer | None = None
    if isinstance(tokenizer, CharacterTokenizer):
        export = _CharacterExport(tokenizer)
    elif isinstance(tokenizer, BPETokenizer):
        export = tokenizer
    with tempfile.TemporaryDirectory() as name:
        target = Path(name)
        try:
            save_huggingface(model, export, target)
            if head is not None:
                pad_id = tokenizer.pad_id if isinstance(tokenizer, BPETokenizer) else None
                add_head(target, head.weight, head.labels, pad_id=pad_id)
        except ValueError as error:
            return {}, str(error)
        return {f"transformers/{path.name}": path.read_bytes() for path in target.iterdir()}, ""
