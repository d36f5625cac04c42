"""How large published language models are, as their makers' papers say. No torch needed."""

import csv
import functools
import math
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("published_models.csv")
TOKENS_A_PARAMETER = 20  # about compute-optimal (Hoffmann et al. 2022, table 3)
FLOPS_A_PARAMETER_AND_TOKEN = 6  # Kaplan et al. 2020: 2 to guess, 4 to learn from it


@dataclass(frozen=True)
class PublishedModel:
    """One model: all its parameters, those that work on each token, the tokens it was trained on.

    paper names the source, `source` is its address; note says what else its reader must know.
    """

    name: str
    year: int
    parameters: int
    active_parameters: int
    tokens: int
    paper: str
    source: str
    note: str = ""

    @property
    def flops(self) -> float:
        """Training compute by the rule of thumb: 6 · active parameters · tokens."""
        return training_flops(self.active_parameters, self.tokens)

    @property
    def tokens_a_parameter(self) -> float:
        """Tokens read in training for each parameter at work."""
        return self.tokens / self.active_parameters


def training_flops(parameters: float, tokens: float) -> float:
    """Return about how many floating-point operations a training takes: 6ND."""
    return float(FLOPS_A_PARAMETER_AND_TOKEN * parameters * tokens)


def compute_optimal(flops: float) -> tuple[float, float]:
    """Return parameters and tokens that make the most of a compute budget, by Chinchilla's rule.

    6ND = flops and D = 20N. Raises ValueError if there is no budget.
    """
    if not 0 < flops < math.inf:
        raise ValueError("A budget must be a number of operations above 0.")
    parameters = math.sqrt(flops / (FLOPS_A_PARAMETER_AND_TOKEN * TOKENS_A_PARAMETER))
    return parameters, TOKENS_A_PARAMETER * parameters


@functools.lru_cache(maxsize=1)
def published_models() -> tuple[PublishedModel, ...]:
    """Return the models of the table, the oldest first."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(_read(row) for row in csv.DictReader(file))


def _read(row: dict[str, str]) -> PublishedModel:
    parameters = int(row["parameters"])
    return PublishedModel(
        name=row["name"],
        year=int(row["year"]),
        parameters=parameters,
        active_parameters=int(row["active_parameters"] or parameters),
        tokens=int(row["tokens"]),
        paper=row["paper"],
        source=row["source"],
        note=row["note"],
    )
