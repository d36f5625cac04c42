"""SmolLM2-135M-Instruct, a real language model, in our own `GPT`.

Its makers' paper is "SmolLM2: When Smol Goes Big" (2025). The file stores most matrices in the
format Q4_1: 32 numbers in a row share a scale and a smallest value, and each is then one of 16
steps.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from llm_core.models.config import preset
from llm_core.models.gpt import GPT
from llm_core.models.huggingface_names import rules
from llm_core.models.initialisation import without_weights
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from llm_core.pretrained.assets import Progress, fetch, find_asset
from llm_core.pretrained.compact import CompactGPT, can_compact
from llm_core.pretrained.gguf_file import read_gguf
from llm_core.pretrained.smollm2_tokenizer import SmolLM2Tokenizer

NAME = "smollm2"
CONFIG = preset("smollm2-135m", vocab_size=PUBLISHED_VOCAB_SIZES["smollm2-135m"])
_CONTROL = 3  # the kind of token that gguf files call so: special tokens
_GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "model.layers": "blk",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def load_smollm2(
    *, compact: bool = True, on_progress: Callable[[Progress], None] | None = None
) -> tuple[GPT, SmolLM2Tokenizer]:
    """Return the model, in evaluation mode on the CPU, and its tokenizer.

    If `compact`, all matrices are float16 where the machine can compute with that (`CompactGPT`):
    350 MB instead of 540, and quicker; nothing of it can be trained. Else all weights are ordinary
    float32 parameters. A `new_cache` for the whole context would take 380 MB: name its capacity.
    Raises ValueError, saying what to install, if the model's file cannot be had.
    """
    path = fetch(NAME, on_progress=on_progress) / find_asset(NAME).files[0].name
    facts, stored = read_gguf(path)
    compact = compact and can_compact()
    with without_weights():
        model = CompactGPT(CONFIG) if compact else GPT(CONFIG)
    for rule in rules("llama", CONFIG):
        weight = torch.empty(rule.shape)
        for part, name in zip(torch.split(weight, list(rule.rows)), rule.theirs, strict=True):
            stored[_gguf_name(name)].read_into(part)
            if name.endswith(("q_proj.weight", "k_proj.weight")):
                part.copy_(_halves(part))
        if isinstance(model, CompactGPT):
            model.take(rule.ours, weight)
        else:
            path_in_model, _, kind = rule.ours.rpartition(".")
            setattr(model.get_submodule(path_in_model), kind, nn.Parameter(weight))
    return model.eval(), _tokenizer(facts)


def _tokenizer(facts: dict[str, Any]) -> SmolLM2Tokenizer:
    tokens, merges, kinds = (
        facts[f"tokenizer.ggml.{name}"] for name in ("tokens", "merges", "token_type")
    )
    special = [name for name, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    return SmolLM2Tokenizer(tokens, merges, special)


def _gguf_name(name: str) -> str:
    """Return the name in the file of a tensor by the name that transformers gives it."""
    for theirs, in_gguf in _GGUF_NAMES.items():
        name = name.replace(theirs, in_gguf)
    return name


def _halves(rows: Tensor) -> Tensor:
    """Sort the rows of each head: those of a pair that RoPE turns lie side by side in the file.

    Ours lie half a head apart, as in transformers.
    """
    pairs = rows.view(-1, CONFIG.d_head // 2, 2, rows.shape[-1])
    return pairs.transpose(1, 2).reshape(rows.shape)
