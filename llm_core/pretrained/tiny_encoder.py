"""Our own tiny encoder, which is in the repository: it guesses words from both sides of a blank.

The tiny GPT's shape, tokens and corpus, but every token sees all others, and what it learnt is to
guess hidden tokens. checkpoints/README.md has the command that made it. Imports torch only when
the model is asked for.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_core.models.config import TransformerConfig
from llm_core.pretrained.tiny import FOLDER as TINY
from llm_core.tokenizers.bpe import BPETokenizer

if TYPE_CHECKING:
    from llm_core.models.encoder import Encoder

FOLDER = Path(__file__).parent / "checkpoints" / "tiny_encoder"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


def load_tiny_encoder(*, folder: Path = FOLDER) -> tuple["Encoder", BPETokenizer]:
    """Return the encoder and its tokenizer, which is the tiny GPT's.

    The model is on the CPU, in float32 and in evaluation mode. Its vocabulary has one id more
    than the tokenizer, the last: the mask that stands for a hidden token.
    """
    from safetensors.torch import load_file

    from llm_core.models.encoder import Encoder
    from llm_core.models.initialisation import without_weights

    state = {name: tensor.float() for name, tensor in load_file(folder / _WEIGHTS).items()}
    with without_weights():
        model = Encoder(TransformerConfig(**_read(folder)["model"]))
    model.load_state_dict(state, assign=True)
    return model.eval(), BPETokenizer.load(TINY / "tokenizer.json")


def stated_share_right(folder: Path = FOLDER) -> float:
    """Return the share of hidden validation tokens that it guessed when it was made."""
    return float(_read(folder)["validation_right"])


def save_tiny_encoder(model: "Encoder", right: float, folder: Path) -> None:
    """Write the model in float16, and the share of hidden validation tokens that it guesses."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().half() for name, tensor in model.state_dict().items()}
    save_file(state, folder / _WEIGHTS)
    content = {"model": dataclasses.asdict(model.config), "validation_right": right}
    (folder / _CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    return content
