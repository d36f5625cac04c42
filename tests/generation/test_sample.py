import itertools

import pytest
import torch

from llm_core.generation.sample import (
    SamplingSettings,
    draw,
    draw_many,
    generate,
    generate_batch,
    next_logits,
)
from llm_core.tokenizers.character import CharacterTokenizer

GREEDY = SamplingSettings(max_new_tokens=40, temperature=0)
SHAPES = {
    "learned": {},
    "sinusoidal": {"position": "sinusoidal"},
    "rope, grouped": {"position": "rope", "n_kv_heads": 1, "norm": "rmsnorm", "bias": False},
    "alibi": {"position": "alibi"},
    "t5": {"position": "t5", "max_distance": 20},
    "shaw": {"position": "shaw", "max_distance": 4},
    "none, post-norm": {"position": "none", "norm_placement": "post"},
    "window": {"position": "rope", "window": 4},
    "untied, dropout": {"tie_embeddings": False, "dropout": 0.5},
}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@pytest.fixture
def model(build):
    return build(vocab_size=7, context_length=5)


def plain_loop(model, ids, count):
    """Greedy text by the model alone: no cache, and a quarter of a full context let go."""
    context = model.config.context_length
    ids, window = list(ids), list(ids)[-context:]
    for _ in range(count):
        if len(window) > context:
            del window[: context // 4]
        with torch.no_grad():
            ids.append(int(model(torch.tensor([window])).logits[0, -1].argmax()))
        window.append(ids[-1])
    return ids[-count:]


def ids_of(steps):
    return [step.id for step in steps]


@shapes
def test_cached_equals_uncached_equals_batched_equals_a_plain_loop(build, shape):
    """Far beyond the context, from prompts of four lengths, one of them longer than it."""
    model = build(**shape)
    prompts = [[4], [1, 2, 3], [5, 6, 7, 8, 9, 10, 11], list(range(13)) * 2]
    expected = [plain_loop(model, prompt, 40) for prompt in prompts]
    tensors = [torch.tensor(prompt) for prompt in prompts]
    for cached in (True, False):
        assert [ids_of(generate(model, t, GREEDY, cached=cached)) for t in tensors] == expected
        rows = zip(*generate_batch(model, tensors, GREEDY, cached=cached), strict=True)
        assert [ids_of(row) for row in rows] == expected
    assert len({tuple(row) for row in expected}) >= 3  # or mixed-up rows would not show


def test_each_text_of_a_batch_is_as_it_would_be_alone(build):
    """Though settings, seeds, lengths and ends differ."""
    model = build(sharpness=10)
    prompts = [torch.tensor([1, 2, 3]), torch.tensor([4]), torch.tensor([5, 6])] * 2
    settings = [
        SamplingSettings(max_new_tokens=9),
        SamplingSettings(max_new_tokens=25, temperature=2.0, repetition_penalty=1.3),
        SamplingSettings(max_new_tokens=3, top_k=2),
        SamplingSettings(max_new_tokens=30, stop_tokens=(0, 7)),
        SamplingSettings(max_new_tokens=30, top_p=0.8, forced=(3, 3)),
        SamplingSettings(max_new_tokens=1, temperature=0),
    ]

    def seeds():
        return [torch.Generator().manual_seed(place) for place in range(6)]

    alone = [
        list(generate(model, prompt, own, generator=generator))
        for prompt, own, generator in zip(prompts, settings, seeds(), strict=True)
    ]
    together = list(generate_batch(model, prompts, settings, generators=seeds()))
    for row, steps in enumerate(alone):
        theirs = [each[row] for each in together]
        assert ids_of(step for step in theirs if step) == ids_of(steps)
        assert theirs[len(steps) :] == [None] * (len(together) - len(steps))
        for step, same in zip(steps, theirs, strict=False):
            assert same.probability == pytest.approx(step.probability, abs=1e-5)
            assert (same.end, same.forgotten) == (step.end, step.forgotten)


@pytest.mark.parametrize(
    "changes",
    [{"temperature": 0.5}, {}, {"temperature": 2.0}, {"top_k": 3}, {"top_p": 0.7}],
    ids=str,
)
def test_draws_follow_the_stated_distribution(build, chi_square, changes):
    model, ids = build(sharpness=6), torch.tensor([3])
    settings = SamplingSettings(max_new_tokens=1, **changes)
    generator, counts, stated = torch.Generator().manual_seed(0), torch.zeros(13), torch.zeros(13)
    for _ in range(2000):
        (step,) = generate(model, ids, settings, generator=generator)
        counts[step.id] += 1
        stated[step.id] = step.probability
    expected = (next_logits(model, ids) / settings.temperature).softmax(-1)
    if settings.top_k or settings.top_p < 1:  # cut by hand
        order = expected.argsort(descending=True)
        sums = expected[order].cumsum(0)
        kept = settings.top_k or int((sums < settings.top_p).sum()) + 1
        expected[order[kept:]] = 0
        expected /= expected.sum()
    assert chi_square(counts, expected) > 1e-4
    assert stated[counts > 0].tolist() == pytest.approx(expected[counts > 0].tolist(), abs=1e-6)
    # The test itself can fail: the next token's chances do not fit.
    assert chi_square(counts + 300 * torch.eye(13)[counts.argmax()], expected) < 1e-4


def test_a_dart_hits_the_token_whose_stretch_it_lands_on():
    probabilities = torch.tensor([0.25, 0.0, 0.5, 0.25])
    darts = [0.0, 0.49, 0.5, 0.74, 0.75, 1.0]
    assert [draw(probabilities, dart) for dart in darts] == [2, 2, 0, 0, 3, 3]


@pytest.mark.parametrize("count", [5, 511, 513, 3000])
@pytest.mark.parametrize("kind", ["smooth", "steep", "equal", "cut"])
def test_one_dart_hits_what_it_hits_among_many(count, kind):
    """However many tokens there are, and though a single dart looks at the likeliest first."""
    generator = torch.Generator().manual_seed(count)
    logits = torch.randn(count, generator=generator) * (12 if kind == "steep" else 1)
    if kind == "equal":
        logits = logits.round()
    if kind == "cut":
        logits[1::2] = float("-inf")
    probabilities = logits.softmax(-1)
    darts = torch.rand(200, generator=generator, dtype=torch.float64)
    darts = torch.cat([darts, torch.tensor([0.0, 1.0, 1 - 1e-12], dtype=torch.float64)])
    expected = draw_many(probabilities, darts).tolist()
    assert [draw(probabilities, dart) for dart in darts.tolist()] == expected
    assert len(set(expected)) >= 3 or kind == "steep"


def test_a_step_tells_what_else_was_possible(build):
    model, ids = build(sharpness=10), torch.tensor([3, 1])
    settings = SamplingSettings(max_new_tokens=1, temperature=0.7, top_k=2, alternatives=4)
    (step,) = generate(model, ids, settings, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        logits = model(ids[None]).logits[0, -1]
    own = torch.distributions.Categorical(logits=logits)
    assert step.entropy == pytest.approx(float(own.entropy()) / 0.6931472, abs=1e-5)
    assert step.model_probability == pytest.approx(float(own.probs[step.id]), abs=1e-6)
    order = logits.argsort(descending=True)[:4]
    assert [each.id for each in step.alternatives] == order.tolist()
    assert [each.model_probability for each in step.alternatives] == pytest.approx(
        own.probs[order].tolist(), abs=1e-6
    )
    kept = (logits[order[:2]] / 0.7).softmax(-1).tolist()
    assert [each.probability for each in step.alternatives] == pytest.approx(
        [*kept, 0, 0], abs=1e-6
    )
    assert step.seconds > 0


def test_greedy_is_certain(model):
    steps = list(generate(model, torch.tensor([1, 2]), GREEDY))
    assert all(step.probability == 1 for step in steps)
    assert all(step.id == step.alternatives[0].id for step in steps)


def test_the_learner_is_told_what_the_model_forgets(model):
    steps = list(generate(model, torch.tensor([1, 2]), GREEDY))
    assert [step.forgotten for step in steps[:7]] == [0, 0, 0, 0, 1, 2, 3]
    (step,) = itertools.islice(generate(model, torch.tensor([1] * 8), GREEDY), 1)
    assert step.forgotten == 3


def test_the_same_seed_writes_the_same_text(model):
    def write(seed):
        generator = torch.Generator().manual_seed(seed)
        settings = SamplingSettings(max_new_tokens=30, temperature=2.0)
        return ids_of(generate(model, torch.tensor([0]), settings, generator=generator))

    assert write(1) == write(1)
    assert write(1) != write(2)


def test_it_is_lazy_and_leaves_the_model_as_it_was(model):
    settings = SamplingSettings(max_new_tokens=10**9)
    model.train()
    assert len(list(itertools.islice(generate(model, torch.tensor([0]), settings), 3))) == 3
    assert model.training


def test_dropout_is_off_while_it_writes(build):
    model = build(dropout=0.9)
    expected = ids_of(generate(model, torch.tensor([1]), GREEDY))
    assert ids_of(generate(model.train(), torch.tensor([1]), GREEDY)) == expected


def test_a_tiny_temperature_is_still_a_distribution(model):
    settings = SamplingSettings(max_new_tokens=40, temperature=1e-40)
    ids = torch.tensor([0])
    assert ids_of(generate(model, ids, settings)) == ids_of(generate(model, ids, GREEDY))


def test_it_ends_at_stop_tokens_and_stop_strings_and_tells_why(model):
    tokenizer = CharacterTokenizer("abcdefg")
    ids = torch.tensor([1, 2])
    written = list(generate(model, ids, GREEDY, tokenizer=tokenizer))
    assert written[-1].end == "length"
    text = "".join(step.text for step in written)
    assert text == tokenizer.decode(ids_of(written))
    stop = written[3].id
    first = ids_of(written).index(stop)
    settings = SamplingSettings(temperature=0, stop_tokens=(stop,))
    steps = list(generate(model, ids, settings, tokenizer=tokenizer))
    assert ids_of(steps) == ids_of(written)[: first + 1]
    assert [step.end for step in steps] == [""] * first + ["stop token"]
    assert "".join(step.text for step in steps) == text[:first]
    settings = SamplingSettings(temperature=0, stop_strings=(text[2:5],))
    steps = list(generate(model, ids, settings, tokenizer=tokenizer))
    assert steps[-1].end == "stop string"
    assert "".join(step.text for step in steps) == text[: text.index(text[2:5])]


def test_a_continuation_can_be_made_to_begin(model):
    settings = SamplingSettings(max_new_tokens=4, forced=(6, 0), banned=(6,))
    steps = list(generate(model, torch.tensor([1]), settings))
    assert ids_of(steps)[:2] == [6, 0]
    assert 6 not in ids_of(steps)[2:]
    assert steps[0].probability == 1
    assert steps[0].model_probability < 1


def test_bad_requests_are_refused(model):
    with pytest.raises(ValueError, match="at least one token"):
        next(generate(model, torch.tensor([], dtype=torch.long), SamplingSettings()))
    with pytest.raises(ValueError, match="outside this model's 0 to 6"):
        next(generate(model, torch.tensor([1, 7]), SamplingSettings()))
    with pytest.raises(ValueError, match="takes a tokenizer"):
        next(generate(model, torch.tensor([1]), SamplingSettings(stop_strings=("a",))))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"max_new_tokens": 0}, "at least one new token"),
        *[({"temperature": value}, "temperature") for value in (-1.0, float("nan"), float("inf"))],
        ({"top_k": -1}, "Top-k keeps 1"),
        *[({"top_p": value}, "Top-p keeps a share") for value in (0, 1.1, float("nan"))],
        ({"typical_p": 0}, "Typical keeps a share"),
        *[({"min_p": value}, "Min-p") for value in (-0.1, 1.1, float("nan"))],
        *[({"repetition_penalty": value}, "repetition") for value in (0, -1, float("inf"))],
        ({"presence_penalty": float("inf")}, "presence"),
        ({"frequency_penalty": float("nan")}, "frequency"),
        ({"stop_strings": ("",)}, "at least one character"),
        ({"alternatives": -1}, "alternatives"),
    ],
)
def test_impossible_settings_get_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        SamplingSettings(**changes)
