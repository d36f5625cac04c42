"""A word in context against transformers' own hidden states."""

import pytest
import torch
import transformers

from llm_core.inspection.contextual import word_in_context
from llm_core.pretrained.assets import fetch
from llm_core.pretrained.minilm import load_minilm

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

MONEY, RIVER, SAVINGS = (
    "The bank refused to lend him any money.",
    "The children fished from the muddy bank of the stream.",
    "She put her savings into the bank.",
)


@pytest.fixture(scope="module")
def loaded():
    return load_minilm()


@pytest.fixture(scope="module")
def theirs():
    return transformers.BertModel.from_pretrained(fetch("minilm")).eval()


def test_vectors_are_transformers_hidden_states(loaded, theirs):
    model, tokenizer = loaded
    found = word_in_context(model, tokenizer, [MONEY, RIVER], "bank")
    assert found.layers == ("token", "embedding", *(f"layer {n}" for n in range(1, 7)))
    assert found.pieces == ("bank",)
    for column, sentence in enumerate((MONEY, RIVER)):
        ids = torch.tensor([tokenizer.encode_text(sentence)])
        place = ids[0].tolist().index(tokenizer.id_of("bank"))
        with torch.inference_mode():
            states = theirs(ids, output_hidden_states=True).hidden_states
        row = theirs.embeddings.word_embeddings.weight[tokenizer.id_of("bank")]
        torch.testing.assert_close(found.vectors[0, column], row)
        for layer, state in enumerate(states, 1):
            torch.testing.assert_close(
                found.vectors[layer, column], state[0, place], atol=2e-5, rtol=0
            )


def test_bank_parts_ways(loaded):
    found = word_in_context(*loaded, [MONEY, SAVINGS, RIVER], "bank")
    cosines = found.similarities()
    assert cosines.shape == (8, 3, 3)
    assert cosines[0].allclose(torch.ones(3, 3), atol=1e-6)
    assert (cosines[3:, 0, 1] > cosines[3:, 0, 2] + 0.1).all()
    by_hand = found.vectors[5, 0] @ found.vectors[5, 2]
    by_hand /= found.vectors[5, 0].norm() * found.vectors[5, 2].norm()
    assert float(cosines[5, 0, 2]) == pytest.approx(float(by_hand), abs=1e-6)


def test_a_word_of_several_pieces_has_their_mean(loaded, theirs):
    model, tokenizer = loaded
    sentence, word = "Tokenizers cut words, and a tokenizer counts them.", "tokenizers"
    found = word_in_context(model, tokenizer, [sentence], word)
    assert len(found.pieces) > 1
    with torch.inference_mode():
        last = theirs(torch.tensor([tokenizer.encode_text(sentence)])).last_hidden_state[0]
    mean = last[1 : 1 + len(found.pieces)].mean(dim=0)
    torch.testing.assert_close(found.vectors[-1, 0], mean, atol=2e-5, rtol=0)
    # A word that only begins another one is not found in it.
    with pytest.raises(ValueError, match="does not stand in the sentence"):
        word_in_context(model, tokenizer, ["Tokenizers cut words."], "token")


@pytest.mark.parametrize(
    ("sentence", "word", "said"),
    [
        ("A river.", "bank", "does not stand"),
        ("A bank.", "river bank", "one word"),
        ("A bank.", "", "one word"),
        ("word " * 400 + "bank", "bank", "does not stand"),
    ],
)
def test_a_word_that_is_not_there_is_refused(loaded, sentence, word, said):
    with pytest.raises(ValueError, match=said):
        word_in_context(*loaded, [sentence], word)
