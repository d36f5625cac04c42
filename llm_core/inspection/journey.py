"""Follow one token through a model: what each sublayer adds to its vector, and what it means."""

from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.inspection.lens import scores_of
from llm_core.inspection.trace import trace_model
from llm_core.models.gpt import GPT

_PARTS = ("attention", "feedforward")


@dataclass(frozen=True)
class JourneyStage:
    """A token's vector before and after one stage of its way, and the guess if it ended here.

    name: "embedding", "attention", "feedforward" or "output"; block: which one, from 0, or None
    outside of the blocks. before, after (C,): the vector in the residual stream; added (C,): what
    is added to it, or None if nothing is. In a post-norm model, `after` is their normalised sum.
    ids and probabilities (k,): the likeliest next tokens, by the logit lens; `of_answer`: the
    probability of the token that the model finds likeliest in the end.
    """

    name: str
    block: int | None
    before: Tensor
    added: Tensor | None
    after: Tensor
    ids: Tensor
    probabilities: Tensor
    of_answer: float

    @property
    def length(self) -> float:
        """Length (norm) of the vector after this stage."""
        return float(self.after.norm())


def follow_token(model: GPT, ids: Tensor, place: int, *, k: int = 5) -> tuple[JourneyStage, ...]:
    """Return all stages of the token at `place` of ids (T,), from its row of the table to the end.

    The first stage adds its position (if the model adds any), then each block adds what attention
    and the feed-forward network found; the last one is the final norm, whose vector is scored.
    Raises ValueError for a place outside of the text.
    """
    if not 0 <= place < len(ids):
        raise ValueError(f"There is no place {place} in a text of {len(ids)} tokens.")
    wanted = ("embedding*", "*.output", "*.after_*", "final_norm")
    _, trace = trace_model(model, ids[None], only=wanted)
    at = {name: tensor[0, place].clone() for name, tensor in trace.items()}
    added = at["embedding.sum"] - at["embedding.tokens"]
    ways: list[tuple[str, int | None, Tensor, Tensor | None, Tensor]] = [
        ("embedding", None, at["embedding.tokens"], added if added.any() else None, at["embedding"])
    ]
    for block in range(model.config.n_layers):
        for part in _PARTS:
            inside = f"blocks.{block}."
            after = at[f"{inside}after_{part}"]
            ways.append((part, block, ways[-1][4], at[f"{inside}{part}.output"], after))
    last = ways[-1][4]
    ways.append(("output", None, last, None, at.get("final_norm", last)))
    # The last stage is normalised already: its scores are those of the stage before.
    scores = scores_of(model, torch.stack([way[4] for way in ways[:-1]]))
    probabilities = torch.cat([scores, scores[-1:]]).softmax(dim=-1)
    answer = int(probabilities[-1].argmax())
    best, tokens = probabilities.topk(min(k, probabilities.shape[-1]))
    return tuple(
        JourneyStage(*way, tokens[stage], best[stage], float(probabilities[stage, answer]))
        for stage, way in enumerate(ways)
    )


def stream_lengths(model: GPT, ids: Tensor) -> list[float]:
    """Return the mean length of the vectors of ids (T,): before the first block, after each."""
    names = ["embedding", *(f"blocks.{n}.after_feedforward" for n in range(model.config.n_layers))]
    _, trace = trace_model(model, ids[None], only=tuple(names))
    return [float(trace[name][0].norm(dim=-1).mean()) for name in names]
