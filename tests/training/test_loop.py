import contextlib
import math

import pytest
import torch
import torch.nn.functional as F

from llm_core.models.gpt import GPT
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.training.checkpoint_index import latest_checkpoint, list_checkpoints
from llm_core.training.checkpoints import load_model
from llm_core.training.config import RunConfig
from llm_core.training.events import (
    CheckpointEvent,
    EvalEvent,
    SampleEvent,
    StartEvent,
    StepEvent,
)
from llm_core.training.loop import TrainingDivergedError, evaluate, train
from llm_core.training.recipes import RECIPES, Recipe


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def losses(events):
    return [event.loss for event in of_kind(events, StepEvent)]


def test_a_run_reports_start_steps_evaluations_samples_and_checkpoints(tiny_run, tmp_path):
    config = tiny_run(sample_interval=15, sample_prompt="the", sample_tokens=12)
    events = list(train(config, out=tmp_path / "run"))
    start = events[0]
    assert isinstance(start, StartEvent)
    assert start.uniform_loss == pytest.approx(math.log(start.vocab_size))
    assert start.bigram_loss < start.uniform_loss
    assert [event.step for event in of_kind(events, StepEvent)] == list(range(1, 31))
    assert [event.step for event in of_kind(events, EvalEvent)] == [0, 10, 20, 30]
    assert [event.step for event in of_kind(events, SampleEvent)] == [0, 15, 30]
    assert [event.step for event in of_kind(events, CheckpointEvent)] == [0, 10, 20, 30]
    assert all(len(event.text) == 12 for event in of_kind(events, SampleEvent))


def test_it_learns(tiny_run):
    events = list(train(tiny_run(steps=400, eval_interval=0)))
    start, final = events[0], of_kind(events, EvalEvent)[-1]
    assert losses(events)[0] == pytest.approx(start.uniform_loss, rel=0.05)
    assert final.loss < start.bigram_loss


def test_a_fixed_seed_gives_the_same_losses_twice(tiny_run):
    config = tiny_run(seed=5, model=tiny_run().model | {"dropout": 0.1})
    assert losses(train(config)) == losses(train(config))
    assert losses(train(config)) != losses(train(tiny_run(seed=6)))


