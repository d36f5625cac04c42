"""Beam search: keep several texts, let each go on in its best ways, keep the best of those."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from llm_core.generation.reader import Model, check_prompt, device_of, reading


@dataclass(frozen=True)
class BeamNode:
    """One token of the tree that was explored.

    number: counts nodes from 0 on, over all levels; parent: the number of the node before, or None
    for a first token. ids: the whole continuation, from the first token down to this one.
    log_probability: of this token after those; total: of all of them together, in nats. kept: did
    it stay in the beam? ended: is its token a stop token?
    """

    number: int
    parent: int | None
    ids: tuple[int, ...]
    log_probability: float
    total: float
    kept: bool = False
    ended: bool = False

    def score(self, length_power: float = 0.0) -> float:
        """What it is ranked by: the total, divided by its length to the power given."""
        length: float = len(self.ids) ** length_power
        return self.total / length


def beam_search(
    model: Model,
    ids: Tensor,
    *,
    width: int,
    max_new_tokens: int,
    stop_tokens: Sequence[int] = (),
    length_power: float = 0.0,
) -> Iterator[tuple[BeamNode, ...]]:
    """Yield the tree after ids (T,) level by level: the candidates, the best first, `width` kept.

    Each kept text offers its `width` likeliest next tokens. A text that has ended competes on with
    the score that it has, and is among the candidates of each later level. The best candidate of
    the last level is what beam search writes. `length_power` above 0 favours longer texts ("GNMT",
    2016, in transformers' form). Raises ValueError for no width, no tokens, or a text that would
    not fit into the model's context.
    """
    check_prompt(model, ids.tolist())
    if width < 1 or max_new_tokens < 1:
        raise ValueError("Beam search keeps at least one text, and writes at least one token.")
    if len(ids) + max_new_tokens > model.config.context_length:
        raise ValueError(
            f"{len(ids)} tokens and {max_new_tokens} new ones are more than the "
            f"{model.config.context_length} that this model sees at once."
        )
    beam = _Beam(model, ids.tolist(), width, max_new_tokens, tuple(stop_tokens), length_power)
    for _ in range(max_new_tokens):
        yield beam.grow()
        if all(node.ended for node in beam.kept):
            return


class _Beam:
    """The texts that are kept, and the model's memory of them."""

    def __init__(
        self,
        model: Model,
        prompt: list[int],
        width: int,
        most: int,
        stop_tokens: tuple[int, ...],
        length_power: float,
    ) -> None:
        self.kept: list[BeamNode] = []
        self._model, self._prompt, self._width = model, prompt, width
        self._stop_tokens, self._length_power = stop_tokens, length_power
        self._count = 0  # nodes so far
        self._cache = model.new_cache(1, capacity=len(prompt) + most)
        self._row_of: dict[int | None, int] = {None: 0}  # of each growing text in the cache

    def grow(self) -> tuple[BeamNode, ...]:
        """Let all kept texts go on by one token; return the candidates, the best first."""
        growing: list[BeamNode | None] = [node for node in self.kept if not node.ended]
        growing = growing if self.kept else [None]
        candidates = [node for node in self.kept if node.ended]
        logs = self._log_probabilities(growing)
        best = logs.topk(min(self._width, logs.shape[-1]), dim=-1)
        for row, parent in enumerate(growing):
            values, tokens = best.values[row].tolist(), best.indices[row].tolist()
            for value, token in zip(values, tokens, strict=True):
                candidates.append(self._node(parent, token, value))
        # Stable: of equals, the one of the better parent, and of the lower id.
        candidates.sort(key=lambda node: -node.score(self._length_power))
        ranked = [replace(node, kept=place < self._width) for place, node in enumerate(candidates)]
        self.kept = ranked[: self._width]
        return tuple(ranked)

    def _node(self, parent: BeamNode | None, token: int, log_probability: float) -> BeamNode:
        number, self._count = self._count, self._count + 1
        return BeamNode(
            number,
            None if parent is None else parent.number,
            (() if parent is None else parent.ids) + (token,),
            log_probability,
            (0.0 if parent is None else parent.total) + log_probability,
            ended=token in self._stop_tokens,
        )

    def _log_probabilities(self, growing: list[BeamNode | None]) -> Tensor:
        """Return the log-probabilities (rows, V) of the next token of each growing text."""
        device = device_of(self._model)
        with reading(self._model):
            new = [self._prompt if node is None else [node.ids[-1]] for node in growing]
            if growing != [None]:
                rows = [self._row_of[node.parent] for node in growing if node is not None]
                self._cache.select(torch.tensor(rows, device=device))
            ids = torch.tensor(new, device=device)
            logits = self._model(ids, cache=self._cache, last_only=True).logits[:, -1]
        self._row_of = {
            None if node is None else node.number: row for row, node in enumerate(growing)
        }
        return logits.float().cpu().log_softmax(dim=-1)
