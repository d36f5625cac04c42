"""Steps of the token table against the whole model's own training step."""

import numpy as np
import pytest
import torch

from llm_core.inspection.token_gradients import descend_vector, losses_of_ids, table_step
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT

SHAPE = {"vocab_size": 37, "context_length": 12, "d_model": 24, "n_layers": 2, "n_heads": 3}
IDS, TARGET = [5, 9, 30, 9, 2], 17
RATE = 1e-4


def build(**changes):
    torch.manual_seed(1)
    model = GPT(TransformerConfig(**(SHAPE | changes))).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that the answer is not nearly the same for all texts
    return model


def loss_of(model, ids=IDS):
    targets = torch.full((1, len(ids)), -100)
    targets[0, -1] = TARGET
    return model(torch.tensor([ids]), targets).loss


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("tied", [True, False])
def test_a_step_is_that_of_the_whole_model(tied, scaled):
    model = build(tie_embeddings=tied, scale_embeddings=scaled)
    step = table_step(model, IDS, TARGET, learning_rate=RATE, tied=tied)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    loss = loss_of(model)
    loss.backward()
    table = model.token_embedding.weight
    torch.testing.assert_close(step.gradient, table.grad)
    if tied:
        assert step.output_gradient is None
    else:
        torch.testing.assert_close(step.output_gradient, model.unembedding.weight.grad)
    with torch.no_grad():
        table -= RATE * table.grad
        if not tied:
            model.unembedding.weight -= RATE * model.unembedding.weight.grad
    assert step.before == pytest.approx(float(torch.exp(-loss.detach())))
    assert step.after == pytest.approx(float(torch.exp(-loss_of(model).detach())))
    model.load_state_dict(before)
    assert step.after > step.before


def test_untied_only_rows_that_were_read_move_and_tied_all():
    model = build()
    apart = table_step(model, IDS, TARGET, learning_rate=0.1, tied=False)
    assert apart.rows_moved().tolist() == sorted({*IDS})
    assert apart.output_gradient.any(dim=1).all()
    together = table_step(model, IDS, TARGET, learning_rate=0.1, tied=True)
    assert together.rows_moved().tolist() == list(range(37))
    # A shared table's gradient is the sum of what its two uses ask for.
    torch.testing.assert_close(together.gradient, apart.gradient + apart.output_gradient)


def test_the_model_stays_as_it_is():
    model = build()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    table_step(model, IDS, TARGET, learning_rate=1.0, tied=True)
    descend_vector(model, IDS, TARGET, place=1, distances=[0.0, 1.0])
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_losses_of_ids_are_those_of_the_texts():
    model = build()
    candidates = [0, 9, 36]
    found = losses_of_ids(model, IDS, TARGET, place=3, candidates=candidates)
    expected = [loss_of(model, [*IDS[:3], each, IDS[4]]).item() for each in candidates]
    assert found.tolist() == pytest.approx(expected)
    assert float(found[1]) == pytest.approx(float(loss_of(model).detach()))


@pytest.mark.parametrize("place", [0, 3, 4])
def test_the_slope_is_the_difference_quotient(place):
    model = build()
    step = 1e-5
    way = descend_vector(model, IDS, TARGET, place=place, distances=[-step, 0.0, step])
    below, here, above = way.losses.tolist()
    assert here == pytest.approx(float(loss_of(model).detach()))
    assert way.slope < 0
    assert (above - below) / (2 * step) == pytest.approx(way.slope, rel=1e-4)


def test_no_direction_falls_more_steeply():
    """The loss along other ways of one vector, with the model fed by hand."""
    model = build()
    way = descend_vector(model, IDS, TARGET, place=2, distances=[0.0])
    vectors = model.token_embedding(torch.tensor(IDS)).detach()
    draw = np.random.default_rng(0)
    for _ in range(20):
        other = torch.tensor(draw.normal(size=24))
        moved = vectors.clone()
        moved[2] += 1e-5 * other / other.norm()
        logits = model.scores(model.read(moved[None]))[0, -1]
        fallen = (-logits.log_softmax(-1)[TARGET].item() - float(loss_of(model).detach())) / 1e-5
        assert fallen > way.slope
