"""Whether a run's model has a classifier's head. Imports no torch: pages ask this too."""

from pathlib import Path

WEIGHTS, LABELS = "head.safetensors", "labels.json"


def has_head(folder: Path) -> bool:
    """Whether a head lies in this run's folder."""
    return (folder / WEIGHTS).exists() and (folder / LABELS).exists()
