"""Take a run's file in again: everything is checked before anything of it is used.

Nothing is ever unpickled, no name in the archive becomes a path, and nothing larger than it may
be is unpacked: sizes are counted while reading, whatever the archive says of itself.
"""

import io
import json
import math
import secrets
import tempfile
import time
import zipfile
import zlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load

from llm_core.data.corpora import find_corpus
from llm_core.data.own_text import read_own_text
from llm_core.models.config import preset
from llm_core.models.gpt import GPT
from llm_core.models.initialisation import without_weights
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.training.archive import FORMAT, TEXT
from llm_core.training.checkpoint_index import (
    FACTS,
    checkpoint_name,
    read_facts,
    write_files,
    write_synced,
)
from llm_core.training.checkpoint_index import FILES as CHECKPOINT_FILES
from llm_core.training.config import BODIES, PRECISIONS, RunConfig
from llm_core.training.curves import FILES as CURVE_FILES
from llm_core.training.curves import Curves
from llm_core.training.events import StartEvent
from llm_core.training.head_files import LABELS, WEIGHTS
from llm_core.training.heads import Head, write_head
from llm_core.training.limits import Limits
from llm_core.training.runs import Run, RunState, RunStore
from llm_core.training.tensor_files import TensorFacts, read_header

_MEGABYTE = 1_000_000
_SMALL = 5 * _MEGABYTE
_MOST_ENTRIES = 40
_NEEDED = {f"checkpoint/{name}": _SMALL for name in (FACTS, *CHECKPOINT_FILES)}
_POSSIBLE = {TEXT: 50 * _MEGABYTE, **{f"curves/{name}": 20 * _MEGABYTE for name in CURVE_FILES}}
_POSSIBLE |= {"run.json": _SMALL, WEIGHTS: _SMALL, LABELS: _SMALL}
_IGNORED = ("README.md", "transformers/")  # for people, and for another library


@dataclass(frozen=True)
class UnpackedRun:
    """A run that was found to be whole and harmless. Of a head alone there are no `files`."""

    title: str
    config: RunConfig
    facts: StartEvent | None
    state: dict[str, Any]
    files: dict[str, bytes]  # of the checkpoint
    curves: Curves
    text: str | None
    head: Head | None = None


def unpack_run(data: bytes, limits: Limits) -> UnpackedRun:
    """Check a run's file and return what it holds; ValueError with the reason if it will not do."""
    limits.check_upload(len(data))
    content = _read_archive(data, limits)
    title, start = _about(content["run.json"])
    if WEIGHTS in content and not any(name in content for name in _NEEDED):
        return _head_alone(content, title, start)
    for name in _NEEDED:
        if name not in content:
            raise ValueError(f"The file lacks {name}: it is no run's file.")
    state = json.loads(content[f"checkpoint/{FACTS}"])
    step = _step(state)
    files = {name: content[f"checkpoint/{name}"] for name in (FACTS, *CHECKPOINT_FILES)}
    state = read_facts(Path(checkpoint_name(step)), files)
    if state.get("precision") not in PRECISIONS or state.get("threads") not in range(1, 257):
        raise ValueError("The file's checkpoint does not say how it was computed.")
    for name in ("seconds", "validation_loss"):  # files of earlier versions have neither
        value = state.get(name)
        if value is not None and (type(value) not in (int, float) or not 0 <= value < math.inf):
            raise ValueError(f"The file's checkpoint has a {name} that is none.")
    config = RunConfig.from_json(_decoded(files["config.json"], "config.json"))
    config = replace(config, device="auto")
    text = _text(content, config)
    _check_tensors(files, config, limits)
    head = _head(content, config)
    return UnpackedRun(title, config, start, state, files, _curves(content), text, head)


