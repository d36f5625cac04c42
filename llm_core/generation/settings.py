"""How tokens are chosen, in numbers. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How to choose tokens; raises ValueError for settings that cannot be.

    max_new_tokens: when to stop at the latest. temperature: below 1 prefers likely tokens, above 1
    evens them out, 0 takes the likeliest (greedy). top_k: keep that many of the likeliest, 0 for
    all. top_p: keep the likeliest that have this probability together. min_p: keep those at
    least that share as likely as the likeliest. typical_p: keep those of the most usual surprise
    that have this probability together.

    Penalties for tokens that the text holds already, prompt included. repetition_penalty: divides
    a positive logit and multiplies a negative one, 1 for none; presence_penalty: what a logit loses
    once; frequency_penalty: what it loses for each time.

    banned: ids that never come. forced: ids that the continuation begins with. stop_tokens: ids
    that end it; stop_strings: texts that end it, and are not shown. alternatives: how many of the
    likeliest tokens each step tells.
    """

    max_new_tokens: int = 200
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    banned: tuple[int, ...] = ()
    forced: tuple[int, ...] = ()
    stop_tokens: tuple[int, ...] = ()
    stop_strings: tuple[str, ...] = ()
    alternatives: int = 5

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError("Ask for at least one new token.")
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"The temperature must be 0 or more, not {self.temperature!r}.")
        if self.top_k < 0:
            raise ValueError(f"Top-k keeps 1 token or more (0 keeps all), not {self.top_k!r}.")
        for name, title in (("top_p", "Top-p"), ("typical_p", "Typical")):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"{title} keeps a share of the probability: above 0 and up to 1, "
                    f"not {getattr(self, name)!r}."
                )
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"Min-p must lie between 0 and 1, not {self.min_p!r}.")
        self._check_penalties()
        if self.alternatives < 0:
            raise ValueError("A step cannot tell fewer than 0 alternatives.")
        if not all(self.stop_strings):
            raise ValueError("A stop string must hold at least one character.")

    @property
    def penalises(self) -> bool:
        """Whether it matters what the text already holds."""
        return bool(self.repetition_penalty != 1 or self.presence_penalty or self.frequency_penalty)

    def _check_penalties(self) -> None:
        if not 0 < self.repetition_penalty < float("inf"):
            raise ValueError(
                "The repetition penalty must be above 0 (1 changes nothing), "
                f"not {self.repetition_penalty!r}."
            )
        for name in ("presence", "frequency"):
            value = getattr(self, f"{name}_penalty")
            if not abs(value) < float("inf"):
                raise ValueError(f"The {name} penalty must be a number, not {value!r}.")
