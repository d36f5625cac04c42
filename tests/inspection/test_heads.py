"""Measures of heads, against attention written out by hand and heads made to a plan."""

import pytest
import torch
import torch.nn.functional as F

from llm_core.inspection.heads import (
    attention_maps,
    head_habits,
    induction_scores,
    next_token_probabilities,
)
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = TransformerConfig(
        vocab_size=20, context_length=32, d_model=16, n_layers=2, n_heads=4, bias=False
    )
    return GPT(config).eval()


@torch.no_grad()
def test_the_maps_are_softmax_of_torchs_own_scores(model):
    ids = torch.randint(20, (9,), generator=torch.Generator().manual_seed(1))
    maps = attention_maps(model, ids)
    assert maps.shape == (2, 4, 9, 9)
    seen = {}
    model.blocks[0].attention.register_forward_pre_hook(
        lambda _, given: seen.update(x=given[0]), with_kwargs=False
    )
    model(ids[None])
    q, k, _ = model.blocks[0].attention.query_key_value(seen["x"]).chunk(3, dim=-1)
    q, k = (part.view(9, 4, 4).transpose(0, 1) for part in (q[0], k[0]))
    # Values that are the identity make torch's kernel return the weights themselves.
    expected = F.scaled_dot_product_attention(q, k, torch.eye(9).expand(4, 9, 9), is_causal=True)
    torch.testing.assert_close(maps[0], expected)


def test_an_empty_text_is_refused(model):
    nothing = torch.tensor([], dtype=torch.long)
    for measure in (attention_maps, next_token_probabilities):
        with pytest.raises(ValueError, match="Write something first"):
            measure(model, nothing)


def test_heads_made_to_a_plan_show_their_habits():
    size = 6
    to_first = torch.zeros(size, size)
    to_first[:, 0] = 1
    to_previous = torch.diag(torch.ones(size - 1), -1)
    to_itself = torch.eye(size)
    even = torch.ones(size, size).tril() / torch.arange(1, size + 1)[:, None]
    habits = head_habits(torch.stack([to_first, to_previous, to_itself, even])[None])
    share = sum(1 / t for t in range(2, size + 1)) / (size - 1)
    torch.testing.assert_close(habits.first, torch.tensor([[1, 1 / (size - 1), 0, share]]))
    torch.testing.assert_close(habits.previous, torch.tensor([[1 / (size - 1), 1, 0, share]]))
    torch.testing.assert_close(habits.itself, torch.tensor([[0, 0, 1, share]]))


def test_a_single_token_has_no_habits():
    with pytest.raises(ValueError, match="single token"):
        head_habits(torch.ones(1, 1, 1, 1))


def test_the_induction_score_is_the_weight_after_the_first_occurrence(model):
    length, repeats = 7, 3
    scores = induction_scores(model, length=length, repeats=repeats, seed=5)
    draw = torch.Generator().manual_seed(5)
    expected = torch.zeros(2, 4)
    for row in torch.randint(20, (repeats, length), generator=draw):
        maps = attention_maps(model, row.repeat(2))
        for place in range(length, 2 * length):
            expected += maps[:, :, place, place - length + 1] / (repeats * length)
    torch.testing.assert_close(scores, expected)


@pytest.mark.parametrize("length", [1, 17])
def test_halves_that_do_not_fit_are_refused(model, length):
    with pytest.raises(ValueError, match="must have 2 to 16 tokens"):
        induction_scores(model, length=length)


@torch.no_grad()
def test_a_head_switched_off_is_one_whose_output_columns_are_0(model):
    ids = torch.arange(8)
    whole = next_token_probabilities(model, ids)
    torch.testing.assert_close(whole, model(ids[None]).logits[0, -1].softmax(-1))
    without = next_token_probabilities(model, ids, without=[(1, 2)])
    crippled = GPT(model.config).eval()
    crippled.load_state_dict(model.state_dict())
    crippled.blocks[1].attention.output.weight[:, 8:12] = 0
    torch.testing.assert_close(without, crippled(ids[None]).logits[0, -1].softmax(-1))
    assert not torch.allclose(whole, without)


def test_a_head_that_is_not_there_is_refused(model):
    for head, said in (((0, 4), "numbered 0 to 3"), ((7, 0), "nothing called blocks.7")):
        with pytest.raises(ValueError, match=said):
            next_token_probabilities(model, torch.arange(3), without=[head])
