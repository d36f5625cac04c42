import random

import pytest
import torch
import transformers

from llm_core.data.labelled_texts import Labelled, LabelledTexts
from llm_core.finetuning.baselines import counted_words, majority
from llm_core.finetuning.classification import (
    PAD,
    Classifier,
    Scored,
    encode_texts,
    fine_tune,
    make_batch,
    predict,
    verdicts,
)
from llm_core.finetuning.settings import TRAINED, FinetuneSettings, Learned
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.models.huggingface import load_huggingface, save_huggingface
from llm_core.pretrained.tiny import load_tiny

CONFIG = TransformerConfig(
    vocab_size=60, context_length=24, d_model=16, n_layers=2, n_heads=2, tie_embeddings=True
)


class Letters:
    """A tokenizer of letters, none of which is the padding."""

    def encode(self, text):
        return [1 + ord(sign) % 59 for sign in text]


def some_texts(count=40, seed=1):
    """Texts of several lengths; the label says whether there is an x."""
    chance = random.Random(seed)
    found = []
    while len(found) < count:
        text = "".join(chance.choice("abcdefgx") for _ in range(chance.randint(3, 20)))
        found.append(Labelled(text, int("x" in text)))
    return LabelledTexts("x", ("no", "yes"), tuple(found), tuple(found[:15]))


def classifier(pool="last token", seed=3):
    generator = torch.Generator().manual_seed(seed)
    return Classifier(GPT(CONFIG, generator=generator), 2, pool=pool, generator=generator)


def like_gpt2(folder):
    """Return a classifier of ours, whose body lies in the folder for transformers."""
    ours = classifier()
    save_huggingface(ours.body, None, folder)
    return ours


def like_smollm2(folder):
    """Return a classifier of ours with a body that transformers has made: grouped queries, RoPE."""
    torch.manual_seed(2)
    sizes = {"vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 24}
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**sizes, **heads, tie_word_embeddings=True)
    )
    theirs.save_pretrained(folder)
    return Classifier(load_huggingface(folder), 2, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("make", "trained"),
    [(like_gpt2, "all"), (like_gpt2, "last block"), (like_gpt2, "head"), (like_smollm2, "head")],
)
def test_losses_equal_a_loop_in_transformers(tmp_path, make, trained):
    """Equal weights, equal batches, AdamW: the same losses, step by step."""
    ours = make(tmp_path)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path, num_labels=2, pad_token_id=PAD
    )
    theirs.score.weight.data = ours.head.weight.detach().clone()
    texts = some_texts()
    settings = FinetuneSettings(trained=trained, steps=12, batch_size=8, score_interval=12, seed=5)
    losses = [
        event.loss
        for event in fine_tune(ours, Letters(), texts, settings)
        if isinstance(event, Learned)
    ]

    theirs.eval()  # without dropout, as ours
    theirs.requires_grad_(trained == "all")
    theirs.score.requires_grad_(True)
    if trained == "last block":
        theirs.transformer.h[-1].requires_grad_(True)
        theirs.transformer.ln_f.requires_grad_(True)
    weights = [p for p in theirs.parameters() if p.requires_grad]
    # transformers gives GPT-2 biases that ours lacks only where ours has none
    optimizer = torch.optim.AdamW(weights, lr=settings.peak, weight_decay=0.01)
    rows, labels = encode_texts(texts.train, Letters(), 24)
    generator = torch.Generator().manual_seed(5)
    order = []
    for step, loss in enumerate(losses, 1):
        if len(order) < 8:
            order = torch.randperm(len(rows), generator=generator).tolist()
        chosen, order = order[:8], order[8:]
        batch = make_batch([rows[i] for i in chosen], [labels[i] for i in chosen])
        found = theirs(input_ids=batch.ids, labels=batch.labels).loss
        assert loss == pytest.approx(float(found), abs=2e-5), f"step {step}"
        found.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.param_groups[0]["lr"] = settings.rate(step)
        optimizer.step()
        optimizer.zero_grad()
    assert len(losses) == 12
    assert len(set(losses)) == 12


def test_after_each_token_it_says_what_it_says_of_a_text_that_ends_there():
    mine, row = classifier(), Letters().encode("abcxdefg")
    with torch.no_grad():
        mine.head.weight.mul_(50)  # surer, so that the rows differ
    found = verdicts(mine.body, mine.head.weight, row)
    prefixes = [row[: length + 1] for length in range(len(row))]
    torch.testing.assert_close(found, predict(mine, prefixes), atol=1e-5, rtol=0)
    assert found.std(dim=0).min() > 0.01


