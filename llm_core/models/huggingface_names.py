"""Where each weight of ours is found in a checkpoint of transformers, family by family.

The families are transformers' model types. Their names differ, and so does how matrices lie:
GPT-2 stores them transposed, Llama and BERT keep queries, keys and values apart.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from llm_core.models.config import TransformerConfig


class Rule(NamedTuple):
    """One tensor of ours, and the tensors of theirs that lie in it one below the other.

    `rows` are the rows of each of theirs. If `transposed`, theirs lie the other way round. If
    `zero`, ours does not exist, and theirs is full of zeros.
    """

    ours: str
    theirs: tuple[str, ...]
    shape: tuple[int, ...]
    rows: tuple[int, ...]
    transposed: bool = False
    zero: bool = False

    def stored_shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of each of theirs."""
        shapes = [(rows, *self.shape[1:]) for rows in self.rows]
        return [shape[::-1] for shape in shapes] if self.transposed else shapes

    def join(self, theirs: list[Tensor]) -> Tensor:
        """Make ours of theirs."""
        return torch.cat([part.T if self.transposed else part for part in theirs]).contiguous()

    def split(self, ours: Tensor) -> list[Tensor]:
        """Make theirs of ours."""
        parts = torch.split(ours.detach(), list(self.rows))
        return [(part.T if self.transposed else part).contiguous() for part in parts]


PREFIXES = {"gpt2": "transformer.", "mpt": "transformer.", "bert": "bert."}
LLAMA_LIKE = ("llama", "mistral", "qwen3", "arcee", "apertus")
PREFIXES |= dict.fromkeys(LLAMA_LIKE, "model.")

# Buffers and copies that old checkpoints hold beside the weights, by the end of their names, and
# the next-sentence head of BERT's pretraining, for which we have no use.
IGNORED = (
    ".attn.bias",
    ".attn.masked_bias",
    "embeddings.position_ids",
    "rotary_emb.inv_freq",
    "cls.seq_relationship.weight",
    "cls.seq_relationship.bias",
)

# Names that a tied output may have besides: what they hold must equal the tensor they stand for.
ALIASES = {
    "lm_head.weight": "token_embedding.weight",
    "cls.predictions.decoder.weight": "token_embedding.weight",
    "cls.predictions.decoder.bias": "masked_token_head.bias",
}


def rules(family: str, config: TransformerConfig) -> list[Rule]:
    """Return a rule for each tensor of a model of that shape, in `family`'s names."""
    if family == "gpt2":
        return list(_gpt2(config))
    if family == "mpt":
        return list(_mpt(config))
    if family == "bert":
        return list(_bert(config))
    return list(_llama(family, config))


def _sizes(config: TransformerConfig) -> tuple[int, int, int, tuple[int, int, int]]:
    """Return C, d_ff, V, and the rows of queries, keys and values."""
    kv = config.n_kv_heads * config.d_head
    return config.d_model, config.d_ff, config.vocab_size, (config.d_model, kv, kv)


def _plain(ours: str, theirs: str, *shape: int) -> Rule:
    return Rule(ours, (theirs,), shape, shape[:1])


def _gpt2(config: TransformerConfig) -> Iterator[Rule]:
    c, ff, v, qkv = _sizes(config)
    yield _plain("token_embedding.weight", "transformer.wte.weight", v, c)
    yield _plain("positions.weight", "transformer.wpe.weight", config.context_length, c)
    modules: list[tuple[str, str, tuple[int, ...]]] = [("final_norm", "transformer.ln_f", (c,))]
    for i in range(config.n_layers):
        our, their = f"blocks.{i}.", f"transformer.h.{i}."
        modules += [
            (our + "attention_norm", their + "ln_1", (c,)),
            (our + "attention.query_key_value", their + "attn.c_attn", (sum(qkv), c)),
            (our + "attention.output", their + "attn.c_proj", (c, c)),
            (our + "feedforward_norm", their + "ln_2", (c,)),
            (our + "feedforward.widen", their + "mlp.c_fc", (ff, c)),
            (our + "feedforward.narrow", their + "mlp.c_proj", (c, ff)),
        ]
    for ours, theirs, shape in modules:
        yield _plain(ours + ".weight", theirs + ".weight", *shape)._replace(
            transposed=len(shape) == 2
        )
        # Their biases cannot be left out: where we have none, theirs are 0.
        bias = _plain(ours + ".bias", theirs + ".bias", shape[0])
        yield bias._replace(zero=not config.bias)
    if not config.tie_embeddings:
        yield _plain("unembedding.weight", "lm_head.weight", v, c)


