"""Greedy translation, held against decoding anew from the start for each sign."""

import pytest
import torch

from llm_core.generation.translate import forced_choices, translate, translate_batch
from llm_core.layers.trace import Trace
from llm_core.models.config import POSITIONS, TransformerConfig
from llm_core.models.encoder_decoder import EncoderDecoder

START, END = 1, 2


@pytest.fixture(params=["learned", "sinusoidal", "rope", "t5"])
def model(request):
    assert request.param in POSITIONS
    config = TransformerConfig(
        kind="encoder-decoder",
        vocab_size=23,
        context_length=16,
        d_model=24,
        n_layers=2,
        n_heads=4,
        position=request.param,
    )
    model = EncoderDecoder(config, generator=torch.Generator().manual_seed(3)).eval()
    with torch.no_grad():  # larger weights, so that the choice is not always the same token
        for parameter in model.parameters():
            parameter.mul_(6)
    return model.double().requires_grad_(False)  # so that rounding changes no digit compared


SOURCE = [5, 9, 4, 17, 9]


def from_scratch(model, source, count, overruled=None):
    """Ids, probabilities and cross-attention, without a cache: all anew for every token."""
    ids, choices, rows, looks = [START], [], [], []
    for place in range(count):
        trace = Trace(only=("decoder.*.cross_attention.weights",))
        logits = model(torch.tensor([source]), torch.tensor([ids]), trace=trace).logits[0, -1]
        choices.append(int(logits.argmax()))
        ids.append((overruled or {}).get(place, choices[-1]))
        rows.append(logits.softmax(-1))
        looks.append(torch.stack([weights[0, :, -1] for weights in trace.values()]))
        if ids[-1] == END:
            break
    return ids[1:], choices, torch.stack(rows), torch.stack(looks)


def test_steps_equal_those_without_a_cache(model):
    steps = list(translate(model, SOURCE, start=START, end=END, most=9))
    ids, choices, rows, looks = from_scratch(model, SOURCE, 9)
    assert [step.id for step in steps] == ids
    assert [step.choice for step in steps] == choices
    torch.testing.assert_close(torch.stack([s.probabilities for s in steps]), rows)
    torch.testing.assert_close(torch.stack([s.attention for s in steps]), looks)
    assert steps[0].attention.shape == (2, 4, 5)
    torch.testing.assert_close(steps[0].attention.sum(-1), torch.ones(2, 4, dtype=torch.float64))


def test_an_overruled_token_is_gone_on_with(model):
    overruled = {1: 7, 3: 11}
    steps = list(translate(model, SOURCE, start=START, end=END, most=6, overruled=overruled))
    ids, choices, _, _ = from_scratch(model, SOURCE, 6, overruled)
    assert [step.id for step in steps] == ids
    assert [step.choice for step in steps] == choices
    assert ids[1] == 7


def test_it_ends_with_the_end(model):
    steps = list(translate(model, SOURCE, start=START, end=END, most=9, overruled={2: END}))
    assert len(steps) <= 3
    assert steps[-1].id == END


def test_a_batch_with_padding_equals_one_by_one(model):
    sources = [[5, 9, 4, 17, 9], [8], [3, 3, 12]]
    padded = torch.tensor([source + [0] * (5 - len(source)) for source in sources])
    mask = torch.tensor([[n < len(source) for n in range(5)] for source in sources])
    written = translate_batch(model, padded, mask, start=START, end=END, most=7)
    for row, source in zip(written.tolist(), sources, strict=True):
        alone = [step.id for step in translate(model, source, start=START, end=END, most=7)]
        assert row[: len(alone)] == alone


def test_forced_choices_equal_one_pass_a_place(model):
    right = [7, 3, 11, 4, END]
    steps = forced_choices(model, SOURCE, right, start=START)
    assert [step.id for step in steps] == right
    for place, step in enumerate(steps):
        ids = torch.tensor([[START, *right[:place]]])
        row = model(torch.tensor([SOURCE]), ids).logits[0, -1].softmax(-1)
        torch.testing.assert_close(step.probabilities, row)
        assert step.choice == int(row.argmax())
        assert step.attention.shape == (2, 4, 5)
