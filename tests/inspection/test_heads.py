"""Measures of heads, against attention written out by hand and heads made to a plan."""

import pytest
import torch
import torch.nn.functional as F

from llm_core.inspection.heads import (
    attention_maps,
    head_habits,
    induction_scores,
    look_back_only,
    next_token_probabilities,
    vectors_by_layer,
)
from llm_core.inspection.trace import trace_model
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
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


@pytest.fixture(scope="module")
def encoder():
    config = TransformerConfig(
        kind="encoder", vocab_size=20, context_length=32, d_model=16, n_layers=2, n_heads=4
    )
    return Encoder(config, generator=torch.Generator().manual_seed(3)).eval()


def test_an_encoder_that_looks_back_only_is_blind_to_what_follows(encoder):
    first, second = torch.tensor([3, 5, 7, 9]), torch.tensor([3, 5, 8, 2])
    seen, _ = vectors_by_layer(encoder, first, 1)
    other, _ = vectors_by_layer(encoder, second, 1)
    assert torch.equal(seen[0], other[0])  # the embedding knows of no neighbours
    assert (seen[1:] - other[1:]).abs().amax(dim=-1).min() > 1e-4
    seen, maps = vectors_by_layer(encoder, first, 1, causal=True)
    other, _ = vectors_by_layer(encoder, second, 1, causal=True)
    torch.testing.assert_close(seen, other)
    assert maps.triu(1).abs().max() == 0
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(2, 4, 4))


def test_a_masked_encoder_computes_what_torch_computes_with_that_mask(encoder):
    ids = torch.tensor([[3, 5, 7, 9]])
    names = ("blocks.0.attention.q", "blocks.0.attention.k", "blocks.0.attention.v")
    edits = look_back_only(2)
    _, trace = trace_model(encoder, ids, only=(*names, "blocks.0.attention.heads"), edits=edits)
    q, k, v = (trace[name] for name in names)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(trace["blocks.0.attention.heads"], expected)


def test_a_place_outside_the_text_is_refused(encoder):
    with pytest.raises(ValueError, match="there is none at place 4"):
        vectors_by_layer(encoder, torch.tensor([1, 2, 3, 4]), 4)
