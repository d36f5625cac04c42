"""Our BPE against Hugging Face's trainer and tiktoken's encoder: time, and memory.

python benchmarks/tokenizer_speed.py [--text ../shared/data/tinyshakespeare.txt] [--rounds 7]

Both trainers learn 4,096 tokens with GPT-2's pattern, the Rust one on one thread, and must come
to the same merges. They take turns in this process, so that a drift of the machine's speed meets
both; so do the encoders. Memory is the peak of a whole process that trains on ten million
characters and does nothing else.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["RAYON_NUM_THREADS"] = "1"  # read when the Rust trainer first works
sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.data.corpora import available_corpora, find_corpus
from llm_core.tokenizers.bpe import BPETokenizer, iter_merges, train_bpe

VOCAB_SIZE = 4096
MEMORY_CHARACTERS = 10_000_000
FIRST_MERGE_CHARACTERS = 100_000


def rust_training(text: str) -> Callable[[], Any]:
    """Hugging Face's trainer, as its documentation sets it up for byte-level BPE."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    def train() -> Any:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=VOCAB_SIZE,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator([text], trainer)
        return tokenizer

    return train


def take_turns(
    baseline: Callable[[], Any], ours: Callable[[], Any], rounds: int
) -> tuple[float, float, list[float]]:
    """Return both median seconds, and ours / baseline of each round; the first round warms up."""
    seconds: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        baseline()
        between = time.perf_counter()
        ours()
        seconds.append((between - began, time.perf_counter() - between))
    first, second = zip(*seconds[1:], strict=True)
    ratios = [b / a for a, b in seconds[1:]]
    return statistics.median(first), statistics.median(second), ratios


def show_ratio(ratios: list[float], limit: float) -> None:
    """Print the ratio's median and range."""
    print(
        f"  ratio ours / baseline: {statistics.median(ratios):.2f} "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f}; to reach: at most {limit})"
    )


def compare_training(text: str, rounds: int) -> BPETokenizer:
    """Print the seconds of both trainers; return our tokenizer."""
    rust = rust_training(text)
    baseline, ours, ratios = take_turns(rust, lambda: train_bpe(text, VOCAB_SIZE), rounds)
    print(f"training {VOCAB_SIZE:,} tokens on {len(text):,} characters")
    print(f"  tokenizers' Rust trainer, one thread: {baseline:.3f} s")
    print(f"  train_bpe, plain Python: {ours:.3f} s")
    show_ratio(ratios, 3.0)
    tokenizer = train_bpe(text, VOCAB_SIZE)
    model = json.loads(rust().to_str())["model"]
    theirs = [(model["vocab"][left], model["vocab"][right]) for left, right in model["merges"]]
    print(f"  the same merges: {'yes' if theirs == list(tokenizer.merges) else 'NO'}")
    return tokenizer


def compare_encoding(text: str, tokenizer: BPETokenizer, rounds: int) -> None:
    """Print the speed of our bulk encoding and of tiktoken's with GPT-2's vocabulary."""
    from llm_core.tokenizers.vocabularies import load_vocabulary

    gpt2 = load_vocabulary("gpt2")
    size = len(text.encode("utf-8")) / 1e6
    baseline, ours, ratios = take_turns(
        lambda: gpt2.encode_to_numpy(text, disallowed_special=()),
        lambda: tokenizer.encode_array(text),
        5 * rounds,  # each is short
    )
    print("encoding the same text into an array")
    print(f"  tiktoken, GPT-2's vocabulary: {size / baseline:.1f} MB/s")
    print(f"  BPETokenizer.encode_array: {size / ours:.1f} MB/s")
    show_ratio(ratios, 1.2)


def measure_first_merge(text: str, rounds: int) -> None:
    """Print how long the first merge takes to appear."""
    passage = (text * (FIRST_MERGE_CHARACTERS // len(text) + 1))[:FIRST_MERGE_CHARACTERS]
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        next(iter_merges(passage, VOCAB_SIZE))
        seconds.append(time.perf_counter() - began)
    print(
        f"first merge on {len(passage):,} characters: {statistics.median(seconds) * 1000:.0f} ms "
        f"(max {max(seconds) * 1000:.0f}; to reach: at most 300)"
    )


def measure_memory(text: str) -> None:
    """Print the peak memory of training on ten million characters.

    The text is made longer by the presidents' addresses if they are installed, else by itself.
    """
    if any(corpus.name == "state_of_the_union" for corpus in available_corpora()):
        text += find_corpus("state_of_the_union").load()
    text = (text * (MEMORY_CHARACTERS // len(text) + 1))[:MEMORY_CHARACTERS]
    train_bpe(text, VOCAB_SIZE)
    print(
        f"peak memory of a process that trains on {len(text):,} characters: "
        f"{peak_memory():.0f} MB (to reach: at most 500)"
    )


def peak_memory() -> float:
    """Megabytes that this process has held at most (Linux only)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a UTF-8 text; the tiny tales unless given")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--train-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.text is None:
        text = find_corpus("tiny_tales").load()
    else:
        text = options.text.read_text(encoding="utf-8")
    if options.train_only:
        measure_memory(text)
        return
    tokenizer = compare_training(text, options.rounds)
    compare_encoding(text, tokenizer, options.rounds)
    measure_first_merge(text, options.rounds)
    sys.stdout.flush()
    if sys.platform == "linux":  # a fresh process, so that nothing of the above is counted
        subprocess.run([sys.executable, *sys.argv, "--train-only"], check=True)


if __name__ == "__main__":
    main()
