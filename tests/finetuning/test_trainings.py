"""Fine-tunings as the booth runs them: the same as the engine's, watched and stopped."""

import pytest
import torch

from llm_core.data.labelled_texts import make_texts
from llm_core.data.tiny_tales import tiny_tales
from llm_core.finetuning import trainings
from llm_core.finetuning.classification import Classifier, Scored, fine_tune
from llm_core.finetuning.experiment import instruction_parts
from llm_core.finetuning.instructions import InstructionScore, tune_on_instructions
from llm_core.finetuning.settings import FinetuneSettings, Learned
from llm_core.finetuning.trainings import ClassifierTraining, InstructionTraining
from llm_core.pretrained.tiny import load_tiny
from llm_core.training.booth import Booth

TEXTS = make_texts("who", train=40, test=20)
SETTINGS = FinetuneSettings(trained="head", steps=6, batch_size=8, score_interval=3, seed=4)


@pytest.fixture(scope="module")
def text():
    """A few tales as ids: to replay from, and to measure on."""
    ids = torch.tensor(load_tiny()[1].encode(tiny_tales(6_000, seed=99)))
    return ids, ids


@pytest.fixture(autouse=True)
def short_and_exact(text, monkeypatch):
    """Few tales; and one thread everywhere, as in the booth: sums are then the same to a bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(trainings, "pretraining_text", lambda tokenizer: text)
    yield
    torch.set_num_threads(threads)


def finish(booth, work):
    while work.active:
        booth.go_on(work, 0.1)
    return work


def test_a_classifier_learns_in_the_booth_what_the_engine_alone_learns(text):
    booth = Booth()
    work = finish(booth, booth.admit(lambda: ClassifierTraining(SETTINGS, TEXTS)))
    assert work.state == "done"
    assert work.numbers == 2 * 96

    model, tokenizer = load_tiny()
    alone = Classifier(model, 2, generator=torch.Generator().manual_seed(4))
    events = list(fine_tune(alone, tokenizer, TEXTS, SETTINGS, pretraining_ids=text[1]))
    expected = [event for event in events if isinstance(event, Scored)]
    assert work.scores == expected
    assert [each.step for each in work.scores] == [0, 3, 6]
    assert [each.loss for each in work.losses] == [
        event.loss for event in events if isinstance(event, Learned)
    ]
    for text, said in zip(TEXTS.test, work.scores[-1].said, strict=True):
        shares = work.judge(text.text)
        assert sum(shares) == pytest.approx(1)
        assert shares[said] == max(shares)


def test_stopped_it_keeps_what_it_has_learnt():
    booth = Booth()
    settings = FinetuneSettings(trained="last block", steps=500, batch_size=4, score_interval=500)
    work = booth.admit(lambda: ClassifierTraining(settings, TEXTS, start=0))
    with pytest.raises(ValueError, match="has not begun"):
        work.judge("anything")
    while len(work.losses) < 2:
        booth.go_on(work, 0.05)
    work.stop()
    steps = len(work.losses)
    booth.go_on(work, 0.2)
    assert (work.state, len(work.losses)) == ("stopped", steps)
    assert len(work.judge("Ida gave Ben a hat.")) == 2
    with pytest.raises(ValueError, match="is empty"):
        work.judge("")


def test_instructions_are_learnt_in_the_booth_as_by_the_engine_alone(text, monkeypatch):
    def few(count):
        pairs, unseen = instruction_parts(count)
        return pairs, unseen[:6]

    monkeypatch.setattr(trainings, "instruction_parts", few)
    settings = FinetuneSettings(steps=3, batch_size=4, score_interval=3, replay=0.25)
    booth = Booth()
    work = finish(booth, booth.admit(lambda: InstructionTraining(settings, 30)))
    assert work.state == "done"

    model, tokenizer = load_tiny()
    events = list(tune_on_instructions(model, tokenizer, *few(30), settings, pretraining_ids=text))
    assert work.scores == [event for event in events if isinstance(event, InstructionScore)]
    assert [each.loss for each in work.losses] == [
        event.loss for event in events if isinstance(event, Learned)
    ]
    for mine, theirs in zip(work.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_of_the_large_model_a_head_learns_from_texts_that_are_read_once(monkeypatch):
    shared, tokenizer = load_tiny()
    shared.requires_grad_(False)
    before = {name: each.clone() for name, each in shared.state_dict().items()}
    monkeypatch.setattr(trainings, "load", lambda name: (shared, tokenizer))
    booth = Booth()
    work = booth.admit(lambda: ClassifierTraining(SETTINGS, TEXTS, large=True))
    read = []
    while work.active:
        booth.go_on(work, 0.0)
        if work.read and work.read not in read:
            read.append(work.read)
    assert [each.done for each in read] == [8, 16, 24, 32, 40, 48, 56, 60]
    assert {each.total for each in read} == {60}
    assert work.numbers == 2 * 96
    assert work.scores[-1].pretraining_loss is None
    assert all(torch.equal(each, before[name]) for name, each in shared.state_dict().items())

    small = finish(booth, booth.admit(lambda: ClassifierTraining(SETTINGS, TEXTS)))
    assert [each.loss for each in work.losses] == pytest.approx(
        [each.loss for each in small.losses], abs=1e-5
    )  # texts of like length are read together: sums come in another order
    assert work.scores[-1].accuracy == pytest.approx(small.scores[-1].accuracy, abs=0.051)
    assert work.head().weight.shape == (2, 96)


def test_of_the_large_model_nothing_but_a_head_may_learn():
    with pytest.raises(ValueError, match="only a head learns"):
        ClassifierTraining(FinetuneSettings(trained="all"), TEXTS, large=True)
