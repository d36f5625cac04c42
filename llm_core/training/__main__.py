"""Train from the command line: python -m llm_core.training --text FILE …

What else a page can do with runs, `python -m llm_core.training runs` and so on, is in `tools`.
"""

import contextlib
import math
import signal
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from llm_core.training.advice import plan
from llm_core.training.checkpoint_index import newest_whole, read_files
from llm_core.training.config import RunConfig
from llm_core.training.curves import Curves
from llm_core.training.events import CheckpointEvent, EvalEvent, SampleEvent, StartEvent, StepEvent
from llm_core.training.goals import EndEvent
from llm_core.training.options import build_parser, changed_config, config_of
from llm_core.training.points import PointLog
from llm_core.training.tools import TOOLS

T = TypeVar("T")


def run(config: RunConfig, *, resume: Path | None, out: Path | None) -> None:
    """Train and print one line a log interval; the last begins with `done`."""
    # Imported here: torch takes a second, and `--help` or a wrong option should not wait for it.
    from llm_core.training.loop import train

    log, curves, folder = PointLog(config.log_interval, config.steps), Curves(), out or resume
    started, train_loss, validation_loss = time.perf_counter(), math.nan, math.nan
    step, tokens, training_seconds, ended = 0, 0, 0.0, "stopped"
    for event in stop_on_signal(train(config, resume=resume, out=out)):
        step = event.step
        match event:
            case StartEvent():
                if resume is not None:
                    curves = Curves.load(resume, until=step)
                _print_start(event)
            case StepEvent():
                tokens, training_seconds = event.tokens, event.seconds
                if point := log.add(event):
                    train_loss = point.loss
                    curves.points.append(point)
                    _print(
                        f"step={step}",
                        train_loss=train_loss,
                        learning_rate=point.learning_rate,
                        gradient_norm=point.gradient_norm,
                        tokens_per_second=round(point.tokens_per_second),
                    )
            case EvalEvent():
                validation_loss = event.loss
                curves.evaluations.append(event)
                _print(f"step={step}", val_loss=validation_loss, tokens=event.tokens)
            case SampleEvent():
                curves.samples.append(event)
                print(f"step={step} sample={event.prompt + event.text!r}", flush=True)
            case CheckpointEvent():
                curves.save(event.path.parent)
            case EndEvent():
                ended = "done"
                print(event.reason, flush=True)
    if folder is not None:
        curves.save(folder)
    _print(
        f"{ended} step={step}",
        train_loss=train_loss,
        val_loss=validation_loss,
        seconds=time.perf_counter() - started,
        tokens_per_second=round(tokens / training_seconds) if tokens else 0,
    )


def stop_on_signal(events: Generator[T, None, None]) -> Iterator[T]:
    """Pass events on until Ctrl+C or SIGTERM, and then close them, so that the run is saved.

    A signal that interrupted a step would leave half of the weights changed.
    """
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda caught, frame: received.append(caught))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with contextlib.closing(events):
            for event in events:
                yield event
                if received:
                    return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status. Ctrl+C keeps what was learnt."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if arguments and arguments[0] in TOOLS:
            TOOLS[arguments[0]](arguments[1:])
            return 0
        parser = build_parser(f"Instead of options: {', '.join(TOOLS)}; each has its own --help.")
        given = vars(parser.parse_args(arguments))
        resume = given.get("resume")
        config = config_of(given) if resume is None else saved_config(resume, given)
        if "estimate" in given:
            print_estimate(config)
        else:
            run(config, resume=resume, out=given.get("out"))
    except (ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def saved_config(folder: Path, given: Mapping[str, Any]) -> RunConfig:
    """Return the config of the run saved in `folder`, with what the options change from here on.

    Raises ValueError if there is no whole checkpoint, or for what cannot be changed on the way.
    """
    (content, facts), _ = newest_whole(folder, read_files)
    config = RunConfig.from_json(content["config.json"].decode())
    return changed_config(config, given, taken=int(facts["step"]))


def print_estimate(config: RunConfig) -> None:
    """Say how large a run is and how long it will take here, from a few real steps; keep nothing.

    Raises ValueError for a text that cannot be used.
    """
    from llm_core.training.state import load_text
    from llm_core.training.trial import measure

    trial = measure(config)
    found = plan(
        config,
        parameters=trial.parameters,
        characters=len(load_text(config)),
        tokens=trial.tokens,
        vocab_size=trial.vocab_size,
    )
    for warning in found.warnings:
        print(warning)
    _print(
        "estimate",
        parameters=trial.parameters,
        tokens=trial.tokens,
        tokens_per_parameter=found.tokens_per_parameter,
        memory_mb=found.memory / 1e6,
        seconds=trial.seconds(config),
    )


def _print_start(event: StartEvent) -> None:
    if event.note:
        print(event.note, flush=True)
    _print(
        f"start step={event.step}",
        parameters=event.parameters,
        vocab_size=event.vocab_size,
        train_tokens=event.train_tokens,
        uniform_loss=event.uniform_loss,
        bigram_loss=event.bigram_loss,
    )
    print(f"device={event.device} precision={event.precision}", flush=True)


def _print(head: str, **figures: float) -> None:
    shown = (
        f"{name}={value}" if isinstance(value, int) else f"{name}={value:.6g}"
        for name, value in figures.items()
    )
    print(head, *shown, flush=True)


if __name__ == "__main__":
    sys.exit(main())
