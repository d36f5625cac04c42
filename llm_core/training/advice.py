"""What a learner should know before a run starts: its size, and what may go wrong. No torch."""

from dataclasses import dataclass

from llm_core.models.config import TransformerConfig
from llm_core.training.config import RunConfig
from llm_core.training.memory import estimate_memory
from llm_core.training.metrics import uniform_loss
from llm_core.training.recipes import RECIPES

_MANY_READINGS = 20  # of the same text: a small model then begins to know it by heart
_LARGE_VOCABULARY = 5_000  # tokens
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


def plan(
    config: RunConfig,
    *,
    parameters: int,
    characters: int,
    vocab_size: int,
    tokens: int | None = None,
) -> Plan:
    """Work out a run's size and what to warn of.

    parameters: of its model; characters: of the whole text; tokens: of the whole text, where they
    are not its characters.
    """
    shape = config.transformer(vocab_size)
    read = config.steps * config.windows_a_step * shape.context_length
    tokens = characters if tokens is None else tokens
    found = [
        _too_short(config, tokens, shape.context_length),
        _mostly_table(parameters, vocab_size, shape),
        _by_heart(parameters, characters, read, tokens),
        _barely_read(tokens, read),
        _high_rate(config),
        _all_dropped(shape.dropout),
        _met_at_once(config, vocab_size),
    ]
    memory = estimate_memory(config, parameters=parameters, vocab_size=vocab_size)
    return Plan(parameters, memory, read, tuple(each for each in found if each))


def _too_short(config: RunConfig, tokens: int, context_length: int) -> str:
    """The part for validation is the shorter one, and needs a window too."""
    held_back = int(tokens * config.validation_fraction)
    if held_back > context_length:
        return ""
    what = "characters" if config.tokenizer == "char" else "tokens"
    return (
        f"The context of {context_length} {what} is longer than the {held_back} that are held "
        "back for validation: take a shorter context or a longer text."
    )


def _mostly_table(parameters: int, vocab_size: int, shape: TransformerConfig) -> str:
    """A vocabulary made for the whole web weighs on a small model."""
    table = vocab_size * shape.d_model * (1 if shape.tie_embeddings else 2)
    if vocab_size < _LARGE_VOCABULARY or table < parameters / 2:
        return ""
    return (
        f"The {vocab_size:,} tokens of this vocabulary make {table / parameters:.0%} of the "
        "parameters: a row of numbers for each, and most of them this text uses rarely or never. "
        "Such rows learn nothing, and every step pays for them."
    )


def _by_heart(parameters: int, characters: int, read: int, tokens: int) -> str:
    if parameters > characters and read > 5 * tokens:
        return (
            f"The model has {parameters:,} numbers to set, and the text only {characters:,} "
            "characters: it can learn them by heart. Watch for the amber curve to turn up."
        )
    if read > _MANY_READINGS * tokens:
        return (
            f"It will read the text {read / tokens:,.0f} times: it may learn parts of it by "
            "heart. Watch for the amber curve to turn up."
        )
    return ""


def _barely_read(tokens: int, read: int) -> str:
    if read >= 0.1 * tokens:
        return ""
    return (
        f"In so few steps it will see {read / tokens:.1%} of the text. Take more steps, a "
        "larger batch or a longer context to let it see more."
    )


def _met_at_once(config: RunConfig, vocab_size: int) -> str:
    """A loss that a model has before it has learnt anything."""
    if config.stop_loss is None or config.stop_loss < uniform_loss(vocab_size):
        return ""
    return (
        f"A model that knows nothing has a loss of ln({vocab_size:,}) = "
        f"{uniform_loss(vocab_size):.2f}: to stop at {config.stop_loss:g} is to stop at the first "
        "evaluation."
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
