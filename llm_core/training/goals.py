"""When a run has done what was asked of it: so many steps, so much time, or a loss. No torch."""

from dataclasses import dataclass

from llm_core.training.config import RunConfig


@dataclass(frozen=True)
class EndEvent:
    """The run came to its end by itself after `step` steps; `reason` says why, in a sentence."""

    step: int
    reason: str


def reached(
    config: RunConfig, *, step: int, seconds: float, validation_loss: float | None
) -> str | None:
    """Return in one sentence why a run ends here, or None if it is to go on.

    step: steps taken; seconds: of training, over all of the run's starts; validation_loss: of the
    newest evaluation, in nats per token. A run takes one step at least. All of this is part of
    what a checkpoint holds: a run killed at its very end still ends there.
    """
    if step >= config.steps:
        return f"It has taken all of its {config.steps:,} steps."
    if step and config.stop_minutes is not None and seconds >= 60 * config.stop_minutes:
        return (
            f"It was to train for {minutes_words(config.stop_minutes)}: they were over after "
            f"{step:,} of {config.steps:,} steps."
        )
    loss = validation_loss
    if step and config.stop_loss is not None and loss is not None and loss <= config.stop_loss:
        return (
            f"It was to stop at a validation loss of {config.stop_loss:g}: after {step:,} of "
            f"{config.steps:,} steps it is at {loss:.3f}."
        )
    return None


def minutes_words(minutes: float) -> str:
    """Say a number of minutes: "1 minute", "2.5 minutes"."""
    return f"{minutes:g} minute" + ("" if minutes == 1 else "s")
