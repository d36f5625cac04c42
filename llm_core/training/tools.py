"""What a page can do with runs, from the command line: python -m llm_core.training runs, …

RUN is the folder of a run that the command line trained (its --out), or the id of one that a page
started, as `runs` lists them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from llm_core.training.branching import branch_checkpoint
from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.config import RunConfig
from llm_core.training.curves import Curves
from llm_core.training.events import StartEvent
from llm_core.training.limits import Limits
from llm_core.training.runs import Run, RunState, RunStore, data_folder
from llm_core.training.steering import checked_title, with_rate, with_steps, without_goals


def list_runs(arguments: list[str]) -> None:
    """Print one line a run of the pages' data folder, newest first."""
    _parser("runs", "List the runs that pages have started.").parse_args(arguments)
    for run in reversed(_store().all()):
        print(f"{run.id} {run.state.value} step={run.step}/{run.config.steps} {run.title!r}")


def stop_run(arguments: list[str]) -> None:
    """Ask a run of the pages' to stop; what it learnt is kept."""
    parser = _parser("stop", "Stop a run; what it has learnt is kept.", run=True)
    store = _store()
    run = _run(store, parser.parse_args(arguments).run)
    store.request_stop(run.id)
    if run.state is RunState.QUEUED:
        store.finish(run.id, RunState.STOPPED)


def delete_run(arguments: list[str]) -> None:
    """Delete an ended run of the pages'."""
    parser = _parser("delete", "Delete a run that has ended, for ever.", run=True)
    store = _store()
    run = _run(store, parser.parse_args(arguments).run)
    if run.active:
        raise ValueError("Stop this run before you delete it.")
    store.delete(run.id)


def rename_run(arguments: list[str]) -> None:
    """Give a run of the pages' another title."""
    parser = _parser("rename", "Give a run of the pages' another title.", run=True)
    parser.add_argument("title", metavar="TITLE")
    options = parser.parse_args(arguments)
    store = _store()
    store.rename(_run(store, options.run).id, checked_title(options.title))


def branch_off(arguments: list[str]) -> None:
    """Begin another run where a run was at a kept checkpoint."""
    parser = _parser("branch", "Begin another run where one was at a kept checkpoint.", run=True)
    parser.add_argument("--step", type=int, required=True, help="which checkpoint")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    parser.add_argument("--steps", type=int, help="steps in all (as before)")
    parser.add_argument("--rate-factor", type=float, help="the rates count so many times from here")
    options = parser.parse_args(arguments)
    _require_empty(options.out)

    def change(config: RunConfig) -> RunConfig:
        config = with_steps(options.steps or config.steps, taken=options.step)(config)
        if options.rate_factor is not None:
            config = with_rate(options.rate_factor, since=options.step)(config)
        return without_goals(config)

    folder, _, curves, _, _ = _look_up(options.run)
    branch_checkpoint(folder, options.step, options.out, change=change)
    curves.until(options.step).save(options.out)
    print(f"step {options.step:,}; go on with --resume {options.out}")


def export_run(arguments: list[str]) -> None:
    """Pack a run into one file."""
    parser = _parser("export", "Pack a run into one file.", run=True)
    parser.add_argument("--to", metavar="FILE", type=Path, required=True, help="a zip file")
    options = parser.parse_args(arguments)
    from llm_core.training.archive import pack_run

    folder, title, curves, facts, _ = _look_up(options.run)
    data = pack_run(folder, title=title, curves=curves, facts=facts)
    options.to.write_bytes(data)
    print(f"{options.to}: {len(data):,} bytes")


def import_run(arguments: list[str]) -> None:
    """Take a run's file in: into a folder, to go on with it by --resume."""
    parser = _parser("import", "Unpack a run's file, after checking it, to go on with it.")
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    options = parser.parse_args(arguments)
    _require_empty(options.out)
    from llm_core.training.unpacking import place_run, unpack_run

    limits = Limits.from_environment()
    limits.check_upload(options.file.stat().st_size)
    run = unpack_run(options.file.read_bytes(), limits)
    if not run.files:
        raise ValueError(
            f"This file holds a head for {run.config.body} and no model: bring it back in the "
            "sandbox, or use it as its README.md says."
        )
    place_run(run, options.out)
    run.curves.save(options.out)
    print(f"{run.title!r}, step {run.state['step']:,}; go on with --resume {options.out}")


def write_text(arguments: list[str]) -> None:
    """Let a trained model continue a prompt."""
    parser = _parser("write", "Let a trained model go on with a text.", run=True)
    parser.add_argument("--prompt", required=True, help="how the text begins")
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    import torch

    from llm_core.generation.sample import SamplingSettings, generate
    from llm_core.training.checkpoints import load_newest_model

    model, tokenizer = load_newest_model(_look_up(options.run)[0])
    settings = SamplingSettings(max_new_tokens=options.tokens, temperature=options.temperature)
    ids = torch.tensor(tokenizer.encode(options.prompt), dtype=torch.long)
    generator = torch.Generator().manual_seed(options.seed)
    written = [step.id for step in generate(model, ids, settings, generator=generator)]
    print(options.prompt + tokenizer.decode(written))


def write_tensorboard(arguments: list[str]) -> None:
    """Write a run's curves for TensorBoard."""
    parser = _parser("tensorboard", "Write a run's curves for TensorBoard.", run=True)
    parser.add_argument("--to", metavar="DIR", type=Path, required=True, help="its --logdir")
    options = parser.parse_args(arguments)
    from llm_core.training.tensorboard import write_events

    _, _, curves, _, created = _look_up(options.run)
    print(write_events(curves, options.to, started=created))


TOOLS: dict[str, Callable[[list[str]], None]] = {
    "runs": list_runs,
    "stop": stop_run,
    "delete": delete_run,
    "rename": rename_run,
    "branch": branch_off,
    "export": export_run,
    "import": import_run,
    "write": write_text,
    "tensorboard": write_tensorboard,
}


def _parser(name: str, description: str, *, run: bool = False) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m llm_core.training {name}", description=description
    )
    if run:
        parser.add_argument("run", metavar="RUN", help="a run's folder, or its id (see `runs`)")
    return parser


def _require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"The folder {folder} is not empty.")


def _store() -> RunStore:
    return RunStore(data_folder())


def _run(store: RunStore, run_id: str) -> Run:
    run = store.get(run_id)
    if run is None:
        raise ValueError(f"There is no run {run_id}: `runs` lists those that there are.")
    return run


def _look_up(name: str) -> tuple[Path, str, Curves, StartEvent | None, float]:
    """Return folder, title, curves, facts and the time of creation of a run."""
    folder = Path(name)
    if checkpoints := list_checkpoints(folder) if folder.is_dir() else []:
        curves = Curves.load(folder, until=checkpoint_step(checkpoints[-1]))
        return folder, folder.resolve().name, curves, None, folder.stat().st_mtime
    store = _store()
    run = _run(store, name)
    return store.run_folder(run.id), run.title, store.curves(run.id), run.facts, run.created
