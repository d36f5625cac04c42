"""A run as one file to take away: everything to use it, to look at it, and to go on with it.

README.md          a model card, and the command that trains the like of it
run.json           title and facts
checkpoint/        weights, optimizer, config, tokenizer, and the checksums of these
curves/            what was measured, as CSV
text.txt           the text, if it was the learner's own
head.safetensors   a classifier's head, and labels.json: what its rows are scores for
transformers/      the same weights in the form that the transformers library opens
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from llm_core.models.huggingface import ExportableTokenizer, add_head, save_huggingface
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.training.checkpoint_index import FACTS, FILES, newest_whole, read_files
from llm_core.training.checkpoints import load_model
from llm_core.training.commands import command_for
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
    (content, state), _ = newest_whole(folder, read_files)
    config = RunConfig.from_json(content["config.json"].decode())
    about = {"format": FORMAT, "title": title, "facts": asdict(facts) if facts else None}
    files: dict[str, bytes] = {"run.json": json.dumps(about, indent=1).encode()}
    files |= {f"checkpoint/{name}": content[name] for name in (FACTS, *FILES)}
    files |= {f"curves/{name}": text.encode() for name, text in curves.to_csv().items()}
    if config.text_path is not None:
        files[TEXT] = Path(config.text_path).read_bytes()
    head = read_head(folder)
    files |= head.to_files() if head else {}
    exported, why_not = _for_transformers(folder, head)
    files |= exported
    config = replace(config, precision=state["precision"])  # what "auto" was found to be
    about_it = _About(title, state["step"], curves, why_not, head.labels if head else ())
    card = (tuned_card if config.tuned else model_card)(config, about_it)
    files["README.md"] = card.encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(files):
            # No time of day: the same run gives the same file.
            archive.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)
    return target.getvalue()


class _About(NamedTuple):
    """What a card tells beside the config. why_not: why transformers cannot open the model."""

    title: str
    step: int
    curves: Curves
    why_not: str
    labels: Sequence[str]


def model_card(config: RunConfig, about: _About) -> str:
    """Say in Markdown what the model is, how good it is, and how to use it."""
    title, step, curves, why_not, _ = about
    text = (
        f"the corpus `{config.corpus}`" if config.corpus else "a text of the owner's (`text.txt`)"
    )
    shape = config.transformer(vocab_size=2)
    losses = [f"{each.loss:.4f} after {each.step:,} steps" for each in curves.evaluations[-1:]]
    loss = losses[0] if losses else "not measured"
    use = why_not or _use("AutoModelForCausalLM")
    return f"""# {title}

A small GPT, trained in the course *Inside LLMs* for {step:,} of {config.steps:,} steps on {text}.

- {shape.n_layers} layers, {shape.n_heads} heads, width {shape.d_model}, context \
{shape.context_length}; positions: {shape.position}, norm: {shape.norm}, activation: \
{shape.activation}
- recipe *{config.recipe.name}*, {config.windows_a_step} windows a step, seed {config.seed}
- validation loss, in nats per token: {loss}
- tokenizer: {config.tokenizer}

It knows nothing but this text. It states no facts, and has learnt no manners: use it to learn how
such models work.

## Train the like of it

```
{command_for(config)}
```

## Go on training it

```
python -m llm_core.training import THIS_FILE.zip --out my_run
python -m llm_core.training --resume my_run
```

## Open it with transformers

{use}
"""


def tuned_card(config: RunConfig, about: _About) -> str:
    """Say in Markdown what was fine-tuned, how well it does, and how to use it."""
    title, step, curves, why_not, labels = about
    right = [f"{each.right} of {each.asked} after {each.step:,} steps" for each in curves.answers]
    use = why_not or _use(
        "AutoModelForSequenceClassification" if labels else "AutoModelForCausalLM"
    )
    sorts = f"\n- labels, in the order of its scores: {', '.join(labels)}" if labels else ""
    return f"""# {title}

A small GPT, fine-tuned in the course *Inside LLMs* for {step:,} of {config.steps:,} steps. \
{config.tuned}

- {config.batch_size} texts a step, seed {config.seed}, learning rate up to \
{config.recipe.learning_rate:g}
- right, of what it had not learnt from: {right[-1] if right else "not measured"}{sorts}

What it learnt from is in `text.txt`. It was pretrained on short tales of our own, and knows nothing
else.

## Open it with transformers

{use}
"""


def _use(kind: str) -> str:
    lines = f'from transformers import {kind}\n\nmodel = {kind}.from_pretrained("transformers")'
    return f"```python\n{lines}\n```"


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
