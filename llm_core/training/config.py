"""All that fixes a training run, as data: the same config and text give the same losses."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_core.models.config import PRESETS, TransformerConfig
from llm_core.training.recipes import RECIPES, Recipe

TOKENIZERS = ("char",)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run; raises ValueError for settings that cannot be trained.

    The text is a corpus's name or a path to a UTF-8 file: exactly one of the two. `model` holds
    TransformerConfig's fields but vocab_size, which the tokenizer decides. Training windows begin
    at multiples of `stride` tokens: 1 is anywhere. Intervals are in
    steps, 0 meaning never. Evaluation reads `eval_windows` windows spread over the validation
    split, and the last one `final_eval_windows`; None means the whole split. An empty
    sample_prompt stands for the first word of the validation split.
    """

    corpus: str | None = None
    text_path: str | None = None
    tokenizer: str = "char"
    model: dict[str, Any] = field(default_factory=lambda: dict(PRESETS["nano"]))
    recipe: Recipe = RECIPES["classic"]
    steps: int = 2000
    batch_size: int = 12
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
    seed: int = 1337
    device: str = "auto"

    def __post_init__(self) -> None:
        if (self.corpus is None) == (self.text_path is None):
            raise ValueError("A run trains on a named corpus or on a text file: name one of them.")
        if self.tokenizer not in TOKENIZERS:
            raise ValueError(f"Unknown tokenizer {self.tokenizer!r}: choose of {TOKENIZERS}.")
        for name in ("steps", "batch_size", "stride", "log_interval", "sample_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}.")
        for name in ("eval_interval", "sample_interval", "checkpoint_interval"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative: {getattr(self, name)!r}.")
        if not 0 < self.validation_fraction < 1:
            raise ValueError("The validation split must be a share between 0 and 1 of the text.")
        self.transformer(vocab_size=2)  # a shape that cannot be built is refused here already

    def transformer(self, vocab_size: int) -> TransformerConfig:
        """Return the model's full config once the tokenizer's vocabulary is known."""
        return TransformerConfig(**self.model, vocab_size=vocab_size)

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
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"This is no run's config: {error}.") from error

    @classmethod
    def load(cls, path: Path) -> "RunConfig":
        """Read a config file; raise ValueError if it is damaged."""
        return cls.from_json(path.read_text(encoding="utf-8"))
