import pytest
import torch
import torch.nn.functional as F

from llm_core.inspection.translation import (
    STAGES,
    cosine_similarities,
    encoder_stages,
    three_attentions,
)
from llm_core.pretrained.translator import load_translator

TEXT = "the twenty-first of March, twenty twenty-one"


@pytest.fixture(scope="module")
def model():
    return load_translator()[0].requires_grad_(False)


@pytest.fixture(scope="module")
def source():
    return load_translator()[1].encode_source(TEXT)


def test_the_stages_are_the_tables_rows_then_places_then_the_memory(model, source):
    stages = encoder_stages(model, source)
    assert tuple(stages) == STAGES
    rows = model.token_embedding.weight[source]
    torch.testing.assert_close(stages["table"], rows)
    places = model.encoder.positions.weight[: len(source)]
    torch.testing.assert_close(stages["placed"], rows + places)
    torch.testing.assert_close(stages["context"], model.encode(torch.tensor([source]))[0])


def test_equal_words_part_ways(model, source):
    """Three times "twenty": of a day, of a century, of a year."""
    stages = encoder_stages(model, source)
    alike = {name: cosine_similarities(vectors)[1, 5].item() for name, vectors in stages.items()}
    assert alike["table"] == pytest.approx(1)
    assert alike["context"] < alike["placed"] < 0.8


def test_similarities_equal_torchs_cosine():
    vectors = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
    expected = F.cosine_similarity(vectors[:, None], vectors[None], dim=-1)
    torch.testing.assert_close(cosine_similarities(vectors), expected)


def test_three_attentions_have_their_shapes_and_the_decoder_its_mask(model, source):
    ids = [1, 5, 9, 7]
    found = three_attentions(model, source, ids)
    words, signs, heads = len(source), len(ids), model.config.n_heads
    assert found["encoder"].shape == (heads, words, words)
    assert found["decoder"].shape == (heads, signs, signs)
    assert found["cross"].shape == (heads, signs, words)
    for weights in found.values():
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:2]))
    assert not found["decoder"].triu(1).any()
    assert (found["encoder"] > 0).all()
    assert (found["cross"] > 0).all()
