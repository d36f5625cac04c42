import pytest
import torch

from llm_core.data.tasks import find_task
from llm_core.generation.translate import translate
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.pretrained import tiny_encoder
from llm_core.pretrained.translator import (
    FOLDER,
    TranslatorSnapshot,
    load_translator,
    save_translator,
    translator_snapshots,
    translator_steps,
)
from llm_core.training.translation import TranslatorSettings, build_translator, score


def test_it_is_small_and_so_are_both_models_of_the_lesson_together():
    size = {
        folder: sum(path.stat().st_size for path in folder.rglob("*"))
        for folder in (FOLDER, tiny_encoder.FOLDER)
    }
    assert sum(size.values()) <= 2_000_000
    assert size[FOLDER] <= 800_000


@pytest.mark.parametrize("snapshot", translator_snapshots(), ids=lambda snapshot: snapshot.step)
def test_each_snapshot_is_as_often_right_as_it_states(snapshot):
    model, task = load_translator(snapshot.step)
    assert not model.training
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    found = score(model, task, task.examples(2000, 1, unseen=True)).whole
    assert found == pytest.approx(snapshot.right, abs=0.005)


def test_it_begins_by_knowing_nothing_and_ends_by_knowing_the_rule():
    snapshots = translator_snapshots()
    assert [snapshot.step for snapshot in snapshots] == sorted(translator_steps())
    assert snapshots[0] == TranslatorSnapshot(0, 0.0)
    assert snapshots[-1].right >= 0.995


def test_the_start_is_the_random_one_of_its_training():
    start = build_translator(TranslatorSettings(task="dates")).state_dict()
    for name, tensor in load_translator(0)[0].state_dict().items():
        assert torch.equal(tensor, start[name].half().float())


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("the twenty-first of March, twenty twenty-one", "2021-03-21"),
        ("Saturday, the thirtieth of May, nineteen ninety-eight", "1998-05-30"),
        ("December thirty-first, eighteen hundred", "1800-12-31"),
    ],
)
def test_without_a_step_it_is_the_last_one_and_translates(text, iso):
    model, task = load_translator()
    start, end = (task.tokens.index(token) for token in ("<start>", "<end>"))
    steps = translate(model, task.encode_source(text), start=start, end=end)
    assert task.decode([step.id for step in steps]) == iso


def test_an_unknown_step_is_refused():
    with pytest.raises(ValueError, match="Step 7 of the translator is not kept"):
        load_translator(7)


def test_snapshots_can_be_saved_and_read(tmp_path):
    model, task = build_translator(TranslatorSettings(task="dates", d_model=8)), find_task("dates")
    for step in (0, 5, 9):
        save_translator(model, TranslatorSnapshot(step, step / 10), task, tmp_path)
    assert translator_steps(tmp_path) == (0, 5, 9)
    save_translator(model, TranslatorSnapshot(5, 0.7), task, tmp_path)
    assert translator_snapshots(tmp_path) == (
        TranslatorSnapshot(0, 0.0),
        TranslatorSnapshot(5, 0.7),
    )
    loaded, same = load_translator(5, folder=tmp_path)
    assert same is task
    assert isinstance(loaded, EncoderDecoder)
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name].half().float())
