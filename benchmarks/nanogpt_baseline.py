"""nanoGPT's own way to train its small CPU model, written out plainly: what we compare with.

The model (a GPT-2 without biases), its batches and its loop do, operation for operation, what
nanoGPT does with its configuration for a CPU (`train_shakespeare_char.py` with --device=cpu
--compile=False --block_size=64 --batch_size=12 --n_layer=4 --n_head=4 --n_embd=128
--max_iters=2000 --lr_decay_iters=2000 --dropout=0.0 --log_interval=1), but for the evaluations in
between, which are left out of all timings here. The code is our own.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS, HEADS, WIDTH, CONTEXT, BATCH, STEPS = 4, 4, 128, 64, 12, 2000
PEAK, LEAST, WARMUP, DECAY, CLIP, BETAS = 1e-3, 1e-4, 100, 0.1, 1.0, (0.9, 0.99)


class Norm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, None, 1e-5)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.drop = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        b, t, c = x.size()
        q, k, v = self.qkv(x).split(WIDTH, dim=2)
        k = k.view(b, t, HEADS, c // HEADS).transpose(1, 2)
        q = q.view(b, t, HEADS, c // HEADS).transpose(1, 2)
        v = v.view(b, t, HEADS, c // HEADS).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0, is_causal=True)
        return self.drop(self.out(y.transpose(1, 2).contiguous().view(b, t, c)))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attention, self.norm2 = Norm(), Attention(), Norm()
        self.widen = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH, bias=False)
        self.gelu, self.drop = nn.GELU(), nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.drop(self.narrow(self.gelu(self.widen(self.norm2(x)))))


class NanoGPT(nn.Module):
    """The baseline's model."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocab_size, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.drop = nn.Dropout(0.0)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = Norm()
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        self.tokens.weight = self.head.weight
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                writes = name.endswith(("out.weight", "narrow.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * LAYERS) if writes else 0.02)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        places = torch.arange(0, ids.size(1), dtype=torch.long)
        x = self.drop(self.tokens(ids) + self.places(places))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)


class Baseline:
    """One training run of nanoGPT's on a text, to be taken step by step."""

    def __init__(self, text: str, *, seed: int = 1337) -> None:
        characters = sorted(set(text))
        number = {character: index for index, character in enumerate(characters)}
        ids = np.array([number[character] for character in text], dtype=np.uint16)
        cut = int(len(ids) * 0.9)
        self.validation_ids = torch.from_numpy(ids[cut:].astype(np.int64))
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / "train.bin"
        ids[:cut].tofile(self._file)
        torch.manual_seed(seed)
        self.model = NanoGPT(len(characters))

    def steps(self, steps: int = STEPS) -> Iterator[float]:
        """Train; yield the seconds of each step."""
        model = self.model
        parameters = list(model.parameters())
        groups = [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": DECAY},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=BETAS)
        scaler = torch.amp.GradScaler("cuda", enabled=False)
        inputs, targets = self._batch()
        for step in range(steps):
            started = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, steps)
            loss = model(inputs, targets)
            inputs, targets = self._batch()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
            loss.item()
            yield time.perf_counter() - started

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Open the file anew for each batch, as nanoGPT does, and stack windows one by one."""
        data = np.memmap(self._file, dtype=np.uint16, mode="r")
        starts = torch.randint(len(data) - CONTEXT, (BATCH,))
        windows = [
            torch.stack(
                [torch.from_numpy(data[i + d : i + d + CONTEXT].astype(np.int64)) for i in starts]
            )
            for d in (0, 1)
        ]
        return windows[0], windows[1]

    @torch.no_grad()
    def validation_loss(self) -> float:
        """Mean loss in nats per token over the whole validation split, windows side by side."""
        ids = self.validation_ids
        count = (len(ids) - 1) // CONTEXT
        inputs = ids[: count * CONTEXT].view(count, CONTEXT)
        targets = ids[1 : count * CONTEXT + 1].view(count, CONTEXT)
        pairs = zip(inputs.split(64), targets.split(64), strict=True)
        total = sum(float(self.model(x, y.contiguous())) * y.numel() for x, y in pairs)
        return total / targets.numel()


def _rate(step: int, steps: int) -> float:
    if step < WARMUP:
        return PEAK * (step + 1) / (WARMUP + 1)
    progress = (step - WARMUP) / (steps - WARMUP)
    return LEAST + 0.5 * (1.0 + math.cos(math.pi * progress)) * (PEAK - LEAST)