def _head_alone(content: dict[str, bytes], title: str, start: StartEvent | None) -> UnpackedRun:
    """Check a head for a shipped model, which is not in the file itself."""
    about = json.loads(content["run.json"])
    step, config = _step(about), RunConfig.from_json(str(about.get("config")))
    if not config.body or config.corpus is not None or TEXT not in content:
        raise ValueError("The file lacks its model, or the text that its head was trained on.")
    head = _head(content, config)
    width = preset(BODIES[config.body], vocab_size=2).d_model
    if head is None or head.weight.shape[1] != width:
        raise ValueError(f"The head is not one for {config.body}.")
    text = _decoded(content[TEXT], TEXT)
    return UnpackedRun(title, config, start, {"step": step}, {}, _curves(content), text, head)


def _step(about: Any) -> int:
    step = about.get("step") if isinstance(about, dict) else None
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 10**8:
        raise ValueError("The file does not say which step its model is of.")
    return step


def _curves(content: dict[str, bytes]) -> Curves:
    return Curves.from_csv(
        {
            name: _decoded(content[f"curves/{name}"], name)
            for name in CURVE_FILES
            if f"curves/{name}" in content
        }
    )


def place_run(run: UnpackedRun, folder: Path) -> RunConfig:
    """Write an unpacked run into `folder`, as a checkpoint that can be used and gone on with.

    Returns its config, whose paths now lead into the folder.
    """
    config = run.config
    folder.mkdir(parents=True, exist_ok=True)
    if run.text is not None:
        write_synced(folder / TEXT, run.text.encode())
        config = replace(config, text_path=str((folder / TEXT).resolve()))
    if config.tokenizer == "file":
        write_synced(folder / "tokenizer.json", run.files["tokenizer.json"])
        config = replace(config, tokenizer_path=str((folder / "tokenizer.json").resolve()))
    if run.head is not None:
        write_head(folder, run.head)
    if not run.files:
        return config
    content = {name: run.files[name] for name in CHECKPOINT_FILES}
    content["config.json"] = config.to_json().encode()
    kept = ("text_sha256", "precision", "threads", "seconds", "validation_loss")
    state = {key: run.state.get(key) for key in kept}
    write_files(folder, run.state["step"], content, state)
    return config


def bring_run(run: UnpackedRun, store: RunStore, *, owner: str) -> Run:
    """Make an unpacked run one of the owner's, as it stood when it was packed."""
    now, step = time.time(), run.state["step"]
    new = Run(
        id=secrets.token_urlsafe(16),
        owner=owner,
        title=run.title,
        config=run.config,
        state=RunState.DONE if step >= run.config.steps else RunState.STOPPED,
        reason="",
        created=now,
        launched=now,
        step=step,
        facts=run.facts,
    )
    new = replace(new, config=place_run(run, store.run_folder(new.id)))
    store.insert(new)
    store.add_curves(new.id, run.curves)
    return new


