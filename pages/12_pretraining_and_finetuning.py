"""Pretraining, then fine-tuning: to sort texts and to follow instructions, and what that costs."""

from typing import Any

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning.baselines import counted_words
from llm_core.finetuning.classification import Classifier, fine_tune
from llm_core.finetuning.instructions import (
    continued,
    encode_pair,
    score_instructions,
    tune_on_instructions,
)
from llm_core.finetuning.lora import LoRALinear, merge_lora
from llm_core.finetuning.settings import choose_trained
from pages.widgets.code_viewer import show_code
from pages.widgets.finetuning_instructions import (
    Answers,
    show_answers,
    show_forgetting,
    show_template,
)
from pages.widgets.finetuning_layers import low_rank, show_layers, show_lora
from pages.widgets.finetuning_pool import COUNT, STEPS, TASK, UNSEEN, pool, show_pool
from pages.widgets.finetuning_stages import MOST, show_stages
from pages.widgets.finetuning_texts import OWN, Chosen, choose_texts, show_texts
from pages.widgets.finetuning_train import train_classifier
from pages.widgets.fragments import own_part
from pages.widgets.frame import open_lesson
from pages.widgets.visitor import visitor


@own_part
def stages() -> None:
    """The same prompt for three stages of one model."""
    prompted = show_stages()
    show_code(
        continued,
        key="stages",
        call=f"""from llm_core.finetuning.instructions import continued
from llm_core.pretrained.registry import load

prompt = {prompted.prompt!r}
model, tokenizer = load("tiny_instructions")
print(repr(continued(model, tokenizer, [prompt], most={MOST})[0]))  # {prompted.said[-1]!r}""",
    )


def texts() -> Chosen | None:
    """The task, its texts, and its baselines."""
    chosen = choose_texts()
    if chosen is None or not page.predict("counted_gifts", {}):
        return chosen
    show_texts(chosen)
    name, count = chosen.texts.name, len(chosen.texts.train)
    source = f"""from llm_core.data.labelled_texts import make_texts

texts = make_texts({name!r}).take({count})"""
    if name == OWN:
        source = """from pathlib import Path

from llm_core.data.labelled_table import read_table, texts_from_table

table = read_table(Path("my_table.csv").read_bytes())
texts = texts_from_table(table, table.text_column(), table.label_column())"""
    show_code(
        counted_words,
        make_texts,
        key="texts",
        call=f"""{source}
from llm_core.finetuning.baselines import counted_words, majority

print(round(majority(texts).accuracy, 3))  # {round(chosen.majority, 3)}
print(round(counted_words(texts).accuracy, 3))  # {round(chosen.words, 3)}""",
    )
    return chosen


@own_part
def pooled() -> None:
    """The last token, or the last place."""
    found = show_pool()
    show_code(
        Classifier.pooled,
        key="pool",
        call=f"""import torch

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning.classification import Classifier, encode_texts, fine_tune, predict
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.pretrained.tiny import load_tiny

texts = make_texts({TASK!r}, train={COUNT}, test={UNSEEN})
model, tokenizer = load_tiny()
classifier = Classifier(model, len(texts.labels), generator=torch.Generator().manual_seed(1))
settings = FinetuneSettings(trained="head", steps={STEPS}, score_interval={STEPS})
list(fine_tune(classifier, tokenizer, texts, settings))
rows, labels = encode_texts(texts.test, tokenizer, 128)
for pool in ("last token", "last place"):
    classifier.pool = pool
    said = predict(classifier, rows).argmax(dim=-1).tolist()
    share = sum(a == b for a, b in zip(said, labels)) / len(labels)
    if pool == "last token":
        print(round(share, 3))  # {round(found.accuracy[0], 3)}
print(round(share, 3))  # {round(found.accuracy[1], 3)}""",
    )


def train(chosen: Chosen) -> None:
    """Fine-tune, and watch."""
    train_classifier(chosen)
    show_code(fine_tune, choose_trained, key="train", call=TRAINING_CODE)


@own_part
def layers() -> None:
    """Which weights, measured."""
    show_layers()


