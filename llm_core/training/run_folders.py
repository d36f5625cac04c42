"""A run as its folder alone tells of it: for when the record is lost. Imports no torch."""

import json
from pathlib import Path

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.config import RunConfig
from llm_core.training.run_rows import Run, RunState


def run_of_folder(path: Path) -> Run | None:
    """Return the run that `run.json` tells of, as it stands by its checkpoints."""
    try:
        about = json.loads(path.read_bytes())
        config = RunConfig.from_json(about["config"])
        checkpoints = list_checkpoints(path.parent)
        step = checkpoint_step(checkpoints[-1]) if checkpoints else 0
        return Run(
            id=path.parent.name,
            owner=str(about["owner"]),
            title=str(about["title"]),
            config=config,
            state=RunState.DONE if step >= config.steps else RunState.INTERRUPTED,
            reason="",
            created=float(about["created"]),
            launched=float(about["created"]),
            step=step,
            facts=None,
        )
    except (ValueError, KeyError, TypeError, OSError):
        return None
