"""What is measured inside a run: layers, snapshots, toy tasks' answers, peak; no loss changes."""

import math
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import pairwise

import numpy as np
import pytest
import torch

from llm_core.data.line_tasks import LINE_TASKS, judge_lines
from llm_core.models.gpt import GPT
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.training.answers import answer
from llm_core.training.checkpoint_index import DamagedCheckpointError
from llm_core.training.checkpoints import load_checkpoint
from llm_core.training.config import RunConfig
from llm_core.training.curves import Curves
from llm_core.training.events import (
    AnswerEvent,
    CheckpointEvent,
    EvalEvent,
    LayerEvent,
    StartEvent,
    StepEvent,
    layer_names,
)
from llm_core.training.layer_norms import LayerWatch
from llm_core.training.loop import train
from llm_core.training.metrics import bigram_loss, trigram_loss
from llm_core.training.run_rows import TABLES
from llm_core.training.runs import RunStore
from llm_core.training.snapshot_index import (
    list_snapshots,
    planned_steps,
    snapshot_name,
    snapshot_step,
    superfluous_snapshots,
)
from llm_core.training.snapshots import load_snapshot

SHAPE = {"n_layers": 2, "n_heads": 2, "d_model": 16, "context_length": 8, "bias": False}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The events of a short run with a look inside, and its folder."""
    folder = tmp_path_factory.mktemp("watched")
    text = folder / "text.txt"
    text.write_text("the cat sat on the mat. the dog sat on the log.\n" * 40)
    config = RunConfig(
        text_path=str(text), model=SHAPE, steps=32, batch_size=4, log_interval=5,
        eval_interval=16, checkpoint_interval=10, keep_checkpoints=9, device="cpu",
    )  # fmt: skip
    events = list(train(config, out=folder / "run", inside=True))
    return config, events, folder / "run"


def test_looking_inside_changes_no_loss(watched):
    config, events, _ = watched
    plain = [each for each in train(config) if isinstance(each, StepEvent | EvalEvent)]
    seen = [each for each in events if isinstance(each, StepEvent | EvalEvent)]
    assert [each.loss for each in plain] == [each.loss for each in seen]


def test_layers_are_measured_at_the_log_interval(watched):
    _, events, _ = watched
    layers = [each for each in events if isinstance(each, LayerEvent)]
    assert [each.step for each in layers] == [1, 5, 10, 15, 20, 25, 30]
    names = layer_names(len(layers[0].weights))
    assert names == ["embeddings", "layer 1", "layer 2", "output"]
    # The checkpoint of step 10 holds the very weights that were measured then.
    checkpoint = next(e.path for e in events if isinstance(e, CheckpointEvent) and e.step == 10)
    model = load_checkpoint(checkpoint).model
    squares = Counter()
    for name, parameter in model.named_parameters():
        group = {"b": f"layer {int(name[7]) + 1}" if name[0] == "b" else "", "f": "output"}
        squares[group.get(name[0], "embeddings")] += float(
            parameter.detach().double().square().sum()
        )
    expected = [math.sqrt(squares[name]) for name in names]
    assert layers[2].weights == pytest.approx(expected, rel=1e-3)


def test_an_update_is_the_distance_that_a_layer_moved():
    model = torch.nn.ModuleDict(
        {"blocks": torch.nn.ModuleList([torch.nn.Linear(3, 3, bias=False)])}
    )
    watch = LayerWatch(model, 1)
    weight = model["blocks"][0].weight
    with torch.no_grad():
        weight.fill_(2.0)
        watch.before()
        weight.add_(0.5)
    event = watch.after(7)
    assert event == LayerEvent(7, (0.0, 7.5, 0.0), (0.0, 0.2, 0.0))  # |0.5| * 3 of |2.5| * 3


def test_the_peak_is_measured_only_when_looking_inside(watched, tiny_run):
    _, events, _ = watched
    start = next(each for each in events if isinstance(each, StartEvent))
    assert 1e8 < start.peak_flops < 1e15
    assert next(iter(train(tiny_run()))).peak_flops == 0


def test_snapshots_are_the_weights_of_then_and_early_ones_are_closer(watched):
    _, events, run = watched
    kept = list_snapshots(run)
    assert [snapshot_step(each) for each in kept] == [0, 1, 2, 4, 8, 16, 32]
    assert planned_steps(1500, 100_000) == [0, 23, 47, 94, 188, 375, 750, 1500]
    assert len(planned_steps(1500, 2_000_000)) == 4
    model, tokenizer = load_snapshot(kept[-1])
    final = load_checkpoint(
        next(e.path for e in reversed(events) if isinstance(e, CheckpointEvent))
    )
    assert tokenizer.vocab_size == final.tokenizer.vocab_size
    for ours, theirs in zip(model.parameters(), final.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5)  # half precision
    kept[0].write_bytes(kept[0].read_bytes()[:-100])
    with pytest.raises(DamagedCheckpointError, match="step 0 cannot be read"):
        load_snapshot(kept[0])


def test_what_becomes_too_many_goes_where_neighbours_are_closest(tmp_path):
    snapshots = [tmp_path / snapshot_name(step) for step in (0, 23, 47, 94, 100, 188, 1500)]
    gone = superfluous_snapshots(snapshots, 5)
    assert [snapshot_step(each) for each in gone] == [94, 100]
    assert superfluous_snapshots(snapshots, 2) == snapshots[1:-1]


def test_a_run_that_goes_on_from_earlier_drops_the_later_snapshots(tiny_run, tmp_path):
    config = tiny_run(steps=20, checkpoint_interval=10, log_interval=5)
    stream = train(config, out=tmp_path, inside=True)
    for event in stream:
        if isinstance(event, StepEvent) and event.step == 13:
            stream.close()
    for path in tmp_path.glob("checkpoint-00000013*"):
        path.rename(tmp_path / "aside")  # the disk lost it: the run is set back to step 10
    events = train(config, resume=tmp_path, inside=True)
    assert next(events).step == 10
    assert max(map(snapshot_step, list_snapshots(tmp_path))) <= 10
    events.close()


def test_answers_are_what_the_model_writes_on_likeliest_first():
    text = LINE_TASKS["task_sorting"].text()
    tokenizer = CharacterTokenizer.from_text(text)
    config = RunConfig(corpus="task_sorting", model=SHAPE).transformer(tokenizer.vocab_size)
    model = GPT(config, generator=torch.Generator().manual_seed(3)).eval()
    questions = ["4312", "90817", "5555"]
    given = answer(model, tokenizer, LINE_TASKS["task_sorting"], questions)
    for question, found in zip(questions, given, strict=True):
        ids, written = tokenizer.encode(f"\n{question}="), ""
        while not written.endswith("\n") and len(written) < len(question) + 1:
            logits = model(torch.tensor([ids[-config.context_length :]])).logits[0, -1]
            ids.append(int(logits.argmax()))
            written += tokenizer.decode(ids[-1:])
        assert found == written.removesuffix("\n")


def test_a_task_is_asked_at_every_evaluation_and_gets_learnt():
    config = RunConfig(
        corpus="task_copying", steps=4, eval_interval=2, model=SHAPE, batch_size=4,
        eval_windows=2, final_eval_windows=2, checkpoint_interval=0, device="cpu",
    )  # fmt: skip
    answers = [each for each in train(config) if isinstance(each, AnswerEvent)]
    assert [each.step for each in answers] == [0, 2, 4]
    assert {each.asked for each in answers} == {100}
    lines = judge_lines(LINE_TASKS["task_copying"], answers[0].text)
    assert len(lines) == 12
    assert all(each.right == each.question for each in lines)


def trigram_by_hand(train_ids, validation_ids, vocab_size):
    """The same smoothing, counted with dictionaries, one token at a time."""
    single = Counter(train_ids)
    pairs = Counter(pairwise(train_ids))
    triples = Counter(zip(train_ids, train_ids[1:], train_ids[2:], strict=False))
    after_one = Counter(train_ids[:-1])
    after_two = Counter(pairwise(train_ids[:-1]))
    total = 0.0
    for a, b, c in zip(validation_ids, validation_ids[1:], validation_ids[2:], strict=False):
        prior = (single[c] + 1) / (len(train_ids) + vocab_size)
        pair = (pairs[b, c] + prior) / (after_one[b] + 1)
        total -= math.log((triples[a, b, c] + pair) / (after_two[a, b] + 1))
    return total / (len(validation_ids) - 2)


def test_the_trigram_loss_is_the_one_counted_by_hand():
    draw = np.random.default_rng(0)
    train_ids, validation_ids = draw.integers(0, 7, 500), draw.integers(0, 9, 90)
    expected = trigram_by_hand(train_ids.tolist(), validation_ids.tolist(), 9)
    assert trigram_loss(train_ids, validation_ids, 9) == pytest.approx(expected, rel=1e-12)
    text = np.array([ord(c) for c in "the cat sat on the mat. " * 60])
    assert trigram_loss(text, text, 128) < bigram_loss(text, text, 128)
    with pytest.raises(ValueError, match="three validation tokens"):
        trigram_loss(text, text[:2], 128)


def test_what_was_measured_comes_back_from_the_record_and_from_csv(tmp_path, tiny_run):
    store = RunStore(tmp_path)
    run = store.create(tiny_run(), owner="me", title="A run")
    layers = [LayerEvent(n, (2.5, 0.1 * n), (0.001, 0.0)) for n in range(1, 4)]
    answers = [AnswerEvent(2, 3, 100, "1+1=2\n2+2=5")]
    for event in [*layers, *answers]:
        store.record_measured(run.id, event)
    curves = store.curves(run.id)
    assert (curves.layers, curves.answers) == (layers, answers)
    assert store.layers(run.id, after=2) == layers[2:]
    assert Curves.from_csv(curves.to_csv()) == curves
    assert curves.until(1).layers == layers[:1]
    with pytest.raises(ValueError, match="rows"):
        Curves.from_csv({"layers.csv": "step,weights,updates\n1,1.0 inf,2.0\n"})
    store.annotate(run.id, "as expected")
    assert store.notes([run.id, "another"]) == {run.id: "as expected"}
    store.delete(run.id)
    assert store.notes([run.id]) == {}
    assert store.layers(run.id) == []


def test_a_record_of_the_version_before_gets_the_new_tables_and_keeps_all(tmp_path, tiny_run):
    store = RunStore(tmp_path)
    run = store.create(tiny_run(), owner="me", title="An old run")
    store.record_evaluation(run.id, EvalEvent(5, 2.0, 99))
    with closing(sqlite3.connect(store.database.path)) as connection:
        for table in ("layers", "answers", "notes"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version=2")
        connection.commit()
    again = RunStore(tmp_path)
    again.check_or_repair()
    assert again.note == ""
    assert again.get(run.id) == run
    assert again.evaluations(run.id) == [EvalEvent(5, 2.0, 99)]
    with closing(sqlite3.connect(store.database.path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        assert {name for (name,) in tables} == set(TABLES)