@own_part
def lora() -> None:
    """LoRA's sizes, and merging."""
    found = show_lora()
    show_code(
        LoRALinear,
        merge_lora,
        key="lora",
        call=f"""from llm_core.finetuning.lora import add_lora
from llm_core.pretrained.tiny import load_tiny

model, _ = load_tiny()
trained = add_lora(model, rank={found.rank})
layer = model.blocks[0].{_place(found.part)}
print(layer.down.numel() + layer.up.numel())  # {found.trained}
print(sum(parameter.numel() for parameter in trained))  # {found.all_trained}""",
    )


def _place(part: str) -> str:
    return f"{'attention' if part in ('query_key_value', 'output') else 'feedforward'}.{part}"


@own_part
def instructions() -> None:
    """The template, and what counts in it."""
    found = show_template()
    show_code(
        encode_pair,
        key="template",
        call=f"""from llm_core.data.tale_instructions import make_instructions
from llm_core.finetuning.instructions import IGNORED, encode_pair
from llm_core.pretrained.registry import load

_, tokenizer = load("tiny")
pair = next(each for each in make_instructions(400) if each.kind == {found.pair.kind!r})
ids, targets = encode_pair(pair, tokenizer)
print(pair.answer)  # {found.pair.answer}
print(len(ids) + 1, sum(target != IGNORED for target in targets))  # {found.tokens} {
            found.counted
        }""",
    )


def answers() -> Answers:
    """Before and after."""
    found = show_answers()
    show_code(
        score_instructions,
        key="answers",
        call=f"""from llm_core.finetuning.experiment import instruction_parts
from llm_core.finetuning.instructions import answers
from llm_core.pretrained.registry import load

_, unseen = instruction_parts()
asked = [each.instruction for each in unseen[:{len(found.asked)}]]
said = answers(*load("tiny_instructions"), asked)
print(sum(a == each.answer for a, each in zip(said, unseen)))  # {found.right(found.after)}""",
    )
    return found


def forgetting() -> dict[str, Any] | None:
    """What is lost meanwhile."""
    if not page.predict("what_happens", {}):
        return None
    found = show_forgetting()
    show_code(tune_on_instructions, key="forgetting", call=FORGETTING_CODE)
    return found


def settings() -> dict[str, Any]:
    """The values on screen that questions ask about."""
    change, found = low_rank("widen", 8), pool()
    token, place = found.accuracy
    return {
        "labels": 10,
        "head": 10 * 96,
        "hidden": 96,
        "whole": change.whole,
        "change": change.trained,
        "matrix": change.matrix,
        "product": 8 * 8,
        "unseen": UNSEEN,
        "wrong_token": round(UNSEEN * (1 - token)),
        "wrong_place": round(UNSEEN * (1 - place)),
    }


TRAINING_CODE = """import torch

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning.classification import Classifier, Scored, fine_tune
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.pretrained.tiny import load_tiny

texts = make_texts("who", train=100)
model, tokenizer = load_tiny()
classifier = Classifier(model, len(texts.labels), generator=torch.Generator().manual_seed(1337))
settings = FinetuneSettings(trained="head", steps=20, score_interval=10)  # or "all"
events = list(fine_tune(classifier, tokenizer, texts, settings))
print([event.step for event in events if isinstance(event, Scored)])  # [0, 10, 20]
print(sum(p.numel() for p in classifier.parameters() if p.requires_grad))  # 192"""
FORGETTING_CODE = """from llm_core.finetuning.experiment import instruction_parts, measured

pairs, unseen = instruction_parts()
print(len(pairs), len(unseen))  # 400 120
print(len({pair.instruction for pair in pairs} & {pair.instruction for pair in unseen}))  # 0"""

page = open_lesson("pretraining_and_finetuning")
visitor()  # whose the runs are
page.show("stages", stages)
chosen = page.show("texts", texts)
page.show("pool", pooled)
page.show("train", train, chosen)
page.show("layers", layers)
page.show("lora", lora)
page.show("instructions", instructions)
page.show("answers", answers)
page.show("forgetting", forgetting)
page.close(settings())
