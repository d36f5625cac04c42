import pytest
import torch
import torch.nn.functional as F

from llm_core.data.tasks import Pair, find_task
from llm_core.training.translation import (
    Learned,
    Scored,
    TranslatorSettings,
    build_translator,
    make_batch,
    measure,
    score,
    train_translator,
)

DATES = find_task("dates")


def test_a_batch_reads_each_target_one_place_later():
    pairs = [Pair("May first, nineteen hundred", "1900-05-01"), Pair("nine", "9")]
    batch = make_batch(DATES, pairs)
    tokens = DATES.tokens
    assert [tokens[i] for i in batch.source[0]] == ["may", "first", "nineteen", "hundred"]
    assert batch.mask.tolist() == [[True] * 4, [True, False, False, False]]
    assert [tokens[i] for i in batch.ids[0]] == ["<start>", *"1900-05-01"]
    assert [tokens[i] for i in batch.targets[0]] == [*"1900-05-01", "<end>"]
    assert batch.targets[1].tolist() == [tokens.index("9"), tokens.index("<end>"), *[-100] * 9]


@pytest.mark.parametrize(
    ("task", "steps", "least"), [("dates", 350, 0.9), ("numbers", 250, 0.85), ("reverse", 300, 0.8)]
)
def test_it_learns_each_task_and_is_right_on_unseen_inputs(task, steps, least):
    settings = TranslatorSettings(task=task, steps=steps, score_interval=steps)
    events = list(train_translator(settings))
    scores = [event for event in events if isinstance(event, Scored)]
    losses = [event for event in events if isinstance(event, Learned)]
    assert [each.step for each in scores] == [0, steps]
    assert [each.step for each in losses] == list(range(1, steps + 1))
    assert scores[0].whole < 0.01
    assert scores[-1].whole > least
    assert scores[-1].free > 0.95
    assert losses[-1].loss < 0.1 < losses[0].loss
    assert losses[-1].seconds > losses[0].seconds > 0


def test_one_seed_one_result():
    def losses(seed):
        events = train_translator(TranslatorSettings(steps=5, batch_size=8, seed=seed))
        return [event.loss for event in events if isinstance(event, Learned)]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_stopping_is_not_asking_for_more():
    model = build_translator(TranslatorSettings())
    events = train_translator(TranslatorSettings(steps=100), model=model)
    taken = [next(events) for _ in range(4)]
    events.close()
    assert [type(each) for each in taken] == [Scored, Learned, Learned, Learned]
    assert not model.training


def test_the_first_loss_is_that_of_a_blind_guess():
    events = train_translator(TranslatorSettings(steps=1))
    loss = next(event.loss for event in events if isinstance(event, Learned))
    assert loss == pytest.approx(torch.tensor(len(DATES.tokens)).log().item(), rel=0.02)


def test_scores_equal_a_count_by_hand():
    model = build_translator(TranslatorSettings(steps=120))
    for _ in train_translator(TranslatorSettings(steps=120, score_interval=200), model=model):
        pass
    pairs = DATES.examples(40, 2, unseen=True)
    scored, said = measure(model, DATES, pairs)
    assert scored == score(model, DATES, pairs)
    assert scored.whole == pytest.approx(sum(answer.right for answer in said) / 40)
    start, end = DATES.tokens.index("<start>"), DATES.tokens.index("<end>")
    forced = free = total = 0
    for pair in pairs:
        source = torch.tensor([DATES.encode_source(pair.source)])
        right = DATES.encode_target(pair.target)
        logits = model(source, torch.tensor([[start, *right[:-1]]])).logits[0]
        forced += sum(int(row.argmax()) == token for row, token in zip(logits, right, strict=True))
        ids = [start]
        while len(ids) <= len(right):
            ids.append(int(model(source, torch.tensor([ids])).logits[0, -1].argmax()))
        if end in ids:
            ids = ids[: ids.index(end)] + [end] * len(ids)
        free += sum(a == b for a, b in zip(ids[1:], right, strict=False))
        total += len(right)
    assert scored.forced == pytest.approx(forced / total, abs=1e-6)
    assert scored.free == pytest.approx(free / total, abs=0.02)


def test_the_loss_is_the_cross_entropy_of_what_is_no_padding():
    model = build_translator(TranslatorSettings())
    pairs = [Pair("May first, nineteen hundred", "1900-05-01"), Pair("nine", "9")]
    batch = make_batch(DATES, pairs)
    output = model(batch.source, batch.ids, batch.targets, source_mask=batch.mask)
    rows = []
    for pair in pairs:
        right = DATES.encode_target(pair.target)
        ids = torch.tensor([[DATES.tokens.index("<start>"), *right[:-1]]])
        logits = model(torch.tensor([DATES.encode_source(pair.source)]), ids).logits[0]
        rows.append(F.cross_entropy(logits, torch.tensor(right), reduction="sum"))
    assert output.loss.item() == pytest.approx(sum(rows).item() / 13, rel=1e-4)


@pytest.mark.parametrize(
    "change", [{"task": "poems"}, {"steps": 0}, {"batch_size": 0}, {"learning_rate": 0.0}]
)
def test_settings_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match="no task|at least 1|above 0"):
        TranslatorSettings(**change)
