"""Look inside a model while it computes: named intermediates, kept and, if wished, changed.

Every model takes `trace=Trace()`, and then `trace["blocks.0.attention.weights"]` and the like hold
what came by. Without one, nothing is kept. The names, for a decoder or an encoder:

    embedding.tokens                 (B, T, C)      rows of the token table
    embedding.sum                    (B, T, C)      tokens, plus positions that are added
    embedding                        (B, T, C)      normalised if it is: what block 0 reads
    blocks.0.attention.q             (B, H, T, D)   queries, normalised and rotated if they are
    blocks.0.attention.k .v          (B, Hkv, S, D) keys and values, those of the cache included
    blocks.0.attention.scores        (B, H, T, S)   scaled, with their bias, before the mask
    blocks.0.attention.weights       (B, H, T, S)   after mask and softmax: each row sums to 1
    blocks.0.attention.heads         (B, H, T, D)   what each head gathered
    blocks.0.attention.output        (B, T, C)      what all heads write together
    blocks.0.after_attention         (B, T, C)      the residual stream
    blocks.0.feedforward.activations (B, T, d_ff)
    blocks.0.feedforward.output      (B, T, C)
    blocks.0.after_feedforward       (B, T, C)      the residual stream: what the next block reads
    final_norm                       (B, T, C)      pre-norm models only
    logits                           (B, T, V)

In an encoder-decoder each name begins with `encoder.` or `decoder.` (but for `logits`), and the
decoder's blocks also have `cross_attention` (same names) and `after_cross_attention`.
"""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from torch import Tensor

Edit = Callable[[Tensor], Tensor]


class Trace(Mapping[str, Tensor]):
    """Collects tensors by name, in the order in which they were computed.

    Tensors are kept as they are, with their gradients if there are any. `only` limits what is
    kept by patterns such as "*.weights" or "blocks.3.*"; the rest costs nothing. `edits` maps
    exact names to functions whose result the model goes on with, as if it had computed that:
    `{"blocks.0.attention.heads": silence}` switches heads off.
    """

    def __init__(
        self, *, only: tuple[str, ...] = ("*",), edits: Mapping[str, Edit] | None = None
    ) -> None:
        self._tensors: dict[str, Tensor] = {}
        self._only = only
        self._edits = edits or {}
        self._used: set[str] = set()
        self._prefix = ""

    def at(self, place: str) -> "Trace":
        """Return the part of this trace whose names begin with `place` and a dot."""
        part = Trace.__new__(Trace)
        part._tensors, part._only = self._tensors, self._only
        part._edits, part._used = self._edits, self._used
        part._prefix = f"{self._prefix}{place}."
        return part

    def note(self, name: str, tensor: Tensor) -> Tensor:
        """Keep `tensor`, edited if there is an edit for it, and return what to go on with."""
        full_name = self._prefix + name
        if full_name in self._edits:
            tensor = self._edits[full_name](tensor)
            self._used.add(full_name)
        if any(fnmatchcase(full_name, pattern) for pattern in self._only):
            self._tensors[full_name] = tensor
        return tensor

    def wants(self, name: str) -> bool:
        """Whether `name` would be kept or edited: else there is no need to compute it."""
        full_name = self._prefix + name
        return full_name in self._edits or any(fnmatchcase(full_name, p) for p in self._only)

    def unused_edits(self) -> set[str]:
        """Return the names of edits that no tensor came by for: the model has none of that name."""
        return set(self._edits) - self._used

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[self._prefix + name]

    def __iter__(self) -> Iterator[str]:
        start = len(self._prefix)
        return (name[start:] for name in self._tensors if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def note(trace: Trace | None, name: str, tensor: Tensor) -> Tensor:
    """Let `trace` keep `tensor`, if there is a trace; return what to go on with."""
    return tensor if trace is None else trace.note(name, tensor)


def part(trace: Trace | None, place: str) -> Trace | None:
    """Return the part of `trace` at `place`, if there is a trace."""
    return None if trace is None else trace.at(place)
