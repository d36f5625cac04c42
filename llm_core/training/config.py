"""All that fixes a training run, as data: the same config and text give the same losses."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_core.models.config import PRESETS, TransformerConfig
from llm_core.training.recipes import RECIPES, Recipe

TOKENIZERS = ("char", "bpe", "file", "gpt2")
PRECISIONS = ("float32", "bfloat16")
BODIES = {"smollm2": "smollm2-135m"}  # shipped models that a head is trained for, their presets
LONGEST_TUNED = 300  # characters
_MOST_BATCHES = 1024


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run; raises ValueError for settings that cannot be trained.

    The text is a corpus's name or a path to a UTF-8 file: exactly one of the two. `model` holds
    TransformerConfig's fields but vocab_size, which the tokenizer decides; they come before the
    recipe's. The tokenizer is "char", "bpe", trained on the text until it has `vocab_size` tokens,
    "file", saved at `tokenizer_path`, or "gpt2", the published one. Training windows begin at
    multiples of `stride` tokens: 1 is anywhere. A step adds up the gradients of `accumulation`
    batches of `batch_size` windows before it changes a weight. Intervals are in steps, 0 meaning
    never. Evaluation reads `eval_windows` windows spread over the validation split, and the last
    one `final_eval_windows`; None means the whole split. An empty sample_prompt stands for the
    first word of the validation split. The precision "auto" is what trains faster on the machine;
    as that is measured, two runs may then differ in the last digits.

    It ends after `steps` steps, or sooner: after `stop_minutes` of training (time in which it did
    not train does not count), or when an evaluation finds a validation loss of at most `stop_loss`
    nats per token. The schedule is made for `steps` all the same.

    What was changed on the way stays part of the config, so that it still fixes every loss.
    `rate_changes` holds (step, factor): after that step the recipe's learning rates count that many
    times. `earlier_steps` holds (step, steps): until that step the run was to take `steps` in all,
    and its schedule was made for so many. Of checkpoints `keep_checkpoints` stay.

    `tuned` says in a sentence what a finished model was taught, and how: such a run is a
    fine-tuning (see finetuning.keeping), which the training loop cannot repeat. Else it is empty.
    `body` then names the shipped model that stayed as it was, if only a head for it was trained;
    its tokenizer is that model's.
    """

    corpus: str | None = None
    text_path: str | None = None
    tokenizer: str = "char"
    vocab_size: int = 512
    tokenizer_path: str | None = None
    model: dict[str, Any] = field(default_factory=lambda: dict(PRESETS["nano"]))
    recipe: Recipe = RECIPES["classic"]
    steps: int = 2000
    batch_size: int = 12
    accumulation: int = 1
    stride: int = 1
    validation_fraction: float = 0.1
    log_interval: int = 10
    eval_interval: int = 250
    eval_windows: int | None = 128
    final_eval_windows: int | None = None
    sample_interval: int = 0
    sample_prompt: str = ""
    sample_tokens: int = 200
    sample_temperature: float = 0.8
    checkpoint_interval: int = 500
    keep_checkpoints: int = 2
    seed: int = 1337
    device: str = "auto"
    precision: str = "float32"
    stop_minutes: float | None = None
    stop_loss: float | None = None
    rate_changes: tuple[tuple[int, float], ...] = ()
    earlier_steps: tuple[tuple[int, int], ...] = ()
    tuned: str = ""
    body: str = ""

    def __post_init__(self) -> None:
        if (self.corpus is None) == (self.text_path is None):
            raise ValueError("A run trains on a named corpus or on a text file: name one of them.")
        if self.body not in ("", *BODIES) or (self.body and not self.tuned):
            raise ValueError("A run of a head alone names a model that is shipped, and its task.")
        if self.tokenizer not in (*TOKENIZERS, self.body or TOKENIZERS[0]):
            raise ValueError(f"Unknown tokenizer {self.tokenizer!r}: choose of {TOKENIZERS}.")
        if (self.tokenizer == "file") != (self.tokenizer_path is not None):
            raise ValueError('The tokenizer "file" needs the path of a saved one, and only it.')
        self._whole_number("vocab_size", 257)
        if self.precision not in ("auto", *PRECISIONS):
            raise ValueError(f"Unknown precision {self.precision!r}: choose auto or {PRECISIONS}.")
        for name in ("steps", "batch_size", "accumulation", "stride", "log_interval"):
            self._whole_number(name, 1)
        self._whole_number("sample_tokens", 1)
        if self.accumulation > _MOST_BATCHES:  # nothing can be stopped within a step
            raise ValueError(f"A step adds up at most {_MOST_BATCHES:,} batches.")
        self._goals()
        for name in ("eval_interval", "sample_interval", "checkpoint_interval"):
            self._whole_number(name, 0)
        self._whole_number("keep_checkpoints", 2)
        self._changes("rate_changes", 1e-4, 1e4)
        self._changes("earlier_steps", 1, 10**9)
        if not 0 < self.validation_fraction < 1:
            raise ValueError("The validation split must be a share between 0 and 1 of the text.")
        tuned = self.tuned
        if not (isinstance(tuned, str) and tuned.isprintable() and len(tuned) <= LONGEST_TUNED):
            raise ValueError("What was fine-tuned must be said in one line.")
        self.transformer(vocab_size=2)  # a shape that cannot be built is refused here already

    def transformer(self, vocab_size: int) -> TransformerConfig:
        """Return the model's full config once the tokenizer's vocabulary is known."""
        return TransformerConfig(**(self.recipe.model | self.model), vocab_size=vocab_size)

    def require_trainable(self) -> None:
        """Raise ValueError for a fine-tuning: the loop would go on in another way than it began."""
        if self.tuned:
            raise ValueError(
                "This model was fine-tuned: the lesson about that can tune another one, but this "
                "run cannot go on here."
            )

    def rate_factor(self, step: int) -> float:
        """Return how many times the recipe's learning rates count at `step` (1 is the first)."""
        return next((each for since, each in reversed(self.rate_changes) if since < step), 1.0)

    def planned_steps(self, step: int) -> int:
        """Return how many steps the run was to take in all when it took `step`."""
        return next((each for until, each in self.earlier_steps if step <= until), self.steps)

    @property
    def windows_a_step(self) -> int:
        """How many windows it reads before it changes the weights."""
        return self.batch_size * self.accumulation

    def _goals(self) -> None:
        """Raise ValueError for a time or a loss to stop at that nobody can mean."""
        for name, words in (("stop_minutes", "minutes"), ("stop_loss", "loss")):
            value = getattr(self, name)
            number = value is None or (type(value) in (int, float) and 0 < value < math.inf)
            if not number:
                raise ValueError(f"The {words} to stop at must be above 0, not {value!r}.")
        if self.stop_loss is not None and not self.eval_interval:
            raise ValueError("To stop at a loss, a run must measure it now and then: evaluate.")

    def _changes(self, name: str, least: float, most: float) -> None:
        """Turn what JSON holds into tuples; raise ValueError for what is no list of changes."""
        kinds = (int, float) if name == "rate_changes" else (int,)
        before = 0
        changes = []
        for each in getattr(self, name):
            step, value = each
            numbers = type(step) is int and type(value) in kinds
            if not (numbers and step >= before and least <= value <= most):
                raise ValueError(f"{name} must hold rising steps with a number each, not {each!r}.")
            changes.append((step, value))
            before = step
        object.__setattr__(self, name, tuple(changes))

    def _whole_number(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")

    def save(self, path: Path) -> None:
        """Write the config to `path` as JSON."""
        path.write_text(self.to_json(), encoding="utf-8")

    def to_json(self) -> str:
        """Return the config as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """Read what `to_json` wrote; raise ValueError if it is not a run's config."""
        try:
            content = json.loads(text)
            content["recipe"] = Recipe(**content["recipe"])
            return cls(**content)
        except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"This is no run's config: {error}.") from error

    @classmethod
    def load(cls, path: Path) -> "RunConfig":
        """Read a config file; raise ValueError if it is damaged."""
        return cls.from_json(path.read_text(encoding="utf-8"))
