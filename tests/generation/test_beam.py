import itertools

import pytest
import torch
from transformers import GPT2LMHeadModel

from llm_core.generation.beam import beam_search
from llm_core.models.config import preset
from llm_core.models.gpt import GPT
from llm_core.models.huggingface import save_huggingface
from llm_core.tokenizers.bpe import train_bpe

PROMPT = torch.tensor([1, 2, 0])
LENGTH = 3


def exhaustive(model, length, stop_tokens=()):
    """Every continuation with its log-probability, computed without a cache; the best first."""
    found = {}
    for ids in itertools.product(range(model.config.vocab_size), repeat=length):
        ends = [place for place, index in enumerate(ids) if index in stop_tokens]
        ids = ids[: ends[0] + 1] if ends else ids
        if ids not in found:
            with torch.no_grad():
                logits = model(torch.cat([PROMPT, torch.tensor(ids)])[None]).logits[0]
            logs = logits.log_softmax(-1)[len(PROMPT) - 1 : -1]
            found[ids] = float(logs.gather(-1, torch.tensor(ids)[:, None]).sum())
    return sorted(found.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("stop_tokens", [(), (4,)])
def test_a_wide_beam_is_exhaustive_search(build, seed, stop_tokens):
    model = build(seed, sharpness=20, vocab_size=6)
    *_, last = beam_search(
        model, PROMPT, width=6**LENGTH, max_new_tokens=LENGTH, stop_tokens=stop_tokens
    )
    expected = exhaustive(model, LENGTH, stop_tokens)
    assert len(last) == len(expected)
    found = {node.ids: node.total for node in last}
    assert found == pytest.approx(dict(expected), abs=1e-4)
    assert last[0].ids == expected[0][0]


def test_a_beam_of_one_is_greedy(build):
    model = build()
    ids = PROMPT
    for _ in range(6):
        ids = torch.cat([ids, model(ids[None]).logits[0, -1].argmax()[None]])
    *_, last = beam_search(model, PROMPT, width=1, max_new_tokens=6)
    assert list(last[0].ids) == ids[3:].tolist()


def test_the_likeliest_text_need_not_begin_with_the_likeliest_token(build):
    """Some model shows it: the reason why one searches at all."""
    for seed in range(20):
        model = build(seed, sharpness=8, vocab_size=6)
        *_, greedy = beam_search(model, PROMPT, width=1, max_new_tokens=3)
        *_, wide = beam_search(model, PROMPT, width=36, max_new_tokens=3)
        assert wide[0].total >= greedy[0].total - 1e-5
        if wide[0].ids[0] != greedy[0].ids[0]:
            return
    pytest.fail("no such model in 20")


def test_the_tree_hangs_together(build):
    levels = list(beam_search(build(), PROMPT, width=3, max_new_tokens=4, stop_tokens=(5,)))
    nodes = {node.number: node for level in levels for node in level}
    assert all(sum(node.kept for node in level) == 3 for level in levels)
    for level in levels:
        scores = [node.total for node in level]
        assert scores == sorted(scores, reverse=True)
    for node in nodes.values():
        if node.parent is None:
            assert len(node.ids) == 1
            continue
        parent = nodes[node.parent]
        assert parent.ids == node.ids[:-1]
        assert parent.kept
        assert not parent.ended
        assert node.total == pytest.approx(parent.total + node.log_probability, abs=1e-6)


@pytest.mark.parametrize("width", [2, 4])
def test_transformers_finds_the_same(tmp_path, width):
    tokenizer = train_bpe("to be or not to be, that is the question", 280)
    shape = {"n_layers": 2, "n_heads": 2, "d_model": 32, "context_length": 32}
    model = GPT(preset("gpt2", vocab_size=tokenizer.vocab_size, **shape))
    with torch.no_grad():
        model.token_embedding.weight.mul_(20)
    save_huggingface(model.eval(), tokenizer, tmp_path)
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    expected = theirs.generate(
        PROMPT[None],
        attention_mask=torch.ones(1, 3, dtype=torch.long),
        num_beams=width,
        do_sample=False,
        max_new_tokens=7,
        length_penalty=0.0,
        eos_token_id=None,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
    )
    *_, last = beam_search(model, PROMPT, width=width, max_new_tokens=7)
    assert list(last[0].ids) == expected.sequences[0, 3:].tolist()
    assert last[0].total == pytest.approx(float(expected.sequences_scores[0]), abs=1e-3)


def test_longer_texts_can_be_favoured(build):
    model = build(1, sharpness=10, vocab_size=6)
    best = {}
    for power in (0.0, 3.0):
        *_, last = beam_search(
            model,
            PROMPT,
            width=36,
            max_new_tokens=3,
            stop_tokens=(0, 1, 2),
            length_power=power,
        )
        assert [n.score(power) for n in last] == sorted([n.score(power) for n in last])[::-1]
        best[power] = len(last[0].ids)
    assert best[3.0] >= best[0.0]


def test_it_ends_early_when_all_texts_have(build):
    levels = list(beam_search(build(), PROMPT, width=2, max_new_tokens=8, stop_tokens=range(13)))
    assert len(levels) == 1


def test_bad_requests_are_refused(build):
    model = build()
    with pytest.raises(ValueError, match="at least one text"):
        next(beam_search(model, PROMPT, width=0, max_new_tokens=1))
    with pytest.raises(ValueError, match="sees at once"):
        next(beam_search(model, PROMPT, width=1, max_new_tokens=10))
    with pytest.raises(ValueError, match="outside this model's"):
        next(beam_search(model, torch.tensor([13]), width=1, max_new_tokens=1))
