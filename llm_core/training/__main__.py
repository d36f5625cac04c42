"""Train from the command line: python -m llm_core.training --text FILE …

What else a page can do with runs, `python -m llm_core.training runs` and so on, is in `tools`.
"""

import argparse
import contextlib
import math
import signal
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from llm_core.training.checkpoint_index import read_config
from llm_core.training.config import PRECISIONS, TOKENIZERS, RunConfig
from llm_core.training.curves import Curves
from llm_core.training.events import CheckpointEvent, EvalEvent, SampleEvent, StartEvent, StepEvent
from llm_core.training.points import PointLog
from llm_core.training.recipes import RECIPES
from llm_core.training.tools import TOOLS

T = TypeVar("T")


def build_parser() -> argparse.ArgumentParser:
    """Describe the options."""
    parser = argparse.ArgumentParser(
        prog="python -m llm_core.training",
        description="Train a GPT on a text, without Streamlit.",
        epilog=f"Instead of options: {', '.join(TOOLS)}; each has its own --help.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", metavar="FILE", help="a UTF-8 text file")
    source.add_argument("--corpus", metavar="NAME", help="a named corpus, such as tiny_tales")
    source.add_argument("--resume", metavar="DIR", type=Path, help="go on with the run saved there")
    parser.add_argument("--tokenizer", choices=TOKENIZERS, default="char")
    parser.add_argument("--vocab-size", type=int, default=512, help="tokens of --tokenizer bpe")
    parser.add_argument("--tokenizer-file", metavar="FILE", help="of --tokenizer file")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=128, help="d_model")
    parser.add_argument("--context", type=int, default=64, help="tokens seen at once")
    parser.add_argument("--batch", type=int, default=12, help="windows a step")
    parser.add_argument(
        "--stride", type=int, default=1, help="windows begin at multiples of it; 1 = anywhere"
    )
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="classic")
    parser.add_argument("--learning-rate", type=float, help="peak; the recipe's unless given")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1337)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument(
        "--precision",
        choices=("auto", *PRECISIONS),
        default="auto",
        help="auto: 16 bits if a measurement at the start finds them faster on this machine",
    )
    parser.add_argument(
        "--checkpoint-interval", type=int, default=500, help="steps; 0 = at the end"
    )
    parser.add_argument("--log-interval", type=int, default=100, help="steps a line")
    parser.add_argument("--eval-interval", type=int, default=500, help="steps; 0 = at the end only")
    parser.add_argument("--sample-interval", type=int, default=0, help="steps; 0 = never")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where checkpoints go")
    return parser


def run_config(options: argparse.Namespace) -> RunConfig:
    """Turn the options into a config; raise ValueError where they cannot be trained."""
    recipe = RECIPES[options.recipe]
    if options.learning_rate is not None:
        recipe = replace(recipe, learning_rate=options.learning_rate)
    return RunConfig(
        corpus=options.corpus,
        text_path=None if options.text is None else str(Path(options.text).resolve()),
        tokenizer=options.tokenizer,
        vocab_size=options.vocab_size,
        tokenizer_path=options.tokenizer_file and str(Path(options.tokenizer_file).resolve()),
        model={
            "n_layers": options.layers,
            "n_heads": options.heads,
            "d_model": options.width,
            "context_length": options.context,
            "dropout": options.dropout,
            "bias": False,
        },
        recipe=recipe,
        steps=options.steps,
        batch_size=options.batch,
        stride=options.stride,
        log_interval=options.log_interval,
        eval_interval=options.eval_interval,
        sample_interval=options.sample_interval,
        checkpoint_interval=options.checkpoint_interval,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
    )


def run(config: RunConfig, *, resume: Path | None, out: Path | None) -> None:
    """Train and print one line a log interval; the last begins with `done`."""
    # Imported here: torch takes a second, and `--help` or a wrong option should not wait for it.
    from llm_core.training.loop import train

    log, curves, folder = PointLog(config.log_interval, config.steps), Curves(), out or resume
    started, train_loss, validation_loss = time.perf_counter(), math.nan, math.nan
    step, tokens, training_seconds = 0, 0, 0.0
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
    if folder is not None:
        curves.save(folder)
    ended = "done" if step == config.steps else "stopped"
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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, frame: received.append(caught))
    with contextlib.closing(events):
        for event in events:
            yield event
            if received:
                return


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status. Ctrl+C keeps what was learnt."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if arguments and arguments[0] in TOOLS:
            TOOLS[arguments[0]](arguments[1:])
            return 0
        options = build_parser().parse_args(arguments)
        config = run_config(options) if options.resume is None else read_config(options.resume)
        run(config, resume=options.resume, out=options.out)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


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
