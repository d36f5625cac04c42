import pytest
import torch

from llm_core.data.masking import IGNORED, mask_tokens

VOCAB, MASK = 50, 50


def masked(seed=0, share=0.15, shape=(64, 128)):
    ids = torch.randint(VOCAB, shape, generator=torch.Generator().manual_seed(9))
    shown, targets = mask_tokens(
        ids,
        mask_id=MASK,
        vocab_size=VOCAB,
        share=share,
        generator=torch.Generator().manual_seed(seed),
    )
    return ids, shown, targets


def test_only_hidden_tokens_change_and_only_they_are_asked_for():
    ids, shown, targets = masked()
    hidden = targets != IGNORED
    assert torch.equal(shown[~hidden], ids[~hidden])
    assert torch.equal(targets[hidden], ids[hidden])


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_shares_are_those_of_bert(share):
    ids, shown, targets = masked(share=share)
    hidden = targets != IGNORED
    assert hidden.float().mean() == pytest.approx(share, abs=0.015)
    assert (shown == MASK)[hidden].float().mean() == pytest.approx(0.8, abs=0.03)
    # A random token is the true one by chance once in 50 times.
    kept = (shown == ids)[hidden].float().mean()
    assert kept == pytest.approx(0.1 + 0.1 / VOCAB, abs=0.03)
    assert not (shown == MASK)[~hidden].any()


def test_the_seed_decides():
    assert torch.equal(masked(1)[1], masked(1)[1])
    assert not torch.equal(masked(1)[1], masked(2)[1])


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_that_hides_nothing_or_all_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        masked(share=share)
