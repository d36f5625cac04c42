"""Every setting of a run as an option of the command line, and back. Imports no torch.

One table says which option sets what, so that the parser, the config that it makes and the command
that makes a config again cannot drift apart.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llm_core.models.config import ACTIVATIONS, NORMS, PLACEMENTS, POSITIONS
from llm_core.training.config import PRECISIONS, TOKENIZERS, RunConfig
from llm_core.training.recipes import MATRIX_OPTIMIZERS, RECIPES, SCHEDULES
from llm_core.training.steering import with_rate, with_steps

ON_THE_WAY = ("steps", "stop_minutes", "stop_loss", "keep_checkpoints", "rate_factor")


@dataclass(frozen=True)
class Option:
    """One option: the field that it sets, of what ("run", "model" or "recipe"), and its kind."""

    flag: str
    of: str
    field: str
    kind: Callable[[str], Any]
    help: str = ""
    default: Any = None  # None: the recipe's, or the model's own
    choices: tuple[str, ...] = ()
    repeated: bool = False

    @property
    def destination(self) -> str:
        """Its name among the parsed options."""
        return self.flag.removeprefix("--").replace("-", "_")


def count_or_all(text: str) -> int | None:
    """Read a number of windows, or "all"."""
    return None if text == "all" else int(text)


def change(kind: Callable[[str], Any]) -> Callable[[str], tuple[int, Any]]:
    """Return what reads STEP:VALUE."""

    def read(text: str) -> tuple[int, Any]:
        step, _, value = text.partition(":")
        return int(step), kind(value)

    read.__name__ = "STEP:VALUE"
    return read


def _run(
    flag: str, field: str, kind: Callable[[str], Any], text: str, default: Any, **more: Any
) -> Option:
    return Option(flag, "run", field, kind, text, default, **more)


def _yes_or_no(text: str) -> bool:
    return {"yes": True, "no": False}[text]


_RUN = (
    _run("--tokenizer", "tokenizer", str, "what the text is cut with", "char", choices=TOKENIZERS),
    _run("--vocab-size", "vocab_size", int, "tokens of --tokenizer bpe", 512),
    _run("--batch", "batch_size", int, "windows in a batch", 12),
    _run("--accumulation", "accumulation", int, "batches before each change of the weights", 1),
    _run("--stride", "stride", int, "windows begin at multiples of it; 1 = anywhere", 1),
    _run("--steps", "steps", int, "steps in all", 2000),
    _run("--stop-minutes", "stop_minutes", float, "stop after so long, if not sooner", None),
    _run("--stop-loss", "stop_loss", float, "stop at this validation loss", None),
    _run("--validation-share", "validation_fraction", float, "of the text, held back", 0.1),
    _run("--seed", "seed", int, "of the first weights and all batches", 1337),
    _run("--device", "device", str, "auto, cpu, cuda or mps", "auto"),
    _run(
        "--precision",
        "precision",
        str,
        "auto: 16 bits if a measurement at the start finds them faster on this machine",
        "auto",
        choices=("auto", *PRECISIONS),
    ),
    _run("--log-interval", "log_interval", int, "steps a line", 100),
    _run("--eval-interval", "eval_interval", int, "steps; 0 = at the end only", 500),
    _run("--eval-windows", "eval_windows", count_or_all, "of an evaluation, or all", 128),
    _run("--final-eval-windows", "final_eval_windows", count_or_all, "of the last one", None),
    _run("--sample-interval", "sample_interval", int, "steps; 0 = never", 0),
    _run("--sample-prompt", "sample_prompt", str, "how samples begin; empty = a word", ""),
    _run("--sample-tokens", "sample_tokens", int, "tokens of a sample", 200),
    _run("--sample-temperature", "sample_temperature", float, "of samples", 0.8),
    _run("--checkpoint-interval", "checkpoint_interval", int, "steps; 0 = at the end", 500),
    _run("--keep-checkpoints", "keep_checkpoints", int, "how many stay", 2),
    _run(
        "--rate-change",
        "rate_changes",
        change(float),
        "STEP:FACTOR: after that step the learning rates count so many times",
        (),
        repeated=True,
    ),
    _run(
        "--earlier-steps",
        "earlier_steps",
        change(int),
        "STEP:STEPS: until that step, so many were planned",
        (),
        repeated=True,
    ),
)
_MODEL = (
    Option("--layers", "model", "n_layers", int, "blocks", 4),
    Option("--heads", "model", "n_heads", int, "attention heads of a block", 4),
    Option("--width", "model", "d_model", int, "d_model", 128),
    Option("--context", "model", "context_length", int, "tokens seen at once", 64),
    Option("--bias", "model", "bias", _yes_or_no, "in linear layers and norms", False),
    Option("--kv-heads", "model", "n_kv_heads", int, "heads of keys and values (as many)"),
    Option("--feedforward", "model", "d_ff", int, "width of the feed-forward network (4 x)"),
    Option("--dropout", "model", "dropout", float, "share of numbers dropped in training"),
    Option("--position", "model", "position", str, choices=POSITIONS),
    Option("--norm", "model", "norm", str, choices=NORMS),
    Option("--norm-placement", "model", "norm_placement", str, choices=PLACEMENTS),
    Option("--norm-eps", "model", "norm_eps", float, "keeps a norm from dividing by 0"),
    Option("--activation", "model", "activation", str, choices=ACTIVATIONS),
    Option("--tied", "model", "tie_embeddings", _yes_or_no, "one table reads and writes tokens"),
    Option("--embedding-norm", "model", "embedding_norm", _yes_or_no, "after the embeddings"),
    Option("--scale-embeddings", "model", "scale_embeddings", _yes_or_no, "by √d_model"),
    Option("--qk-norm", "model", "qk_norm", _yes_or_no, "normalise queries and keys"),
    Option("--zero-init", "model", "zero_init_projections", _yes_or_no, "blocks begin as nothing"),
    Option("--window", "model", "window", int, "tokens that each looks back at, at most"),
    Option("--rope-base", "model", "rope_base", float, "of --position rope"),
    Option("--rope-scaling", "model", "rope_scaling", float, "of --position rope"),
    Option("--max-distance", "model", "max_distance", int, "of --position t5 and shaw"),
    Option("--relative-buckets", "model", "relative_buckets", int, "of --position t5"),
)
_RECIPE = (
    Option("--learning-rate", "recipe", "learning_rate", float, "AdamW's peak"),
    Option("--schedule", "recipe", "schedule", str, choices=SCHEDULES),
    Option("--final-fraction", "recipe", "final_fraction", float, "of the peak, at the end"),
    Option("--decay-share", "recipe", "decay_share", float, "of the steps, for wsd's fall"),
    Option("--warmup", "recipe", "warmup_steps", int, "steps up to the peak"),
    Option("--weight-decay", "recipe", "weight_decay", float, "of matrices"),
    Option("--beta1", "recipe", "beta1", float, "AdamW's"),
    Option("--beta2", "recipe", "beta2", float, "AdamW's"),
    Option("--clip", "recipe", "clip_norm", float, "longest gradient"),
    Option("--optimizer", "recipe", "matrix_optimizer", str, choices=MATRIX_OPTIMIZERS),
    Option("--matrix-learning-rate", "recipe", "matrix_learning_rate", float, "Muon's peak"),
    Option("--momentum", "recipe", "momentum", float, "Muon's"),
    Option("--newton-schulz", "recipe", "newton_schulz_steps", int, "Muon's rounds"),
)
OPTIONS = (*_MODEL, *_RUN, *_RECIPE)
_GROUPS = {"model": "the model", "run": "the run", "recipe": "learning (else as in the recipe)"}


def build_parser(epilog: str = "") -> argparse.ArgumentParser:
    """Describe the options. What is not given is left out of what it parses."""
    parser = argparse.ArgumentParser(
        prog="python -m llm_core.training",
        description="Train a GPT on a text, without Streamlit.",
        epilog=epilog,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", metavar="FILE", help="a UTF-8 text file")
    source.add_argument("--corpus", metavar="NAME", help="a named corpus, such as tiny_tales")
    source.add_argument("--resume", metavar="DIR", type=Path, help="go on with the run saved there")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where checkpoints go")
    parser.add_argument("--tokenizer-file", metavar="FILE", help="of --tokenizer file")
    parser.add_argument("--recipe", choices=sorted(RECIPES), help="(classic)")
    parser.add_argument(
        "--rate-factor", type=float, help="with --resume: the rates count so many times from now on"
    )
    parser.add_argument(
        "--estimate", action="store_true", help="only say how large it is and how long it will take"
    )
    groups = {of: parser.add_argument_group(words) for of, words in _GROUPS.items()}
    for option in OPTIONS:
        _add(groups[option.of], option)
    return parser


def _add(group: Any, option: Option) -> None:
    details: dict[str, Any] = {"dest": option.destination}
    if option.kind is _yes_or_no:
        details["choices"] = ("yes", "no")
    else:
        details["type"] = option.kind
        if option.choices:
            details["choices"] = option.choices
    if option.repeated:
        details["action"] = "append"
    usual = _said(option, option.default)[1:]
    details["help"] = f"{option.help} ({usual[0]})" if usual and usual[0] else option.help or None
    group.add_argument(option.flag, **details)


def config_of(given: Mapping[str, Any]) -> RunConfig:
    """Turn parsed options into a config; raise ValueError where they cannot be trained."""
    if "rate_factor" in given:
        raise ValueError("--rate-factor goes with --resume: a new run has --learning-rate.")
    settings: dict[str, dict[str, Any]] = {"run": {}, "model": {}, "recipe": {}}
    for option in OPTIONS:
        value = given.get(option.destination, option.default)
        if option.kind is _yes_or_no and isinstance(value, str):
            value = _yes_or_no(value)
        if option.of == "run" or value is not None:
            settings[option.of][option.field] = value
    recipe = replace(RECIPES[given.get("recipe", "classic")], **settings["recipe"])
    text, file = given.get("text"), given.get("tokenizer_file")
    return RunConfig(
        corpus=given.get("corpus"),
        text_path=None if text is None else str(Path(text).resolve()),
        tokenizer_path=None if file is None else str(Path(file).resolve()),
        model=settings["model"],
        recipe=recipe,
        **settings["run"],
    )


def changed_config(config: RunConfig, given: Mapping[str, Any], *, taken: int) -> RunConfig:
    """Return a saved run's config with what may be changed when it goes on after `taken` steps.

    Raises ValueError for what may not.
    """
    allowed = {"resume", "out", "estimate", *ON_THE_WAY}
    if fixed := sorted(set(given) - allowed):
        flag = fixed[0].replace("_", "-")
        raise ValueError(f"--{flag} cannot be changed on the way: begin a new run with it.")
    direct = {name: given[name] for name in ON_THE_WAY[1:4] if name in given}
    config = replace(config, **direct)
    if "steps" in given:
        config = with_steps(given["steps"], taken=taken)(config)
    if "rate_factor" in given:
        config = with_rate(given["rate_factor"], since=taken)(config)
    return config


def options_of(config: RunConfig) -> list[str]:
    """Return the options that make this config again, but for the text and a tokenizer's file.

    A recipe that is none of the known ones is told as the classic one with all that it has else.
    """
    usual = RECIPES.get(config.recipe.name, RECIPES["classic"])
    model = config.model
    if usual.model != config.recipe.model:
        model = config.recipe.model | config.model
    said = ["--recipe", usual.name]
    for option in OPTIONS:
        if option.of == "model":
            if option.field in model:
                said += _said(option, model[option.field])
        elif option.of == "recipe":
            value = getattr(config.recipe, option.field)
            if value != getattr(usual, option.field):
                said += _said(option, value)
        elif (value := getattr(config, option.field)) != option.default or option.field == "steps":
            said += _said(option, value)
    return said


def _said(option: Option, value: Any) -> list[str]:
    if option.repeated:
        return [part for step, new in value for part in (option.flag, f"{step}:{new!r}")]
    if value is None:
        return [option.flag, "all"] if option.kind is count_or_all else []
    if isinstance(value, bool):
        return [option.flag, "yes" if value else "no"]
    text = value if isinstance(value, str) else repr(value)
    return [f"{option.flag}={text}"] if text.startswith("-") else [option.flag, text]
