import re

import pytest
import torch

from llm_core.data.tale_instructions import KINDS, Instruction, make_instructions
from llm_core.finetuning.experiment import instruction_parts, measured
from llm_core.finetuning.instructions import (
    IGNORED,
    InstructionScore,
    answer_loss,
    answers,
    continued,
    encode_pair,
    make_batch,
    prompt_of,
    score_instructions,
    tune_on_instructions,
)
from llm_core.finetuning.settings import FinetuneSettings, Learned
from llm_core.models.huggingface import save_huggingface
from llm_core.pretrained.registry import load
from llm_core.pretrained.tiny import load_tiny

PAIR = Instruction("what is it", "What is a fox?", "A fox is an animal.")


def test_only_the_answer_and_its_end_count():
    _, tokenizer = load("tiny")
    ids, targets = encode_pair(PAIR, tokenizer)
    assert tokenizer.decode(ids) == "Task: What is a fox?\nAnswer: A fox is an animal."
    counted = [target for target in targets if target != IGNORED]
    assert tokenizer.decode(counted) == " A fox is an animal.\n"
    assert len(ids) == len(targets)
    for place, target in enumerate(targets[:-1]):
        assert target in (IGNORED, ids[place + 1])
    _, everything = encode_pair(PAIR, tokenizer, loss_on="all")
    assert IGNORED not in everything


def test_losses_equal_a_loop_in_transformers(tmp_path):
    """Equal weights, labels of -100 on the questions: the same losses, step by step."""
    transformers = pytest.importorskip("transformers")
    ours, tokenizer = load_tiny()
    save_huggingface(ours, None, tmp_path)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    # our model has no biases; theirs has some, of 0, which must not learn
    for name, parameter in theirs.named_parameters():
        parameter.requires_grad_(not name.endswith("bias"))
    weights = [p for p in theirs.parameters() if p.requires_grad]
    pairs = make_instructions(24)
    settings = FinetuneSettings(trained="all", steps=4, batch_size=6, score_interval=4, seed=3)
    events = list(tune_on_instructions(ours, tokenizer, pairs, pairs[:2], settings))
    losses = [event.loss for event in events if isinstance(event, Learned)]
    optimizer = torch.optim.AdamW(weights, lr=settings.peak, weight_decay=0.01)
    rows = [encode_pair(pair, tokenizer) for pair in pairs]
    generator = torch.Generator().manual_seed(3)
    for step, loss in enumerate(losses, 1):
        chosen = torch.randperm(24, generator=generator)[:6].tolist()
        ids, targets = make_batch([rows[place] for place in chosen])
        # transformers shifts by itself: its labels are one place later than our targets
        whole = torch.cat([ids, torch.zeros(6, 1, dtype=torch.long)], dim=1)
        labels = torch.cat([torch.full((6, 1), IGNORED), targets], dim=1)
        found = theirs(input_ids=whole, labels=labels).loss
        assert loss == pytest.approx(float(found), abs=5e-4), f"step {step}"
        found.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.param_groups[0]["lr"] = settings.rate(step)
        optimizer.step()
        optimizer.zero_grad()
    assert len(losses) == 4


def test_answers_are_greedy_and_end_with_the_line():
    model, tokenizer = load("tiny_instructions")
    said = answers(model, tokenizer, [PAIR.instruction, "Is a fox food?"])
    assert said[0] == PAIR.answer
    prompt = prompt_of(PAIR.instruction)
    ids = tokenizer.encode(prompt)
    written = []
    with torch.inference_mode():
        while True:
            best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
            if best == tokenizer.encode("\n")[0]:
                break
            ids.append(best)
            written.append(best)
    assert continued(model, tokenizer, [prompt], most=24) == [tokenizer.decode(written)]
    with pytest.raises(ValueError, match="too long for the tiny model"):
        answers(model, tokenizer, ["fox " * 200])


