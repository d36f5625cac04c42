"""Model cards: what a run's model is, how good it is, and how to use it, in Markdown."""

from collections.abc import Sequence
from typing import NamedTuple

from llm_core.training.commands import command_for
from llm_core.training.config import RunConfig
from llm_core.training.curves import Curves


class About(NamedTuple):
    """What a card tells beside the config. why_not: why transformers cannot open the model."""

    title: str
    step: int
    curves: Curves
    why_not: str
    labels: Sequence[str]


def model_card(config: RunConfig, about: About) -> str:
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


def tuned_card(config: RunConfig, about: About) -> str:
    """Say in Markdown what was fine-tuned, how well it does, and how to use it."""
    title, step, _, why_not, labels = about
    use = why_not or (_code(_SORT) if labels else _use("AutoModelForCausalLM"))
    return f"""# {title}

A small GPT, fine-tuned in the course *Inside LLMs* for {step:,} of {config.steps:,} steps. \
{config.tuned}

{_measured(config, about)}

What it learnt from is in `text.txt`. It was pretrained on short tales of our own, and knows nothing
else.

## Open it with transformers

{use}
"""


def head_card(config: RunConfig, about: About) -> str:
    """Say in Markdown what a head for a shipped model was taught, how well, and how to use it."""
    return f"""# {about.title}

A head for the language model `{config.body}`, trained in the course *Inside LLMs* for \
{about.step:,} of {config.steps:,} steps. {config.tuned}

{_measured(config, about)}

What it learnt from is in `text.txt`. The model itself is as its makers published it, so it is not
in this file.

## Use it

Beside the files of this one, in the folder of the course or with it installed:

{_code(_USE_HEAD.format(body=config.body))}
"""


def _measured(config: RunConfig, about: About) -> str:
    """How it was trained, and how often it is right."""
    answers = about.curves.answers
    right = [f"{each.right} of {each.asked} after {each.step:,} steps" for each in answers]
    labels = ", ".join(about.labels)
    sorts = f"\n- labels, in the order of its scores: {labels}" if labels else ""
    return (
        f"- {config.batch_size} texts a step, seed {config.seed}, learning rate up to "
        f"{config.recipe.learning_rate:g}\n"
        f"- right, of what it had not learnt from: {right[-1] if right else 'not measured'}{sorts}"
    )


def _use(kind: str) -> str:
    lines = f'from transformers import {kind}\n\nmodel = {kind}.from_pretrained("transformers")'
    return _code(lines)


_SORT = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

model = AutoModelForSequenceClassification.from_pretrained("transformers")
tokenizer = AutoTokenizer.from_pretrained("transformers")
scores = model(**tokenizer("A text of yours.", return_tensors="pt")).logits
print(model.config.id2label[int(scores.argmax())])"""
_USE_HEAD = """import json
from pathlib import Path

from safetensors.torch import load_file

from llm_core.finetuning.classification import LONGEST_READ, sort_text
from llm_core.pretrained.registry import load

weight = load_file("head.safetensors")["score.weight"]
labels = json.loads(Path("labels.json").read_text())
body, tokenizer = load({body!r})
shares = sort_text(body, tokenizer, weight, "A text of yours.", longest=LONGEST_READ)
print(labels[shares.index(max(shares))])"""


def _code(lines: str) -> str:
    return f"```python\n{lines}\n```"
