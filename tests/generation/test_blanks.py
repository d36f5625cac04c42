import pytest
import torch

from llm_core.data.corpora import find_corpus
from llm_core.generation.blanks import (
    Blank,
    guess_from_both_sides,
    guess_from_the_left,
    held_out_blanks,
    share_right,
)
from llm_core.pretrained.tiny import CORPUS, load_tiny
from llm_core.pretrained.tiny_encoder import load_tiny_encoder


@pytest.fixture(scope="module")
def encoder():
    return load_tiny_encoder()[0].requires_grad_(False)


@pytest.fixture(scope="module")
def decoder():
    return load_tiny()[0].requires_grad_(False)


@pytest.fixture(scope="module")
def blanks():
    return held_out_blanks(200, seed=5)


def test_a_batch_equals_one_by_one_without_padding(encoder, decoder, blanks):
    both = guess_from_both_sides(encoder, blanks[:6])
    left = guess_from_the_left(decoder, blanks[:6])
    mask_id = encoder.config.vocab_size - 1
    for n, blank in enumerate(blanks[:6]):
        ids = torch.tensor([blank.ids])
        ids[0, blank.place] = mask_id
        row = encoder(ids).logits[0, blank.place, :mask_id].softmax(-1)
        torch.testing.assert_close(both[n], row, atol=1e-5, rtol=1e-3)
        before = torch.tensor([blank.ids[: blank.place]])
        row = decoder(before).logits[0, -1].softmax(-1)
        torch.testing.assert_close(left[n], row, atol=1e-5, rtol=1e-3)


def test_what_comes_after_moves_the_encoder_alone(encoder, decoder):
    blank = held_out_blanks(1, seed=5, told_again=True)[0]
    after = [0 if each == blank.answer else each for each in blank.ids[blank.place + 1 :]]
    changed = [Blank((*blank.ids[: blank.place + 1], *after), blank.place)]
    assert torch.equal(guess_from_the_left(decoder, changed), guess_from_the_left(decoder, [blank]))
    moved = guess_from_both_sides(encoder, changed) - guess_from_both_sides(encoder, [blank])
    assert moved.abs().max() > 0.1


def test_the_hidden_token_is_not_looked_at(encoder, blanks):
    blank = blanks[0]
    ids = list(blank.ids)
    ids[blank.place] = (ids[blank.place] + 1) % 1000
    assert torch.equal(
        guess_from_both_sides(encoder, [Blank(tuple(ids), blank.place)]),
        guess_from_both_sides(encoder, [blank]),
    )


def test_both_sides_find_more_than_one(encoder, decoder, blanks):
    both = share_right(guess_from_both_sides(encoder, blanks), blanks)
    left = share_right(guess_from_the_left(decoder, blanks), blanks)
    assert both > left + 0.03
    assert both > 0.85


def test_what_is_told_again_only_both_sides_find(encoder, decoder):
    again = held_out_blanks(100, seed=5, told_again=True)
    assert share_right(guess_from_both_sides(encoder, again), again) > 0.85
    assert share_right(guess_from_the_left(decoder, again), again) < 0.5


def test_held_out_blanks_are_words_of_tales_that_were_never_trained_on(blanks):
    tokenizer = load_tiny()[1]
    text = find_corpus(CORPUS).load()
    trained = text[: int(0.9 * len(text))]
    assert blanks[:3] == held_out_blanks(3, seed=5)
    assert blanks[:3] != held_out_blanks(3, seed=6)
    for blank in blanks[:50]:
        assert 0 < blank.place < len(blank.ids)
        assert tokenizer.decode([blank.answer]).strip().isalpha()
        assert tokenizer.decode(list(blank.ids)) not in trained


def test_what_is_told_again_stands_there_for_the_first_time(blanks):
    again = held_out_blanks(100, seed=5, told_again=True)
    assert len(again) == 100
    for blank in again:
        assert blank.ids.count(blank.answer) > 1
        assert blank.ids.index(blank.answer) == blank.place
    tokenizer = load_tiny()[1]
    assert not {tokenizer.decode([blank.answer]) for blank in again} & {" the", " and", " was"}


def test_share_right_counts_the_most_probable():
    blanks = [Blank((1, 2), 1), Blank((3, 0), 0)]
    probabilities = torch.tensor([[0.1, 0.1, 0.7, 0.1], [0.7, 0.1, 0.1, 0.1]])
    assert share_right(probabilities, blanks) == 0.5


def test_impossible_blanks_are_refused(decoder):
    with pytest.raises(ValueError, match="one of the text's tokens"):
        Blank((1, 2), 2)
    with pytest.raises(ValueError, match="at least one token before"):
        guess_from_the_left(decoder, [Blank((1, 2), 0)])
