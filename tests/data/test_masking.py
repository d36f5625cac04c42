import pytest
import torch

from llm_core.data.masking import IGNORED, hiding_chances, mask_tokens

VOCAB, MASK = 50, 50


def masked(seed=0, chance=0.15, shape=(64, 128)):
    ids = torch.randint(VOCAB, shape, generator=torch.Generator().manual_seed(9))
    generator = torch.Generator().manual_seed(seed)
    chances = torch.full((VOCAB,), chance)
    shown, targets = mask_tokens(ids, chances, mask_id=MASK, generator=generator)
    return ids, shown, targets


def test_only_hidden_tokens_change_and_only_they_are_asked_for():
    ids, shown, targets = masked()
    hidden = targets != IGNORED
    assert torch.equal(shown[~hidden], ids[~hidden])
    assert torch.equal(targets[hidden], ids[hidden])


@pytest.mark.parametrize("chance", [0.15, 0.3])
def test_shares_are_those_of_bert(chance):
    ids, shown, targets = masked(chance=chance)
    hidden = targets != IGNORED
    assert hidden.float().mean() == pytest.approx(chance, abs=0.015)
    assert (shown == MASK)[hidden].float().mean() == pytest.approx(0.8, abs=0.03)
    # A random token is the true one by chance once in 50 times.
    kept = (shown == ids)[hidden].float().mean()
    assert kept == pytest.approx(0.1 + 0.1 / VOCAB, abs=0.03)
    assert not (shown == MASK)[~hidden].any()


def test_the_seed_decides():
    assert torch.equal(masked(1)[1], masked(1)[1])
    assert not torch.equal(masked(1)[1], masked(2)[1])


def test_rare_tokens_are_hidden_more_often_and_the_share_is_kept():
    ids = torch.tensor([0] * 900 + [1] * 90 + [2] * 30)
    chances = hiding_chances(ids, 4, share=0.1)
    assert chances[1] / chances[0] == pytest.approx(10**0.5)
    assert chances[2] / chances[1] == pytest.approx(3**0.5)
    assert chances[ids].mean() == pytest.approx(0.1, abs=0.005)
    assert chances[3] == 0.5  # never met, and the most there is
    generator = torch.Generator().manual_seed(1)
    many = ids.repeat(100, 1)
    _, targets = mask_tokens(many, chances, mask_id=4, generator=generator)
    for kind in range(3):
        share = (targets != IGNORED)[many == kind].float().mean()
        assert share == pytest.approx(float(chances[kind]), abs=0.02)


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_that_hides_nothing_or_all_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        hiding_chances(torch.tensor([0, 1]), 2, share=share)
