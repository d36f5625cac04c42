"""All that a run holds in memory, and how it is built from its config."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from llm_core.data.batches import random_windows
from llm_core.data.corpora import find_corpus, read_own_text
from llm_core.data.splits import split_by_position
from llm_core.models.gpt import GPT
from llm_core.models.initialisation import without_weights
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.training.config import RunConfig
from llm_core.training.cutting import build_tokenizer
from llm_core.training.machine import free_memory
from llm_core.training.memory import PROCESS_BYTES, estimate_memory
from llm_core.training.optimizers import build_optimizers
from llm_core.training.precision import choose_precision


@dataclass
class TrainingState:
    """A run between two steps: everything that the next step depends on, and nothing else."""

    config: RunConfig
    tokenizer: Tokenizer
    model: GPT
    optimizers: list[torch.optim.Optimizer]
    train_ids: Tensor  # (N,) on the device
    validation_ids: Tensor  # (M,) on the device
    text_digest: str  # sha256 of the text: a checkpoint must not go on with another one
    precision: str  # "float32" or "bfloat16"
    threads: int  # another number of threads adds in another order, and rounds otherwise
    step: int = 0
    seconds: float = 0.0  # of training, over all starts
    validation_loss: float | None = None  # what the newest evaluation found
    note: str = ""  # what its reader should know about how it came about

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.train_ids.device


def choose_device(name: str) -> torch.device:
    """Return the device `name`; "auto" takes CUDA, else Apple's MPS, else the CPU.

    Raises ValueError for a device that torch does not have here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"There is no device {name!r} on this machine.") from error
    return device


def load_text(config: RunConfig) -> str:
    """Return the run's text; raise ValueError if it is missing or too short for the context."""
    if config.corpus is not None:
        return find_corpus(config.corpus).load()
    path = Path(str(config.text_path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"The text {path} cannot be read: {error.strerror}.") from error
    context_length = config.transformer(vocab_size=2).context_length
    return read_own_text(data, context_length=context_length, limit=len(data))


def require_memory(config: RunConfig, vocab_size: int, device: torch.device) -> None:
    """Raise ValueError, with the estimate, for a run that the device has not enough memory for."""
    with without_weights():
        model = GPT(config.transformer(vocab_size))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    needed = estimate_memory(config, parameters=parameters, vocab_size=vocab_size)
    needed -= PROCESS_BYTES  # this process is there already
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    if needed > free:
        raise ValueError(
            f"This run would need about {needed / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB "
            "are free: take a smaller model, context or batch."
        )


def prepare(
    config: RunConfig,
    tokenizer: Tokenizer | None = None,
    *,
    precision: str | None = None,
) -> TrainingState:
    """Read the text, build tokenizer (unless one is given), model and optimizers for step 0.

    `precision` is the config's unless given; "auto" is measured here.
    """
    text = load_text(config)
    if tokenizer is None:
        train_text, _ = split_by_position(text, config.validation_fraction)
        tokenizer = build_tokenizer(config, train_text, text)
    device = choose_device(config.device)
    require_memory(config, tokenizer.vocab_size, device)
    ids = torch.from_numpy(tokenizer.encode_array(text)).to(device)
    train_ids, validation_ids = split_by_position(ids, config.validation_fraction)
    generator = torch.Generator().manual_seed(config.seed)
    model = GPT(config.transformer(tokenizer.vocab_size), generator=generator).to(device)
    batch = random_windows(
        train_ids, model.config.context_length, config.batch_size, generator=torch.Generator()
    )
    return TrainingState(
        config=config,
        tokenizer=tokenizer,
        model=model,
        optimizers=build_optimizers(model, config.recipe),
        train_ids=train_ids,
        validation_ids=validation_ids,
        text_digest=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        precision=choose_precision(precision or config.precision, model, *batch),
        threads=torch.get_num_threads(),
    )