def _mpt(config: TransformerConfig) -> Iterator[Rule]:
    c, ff, v, qkv = _sizes(config)
    yield _plain("token_embedding.weight", "transformer.wte.weight", v, c)
    yield _plain("final_norm.weight", "transformer.norm_f.weight", c)
    for i in range(config.n_layers):
        our, their = f"blocks.{i}.", f"transformer.blocks.{i}."
        for ours, theirs, shape in (
            ("attention_norm", "norm_1", (c,)),
            ("attention.query_key_value", "attn.Wqkv", (sum(qkv), c)),
            ("attention.output", "attn.out_proj", (c, c)),
            ("feedforward_norm", "norm_2", (c,)),
            ("feedforward.widen", "ffn.up_proj", (ff, c)),
            ("feedforward.narrow", "ffn.down_proj", (c, ff)),
        ):
            yield _plain(f"{our}{ours}.weight", f"{their}{theirs}.weight", *shape)
    if not config.tie_embeddings:
        yield _plain("unembedding.weight", "lm_head.weight", v, c)


def _llama(family: str, config: TransformerConfig) -> Iterator[Rule]:
    c, ff, v, qkv = _sizes(config)
    yield _plain("token_embedding.weight", "model.embed_tokens.weight", v, c)
    yield _plain("final_norm.weight", "model.norm.weight", c)
    first, second = "input_layernorm", "post_attention_layernorm"
    if family == "apertus":
        first, second = "attention_layernorm", "feedforward_layernorm"
    gated = config.activation == "swiglu"
    up = ("mlp.gate_proj", "mlp.up_proj") if gated else ("mlp.up_proj",)
    for i in range(config.n_layers):
        our, their = f"blocks.{i}.", f"model.layers.{i}."
        yield _plain(our + "attention_norm.weight", f"{their}{first}.weight", c)
        yield _plain(our + "feedforward_norm.weight", f"{their}{second}.weight", c)
        if config.qk_norm:
            for ours, theirs in (("query", "q"), ("key", "k")):
                name = f"{their}self_attn.{theirs}_norm.weight"
                yield _plain(f"{our}attention.{ours}_norm.weight", name, config.d_head)
        for kind in ("weight", "bias") if config.bias else ("weight",):
            c_in, ff_in = ((c,), (ff,)) if kind == "weight" else ((), ())
            qkv_names = tuple(f"{their}self_attn.{part}_proj.{kind}" for part in "qkv")
            yield Rule(f"{our}attention.query_key_value.{kind}", qkv_names, (sum(qkv), *c_in), qkv)
            o_name = f"{their}self_attn.o_proj.{kind}"
            yield _plain(f"{our}attention.output.{kind}", o_name, c, *c_in)
            up_names = tuple(f"{their}{part}.{kind}" for part in up)
            shape, rows = (len(up) * ff, *c_in), (ff,) * len(up)
            yield Rule(f"{our}feedforward.widen.{kind}", up_names, shape, rows)
            down_name = f"{their}mlp.down_proj.{kind}"
            yield _plain(f"{our}feedforward.narrow.{kind}", down_name, c, *ff_in)
    if not config.tie_embeddings:
        yield _plain("unembedding.weight", "lm_head.weight", v, c)


def _bert(config: TransformerConfig) -> Iterator[Rule]:
    c, ff, v, qkv = _sizes(config)
    table = "bert.embeddings."
    yield _plain("token_embedding.weight", table + "word_embeddings.weight", v, c)
    places = config.context_length
    yield _plain("positions.weight", table + "position_embeddings.weight", places, c)
    types = config.n_token_types
    yield _plain("type_embedding.weight", table + "token_type_embeddings.weight", types, c)
    modules: list[tuple[str, tuple[str, ...], tuple[int, ...], tuple[int, ...]]] = [
        ("embedding_norm", (table + "LayerNorm",), (c,), (c,))
    ]
    for i in range(config.n_layers):
        our, their = f"blocks.{i}.", f"bert.encoder.layer.{i}."
        parts = tuple(f"{their}attention.self.{part}" for part in ("query", "key", "value"))
        modules += [
            (our + "attention.query_key_value", parts, (sum(qkv), c), qkv),
            (our + "attention.output", (their + "attention.output.dense",), (c, c), (c,)),
            (our + "attention_norm", (their + "attention.output.LayerNorm",), (c,), (c,)),
            (our + "feedforward.widen", (their + "intermediate.dense",), (ff, c), (ff,)),
            (our + "feedforward.narrow", (their + "output.dense",), (c, ff), (c,)),
            (our + "feedforward_norm", (their + "output.LayerNorm",), (c,), (c,)),
        ]
    if config.pooler:
        modules.append(("pooler", ("bert.pooler.dense",), (c, c), (c,)))
    if config.mlm_head:
        head = "cls.predictions.transform."
        modules.append(("masked_token_head.dense", (head + "dense",), (c, c), (c,)))
        modules.append(("masked_token_head.norm", (head + "LayerNorm",), (c,), (c,)))
        yield _plain("masked_token_head.bias", "cls.predictions.bias", v)
        if not config.tie_embeddings:
            yield _plain("unembedding.weight", "cls.predictions.decoder.weight", v, c)
    for ours, theirs, shape, rows in modules:
        for kind, form in (("weight", shape), ("bias", shape[:1])):
            yield Rule(f"{ours}.{kind}", tuple(f"{name}.{kind}" for name in theirs), form, rows)
