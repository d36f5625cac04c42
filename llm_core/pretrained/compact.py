"""A model whose matrices take 16 bits a number, and which computes in 32 all the same."""

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.embeddings import TokenEmbedding
from llm_core.models.gpt import GPT
from llm_core.models.initialisation import without_weights

_BLOCK = 512  # inputs that FBGEMM packs together: a last block that is not full takes as much


class CompactLinear(nn.Module):
    """x ↦ x Wᵀ with W rounded to float16 and everything else in float32: half the memory.

    A model that writes reads all its weights for every token, so that memory is what it waits
    for: half as much to read also makes it quicker. The products are those of float32 with the
    rounded W. On a processor with the FBGEMM library only, see `can_compact`. W cannot be
    trained, but gradients flow through to x.
    """

    rest: Tensor | None

    def __init__(self, weight: Tensor) -> None:
        """Take a copy of the matrix (outputs, inputs), in float32 on the CPU."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        full = self.in_features // _BLOCK * _BLOCK or self.in_features
        self._packed = torch.ops.quantized.linear_prepack_fp16(weight[:, :full].contiguous(), None)
        # Inputs that fill no block: in float32 they take less than a padded block would.
        rest = weight[:, full:].half().float().T.contiguous() if full < self.in_features else None
        self.register_buffer("rest", rest, persistent=False)

    @property
    def weight(self) -> Tensor:
        """The matrix (outputs, inputs) in float32, unpacked anew each time."""
        unpacked: Tensor = torch.ops.quantized.linear_unpack_fp16(self._packed)[0].float()
        return unpacked if self.rest is None else torch.cat([unpacked, self.rest.T], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., inputs) in float32 to (..., outputs)."""
        if torch.is_grad_enabled() and x.requires_grad:
            through: Tensor = _Through.apply(x, self)  # type: ignore[no-untyped-call]
            return through
        return self.product(x)

    def product(self, x: Tensor) -> Tensor:
        """Multiply, without a gradient."""
        rows = x.reshape(-1, self.in_features)
        full = self.in_features - (0 if self.rest is None else len(self.rest))
        packed_part = rows[:, :full].contiguous()
        y: Tensor = torch.ops.quantized.linear_dynamic_fp16(packed_part, self._packed)
        if self.rest is not None:
            y.addmm_(rows[:, full:], self.rest)
        return y.view(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Return what printing the module says of it."""
        return f"in_features={self.in_features}, out_features={self.out_features}, float16"


class _Through(torch.autograd.Function):
    """The product, with the gradient of x: torch knows none for packed matrices."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: CompactLinear) -> Tensor:
        ctx.layer = layer
        return layer.product(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] @ ctx.layer.weight, None


class _CompactEmbedding(TokenEmbedding):
    """A token table in float16, whose rows are read in float32."""

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight).float() * self.scale


class CompactGPT(GPT):
    """A `GPT` with tied embeddings of which all matrices are float16: to read, not to train.

    It is built within `without_weights`, and takes them one by one. Its token table is kept
    twice: as rows to look up, and packed to score with.
    """

    output: CompactLinear

    def take(self, name: str, tensor: Tensor) -> None:
        """Put the weight that a `GPT` calls `name` into its place."""
        path, _, kind = name.rpartition(".")
        parent, _, attribute = path.rpartition(".")
        owner, module = self.get_submodule(parent), self.get_submodule(path)
        if isinstance(module, nn.Linear):
            setattr(owner, attribute, CompactLinear(tensor))
        elif isinstance(module, TokenEmbedding):
            with without_weights():
                table = _CompactEmbedding(*tensor.shape, scale=module.scale)
            table.weight = nn.Parameter(tensor.half(), requires_grad=False)
            setattr(owner, attribute, table)
            self.output = CompactLinear(tensor)
        else:
            setattr(module, kind, nn.Parameter(tensor, requires_grad=False))

    def scores(self, x: Tensor) -> Tensor:
        """Turn last vectors x (..., C), normalised, into a score for each next token (..., V)."""
        scores: Tensor = self.output(x)
        return scores

    def output_weight(self) -> Tensor:
        """Return the matrix (V, C) that turns the last vectors into scores, unpacked anew."""
        return self.output.weight


@functools.cache
def can_compact() -> bool:
    """Whether this machine multiplies packed matrices: x86 processors with AVX2 do."""
    try:
        CompactLinear(torch.zeros(8, 8))(torch.zeros(1, 8))
    except (RuntimeError, AttributeError):  # no kernel for this processor, or none in this torch
        return False
    return True