def _read_archive(data: bytes, limits: Limits) -> dict[str, bytes]:
    """Return the entries that a run has, and no others, none larger than it may be."""
    most = 3 * limits.max_upload_mb * _MEGABYTE
    sizes = _NEEDED | _POSSIBLE
    sizes |= {name: most for name in sizes if name.endswith(".safetensors")}
    content: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise ValueError(f"The file holds {len(entries):,} entries: it is no run's file.")
            for entry in entries:
                name = entry.filename
                if name.startswith(_IGNORED) and ".." not in name:
                    continue
                if name not in sizes or name in content:
                    raise ValueError(f"The file holds {name[:60]!r}, which no run's file does.")
                if entry.flag_bits & 1 or entry.compress_type not in (0, zipfile.ZIP_DEFLATED):
                    raise ValueError("The file is encrypted or packed in a way that is not ours.")
                with archive.open(entry) as file:
                    content[name] = file.read(sizes[name] + 1)
                most -= len(content[name])
                if len(content[name]) > sizes[name] or most < 0:
                    raise ValueError(f"Unpacked, {name} would be larger than is allowed here.")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise ValueError("The file is damaged, or no run's file.") from error
    except (RuntimeError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError("The file is damaged, or no run's file.") from error
    if "run.json" not in content:
        raise ValueError("The file lacks run.json: it is no run's file.")
    return content


def _about(data: bytes) -> tuple[str, StartEvent | None]:
    """Return title and facts."""
    try:
        about = json.loads(data)
        if about["format"] != FORMAT:
            raise ValueError("it has another format")
        title, facts = about["title"], about["facts"]
        if not isinstance(title, str) or not title.isprintable() or len(title) > 200:
            raise ValueError("its title is none")
        if facts is None:
            return title, None
        later = ("trigram_loss", "peak_flops")  # older files do not have them
        facts = dict.fromkeys(later, 0.0) | facts
        for each in fields(StartEvent):
            value = facts[each.name]
            numbers = (int, float) if each.type is float else each.type
            if isinstance(value, bool) or not isinstance(value, numbers):  # type: ignore[arg-type]
                raise ValueError(f"its {each.name} is none")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"its {each.name} is no number")
        facts |= {"device": facts["device"][:20], "note": ""}
        if facts["precision"] not in PRECISIONS:
            raise ValueError("its precision is unknown")
        return title, StartEvent(**facts)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"The file's run.json cannot be used: {error}.") from error


def _text(content: dict[str, bytes], config: RunConfig) -> str | None:
    """Return the learner's own text; raise ValueError unless there is one exactly if needed."""
    if config.corpus is not None:
        find_corpus(config.corpus)
        return None
    if TEXT not in content:
        raise ValueError("The file lacks the text that the run was trained on.")
    shape = config.transformer(vocab_size=2)
    return read_own_text(content[TEXT], context_length=shape.context_length)


def _head(content: dict[str, bytes], config: RunConfig) -> Head | None:
    """Return the head of a classifier, if there is one; ValueError if it fits no such body."""
    given = {name: content[name] for name in (WEIGHTS, LABELS) if name in content}
    if not given:
        return None
    if len(given) < 2 or not config.tuned:
        raise ValueError("The file holds half a head, or a head of a model that has none.")
    head = Head.from_files(given)
    if head.weight.shape[1] != config.transformer(vocab_size=2).d_model:
        raise ValueError("The head is not that of the model that the config describes.")
    return head


def _check_tensors(files: dict[str, bytes], config: RunConfig, limits: Limits) -> None:
    """Raise ValueError unless weights and optimizer are those of the config's very model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        path.write_bytes(files["tokenizer.json"])
        vocab_size = load_tokenizer(path).vocab_size
    weights = read_header(files["weights.safetensors"], "weights.safetensors")
    moments = read_header(files["optimizer.safetensors"], "optimizer.safetensors")
    shape = config.transformer(vocab_size)
    parameters = sum(math.prod(each.shape) for each in weights.values())
    # Before a model of that shape is as much as sketched: a config may ask for anything.
    blocks = shape.n_layers * shape.d_model * (shape.d_model + shape.d_ff)
    if shape.n_layers > len(weights) or blocks + vocab_size * shape.d_model > parameters:
        raise ValueError("The weights are not those of the model that the config describes.")
    limits.check_run(config, parameters=parameters, vocab_size=vocab_size)
    with without_weights():
        expected = {
            name: TensorFacts("F32", tuple(tensor.shape))
            for name, tensor in GPT(shape).state_dict().items()
        }
    if weights != expected:
        raise ValueError("The weights are not those of the model that the config describes.")
    for key, facts in moments.items():
        name, _, kind = key.rpartition("/")
        of_parameter = name in expected and facts == expected[name]
        if not (of_parameter or (name in expected and kind == "step" and facts.shape == ())):
            raise ValueError("The optimizer's tensors are not those of the model.")
    for name in ("weights", "optimizer"):
        tensors = load(files[f"{name}.safetensors"]).values()
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors):
            raise ValueError(f"The file's {name} hold values that are no numbers.")


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no text.") from error
