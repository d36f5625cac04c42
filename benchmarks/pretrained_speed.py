"""SmolLM2, MiniLM and GloVe: tokens, texts and queries a second, memory, against transformers.

python benchmarks/pretrained_speed.py [--tokens 64] [--rounds 5]

Ours and transformers' LlamaForCausalLM write the same number of tokens greedily, with a cache,
from the same weights, in turns, so that a drift of the machine's speed meets both. Both compute in
float32; ours also as it is served, with matrices kept in float16. Memory is the growth of the
resident set of a fresh process that has imported everything, from before loading until after
writing; `peak` is the most it reached while loading.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from transformers import LlamaConfig, LlamaForCausalLM

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run from anywhere, without installing

from llm_core.inspection.heads import attention_maps
from llm_core.models.gpt import GPT
from llm_core.models.huggingface import save_huggingface
from llm_core.pretrained.glove import load_glove
from llm_core.pretrained.minilm import embed_texts, load_minilm
from llm_core.pretrained.smollm2 import load_smollm2

PROMPT = "Once upon a time, in a small town by the sea, there lived"


def write(model: GPT, prompt: list[int], tokens: int) -> list[int]:
    """Write greedily, with a cache."""
    cache, x = model.new_cache(capacity=len(prompt) + tokens), torch.tensor([prompt])
    written: list[int] = []
    with torch.inference_mode():
        for _ in range(tokens):
            best = int(model(x, cache=cache, last_only=True).logits[0, -1].argmax())
            written.append(best)
            x = torch.tensor([[best]])
    return written


def transformers_model(model: GPT, folder: Path) -> LlamaForCausalLM:
    """Return the same weights in transformers' class."""
    save_huggingface(model, None, folder)
    config = LlamaConfig.from_pretrained(folder)
    return LlamaForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32).eval()


def writing(tokens: int, rounds: int, folder: Path) -> None:
    """Print tokens a second of ours, in both ways to keep weights, and of transformers."""
    compact, tokenizer = load_smollm2()
    plain, _ = load_smollm2(compact=False)
    theirs = transformers_model(plain, folder)
    prompt = tokenizer.encode(PROMPT)

    def generate() -> list[int]:
        ids = torch.tensor([prompt])
        length = {"max_new_tokens": tokens, "min_new_tokens": tokens}
        with torch.inference_mode():
            written = theirs.generate(
                ids, do_sample=False, use_cache=True, pad_token_id=0, **length
            )
        return list(written[0, len(prompt) :].tolist())

    ways: dict[str, Callable[[], list[int]]] = {
        "served": lambda: write(compact, prompt, tokens),
        "float32": lambda: write(plain, prompt, tokens),
        "transformers": generate,
    }
    assert ways["float32"]() == generate()
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            speeds[name].append(tokens / (time.perf_counter() - started))
    medians = {name: statistics.median(each) for name, each in speeds.items()}
    for name, median in medians.items():
        ratio = median / medians["transformers"]
        print(f"smollm2 {name} tokens_per_second={median:.1f} of_transformers={ratio:.2f}")


def memory() -> None:
    """Print the growth of this process, in MB, while it loads and writes."""
    process = psutil.Process()
    before = process.memory_info().rss
    peak, done = [before], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    model, tokenizer = load_smollm2()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    write(model, tokenizer.encode(PROMPT), 128)
    grown = process.memory_info().rss - before
    print(
        f"smollm2 memory_mb={grown / 1e6:.0f} peak_mb={(peak[0] - before) / 1e6:.0f} "
        f"load_seconds={seconds:.1f}"
    )


def attention(rounds: int) -> None:
    """Print how long the weights of all heads of a text of 64 tokens take."""
    model, tokenizer = load_smollm2()
    ids = torch.tensor(tokenizer.encode(PROMPT * 6)[:64])
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        maps = attention_maps(model, ids)
        times.append(time.perf_counter() - started)
    print(
        f"smollm2 attention_maps={tuple(maps.shape)} median_seconds={statistics.median(times):.2f}"
    )


def others(rounds: int) -> None:
    """Print how long GloVe's queries take, and how many texts a second MiniLM reads."""
    glove = load_glove()
    vector, times = glove.vector("king"), []
    for _ in range(10 * rounds):
        started = time.perf_counter()
        glove.nearest(vector, k=10, without=("king",))
        times.append(1000 * (time.perf_counter() - started))
    print(f"glove median_ms={statistics.median(times):.1f} longest_ms={max(times):.1f}")
    model, tokenizer = load_minilm()
    texts = ["The state of the union is strong, and it will stay so. " * 22] * 16
    started = time.perf_counter()
    embed_texts(model, tokenizer, texts)
    print(f"minilm texts_of_256_tokens_per_second={16 / (time.perf_counter() - started):.1f}")


def main() -> None:
    """Measure; memory in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory-only", action="store_true")
    options = parser.parse_args()
    if options.memory_only:
        memory()
        return
    print(f"threads={torch.get_num_threads()}")
    subprocess.run([sys.executable, __file__, "--memory-only"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        writing(options.tokens, options.rounds, Path(folder))
    attention(options.rounds)
    others(options.rounds)


if __name__ == "__main__":
    main()
