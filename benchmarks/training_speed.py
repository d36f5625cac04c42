"""Our training loop against a plain PyTorch loop of the same model: tokens per second, and loss.

python benchmarks/training_speed.py [--text FILE] [--rounds 6] [--steps 40]

The baseline is written out below in the way that a tutorial would: torch's own modules, a batch
stacked window by window, AdamW with two parameter groups, clipping, and a schedule. It has the
same sizes: 4 layers, 4 heads, width 128, context 64, 12 windows a step. The two take turns in
this process, so that a drift of the machine's speed meets both. With --loss, our command line
then trains 2,000 steps and its validation loss is printed; nanoGPT's own CPU configuration
reaches 1.886 on tiny Shakespeare.
"""

import argparse
import itertools
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

from llm_core.data.corpora import find_corpus
from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent, StepEvent
from llm_core.training.loop import train

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12


class PlainBlock(nn.Module):
    """A pre-norm GPT block without biases."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, bias=False)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.norm2 = nn.LayerNorm(WIDTH, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH, bias=False),
            nn.GELU(),
            nn.Linear(4 * WIDTH, WIDTH, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).split(c, dim=2)
        q, k, v = (part.view(b, t, HEADS, c // HEADS).transpose(1, 2) for part in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).contiguous().view(b, t, c))
        return x + self.mlp(self.norm2(x))


class PlainGPT(nn.Module):
    """The baseline's model."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(PlainBlock() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        self.head.weight = self.tokens.weight
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        logits = self.head(self.norm(self.blocks(x)))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


def plain_steps(text: str, steps: int) -> Iterator[float]:
    """The baseline: yield the seconds of each step."""
    characters = sorted(set(text))
    number = {character: index for index, character in enumerate(characters)}
    data = torch.tensor([number[character] for character in text[: int(len(text) * 0.9)]])
    torch.manual_seed(1337)
    model = PlainGPT(len(characters))
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    for step in range(steps):
        started = time.perf_counter()
        rate = 1e-3 * min(1.0, (step + 1) / 100) * (1 + math.cos(math.pi * step / steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = torch.randint(len(data) - CONTEXT, (BATCH,))
        inputs = torch.stack([data[i : i + CONTEXT] for i in starts])
        targets = torch.stack([data[i + 1 : i + 1 + CONTEXT] for i in starts])
        loss = model(inputs, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
        yield time.perf_counter() - started


def our_steps(config: RunConfig) -> Iterator[float]:
    """Our loop, as the command line runs it: yield the seconds of each step."""
    before = 0.0
    for event in train(config):
        if isinstance(event, StepEvent):
            yield event.seconds - before
            before = event.seconds


def run_config(path: str, steps: int) -> RunConfig:
    """The command line's default shape on that text."""
    shape = {"n_layers": LAYERS, "n_heads": HEADS, "d_model": WIDTH, "context_length": CONTEXT}
    return RunConfig(
        text_path=path,
        model=shape | {"bias": False},
        steps=steps,
        batch_size=BATCH,
        eval_interval=0,
        device="cpu",
    )


def compare_speed(path: Path, rounds: int, steps: int) -> None:
    """Print tokens per second of both, and the ratio pair by pair."""
    total = (rounds + 1) * steps
    plain = plain_steps(path.read_text(encoding="utf-8"), total + 1)
    ours = our_steps(run_config(str(path), total + 1))
    ratios, speeds = [], []
    for turn in range(rounds + 1):  # the first one warms up
        seconds = [sum(itertools.islice(loop, steps)) for loop in (plain, ours)]
        if turn:
            speeds.append([steps * BATCH * CONTEXT / each for each in seconds])
            ratios.append(seconds[0] / seconds[1])
    for name, column in zip(
        ("plain PyTorch loop", "our loop"), zip(*speeds, strict=True), strict=True
    ):
        print(f"{name}: {statistics.median(column):,.0f} tokens per second (median of {rounds})")
    print(
        f"ratio ours / plain: {statistics.median(ratios):.3f} "
        f"(min {min(ratios):.3f}, max {max(ratios):.3f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a UTF-8 text; the tiny tales unless given")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=40, help="steps a round")
    parser.add_argument("--loss", action="store_true", help="also train 2,000 steps")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.text
        if path is None:
            path = Path(folder) / "text.txt"
            path.write_text(find_corpus("tiny_tales").load(), encoding="utf-8")
        compare_speed(path, options.rounds, options.steps)
        if options.loss:
            losses = [
                e.loss for e in train(run_config(str(path), 2000)) if isinstance(e, EvalEvent)
            ]
            print(f"validation loss after 2,000 steps, whole split: {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
