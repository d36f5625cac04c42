"""Record what SmolLM2 makes of a few tasks that are put to it as prompts, right or wrong.

python benchmarks/smollm2_tasks.py --make
python benchmarks/smollm2_tasks.py --check

The first command made smollm2_answers.json and smollm2_readings.json in llm_core/generation, which
the first lesson shows. The second does everything again, and prints how many answers are word for
word the same (always the likeliest token, so only rounding on another machine can turn one), and
how far the bits a character are from those that are kept.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.data.passages import other_passages, tales
from llm_core.generation.measures import bits_a_character
from llm_core.generation.prompted_tasks import (
    ANSWERS,
    PROMPTS,
    READINGS,
    answer,
    read_answers,
    read_readings,
)
from llm_core.pretrained.registry import load


def readings() -> dict[str, float]:
    """Bits a character of every passage."""
    model, tokenizer = load("smollm2")
    return {
        each.name: round(bits_a_character(model, tokenizer, each.text), 4)
        for each in (*tales(), *other_passages())
    }


def answers() -> dict[str, str]:
    """What is answered to every prompt."""
    given = {}
    for prompt in PROMPTS:
        given[prompt.text] = answer(prompt)
        print(f"{prompt.task}: {prompt.text!r} -> {given[prompt.text]!r}", flush=True)
    return given


def write(path: Path, content: dict[str, Any]) -> None:
    """Write one of the two files."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--make", action="store_true", help="ask and read, and keep the results")
    todo.add_argument("--check", action="store_true", help="compare with what is kept")
    options = parser.parse_args()
    torch.set_num_threads(1)
    read, given = readings(), answers()
    if options.make:
        write(READINGS, read)
        write(ANSWERS, given)
        return
    same = sum(read_answers()[text] == said for text, said in given.items())
    far = max(abs(read_readings()[name] - bits) for name, bits in read.items())
    print(f"check same={same} of={len(given)} largest_difference_in_bits={far:.4f}")


if __name__ == "__main__":
    main()
