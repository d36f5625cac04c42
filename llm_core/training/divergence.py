"""Notice that a run's loss is running away, and keep what it was before."""

import math
from dataclasses import dataclass

from torch import Tensor

from llm_core.models.gpt import GPT
from llm_core.training.checkpoints import optimizer_tensors, restore
from llm_core.training.metrics import uniform_loss
from llm_core.training.state import TrainingState

PATIENCE = 20  # steps in a row that the loss may be out of bounds: some runs come back
_SNAPSHOT_STEPS = 50
_CHEAP_PARAMETERS = 3_000_000  # above, a copy in memory costs more than it is worth


class TrainingDivergedError(RuntimeError):
    """The loss runs away. Weights until `good_step` are good still; later ones may not be."""

    def __init__(self, sentence: str, *, good_step: int) -> None:
        super().__init__(sentence)
        self.good_step = good_step


@dataclass
class _Snapshot:
    step: int
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]


class DivergenceWatch:
    """Looks at every loss; holds two copies of the run, of which the older is known to be good.

    A loss of more than twice the one of knowing nothing is out of bounds: such a model is sure of
    what is wrong, and gets surer.
    """

    def __init__(self, state: TrainingState) -> None:
        self._state = state
        self._bound = 2 * uniform_loss(state.tokenizer.vocab_size) + 1
        self._out_of_bounds = 0
        self._good: _Snapshot | None = None
        self._newest: _Snapshot | None = None

    @property
    def calm(self) -> bool:
        """Whether the weights may be saved as good ones."""
        return self._out_of_bounds == 0

    def check(self, step: int, loss: float, gradient_norm: float) -> None:
        """Take in the loss and gradient of `step`, before its weights change.

        Raises TrainingDivergedError, with the state set back to the last good snapshot, if they
        are no numbers, or if the loss has been out of bounds for PATIENCE steps.
        """
        self._out_of_bounds = self._out_of_bounds + 1 if loss > self._bound else 0
        number = math.isfinite(loss) and math.isfinite(gradient_norm)
        if number and self._out_of_bounds < PATIENCE:
            return
        trouble = step - self._out_of_bounds
        good_step = max(0, trouble - PATIENCE)  # checkpoints until then are beyond suspicion
        if self._good is not None:
            restore(self._state, self._good.weights, self._good.moments)
            good_step = self._state.step = self._good.step
        what = f"the loss rose to {loss:,.1f} and stayed up" if number else "the loss was no number"
        if number is False and math.isfinite(loss):
            what = "the gradient was no number"
        raise TrainingDivergedError(
            f"The training ran away: at step {step:,} {what}. The learning rate is too high for "
            f"this model and text ({self._state.config.recipe.learning_rate:g} at its peak): try a "
            "third of it.",
            good_step=good_step,
        )

    def keep(self) -> None:
        """Copy the run now and then; call it after each step."""
        state = self._state
        if state.step % _SNAPSHOT_STEPS or not self.calm:
            return
        if not is_cheap_to_copy(state.model):
            return
        self._good = self._newest  # for _SNAPSHOT_STEPS steps, nothing bad has come of it
        self._newest = _Snapshot(
            state.step, _copies(state.model.state_dict()), _copies(optimizer_tensors(state))
        )


def is_cheap_to_copy(model: GPT) -> bool:
    """Whether another copy of a model's weights costs less than it is worth."""
    return sum(parameter.numel() for parameter in model.parameters()) <= _CHEAP_PARAMETERS


def _copies(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
