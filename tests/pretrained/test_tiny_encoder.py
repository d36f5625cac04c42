import pytest
import torch

from llm_core.data.corpora import find_corpus
from llm_core.data.splits import split_by_position
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.pretrained.tiny import CORPUS, load_tiny
from llm_core.pretrained.tiny_encoder import (
    load_tiny_encoder,
    save_tiny_encoder,
    stated_share_right,
)
from llm_core.training.masked import MaskedSettings, score_masked


def test_it_guesses_as_many_hidden_tokens_as_it_states():
    model, tokenizer = load_tiny_encoder()
    assert not model.training
    assert model.config.vocab_size == tokenizer.vocab_size + 1
    ids = torch.from_numpy(tokenizer.encode_array(find_corpus(CORPUS).load()))
    validation_ids = split_by_position(ids, 0.1)[1]
    found = score_masked(model, MaskedSettings(steps=1, share=0.2, batch_size=16), validation_ids)
    assert found.right == pytest.approx(stated_share_right(), abs=2e-3)
    assert found.right > 0.85


def test_it_has_the_tiny_gpts_size_and_tokens():
    encoder, tokenizer = load_tiny_encoder()
    decoder, same = load_tiny()
    for name in ("context_length", "d_model", "n_layers", "n_heads", "d_ff"):
        assert getattr(encoder.config, name) == getattr(decoder.config, name)
    assert tokenizer.merges == same.merges
    sizes = [sum(p.numel() for p in model.parameters()) for model in (encoder, decoder)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.03)


def test_it_can_be_saved_and_read(tmp_path):
    config = TransformerConfig(
        kind="encoder",
        vocab_size=20,
        context_length=8,
        d_model=8,
        n_layers=1,
        n_heads=2,
        mlm_head=True,
    )
    model = Encoder(config)
    save_tiny_encoder(model, 0.25, tmp_path)
    loaded, _ = load_tiny_encoder(folder=tmp_path)
    assert stated_share_right(tmp_path) == 0.25
    assert loaded.config == config
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name].half().float())
