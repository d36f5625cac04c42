"""The key-value cache: what was computed for earlier tokens, so that a new one costs only itself.

A causal model never changes its mind about earlier tokens, and later ones need only their keys
and values. With a cache, each new token costs one row of attention, not the whole square.
"""

import torch
from torch import Tensor


class LayerCache:
    """Keys and values of one attention layer, in memory that is taken once.

    With `sliding`, the oldest make room once `capacity` are held, and each token sees the last
    `capacity` tokens, itself included. Without, a full cache refuses more.
    """

    def __init__(
        self,
        *,
        batch: int,
        n_kv_heads: int,
        capacity: int,
        d_head: int,
        sliding: bool = False,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"A cache must hold at least one token, not {capacity!r}.")
        self.capacity, self.sliding = capacity, sliding
        self.length = 0  # tokens ever stored: the place of the next one
        self.context: tuple[Tensor, Tensor] | None = None  # of cross-attention: never grows
        self._end = 0  # slots in use
        # Twice the room: the memory is moved once in `capacity` tokens, not at each.
        slots = 2 * capacity if sliding else capacity
        # The keys' heads and then the values', so that one copy stores both.
        shape = (batch, 2 * n_kv_heads, slots, d_head)
        self._memory = torch.empty(shape, dtype=dtype, device=device)

    @property
    def window(self) -> int | None:
        """How many tokens each may see, None for all."""
        return self.capacity if self.sliding else None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store T new keys and values (B, Hkv, T, D); return all that the T queries may see.

        What is returned, (B, Hkv, S, D), ends with the new ones. Raises ValueError if they do
        not fit.
        """
        keys, values = self.extend_joined(torch.cat([keys, values], dim=1)).chunk(2, dim=1)
        return keys, values

    def extend_joined(self, new: Tensor) -> Tensor:
        """Do what `extend` does with new keys and values in one tensor (B, 2 Hkv, T, D)."""
        count = new.shape[-2]
        visible = self.visible(count)
        if self.sliding and count > self.capacity:
            return self._replace(new, visible - count)
        self._make_room(count)
        start, self._end = self._end, self._end + count
        self._memory.narrow(2, start, count).copy_(new)  # quicker than a slice
        self.length += count
        return self._memory.narrow(2, self._end - visible, visible)

    def visible(self, new: int) -> int:
        """Return S: how many keys the next `new` tokens will see, themselves included."""
        return new + (min(self.length, self.capacity - 1) if self.sliding else self.length)

    def select(self, rows: Tensor) -> None:
        """Go on with these texts of the batch, (n,): some may go, and some come twice."""
        self._memory = self._memory[rows]
        if self.context is not None:
            self.context = (self.context[0][rows], self.context[1][rows])

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` tokens; ValueError if those have slid out."""
        if length < self.length - self._end:
            raise ValueError("A sliding cache has let the first tokens go: it cannot go back.")
        self._end -= self.length - length
        self.length = length

    def nbytes(self) -> int:
        """Bytes of the memory that was taken, whether in use or not."""
        return self._memory.nbytes

    def _make_room(self, new: int) -> None:
        if not self.sliding and self._end + new > self.capacity:
            raise ValueError(
                f"The cache holds {self.capacity} tokens, and {self._end + new} were to be kept."
            )
        if self._end + new <= self._memory.shape[-2]:
            return
        kept = self.capacity - 1  # the most that the next token sees beside itself
        # A copy first: source and target may overlap.
        self._memory[:, :, :kept] = self._memory[:, :, self._end - kept : self._end].clone()
        self._end = kept

    def _replace(self, new: Tensor, old: int) -> Tensor:
        """Store the last of more new ones than there is room for; return all, `old` ones first."""
        seen = torch.cat([self._memory[:, :, self._end - old : self._end], new], dim=2)
        self._memory[:, :, : self.capacity] = new[:, :, -self.capacity :]
        self._end = self.capacity
        self.length += new.shape[-2]
        return seen


class KeyValueCache:
    """The caches of all layers of a model, and which of the tokens read so far are real.

    Begin a new text with a new cache. All layers are extended by each forward pass, once.
    """

    def __init__(
        self,
        *,
        n_layers: int,
        batch: int,
        n_kv_heads: int,
        capacity: int,
        d_head: int,
        sliding: bool = False,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        """Take memory for `capacity` tokens in each of `n_layers` layers."""
        self.layers = [
            LayerCache(
                batch=batch,
                n_kv_heads=n_kv_heads,
                capacity=capacity,
                d_head=d_head,
                sliding=sliding,
                dtype=dtype,
                device=device,
            )
            for _ in range(n_layers)
        ]
        self.batch = batch
        self.real: Tensor | None = None  # (B, length), or None while there was no padding

    @property
    def length(self) -> int:
        """Tokens read so far."""
        return self.layers[0].length

    def note_real(self, real: Tensor | None, new: int) -> Tensor | None:
        """Note which of `new` tokens are real, (B, T), None for all; return it for all so far."""
        if real is None and self.real is None:
            return None
        if self.real is not None:
            known = self.real[:, : self.length]
        else:
            assert real is not None
            known = real.new_ones(self.batch, self.length)
        if real is None:
            real = known.new_ones(self.batch, new)
        self.real = torch.cat([known, real], dim=1)
        return self.real

    def select(self, rows: Tensor) -> None:
        """Go on with these texts of the batch, (n,): some may go, and some come twice."""
        for layer in self.layers:
            layer.select(rows)
        self.batch = len(rows)
        self.real = None if self.real is None else self.real[rows]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` tokens; ValueError if those have slid out."""
        for layer in self.layers:
            layer.truncate(length)

    def nbytes(self) -> int:
        """Bytes of the memory that was taken for keys and values."""
        return sum(layer.nbytes() for layer in self.layers)
