import pytest
import torch

from llm_core.tokenizers.bpe import BPETokenizer, train_bpe
from llm_core.tokenizers.word import WordTokenizer
from llm_core.training.checkpoints import load_newest_model
from llm_core.training.config import RunConfig
from llm_core.training.loop import train
from llm_core.training.state import prepare

TEXT = "The old owl told the older owls a longer tale. " * 60
MODEL = {"n_layers": 1, "n_heads": 2, "d_model": 16, "context_length": 8, "bias": False}


@pytest.fixture
def text_path(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def config(text_path, **changes):
    return RunConfig(text_path=text_path, model=MODEL, steps=3, device="cpu", **changes)


def test_merges_are_learnt_from_the_training_text_alone(text_path):
    state = prepare(config(text_path, tokenizer="bpe", vocab_size=270))
    expected = train_bpe(TEXT[: int(len(TEXT) * 0.9)], 270)
    assert isinstance(state.tokenizer, BPETokenizer)
    assert state.tokenizer.merges == expected.merges
    ids = torch.cat([state.train_ids, state.validation_ids])
    assert ids.tolist() == expected.encode(TEXT)


def test_a_run_goes_on_with_a_saved_tokenizer_and_keeps_it(text_path, tmp_path):
    saved = tmp_path / "mine.json"
    WordTokenizer.from_text(TEXT).save(saved)
    changed = config(text_path, tokenizer="file", tokenizer_path=str(saved), sample_interval=1)
    out = tmp_path / "run"
    for _ in train(changed, out=out):
        pass
    saved.unlink()  # the checkpoint has its own
    model, tokenizer = load_newest_model(out)
    assert isinstance(tokenizer, WordTokenizer)
    assert model.config.vocab_size == tokenizer.vocab_size


def test_a_tokenizer_that_is_gone_gets_a_sentence(text_path, tmp_path):
    gone = config(text_path, tokenizer="file", tokenizer_path=str(tmp_path / "gone.json"))
    with pytest.raises(ValueError, match=r"gone\.json cannot be read"):
        prepare(gone)


@pytest.mark.parametrize(
    "changes",
    [
        {"tokenizer": "file"},
        {"tokenizer": "char", "tokenizer_path": "x.json"},
        {"tokenizer": "bpe", "vocab_size": 256},
        {"tokenizer": "sentencepiece"},
    ],
)
def test_a_tokenizer_that_cannot_be_is_refused_at_once(text_path, changes):
    with pytest.raises(ValueError, match=r"tokenizer|vocab_size"):
        config(text_path, **changes)