def test_padding_changes_nothing_for_the_last_token_and_much_for_the_last_place():
    right, wrong = classifier(), classifier("last place")
    row = Letters().encode("abcdef")
    alone = make_batch([row], [0])
    beside = make_batch([row, Letters().encode("a" * 20)], [0, 0])
    torch.testing.assert_close(
        right(alone.ids, alone.lengths).logits[0], right(beside.ids, beside.lengths).logits[0]
    )
    a, b = (wrong(x.ids, x.lengths).logits[0] for x in (alone, beside))
    assert (a - b).abs().max() > 1e-3


def test_a_frozen_body_gives_the_same_losses_as_reading_every_time():
    """Vectors that are computed once are a short cut, and no other method."""
    texts = some_texts()
    settings = FinetuneSettings(trained="head", steps=5, batch_size=8, score_interval=5)
    quick, slow = classifier(), classifier()
    events = list(fine_tune(quick, Letters(), texts, settings))
    rows, labels = encode_texts(texts.train, Letters(), 24)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(settings.seed)).tolist()
    batch = make_batch([rows[i] for i in order[:8]], [labels[i] for i in order[:8]])
    first = next(event for event in events if isinstance(event, Learned))
    assert first.loss == pytest.approx(float(slow(*batch).loss), abs=1e-6)
    assert all(
        torch.equal(a, b)
        for a, b in zip(quick.body.parameters(), slow.body.parameters(), strict=True)
    )


@pytest.mark.parametrize("trained", TRAINED)
def test_only_what_is_chosen_learns(trained):
    mine = classifier()
    before = {name: value.clone() for name, value in mine.named_parameters()}
    settings = FinetuneSettings(trained=trained, steps=2, batch_size=4, score_interval=2)
    list(fine_tune(mine, Letters(), some_texts(), settings))
    moved = {
        name
        for name, value in mine.named_parameters()
        if name in before and not torch.equal(value, before[name])
    }
    assert "head.weight" in moved
    body = {name for name in moved if name.startswith("body.")}
    if trained in ("head", "lora"):
        assert not body
    elif trained == "last block":
        assert body
        assert all(name.startswith(("body.blocks.1.", "body.final_norm")) for name in body)
    else:
        assert {"body.token_embedding.weight", "body.blocks.0.feedforward.widen.weight"} <= body
    if trained == "lora":
        assert any(
            value.abs().max() > 0 for name, value in mine.named_parameters() if name.endswith(".up")
        )


def test_scores_are_counted_right():
    texts = some_texts()
    mine = classifier()
    settings = FinetuneSettings(steps=30, batch_size=8, score_interval=10)
    scores = [e for e in fine_tune(mine, Letters(), texts, settings) if isinstance(e, Scored)]
    assert [score.step for score in scores] == [0, 10, 20, 30]
    said = predict(mine, encode_texts(texts.test, Letters(), 24)[0]).argmax(-1).tolist()
    right = sum(a == each.label for a, each in zip(said, texts.test, strict=True))
    last = scores[-1]
    assert last.accuracy == pytest.approx(right / 15)
    assert sum(map(sum, last.confusion)) == 15
    assert sum(last.confusion[k][k] for k in range(2)) == right
    assert last.confusion[1][0] == sum(
        s == 0 and each.label == 1 for s, each in zip(said, texts.test, strict=True)
    )


def test_one_seed_one_result():
    def run():
        settings = FinetuneSettings(trained="lora", steps=4, batch_size=8, score_interval=4)
        return [e.loss for e in fine_tune(classifier(), Letters(), some_texts(), settings)]

    assert run() == run()


def test_a_pretrained_tiny_gpt_learns_what_counted_words_cannot():
    """The lesson's claim, on a small measure: who has it in the end."""
    from llm_core.data.labelled_texts import make_texts

    texts = make_texts("who", train=100)
    model, tokenizer = load_tiny()
    mine = Classifier(model, 2, generator=torch.Generator().manual_seed(1))
    settings = FinetuneSettings(steps=60, score_interval=60)
    *_, last = fine_tune(mine, tokenizer, texts, settings)
    assert last.accuracy > 0.85
    assert counted_words(texts).accuracy < 0.6
    assert majority(texts).accuracy == pytest.approx(0.5)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="no 'tail' to train"):
        FinetuneSettings(trained="tail")
    with pytest.raises(ValueError, match="at least two labels"):
        Classifier(GPT(CONFIG), 1)
    with pytest.raises(ValueError, match="empty"):
        encode_texts([Labelled("", 0)], Letters(), 24)
