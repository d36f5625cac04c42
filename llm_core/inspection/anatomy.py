"""A transformer part by part: what each does to shapes, what it weighs and what it costs.

Computed from a config alone: no torch, no model built. All parts together have the parameters of
`count_parameters` and the operations of `forward_flops`.
"""

from dataclasses import dataclass

from llm_core.inspection.counting import (
    attention_parameters,
    cross_attention_flops,
    feedforward_flops,
    feedforward_parameters,
    head_parameters,
    norm_parameters,
    output_flops,
    position_parameters,
    self_attention_flops,
)
from llm_core.models.config import TransformerConfig


@dataclass(frozen=True)
class Step:
    """What comes by inside a part: its name, its axes by their letters, and their lengths."""

    name: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """A part of the machine. `parameters` and `flops` are those of one copy.

    id: its name, with its stack before it ("encoder.attention") where a model has two. name: one
    of "embedding", "positions", "attention", "cross_attention", "norm", "feedforward", "output".
    copies: how often the model has it. steps: weights and intermediates, in the order in which
    they are used.
    """

    id: str
    name: str
    stack: str
    copies: int
    parameters: int
    flops: int
    steps: tuple[Step, ...]

    @property
    def all_parameters(self) -> int:
        """Parameters of all copies."""
        return self.copies * self.parameters

    @property
    def all_flops(self) -> int:
        """Floating-point operations in all copies."""
        return self.copies * self.flops


def anatomy(
    config: TransformerConfig, *, length: int, source_length: int | None = None
) -> tuple[Part, ...]:
    """Take a model apart that reads a text of `length` tokens, in the order of computation.

    `source_length`: of what an encoder-decoder's encoder reads, as long as the text if not given.
    Counted are matrix products, as in `forward_flops`: norms and positions cost next to nothing.
    """
    parts = [_embedding(config, length)]
    if config.kind == "encoder-decoder":
        source = length if source_length is None else source_length
        parts += _stack(config, "encoder", source, None)
        parts += _stack(config, "decoder", length, source)
    else:
        parts += _stack(config, "", length, None)
    parts.append(_output(config, length))
    return tuple(parts)


def _stack(config: TransformerConfig, stack: str, t: int, s: int | None) -> list[Part]:
    """Return the parts of one stack; s: the length of the encoder's output, if it looks at one."""
    layers, before = config.n_layers, f"{stack}." if stack else ""

    def part(name: str, copies: int, parameters: int, flops: int, steps: list[Step]) -> Part:
        return Part(before + name, name, stack, copies, parameters, flops, tuple(steps))

    own_norms = 2 * config.d_head if config.qk_norm else 0
    attention = attention_parameters(config) + own_norms
    across = config.n_layers if s is not None else 0
    norms = 2 * layers + across + (config.norm_placement == "pre") + config.embedding_norm
    norms += int(config.mlm_head)
    self_flops = sum(self_attention_flops(config, t, t))
    parts = [
        part("positions", 1, position_parameters(config), 0, _position_steps(config, t)),
        part("attention", layers, attention, self_flops, _attention_steps(config, t, t, "T")),
    ]
    if s is not None:
        flops = sum(cross_attention_flops(config, t, s))
        steps = _attention_steps(config, t, s, "S")
        parts.append(part("cross_attention", layers, attention, flops, steps))
    steps = _feedforward_steps(config, t)
    parts.append(part("norm", norms, norm_parameters(config), 0, _norm_steps(config, t)))
    ff = feedforward_parameters(config)
    parts.append(part("feedforward", layers, ff, feedforward_flops(config, t), steps))
    return parts


def _embedding(config: TransformerConfig, t: int) -> Part:
    c, v = config.d_model, config.vocab_size
    steps = [Step("ids", ("T",), (t,)), Step("token table", ("V", "C"), (v, c))]
    if config.n_token_types:
        steps.append(Step("type table", ("types", "C"), (config.n_token_types, c)))
    steps.append(Step("x", ("T", "C"), (t, c)))
    parameters = (v + config.n_token_types) * c
    return Part("embedding", "embedding", "", 1, parameters, 0, tuple(steps))


def _position_steps(config: TransformerConfig, t: int) -> list[Step]:
    c = config.d_model
    if config.position == "learned":
        most = config.context_length
        return [
            Step("position table", ("L", "C"), (most, c)),
            Step("x + positions", ("T", "C"), (t, c)),
        ]
    if config.position == "sinusoidal":
        return [Step("waves", ("T", "C"), (t, c)), Step("x + waves", ("T", "C"), (t, c))]
    return []  # these act inside attention


def _attention_steps(config: TransformerConfig, t: int, s: int, keys: str) -> list[Step]:
    """keys: "T" if tokens look at their own text, "S" if at the encoder's output."""
    c, h, d, kv = config.d_model, config.n_heads, config.d_head, config.n_kv_heads
    kv_axis = "H" if kv == h else "Hkv"
    return [
        Step("x", ("T", "C"), (t, c)),
        Step("W of q, k, v", ("C", "q+k+v"), (c, c + 2 * kv * d)),
        Step("q", ("H", "T", "D"), (h, t, d)),
        Step("k", (kv_axis, keys, "D"), (kv, s, d)),
        Step("v", (kv_axis, keys, "D"), (kv, s, d)),
        Step("scores", ("H", "T", keys), (h, t, s)),
        Step("weights", ("H", "T", keys), (h, t, s)),
        Step("heads", ("H", "T", "D"), (h, t, d)),
        Step("W of output", ("C", "C"), (c, c)),
        Step("output", ("T", "C"), (t, c)),
    ]


def _norm_steps(config: TransformerConfig, t: int) -> list[Step]:
    c = config.d_model
    steps = [Step("x", ("T", "C"), (t, c))]
    if config.norm == "layernorm":
        steps.append(Step("mean", ("T", "1"), (t, 1)))
    steps += [Step("spread", ("T", "1"), (t, 1)), Step("weight", ("C",), (c,))]
    if config.norm == "layernorm" and config.bias:
        steps.append(Step("bias", ("C",), (c,)))
    return [*steps, Step("output", ("T", "C"), (t, c))]


def _feedforward_steps(config: TransformerConfig, t: int) -> list[Step]:
    c, f = config.d_model, config.d_ff
    gate = 2 if config.activation == "swiglu" else 1
    return [
        Step("x", ("T", "C"), (t, c)),
        Step("W to widen", ("C", "F" if gate == 1 else "2F"), (c, gate * f)),
        Step("activations", ("T", "F"), (t, f)),
        Step("W to narrow", ("F", "C"), (f, c)),
        Step("output", ("T", "C"), (t, c)),
    ]


def _output(config: TransformerConfig, t: int) -> Part:
    c, v = config.d_model, config.vocab_size
    steps = [Step("x", ("T", "C"), (t, c))]
    if config.kind != "encoder" or config.mlm_head:
        steps += [Step("token table", ("V", "C"), (v, c)), Step("logits", ("T", "V"), (t, v))]
    if config.pooler:
        steps += [Step("W of pooler", ("C", "C"), (c, c)), Step("pooled", ("C",), (c,))]
    flops = output_flops(config, t)
    return Part("output", "output", "", 1, head_parameters(config), flops, tuple(steps))
