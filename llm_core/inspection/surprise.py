"""How surprised a model is by each token of a text, and what it expected in its place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.generation.reader import Model, check_prompt, device_of, reading


@dataclass(frozen=True)
class TextReading:
    """What a model makes of ids (T,), which it reads from left to right.

    losses (T - 1,): the surprise at each token but the first, in nats: -ln of its probability;
    ranks (T - 1,): how many tokens it found likelier. After each of the T tokens: guesses (T, k),
    the likeliest next ones, with their probabilities (T, k), and entropies (T,), in nats.
    """

    ids: Tensor
    losses: Tensor
    ranks: Tensor
    guesses: Tensor
    probabilities: Tensor
    entropies: Tensor

    @property
    def mean_loss(self) -> float:
        """The mean surprise at a token, in nats; the loss that training makes small."""
        return float(self.losses.mean())

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens it might as well have been choosing."""
        return math.exp(min(self.mean_loss, 700.0))  # e to the 710th is no number any more

    @property
    def first_guess_share(self) -> float:
        """At what share of the places its first guess is what comes."""
        return float((self.ranks == 0).float().mean())

    def bits_per_character(self, characters: int) -> float:
        """Return the surprise in bits for each of the `characters` after the first token.

        It compares models whose tokens differ. Raises ValueError if there is no character.
        """
        if characters < 1:
            raise ValueError("After the first token there is no character to be surprised by.")
        return float(self.losses.sum()) / math.log(2) / characters


def read_text(model: Model, ids: Tensor, *, k: int = 10) -> TextReading:
    """Let the model read ids (T,), and keep its k likeliest next tokens at every place.

    Raises ValueError for fewer than two tokens, for ids that it does not know, and for more tokens
    than it can see at once.
    """
    if len(ids) < 2:
        raise ValueError(
            "Write some more: the model predicts each token from those before it, so there must be "
            "two at least."
        )
    check_prompt(model, ids.tolist())
    if len(ids) > model.config.context_length:
        raise ValueError(
            f"The text has {len(ids)} tokens, and the model sees {model.config.context_length}."
        )
    with reading(model):
        logits = model(ids[None].to(device_of(model))).logits[0].float().cpu()
        logs = logits.log_softmax(dim=-1)
        truth = logs[:-1].gather(-1, ids[1:, None].cpu())
        best = logs.topk(min(k, logs.shape[-1]))
        entropies = -(logs.exp() * logs).nan_to_num().sum(dim=-1)
        ranks = (logs[:-1] > truth).sum(dim=-1)
        losses, probabilities = -truth[:, 0], best.values.exp()
    # Plain tensors: those made in inference mode are not to be used elsewhere.
    return TextReading(
        ids.cpu().clone(),
        *(each.clone() for each in (losses, ranks, best.indices, probabilities, entropies)),
    )


@dataclass(frozen=True)
class Mistake:
    """A place of the text where the model's first guess was not what came.

    guess: the id it expected, with probability `certainty`; probability and rank: of what came.
    """

    place: int
    guess: int
    certainty: float
    probability: float
    rank: int


def certain_and_wrong(text: TextReading) -> list[Mistake]:
    """Return the places where the first guess was wrong, that of the surest guess first."""
    mistakes = [
        Mistake(
            place,
            int(text.guesses[place - 1, 0]),
            float(text.probabilities[place - 1, 0]),
            math.exp(-float(text.losses[place - 1])),
            int(text.ranks[place - 1]),
        )
        for place in range(1, len(text.ids))
        if text.ranks[place - 1] > 0
    ]
    return sorted(mistakes, key=lambda mistake: (-mistake.certainty, mistake.place))


@dataclass(frozen=True)
class SharedPiece:
    """A shortest piece of a text that two tokenizers both end at: ranges of the tokens of each."""

    text: bytes
    first: range
    second: range


def shared_pieces(first: Sequence[bytes], second: Sequence[bytes]) -> list[SharedPiece]:
    """Cut a text where both of its tokenizations have a boundary.

    first and second are the tokens of each, which spell the same text; one of them may end earlier.
    Raises ValueError if they do not.
    """
    texts = b"".join(first), b"".join(second)
    least = min(map(len, texts))
    if texts[0][:least] != texts[1][:least]:
        raise ValueError(
            "The tokens of these two models do not spell the same text: what they say cannot be "
            "laid side by side."
        )
    ends = [_ends(first), _ends(second)]
    pieces: list[SharedPiece] = []
    start, from_first, from_second = 0, 0, 0
    for end in sorted(ends[0].keys() & ends[1].keys()):
        to_first, to_second = ends[0][end], ends[1][end]
        pieces.append(
            SharedPiece(
                texts[0][start:end], range(from_first, to_first), range(from_second, to_second)
            )
        )
        start, from_first, from_second = end, to_first, to_second
    return pieces


def piece_losses(
    first: TextReading, second: TextReading, pieces: Sequence[SharedPiece]
) -> tuple[Tensor, Tensor]:
    """Return both models' losses, in nats, summed over each of the pieces but the first: (n - 1,).

    The first piece holds each model's first token, which nothing predicts. Raises ValueError if
    there is no piece but that.
    """
    if len(pieces) < 2:
        raise ValueError("These two models cut the text so differently that they share no piece.")
    rest = pieces[1:]
    ours = [first.losses[p.first.start - 1 : p.first.stop - 1].sum() for p in rest]
    theirs = [second.losses[p.second.start - 1 : p.second.stop - 1].sum() for p in rest]
    return torch.stack(ours), torch.stack(theirs)


def _ends(pieces: Sequence[bytes]) -> dict[int, int]:
    """Where each token ends, in bytes, and how many tokens there are up to there.

    A token without any bytes belongs to what comes before it.
    """
    ends: dict[int, int] = {}
    end = 0
    for count, piece in enumerate(pieces, 1):
        end += len(piece)
        ends[end] = count
    ends.pop(0, None)
    return ends
