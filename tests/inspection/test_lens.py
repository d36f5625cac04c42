import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.inspection.lens import logit_lens, nearest_neighbours, silence_heads
from llm_core.inspection.trace import trace_model
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.models.gpt import GPT

SHAPE = {"vocab_size": 43, "context_length": 16, "d_model": 32, "n_layers": 3, "n_heads": 4}
IDS = torch.tensor([1, 5, 2, 40, 7, 7, 3])


def build(**changes):
    return GPT(TransformerConfig(**(SHAPE | changes))).eval()


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_the_lens_ends_with_what_the_model_says(placement):
    model = build(norm_placement=placement)
    layers = logit_lens(model, IDS, k=4)
    assert [layer.name for layer in layers] == ["embedding", "blocks.0", "blocks.1", "blocks.2"]
    probabilities, ids = model(IDS[None]).logits[0].softmax(-1).topk(4)
    assert torch.equal(layers[-1].ids, ids)
    torch.testing.assert_close(layers[-1].probabilities, probabilities)


def test_the_lens_of_a_layer_is_a_model_cut_off_there():
    model, cut = build(), build(n_layers=2)
    cut.load_state_dict(
        {name: t for name, t in model.state_dict().items() if not name.startswith("blocks.2")}
    )
    expected, layer = logit_lens(cut, IDS)[-1], logit_lens(model, IDS)[2]
    assert torch.equal(layer.ids, expected.ids)
    torch.testing.assert_close(layer.probabilities, expected.probabilities)
    _, trace = trace_model(cut, IDS[None])
    torch.testing.assert_close(layer.length, trace["blocks.1.after_feedforward"][0].norm(dim=-1))


def test_the_lens_tells_of_the_places_and_tokens_that_are_asked_for():
    model = build()
    whole = logit_lens(model, IDS, k=43)
    places, targets = [1, 4, 6], [2, 40, 3]
    partly = logit_lens(model, IDS, k=3, places=places, targets=targets)
    for every, some in zip(whole, partly, strict=True):
        assert every.of_targets is None
        assert torch.equal(some.ids, every.ids[places, :3])
        torch.testing.assert_close(some.length, every.length[places])
        for row, (place, target) in enumerate(zip(places, targets, strict=True)):
            column = every.ids[place].tolist().index(target)
            torch.testing.assert_close(some.of_targets[row], every.probabilities[place, column])
    torch.testing.assert_close(
        some.of_targets, model(IDS[None]).logits[0].softmax(-1)[places, targets]
    )
    assert logit_lens(model, IDS, k=100)[0].ids.shape == (7, 43)


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(2, 30), k=st.integers(1, 40), seed=st.integers(0, 1000))
def test_neighbours_are_those_of_the_largest_cosine(rows, k, seed):
    generator = torch.Generator().manual_seed(seed)
    table, vector = (torch.randn(n, 5, generator=generator) for n in (rows, 1))
    vector = vector[0]
    cosines = {
        row: float(table[row] @ vector / (table[row].norm() * vector.norm()))
        for row in range(1, rows)
    }
    found = nearest_neighbours(table, vector, k=k, without=[0])
    expected = sorted(cosines, key=cosines.get, reverse=True)[:k]
    assert [neighbour.id for neighbour in found] == expected
    for neighbour in found:
        assert neighbour.similarity == pytest.approx(cosines[neighbour.id], abs=1e-5)


def test_a_vector_of_zeros_has_no_neighbours():
    with pytest.raises(ValueError, match="points nowhere"):
        nearest_neighbours(torch.ones(3, 2), torch.zeros(2))


def without_head(model, layer, head):
    """The same model, with what a head writes cut out of its output matrix."""
    cut = GPT(model.config).eval()
    cut.load_state_dict(model.state_dict())
    with torch.no_grad():
        cut.blocks[layer].attention.output.weight[:, 8 * head : 8 * (head + 1)] = 0
    return cut


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (1, 3), (2, 2)])
def test_a_silenced_head_is_one_whose_output_is_cut(layer, head):
    model = build()
    output, trace = trace_model(model, IDS[None], edits=silence_heads([(layer, head)]))
    expected = without_head(model, layer, head)(IDS[None]).logits
    torch.testing.assert_close(output.logits, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(output.logits, model(IDS[None]).logits, atol=1e-5)
    heads = trace[f"blocks.{layer}.attention.heads"]
    assert (heads[:, head] == 0).all()
    assert heads.count_nonzero() == heads.numel() * 3 // 4


def test_a_head_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"0 to 3: there is none of \[4\]"):
        trace_model(build(), IDS[None], edits=silence_heads([(0, 4)]))
    with pytest.raises(ValueError, match=r"nothing called blocks\.9"):
        trace_model(build(), IDS[None], edits=silence_heads([(9, 0)]))


def test_several_heads_of_several_layers_are_silenced_at_once():
    model = build()
    edits = silence_heads([(0, 1), (2, 0), (2, 3)])
    output, _ = trace_model(model, IDS[None], only=(), edits=edits)
    for layer, head in [(0, 1), (2, 0), (2, 3)]:
        model = without_head(model, layer, head)
    torch.testing.assert_close(output.logits, model(IDS[None]).logits, atol=1e-5, rtol=1e-4)


def test_heads_of_cross_attention_are_silenced_by_their_place():
    model = EncoderDecoder(TransformerConfig(**SHAPE, kind="encoder-decoder")).eval()
    source = torch.tensor([[4, 9, 3]])
    place = "decoder.blocks.{layer}.cross_attention.heads"
    edits = silence_heads([(n, h) for n in range(3) for h in range(4)], place=place)
    output, _ = trace_model(model, source, IDS[None], edits=edits)
    # With all of them silent, the source can say nothing.
    other, _ = trace_model(model, source + 1, IDS[None], edits=edits)
    assert torch.equal(output.logits, other.logits)
    assert not torch.equal(model(source, IDS[None]).logits, output.logits)
