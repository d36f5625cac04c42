"""What one run has otherwise than another, in words, and which of them is best. No torch."""

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent
from llm_core.training.recipes import RECIPES, Recipe

_SHAPE = {
    "n_layers": "layers",
    "n_heads": "heads",
    "d_model": "width",
    "d_ff": "feed-forward width",
    "context_length": "context",
    "dropout": "dropout",
    "position": "positions",
    "norm": "norm",
    "norm_placement": "norm placed",
    "activation": "activation",
    "bias": "biases",
    "tie_embeddings": "tied embeddings",
    "qk_norm": "norm of queries and keys",
    "n_kv_heads": "key-value heads",
}
_RUN = {
    "steps": "steps",
    "stop_minutes": "minutes to stop at",
    "stop_loss": "loss to stop at",
    "batch_size": "batch",
    "accumulation": "batches a step",
    "stride": "stride",
    "validation_fraction": "validation share",
    "seed": "seed",
    "precision": "precision",
    "tuned": "fine-tuning:",
}
_RECIPE = {each.name: each.name.replace("_", " ") for each in fields(Recipe)}


@dataclass(frozen=True)
class Best:
    """The lowest validation loss of a run, in nats per token, and after which step that was."""

    loss: float
    step: int


def best_of(evaluations: Sequence[EvalEvent]) -> Best | None:
    """Return a run's lowest validation loss, None before there is one."""
    if not evaluations:
        return None
    lowest = min(evaluations, key=lambda each: each.loss)
    return Best(lowest.loss, lowest.step)


def what_changed(config: RunConfig, base: RunConfig) -> list[str]:
    """Return what `config` has otherwise than `base`, each as "layers 4 → 2"; [] for nothing.

    Left out are how often it is measured and saved, and where it computes. What a recipe brings
    along is told by the recipe's name.
    """
    found = [_text(config, base), _tokenizer(config, base)]
    found += _recipe(config, base) + _shape(config, base)
    for name, words in _RUN.items():
        found.append(_change(words, getattr(base, name), getattr(config, name)))
    if config.rate_changes != base.rate_changes:
        found += _rates(config, base)
    return [each for each in found if each]


def comparable(config: RunConfig, base: RunConfig) -> bool:
    """Whether the losses of two runs are about the same tokens."""
    same = not _text(config, base) and not _tokenizer(config, base)
    return same and config.validation_fraction == base.validation_fraction


def factor_words(factor: float) -> str:
    """Say a factor as people do: 1/3, 10, 0.37."""
    share = Fraction(factor).limit_denominator(100)
    if share and abs(float(share) - factor) < 1e-9 and 1 in (share.numerator, share.denominator):
        return str(share)
    return f"{factor:.3g}"


def _change(words: str, before: object, after: object) -> str:
    return "" if before == after else f"{words} {_written(before)} → {_written(after)}"


def _written(value: object) -> str:
    if value in (None, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _text(config: RunConfig, base: RunConfig) -> str:
    if config.corpus or base.corpus:
        return _change("text", base.corpus or "own", config.corpus or "own")
    return "" if _same_file(config.text_path, base.text_path) else "another text of one's own"


def _tokenizer(config: RunConfig, base: RunConfig) -> str:
    if config.tokenizer != base.tokenizer:
        names = {"char": "characters", "bpe": "pairs", "file": "trained before"}
        names |= {"gpt2": "GPT-2's", "smollm2": "SmolLM2's"}
        return _change("tokens", names[base.tokenizer], names[config.tokenizer])
    if config.tokenizer == "bpe":
        return _change("vocabulary", base.vocab_size, config.vocab_size)
    same = _same_file(config.tokenizer_path, base.tokenizer_path)
    return "" if same else "another trained tokenizer"


def _same_file(one: str | None, other: str | None) -> bool:
    if one == other:
        return True
    try:
        return bool(one and other) and filecmp.cmp(str(one), str(other), shallow=False)
    except OSError:
        return False


def _recipe(config: RunConfig, base: RunConfig) -> list[str]:
    """By name; and where a recipe differs from the known one of that name, in what."""
    found = [_change("recipe", base.recipe.name, config.recipe.name)]
    for name, words in _RECIPE.items():
        if name in ("name", "model"):
            continue
        before, after = getattr(base.recipe, name), getattr(config.recipe, name)
        usual = _usual(base.recipe, name) == before and _usual(config.recipe, name) == after
        if not (found[0] and usual):
            found.append(_change(words, before, after))
    return found


def _usual(recipe: Recipe, name: str) -> object:
    return getattr(RECIPES.get(recipe.name, recipe), name)


def _shape(config: RunConfig, base: RunConfig) -> list[str]:
    """Parts of the model that were not brought along by the recipes alone."""
    ours, theirs = config.transformer(vocab_size=2), base.transformer(vocab_size=2)
    found = []
    for name, words in _SHAPE.items():
        by_recipe = config.recipe.name != base.recipe.name and not (
            name in config.model or name in base.model
        )
        follows = name == "d_ff" and not ({"d_ff"} & (config.model.keys() | base.model.keys()))
        follows |= name == "n_kv_heads" and ours.n_kv_heads == ours.n_heads
        if not (by_recipe or follows):
            found.append(_change(words, getattr(theirs, name), getattr(ours, name)))
    return found


def _rates(config: RunConfig, base: RunConfig) -> list[str]:
    told = [
        f"learning rate × {factor_words(factor)} after step {step:,}"
        for step, factor in config.rate_changes
        if (step, factor) not in base.rate_changes
    ]
    return told or ["learning rate left as planned"]
