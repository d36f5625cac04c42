"""What a learner should know before a run starts: its size, and what may go wrong. No torch."""

from dataclasses import dataclass

from llm_core.training.config import RunConfig
from llm_core.training.memory import estimate_memory
from llm_core.training.recipes import RECIPES

_MANY_READINGS = 20  # of the same text: a small model then begins to know it by heart
_HIGH_RATE = 3.0  # times the recipe's: from here on runs were seen to jump


@dataclass(frozen=True)
class Plan:
    """A run in numbers, before it starts. `read` is how many tokens it will read in all."""

    parameters: int
    memory: int
    read: int
    warnings: tuple[str, ...]

    @property
    def tokens_per_parameter(self) -> float:
        """How often each number of the model could be set by a token of its own."""
        return self.read / self.parameters


def plan(config: RunConfig, *, parameters: int, characters: int, vocab_size: int) -> Plan:
    """Work out a run's size and what to warn of.

    parameters: of its model; characters: of the whole text.
    """
    shape = config.transformer(vocab_size)
    read = config.steps * config.batch_size * shape.context_length
    found = [
        _too_short(config, characters, shape.context_length),
        _by_heart(parameters, characters, read),
        _barely_read(characters, read),
        _high_rate(config),
        _all_dropped(shape.dropout),
    ]
    memory = estimate_memory(config, parameters=parameters, vocab_size=vocab_size)
    return Plan(parameters, memory, read, tuple(each for each in found if each))


def _too_short(config: RunConfig, characters: int, context_length: int) -> str:
    """The part for validation is the shorter one, and needs a window too."""
    held_back = int(characters * config.validation_fraction)
    if config.tokenizer != "char" or held_back > context_length:
        return ""
    return (
        f"The context of {context_length} characters is longer than the {held_back} that are held "
        "back for validation: take a shorter context or a longer text."
    )


def _by_heart(parameters: int, characters: int, read: int) -> str:
    if parameters > characters and read > 5 * characters:
        return (
            f"The model has {parameters:,} numbers to set, and the text only {characters:,} "
            "characters: it can learn them by heart. Watch for the amber curve to turn up."
        )
    if read > _MANY_READINGS * characters:
        return (
            f"It will read the text {read / characters:,.0f} times: it may learn parts of it by "
            "heart. Watch for the amber curve to turn up."
        )
    return ""


def _barely_read(characters: int, read: int) -> str:
    if read >= 0.1 * characters:
        return ""
    return (
        f"In so few steps it will see {read / characters:.1%} of the text. Take more steps, a "
        "larger batch or a longer context to let it see more."
    )


def _high_rate(config: RunConfig) -> str:
    recipe = config.recipe
    usual = RECIPES.get(recipe.name, recipe).learning_rate
    if recipe.learning_rate < _HIGH_RATE * usual:
        return ""
    return (
        f"A learning rate of {recipe.learning_rate:g} is {recipe.learning_rate / usual:.3g} times "
        f"what the {recipe.name} recipe takes: the loss may jump about, or run away."
    )


def _all_dropped(dropout: float) -> str:
    if dropout <= 0.5:
        return ""
    return f"Dropping {dropout:.0%} of all numbers in every step leaves it little to learn from."