def test_losses_equal_a_plain_torch_loop(tiny_run, text_file):
    recipe = Recipe(name="plain", learning_rate=0.01, weight_decay=0.0, clip_norm=1e9)
    config = tiny_run(recipe=recipe, steps=12)
    text = text_file.read_text()
    tokenizer = CharacterTokenizer.from_text(text)
    ids = torch.tensor(tokenizer.encode(text))[: int(len(text) * 0.9)]
    model = GPT(
        config.transformer(tokenizer.vocab_size), generator=torch.Generator().manual_seed(1337)
    )
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.0, betas=(0.9, 0.99))
    expected = []
    for step in range(1, 13):
        seed = 1337 * 1_000_003 + step
        starts = torch.randint(len(ids) - 8, (4, 1), generator=torch.Generator().manual_seed(seed))
        batch = torch.stack([ids[start : start + 9] for start in starts.flatten().tolist()])
        loss = F.cross_entropy(model(batch[:, :-1]).logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.param_groups[0]["lr"] = (
            0.01 if step == 1 else 0.01 * (0.1 + 0.45 * (1 + math.cos(math.pi * (step - 1) / 11)))
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(float(loss.detach()))
    assert losses(train(config)) == pytest.approx(expected, rel=1e-4)


def test_evaluation_covers_the_whole_split(tiny_run):
    config = tiny_run(model=tiny_run().model | {"dropout": 0.5})
    model = GPT(config.transformer(30), generator=torch.Generator().manual_seed(0))
    ids = torch.randint(30, (205,), generator=torch.Generator().manual_seed(1))
    loss, tokens = evaluate(model, ids)
    assert tokens == 204
    assert model.training
    model.eval()
    with torch.no_grad():
        total = sum(
            float(F.cross_entropy(model(piece[None, :-1]).logits[0], piece[1:], reduction="sum"))
            for piece in (ids[start : start + 9] for start in range(0, 204, 8))
        )
    assert loss == pytest.approx(total / 204, rel=1e-5)


def test_stopping_early_keeps_what_was_learnt(tiny_run, tmp_path):
    with contextlib.closing(train(tiny_run(), out=tmp_path)) as events:
        for event in events:
            if isinstance(event, StepEvent) and event.step == 7:
                break
    assert latest_checkpoint(tmp_path).name.endswith("07")
    model, tokenizer = load_model(latest_checkpoint(tmp_path))
    assert not model.training
    assert tokenizer.decode(tokenizer.encode("the cat")) == "the cat"


def test_a_resumed_run_equals_one_that_was_never_stopped(tiny_run, tmp_path):
    config = tiny_run(model=tiny_run().model | {"dropout": 0.1})
    whole = list(train(config, out=tmp_path / "whole"))
    with contextlib.closing(train(config, out=tmp_path / "parts")) as events:
        for event in events:
            if isinstance(event, StepEvent) and event.step == 13:
                break
    rest = list(train(config, resume=tmp_path / "parts"))
    assert losses(rest) == losses(whole)[13:]
    assert of_kind(rest, EvalEvent) == of_kind(whole, EvalEvent)[2:]
    weights = [
        load_model(latest_checkpoint(tmp_path / name))[0].state_dict()
        for name in ("whole", "parts")
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_only_the_two_newest_checkpoints_stay_and_nothing_partial(tiny_run, tmp_path):
    list(train(tiny_run(), out=tmp_path))
    assert [path.name[-2:] for path in list_checkpoints(tmp_path)] == ["20", "30"]
    assert sorted(path.name for path in tmp_path.glob("*/*")) == sorted(
        2
        * [
            "weights.safetensors",
            "optimizer.safetensors",
            "config.json",
            "tokenizer.json",
            "state.json",
        ]
    )
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "config.json"])
def test_a_damaged_checkpoint_is_refused(tiny_run, tmp_path, name):
    list(train(tiny_run(steps=2, checkpoint_interval=0), out=tmp_path))  # and none of step 0
    path = latest_checkpoint(tmp_path) / name
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match="damaged|no run's config"):
        next(train(tiny_run(), resume=tmp_path))


def test_a_changed_text_is_refused_on_resuming(tiny_run, text_file, tmp_path):
    list(train(tiny_run(steps=2), out=tmp_path))
    text_file.write_text(text_file.read_text().replace("cat", "tac"))
    with pytest.raises(ValueError, match="text of this run has changed"):
        next(train(tiny_run(), resume=tmp_path))


def test_a_rate_without_measure_stops_with_a_reason(tiny_run):
    recipe = Recipe(name="wild", learning_rate=1e30, warmup_steps=0)
    with pytest.raises(TrainingDivergedError, match="learning rate is too high"):
        list(train(tiny_run(recipe=recipe)))


def test_texts_that_cannot_be_trained_on_are_refused(tiny_run, text_file):
    with pytest.raises(ValueError, match="cannot be read"):
        next(train(tiny_run(text_path="/no/such/file")))
    text_file.write_text("ab" * 5)
    with pytest.raises(ValueError, match="10 characters"):
        next(train(tiny_run()))


def test_a_prompt_of_unseen_characters_is_named(tiny_run):
    with pytest.raises(ValueError, match="never seen '€'"):
        list(train(tiny_run(sample_interval=1, sample_prompt="€")))


def test_a_config_survives_json(tiny_run):
    config = tiny_run(recipe=RECIPES["classic"], seed=3)
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "change",
    [
        {"corpus": "tiny_tales"},
        {"text_path": None},
        {"steps": 0},
        {"batch_size": 0},
        {"eval_interval": -1},
        {"validation_fraction": 1.0},
        {"tokenizer": "none"},
        {"model": {"n_layers": 1, "n_heads": 3, "d_model": 16, "context_length": 8}},
    ],
)
def test_configs_that_cannot_be_trained_are_refused(tiny_run, change):
    with pytest.raises(ValueError):  # noqa: PT011 - every sentence is its own
        tiny_run(**change)