def test_scores_are_counted_by_kind():
    model, tokenizer = load("tiny_instructions")
    pairs = instruction_parts()[1][:24]
    score = score_instructions(model, tokenizer, pairs)
    right = [said == pair.answer for said, pair in zip(score.said, pairs, strict=True)]
    assert score.right == pytest.approx(sum(right) / 24)
    for kind, share in score.by_kind:
        own = [good for good, pair in zip(right, pairs, strict=True) if pair.kind == kind]
        assert share == pytest.approx(sum(own) / len(own))
    single = [answer_loss(model, tokenizer, [pair]) for pair in pairs]
    tokens = [sum(t != IGNORED for t in encode_pair(pair, tokenizer)[1]) for pair in pairs]
    mean = sum(a * b for a, b in zip(single, tokens, strict=True)) / sum(tokens)
    assert score.loss == pytest.approx(mean, abs=1e-4)


def test_the_shipped_model_is_as_good_as_measured_and_random_weights_are_not():
    found = measured("forgetting")
    unseen = instruction_parts()[1]
    score = score_instructions(*load("tiny_instructions"), unseen)
    assert score.right == pytest.approx(found["plain"][-1]["right"], abs=0.03)
    assert score.right > 0.6
    assert score_instructions(*load("tiny"), unseen[:30]).right == 0
    assert found["plain"][-1]["forgotten"] > found["plain"][0]["forgotten"] + 0.1
    assert found["replay"][-1]["forgotten"] < found["plain"][-1]["forgotten"] - 0.1


def test_replay_holds_what_was_known():
    """A few steps on one task: the tales' loss rises, and less with tales mixed in."""
    pairs = make_instructions(60)
    text = torch.tensor(load("tiny")[1].encode(_tales()))
    lost = []
    for replay in (0.0, 0.5):
        model, tokenizer = load_tiny()
        settings = FinetuneSettings(trained="all", steps=25, score_interval=25, replay=replay)
        events = list(
            tune_on_instructions(
                model, tokenizer, pairs, pairs[:2], settings, pretraining_ids=(text, text)
            )
        )
        scores = [event for event in events if isinstance(event, InstructionScore)]
        lost.append(scores[-1].pretraining_loss - scores[0].pretraining_loss)
    assert lost[0] > 0.01
    assert lost[1] < lost[0]


def _tales():
    from llm_core.data.tiny_tales import tiny_tales

    return tiny_tales(20_000, seed=99)


def test_instructions_are_right_different_and_of_words_kept_back():
    pairs, unseen = instruction_parts()
    assert len(pairs) == 400 >= 300
    assert len({pair.instruction for pair in pairs}) == 400
    assert {pair.kind for pair in pairs} == set(KINDS)
    assert not {p.instruction for p in pairs} & {p.instruction for p in unseen}
    known = set(re.findall(r"\w+", " ".join(f"{p.instruction} {p.answer}" for p in pairs)))
    for word in ("mouse", "bear", "hat", "baker", "Ada", "Adam"):
        assert word not in known
        assert any(word in pair.instruction for pair in unseen)
    for pair in pairs + unseen:
        if pair.kind == "who":
            owners = re.findall(r"(\w+) has a (\w+ \w+)\.", pair.instruction)
            asked = re.search(r"Who has the (\w+ \w+)\?", pair.instruction)[1]
            assert pair.answer == f"{ {what: who for who, what in owners}[asked] } has it."
            assert len({what.split()[1] for _, what in owners}) == 2
        if pair.kind == "turn round":
            first, second = re.search(r": (the \w+) and (the \w+)\.", pair.instruction).groups()
            assert pair.answer == f"{second.capitalize()} and {first}."
            assert first != second


def test_nonsense_is_refused():
    model, tokenizer = load("tiny")
    with pytest.raises(ValueError, match="more than a head"):
        next(
            tune_on_instructions(model, tokenizer, [PAIR], [PAIR], FinetuneSettings(trained="head"))
        )
    with pytest.raises(ValueError, match="Replay needs the text"):
        next(tune_on_instructions(model, tokenizer, [PAIR], [PAIR], FinetuneSettings(replay=0.5)))
    with pytest.raises(ValueError, match="at least 1"):
        make_instructions(0)
