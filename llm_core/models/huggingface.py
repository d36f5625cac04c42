"""Checkpoints of the transformers library: a folder with config.json and model.safetensors.

A model that was trained here opens there with the same logits, and theirs open here. Only
safetensors are read: a pickle (pytorch_model.bin) could run anything while it is opened.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.models.gpt import GPT
from llm_core.models.huggingface_export import family_of, to_huggingface
from llm_core.models.huggingface_import import from_huggingface
from llm_core.models.huggingface_names import ALIASES, IGNORED, PREFIXES, Rule, rules
from llm_core.models.initialisation import without_weights

_CLASSIFIERS = {"gpt2": "GPT2ForSequenceClassification", "llama": "LlamaForSequenceClassification"}
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


class ExportableTokenizer(Protocol):
    """A tokenizer that the tokenizers library can express."""

    def to_huggingface(self) -> str:
        """Return the text of a tokenizer.json."""


def save_huggingface(
    model: GPT | Encoder, tokenizer: ExportableTokenizer | None, folder: Path
) -> None:
    """Write the model into `folder`, so that transformers opens it with the same outputs.

    A GPT becomes the family that computes the same: GPT-2 (with biases of 0 if ours has none),
    MPT (ALiBi), Llama, Mistral (with a window), Qwen3 (with query-key norm), Arcee or Apertus
    (without a gate); an encoder becomes BERT. The tokenizer, if there is one, goes into
    tokenizer.json. Raises ValueError for a shape that transformers lacks.
    """
    family = family_of(model.config)
    state = model.state_dict()
    dtype = next(iter(state.values())).dtype
    content = to_huggingface(model.config, str(dtype).removeprefix("torch."))
    tensors: dict[str, Tensor] = {}
    for rule in rules(family, model.config):
        ours = torch.zeros(rule.shape, dtype=dtype) if rule.zero else state[rule.ours].cpu()
        tensors |= zip(rule.theirs, rule.split(ours), strict=True)
    if family == "bert" and not model.config.mlm_head:  # a bare BertModel has no prefix
        tensors = {name.removeprefix(PREFIXES["bert"]): t for name, t in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if tokenizer is not None:
        (folder / TOKENIZER).write_text(tokenizer.to_huggingface(), encoding="utf-8")


def add_head(
    folder: Path, weight: Tensor, labels: Sequence[str], *, pad_id: int | None = None
) -> None:
    """Make a saved GPT in `folder` one that sorts texts: weight (K, C) scores its K `labels`.

    transformers then opens it with AutoModelForSequenceClassification, and takes a text's score
    from its last token that is not `pad_id`: this must be an id that ends no text. With None it
    takes one text at a time, and the last token. Raises ValueError for families that have no such
    model.
    """
    content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    kind = _CLASSIFIERS.get(content["model_type"])
    if kind is None:
        raise ValueError(f"transformers has no {content['model_type']} that sorts texts.")
    content |= {
        "architectures": [kind],
        "pad_token_id": pad_id,
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    (folder / CONFIG).write_text(json.dumps(content, indent=2), encoding="utf-8")
    tensors = load_file(folder / WEIGHTS)
    tensors["score.weight"] = weight.detach().float().contiguous()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def load_huggingface(folder: Path, *, dtype: torch.dtype = torch.float32) -> GPT | Encoder:
    """Open a GPT-2-, Llama- or BERT-shaped checkpoint; return the model in evaluation mode.

    Raises ValueError if a file is missing or damaged, if the shape is none of ours, and, with
    their names, if tensors are missing, surplus or misshapen.
    """
    content = _read_config(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        pickled = any(folder.glob("*.bin"))
        why = " A pickled one is never opened: it could run anything." if pickled else ""
        raise ValueError(f"There is no {WEIGHTS} in {folder.name}.{why}")
    try:
        with safe_open(path, framework="pt") as file:
            config = from_huggingface(content, set(file.keys()))
            state = _read_tensors(file, content["model_type"], config, dtype)
    except SafetensorError as error:
        raise ValueError(f"{WEIGHTS} is damaged or incomplete.") from error
    if content["model_type"] == "gpt2" and not config.bias:
        config = _without_biases(config, state)
    with without_weights():
        model = GPT(config) if config.kind == "decoder" else Encoder(config)
    model.load_state_dict(state, assign=True)
    return model.eval()


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"There is no {CONFIG} in {folder.name}.") from error
    except ValueError as error:
        raise ValueError(f"{CONFIG} is damaged.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{CONFIG} is damaged.")
    return content


def _read_tensors(
    file: Any, family: str, config: TransformerConfig, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Check all names and shapes first, then read one tensor of ours after the other."""
    prefix = PREFIXES[family]
    names = {name: name for name in file.keys()}  # noqa: SIM118 - the file is no mapping
    if not any(name.startswith(prefix) for name in names):  # saved without its head
        heads = ("lm_head.", "cls.")
        names = {n if n.startswith(heads) else prefix + n: n for n in names}
    shapes = {name: tuple(file.get_slice(stored).get_shape()) for name, stored in names.items()}
    wanted = rules(family, dataclasses.replace(config, bias=True) if family == "gpt2" else config)
    aliases = _check(wanted, shapes, config)
    state = {
        rule.ours: rule.join([file.get_tensor(names[name]).to(dtype) for name in rule.theirs])
        for rule in wanted
    }
    for name in aliases:
        if not torch.equal(file.get_tensor(names[name]).to(dtype), state[ALIASES[name]]):
            raise ValueError(f"{name} should be a copy of {ALIASES[name]}, and differs from it.")
    return state


def _check(
    wanted: list[Rule], shapes: dict[str, tuple[int, ...]], config: TransformerConfig
) -> list[str]:
    """Return names that stand for other tensors; ValueError unless all is as it must be."""
    expected = {
        name: shape
        for rule in wanted
        for name, shape in zip(rule.theirs, rule.stored_shapes(), strict=True)
    }
    missing = [name for name in expected if name not in shapes]
    misshapen = [
        f"{name} ({shapes[name]} instead of {shape})"
        for name, shape in expected.items()
        if name in shapes and shapes[name] != shape
    ]
    surplus = [n for n in shapes if n not in expected and not n.endswith(IGNORED)]
    ours = {rule.ours for rule in wanted}
    aliases = [n for n in surplus if config.tie_embeddings and ALIASES.get(n) in ours]
    surplus = [name for name in surplus if name not in aliases]
    faults = {"missing": missing, "surplus": surplus, "misshapen": misshapen}
    if any(faults.values()):
        listed = (f"{kind}: {_some(found)}" for kind, found in faults.items() if found)
        raise ValueError(f"The tensors do not fit config.json. {'; '.join(listed)}.")
    return aliases


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(sorted(names)[:8]) + more


def _without_biases(config: TransformerConfig, state: dict[str, Tensor]) -> TransformerConfig:
    """Drop GPT-2's biases if all are 0, as we save them; else something has trained them since."""
    biases = [name for name in state if name.endswith(".bias")]
    if any(state[name].any() for name in biases):
        return dataclasses.replace(config, bias=True)
    for name in biases:
        del state[name]
    return config
