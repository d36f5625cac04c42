"""Sweeps: one setting of a run with several values, all else the same. Imports no torch."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from llm_core.training.config import RunConfig

MOST_VALUES = 5
Value = int | float
_LARGEST_SEED = 10**6


@dataclass(frozen=True)
class Setting:
    """A setting that can be swept. usual: values to choose of; least, most: what is allowed.

    get and put: its value in a config, and a config with another one.
    """

    name: str
    usual: tuple[Value, ...]
    least: Value
    most: Value
    whole: bool
    get: Callable[[RunConfig], Value] = field(repr=False)
    put: Callable[[RunConfig, Value], RunConfig] = field(repr=False)

    def read(self, text: str) -> Value:
        """Return the value that a text names; ValueError with what is allowed if it names none."""
        try:
            value = float(text.strip().replace(",", ""))
        except ValueError:
            value = math.nan
        if not self.least <= value <= self.most or (self.whole and value != int(value)):
            kind = "a whole number" if self.whole else "a number"
            raise ValueError(
                f"The {self.name} must be {kind} from {_plain(self.least)} to {_plain(self.most)}, "
                f"not {text.strip()[:20]!r}."
            )
        return int(value) if self.whole else value


def _plain(value: Value) -> str:
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def sweep(config: RunConfig, setting: Setting, values: Sequence[Value]) -> list[RunConfig]:
    """Return a config for each value; what was changed while the run trained is left out.

    Raises ValueError for no value or more than MOST_VALUES, for one that comes twice, and for one
    that no model can be built with.
    """
    if not 1 <= len(values) <= MOST_VALUES:
        raise ValueError(f"A sweep takes 1 to {MOST_VALUES} values; these are {len(values)}.")
    if len(set(values)) < len(values):
        raise ValueError("A value comes twice: the same settings and seed make the same run.")
    first = config.earlier_steps[0][1] if config.earlier_steps else config.steps
    config = replace(config, steps=first, rate_changes=(), earlier_steps=())
    return [setting.put(config, value) for value in values]


def find_setting(name: str) -> Setting:
    """Return the setting of that name; ValueError if there is none."""
    if name not in SETTINGS:
        raise ValueError(f"There is no setting {name!r} to sweep.")
    return SETTINGS[name]


def _of_model(field_name: str) -> tuple[Callable[..., Value], Callable[..., RunConfig]]:
    def get(config: RunConfig) -> Value:
        value: Value = getattr(config.transformer(vocab_size=2), field_name)
        return value

    def put(config: RunConfig, value: Value) -> RunConfig:
        return replace(config, model=config.model | {field_name: value})

    return get, put


def _of_run(field_name: str) -> tuple[Callable[..., Value], Callable[..., RunConfig]]:
    def get(config: RunConfig) -> Value:
        value: Value = getattr(config, field_name)
        return value

    def put(config: RunConfig, value: Value) -> RunConfig:
        changed: dict[str, object] = {field_name: value}
        return replace(config, **changed)  # type: ignore[arg-type]

    return get, put


def _put_rate(config: RunConfig, value: Value) -> RunConfig:
    """Muon's rate goes along in proportion."""
    recipe = config.recipe
    share = value / recipe.learning_rate
    return replace(
        config,
        recipe=replace(
            recipe,
            learning_rate=float(value),
            matrix_learning_rate=recipe.matrix_learning_rate * share,
        ),
    )


SETTINGS: dict[str, Setting] = {
    each.name: each
    for each in (
        Setting(
            "learning rate",
            (0.0003, 0.001, 0.003, 0.01, 0.03),
            1e-6,
            30.0,
            False,
            lambda config: config.recipe.learning_rate,
            _put_rate,
        ),
        Setting("layers", (1, 2, 4, 6, 8), 1, 12, True, *_of_model("n_layers")),
        Setting("heads", (1, 2, 4, 8), 1, 16, True, *_of_model("n_heads")),
        Setting("width", (32, 64, 128, 192), 8, 512, True, *_of_model("d_model")),
        Setting("context", (4, 16, 32, 64, 128), 4, 256, True, *_of_model("context_length")),
        Setting("dropout", (0.0, 0.1, 0.2, 0.3, 0.5), 0.0, 0.9, False, *_of_model("dropout")),
        Setting("batch", (1, 4, 16, 32), 1, 128, True, *_of_run("batch_size")),
        Setting("seed", (1, 2, 3, 4, 5), 0, _LARGEST_SEED, True, *_of_run("seed")),
    )
}
