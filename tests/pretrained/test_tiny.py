import math
import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.data.corpora import find_corpus
from llm_core.data.splits import split_by_position
from llm_core.generation.sample import SamplingSettings, generate
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.pretrained.tiny import (
    CORPUS,
    FOLDER,
    Snapshot,
    load_tiny,
    save_snapshot,
    snapshot_steps,
    snapshots,
)
from llm_core.training.loop import evaluate


@pytest.fixture(scope="module")
def text():
    return find_corpus(CORPUS).load()


@pytest.fixture(scope="module")
def validation_ids(text):
    tokenizer = load_tiny()[1]
    ids = torch.from_numpy(tokenizer.encode_array(text))
    return split_by_position(ids, 0.1)[1]


def test_it_is_small_enough_for_the_repository():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) <= 8_000_000


def test_snapshots_run_from_the_random_start_to_the_end():
    steps = snapshot_steps()
    assert steps == tuple(sorted(steps))
    assert {0, 100, 500} < set(steps)
    assert len(list(FOLDER.glob("*.safetensors"))) == len(steps)
    losses = [snapshot.validation_loss for snapshot in snapshots()]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("snapshot", snapshots(), ids=lambda snapshot: snapshot.step)
def test_each_snapshot_has_the_loss_that_it_states(snapshot, validation_ids):
    model, tokenizer = load_tiny(snapshot.step)
    assert not model.training
    assert model.config.vocab_size == tokenizer.vocab_size
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    loss, _ = evaluate(model, validation_ids)
    assert loss == pytest.approx(snapshot.validation_loss, abs=2e-3)


def test_it_starts_about_as_wise_as_a_blind_guess():
    model, _ = load_tiny(0)
    assert snapshots()[0].validation_loss == pytest.approx(math.log(model.config.vocab_size), 0.02)


def test_without_a_step_it_is_the_last_one():
    last = load_tiny(snapshot_steps()[-1])[0].state_dict()
    assert all(torch.equal(last[name], t) for name, t in load_tiny()[0].state_dict().items())
    with pytest.raises(ValueError, match="Step 7 of the tiny GPT is not kept"):
        load_tiny(7)


def test_it_writes_tales_in_the_words_of_the_corpus(text):
    """Whole words, and in nearly all tales a hero who is still there in the end."""
    model, tokenizer = load_tiny()
    vocabulary = set(re.findall(r"[A-Za-z']+", text))
    faithful = 0
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)
        prompt = "\n\nThere once was a"
        written = generate(
            model,
            torch.tensor(tokenizer.encode(prompt)),
            SamplingSettings(max_new_tokens=110, temperature=0.7),
            generator=generator,
        )
        tale = (prompt + tokenizer.decode([step.id for step in written])).strip().split("\n")[0]
        assert set(re.findall(r"[A-Za-z']+", tale)) <= vocabulary
        hero = re.search(r"named (\w+)", tale)
        faithful += hero is not None and tale.count(hero[1]) >= 4
    assert faithful >= 7


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=20))
def test_it_can_read_any_text(text):
    tokenizer = load_tiny()[1]
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_snapshots_can_be_saved_and_read(tmp_path):
    tokenizer = load_tiny()[1]
    config = TransformerConfig(
        vocab_size=tokenizer.vocab_size, context_length=8, d_model=8, n_layers=1, n_heads=2
    )
    models = [GPT(config), GPT(config)]
    for step, model in zip((0, 5), models, strict=True):
        save_snapshot(model, Snapshot(step, 7.0 - step), tokenizer, tmp_path)
    assert snapshots(tmp_path) == (Snapshot(0, 7.0), Snapshot(5, 2.0))
    for step, model in zip((0, 5), models, strict=True):
        loaded, same = load_tiny(step, folder=tmp_path)
        assert loaded.config == config
        assert same.merges == tokenizer.merges
        for name, tensor in loaded.state_dict().items():
            assert torch.equal(tensor, model.state_dict()[name].half().float())
    save_snapshot(models[1], replace(snapshots(tmp_path)[0], validation_loss=6.0), same, tmp_path)
    assert snapshots(tmp_path) == (Snapshot(0, 6.0),)
