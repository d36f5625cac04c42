"""How fast models write: SmolLM2-135M against transformers, our tiny GPT against nanoGPT's way.

python benchmarks/generation_speed.py [--rounds 5] [--tokens 48]

SmolLM2's shape has random weights here, the same ones in both engines (speed does not depend on
them), float32, and greedy decoding with a cache; both must write the same tokens. nanoGPT's
`sample.py` reads the whole context anew for each token, and draws from the top 200: that loop is
written out below, with our own model in it, so that nothing but the way of sampling differs.
All take turns in this process, so that a drift of the machine's speed meets both.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.generation.sample import SamplingSettings, generate
from llm_core.models.config import preset
from llm_core.models.gpt import GPT
from llm_core.models.huggingface import save_huggingface
from llm_core.tokenizers.bpe import train_bpe

DRAFT = "the owl sat in the old oak and watched the moon, and the mouse watched the owl"


def seconds(task: Callable[[], Any]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def compare(
    title: str, ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int, tokens: int
) -> None:
    """Let both take turns; print the median speeds, and the median of the rounds' ratios."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    fast, slow = (tokens / statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    print(f"{title}: {fast:.1f} against {slow:.1f} tokens/s, ratio {ratio:.2f}", flush=True)


def smollm2_against_transformers(rounds: int, tokens: int) -> None:
    from transformers import LlamaForCausalLM

    config = preset("smollm2-135m", vocab_size=49152)
    model = GPT(config, generator=torch.Generator().manual_seed(0)).eval()
    with tempfile.TemporaryDirectory() as folder:
        save_huggingface(model, train_bpe(DRAFT, 260), Path(folder))
        theirs = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.randint(49152, (32,), generator=torch.Generator().manual_seed(1))
    settings = SamplingSettings(max_new_tokens=tokens, temperature=0)

    def by_us() -> list[int]:
        return [step.id for step in generate(model, ids, settings)]

    def by_transformers() -> list[int]:
        written: Tensor = theirs.generate(
            ids[None],
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            use_cache=True,
            pad_token_id=0,
        )
        return written[0, len(ids) :].tolist()

    same = by_us() == by_transformers()
    compare("SmolLM2-135M, transformers' generate", by_us, by_transformers, rounds, tokens)
    print(f"SmolLM2-135M: the same tokens in both: {'yes' if same else 'NO'}")
    first = [seconds(lambda: next(generate(model, ids, settings))) for _ in range(rounds)]
    print(f"SmolLM2-135M: first token after {statistics.median(first):.2f} s (32 tokens read)")


@torch.no_grad()
def the_way_of_nanogpt(model: GPT, ids: Tensor, tokens: int, top_k: int = 200) -> Tensor:
    """Sample as nanoGPT does: no cache, and the whole context anew for each token."""
    ids = ids[None]
    for _ in range(tokens):
        logits = model(ids[:, -model.config.context_length :], last_only=True).logits[:, -1] / 0.8
        least = logits.topk(min(top_k, logits.shape[-1])).values[:, [-1]]
        logits[logits < least] = float("-inf")
        ids = torch.cat([ids, torch.multinomial(logits.softmax(dim=-1), 1)], dim=1)
    return ids


def tiny_against_nanogpt(rounds: int, context_length: int, tokens: int = 256) -> None:
    """Compare on the tiny GPT's shape: 4 layers of 4 heads, 96 wide; it was trained with 128."""
    config = preset("nano", vocab_size=1024, d_model=96, context_length=context_length, dropout=0.0)
    model = GPT(config, generator=torch.Generator().manual_seed(0)).eval()
    ids = torch.tensor([1])
    settings = SamplingSettings(max_new_tokens=tokens, temperature=0.8, top_k=200)
    compare(
        f"tiny GPT, context {context_length}, nanoGPT's way, {tokens} tokens",
        lambda: list(generate(model, ids, settings)),
        lambda: the_way_of_nanogpt(model, ids, tokens),
        rounds,
        tokens,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=48)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for context_length in (128, 256):
        tiny_against_nanogpt(options.rounds, context_length)
    smollm2_against_transformers(options.rounds, options.tokens)


if __name__ == "__main__":
    main()
