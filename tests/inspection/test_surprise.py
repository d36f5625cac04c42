import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.inspection.surprise import (
    certain_and_wrong,
    piece_losses,
    read_text,
    shared_pieces,
)
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.pretrained.registry import load

SHAPE = {"vocab_size": 43, "context_length": 16, "d_model": 32, "n_layers": 2, "n_heads": 4}
TALE = "Otto and Emma wanted the golden doll. Otto was angry with Emma, and Emma was angry with"


def build(**changes):
    torch.manual_seed(0)
    model = GPT(TransformerConfig(**(SHAPE | changes)))
    with torch.no_grad():  # a fresh model finds everything equally likely
        for parameter in model.parameters():
            parameter.mul_(4)
    return model


@settings(deadline=None, max_examples=30)
@given(ids=st.lists(st.integers(0, 42), min_size=2, max_size=16), position=st.integers(0, 1))
def test_losses_are_torchs_cross_entropy(ids, position):
    model = build(position=("learned", "rope")[position], dropout=0.3).train()
    ids = torch.tensor(ids)
    found = read_text(model, ids)
    assert model.training  # it was not disturbed, and dropped nothing
    with torch.no_grad():
        logits = model.eval()(ids[None]).logits[0]
    expected = F.cross_entropy(logits[:-1], ids[1:], reduction="none")
    torch.testing.assert_close(found.losses, expected)
    assert found.mean_loss == pytest.approx(float(F.cross_entropy(logits[:-1], ids[1:])), rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(found.mean_loss))
    probabilities, guesses = logits.softmax(-1).topk(10)
    torch.testing.assert_close(found.probabilities, probabilities)
    assert torch.equal(found.guesses, guesses)
    entropies = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(found.entropies, entropies, atol=1e-5, rtol=1e-4)
    order = logits[:-1].argsort(dim=-1, descending=True, stable=True)
    ranks = (order == ids[1:, None]).nonzero()[:, 1]
    assert torch.equal(found.ranks, ranks)
    assert found.first_guess_share == pytest.approx(float((ranks == 0).float().mean()))


def test_bits_per_character_are_those_of_the_whole_text():
    model, tokenizer = load("tiny")
    ids = torch.tensor(tokenizer.encode(TALE))
    found = read_text(model, ids)
    characters = len(tokenizer.decode(ids[1:].tolist()))
    total = F.cross_entropy(model(ids[None]).logits[0, :-1], ids[1:], reduction="sum")
    expected = float(total) / math.log(2) / characters
    assert found.bits_per_character(characters) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="no character"):
        found.bits_per_character(0)


def test_mistakes_are_all_the_wrong_first_guesses_the_surest_first():
    model, tokenizer = load("tiny")
    ids = tokenizer.encode(TALE.replace("doll", "garden"))
    found = certain_and_wrong(read_text(model, torch.tensor(ids)))
    with torch.no_grad():
        probabilities = model(torch.tensor(ids)[None]).logits[0].softmax(-1)
    wrong = {p for p in range(1, len(ids)) if int(probabilities[p - 1].argmax()) != ids[p]}
    assert {mistake.place for mistake in found} == wrong
    assert len(found) > 3
    assert [m.certainty for m in found] == sorted((m.certainty for m in found), reverse=True)
    for mistake in found:
        row = probabilities[mistake.place - 1]
        assert mistake.guess == int(row.argmax())
        assert mistake.certainty == pytest.approx(float(row.max()), rel=1e-4)
        truth = row[ids[mistake.place]]
        assert mistake.probability == pytest.approx(float(truth), rel=1e-4)
        assert mistake.rank == int((row > truth).sum()) > 0


@pytest.mark.parametrize("ids", [[], [3]])
def test_a_text_that_predicts_nothing_is_refused(ids):
    with pytest.raises(ValueError, match="Write some more"):
        read_text(build(), torch.tensor(ids, dtype=torch.long))


def test_a_text_too_long_or_of_unknown_tokens_is_refused():
    with pytest.raises(ValueError, match="has 17 tokens, and the model sees 16"):
        read_text(build(), torch.zeros(17, dtype=torch.long))
    with pytest.raises(ValueError, match="Token id 43 is outside"):
        read_text(build(), torch.tensor([1, 43]))


def test_a_certain_model_has_no_entropy_and_a_loss_that_is_a_number():
    model = build()
    with torch.no_grad():
        model.final_norm.weight.mul_(1e6)
    found = read_text(model, torch.tensor([1, 2, 3]))
    assert found.entropies.abs().max() < 1e-3
    assert found.losses.isfinite().all()
    assert math.isfinite(found.perplexity)


def cut(content, places):
    ends = [0, *sorted({place % len(content) for place in places} - {0}), len(content)]
    return [content[a:b] for a, b in itertools.pairwise(ends)]


@given(
    content=st.binary(min_size=1, max_size=30),
    first=st.lists(st.integers(0, 100), max_size=10),
    second=st.lists(st.integers(0, 100), max_size=10),
    lost=st.integers(0, 3),
)
def test_shared_pieces_are_the_finest_cut_that_both_have(content, first, second, lost):
    first, second = cut(content, first), cut(content, second)
    second = second[: max(1, len(second) - lost)]
    pieces = shared_pieces(first, second)
    for piece in pieces:
        assert b"".join(first[n] for n in piece.first) == piece.text
        assert b"".join(second[n] for n in piece.second) == piece.text
    assert [n for p in pieces for n in p.first] == list(range(sum(len(p.first) for p in pieces)))
    both = {sum(map(len, first[:n])) for n in range(1, len(first) + 1)} & {
        sum(map(len, second[:n])) for n in range(1, len(second) + 1)
    }
    ends = {len(b"".join(p.text for p in pieces[:n])) for n in range(1, len(pieces) + 1)}
    assert ends == both


def test_tokens_that_spell_different_texts_are_refused():
    with pytest.raises(ValueError, match="do not spell the same text"):
        shared_pieces([b"an", b" owl"], [b"a", b" fox"])


def test_losses_of_pieces_add_up_to_those_of_tokens():
    model = build()
    ids, other = torch.tensor([1, 5, 2, 40, 7]), torch.tensor([9, 9, 3])
    first, second = read_text(model, ids), read_text(model, other)
    pieces = shared_pieces([b"a", b"b", b"c", b"d", b"e"], [b"a", b"bcd", b"e"])
    ours, theirs = piece_losses(first, second, pieces)
    torch.testing.assert_close(ours, torch.stack([first.losses[:3].sum(), first.losses[3]]))
    torch.testing.assert_close(theirs, second.losses)
    with pytest.raises(ValueError, match="share no piece"):
        piece_losses(first, second, pieces[:1])
