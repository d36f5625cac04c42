"""What a model wrote, as HTML."""

import math
import re
from types import SimpleNamespace

import pytest

from llm_core.generation.sample import TokenStep
from llm_core.tokenizers.bpe import train_bpe
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.tokenizers.word import WordTokenizer
from pages.widgets.sampling_models import Writer
from pages.widgets.sampling_table import Column, stage_table
from pages.widgets.sampling_texts import steps_html, surprise_bits, written_html

TEXT = "the owl, the 🦉 and the mouse"


def writer(tokenizer):
    model = SimpleNamespace(config=SimpleNamespace(vocab_size=tokenizer.vocab_size))
    return Writer("key", "title", model, tokenizer, "", "")


@pytest.mark.parametrize(
    "tokenizer",
    [train_bpe(TEXT, 260), CharacterTokenizer.from_text(TEXT), WordTokenizer.from_text(TEXT)],
    ids=["bpe", "characters", "words"],
)
def test_tokens_add_up_to_the_text_that_their_tokenizer_decodes(tokenizer):
    ids = list(tokenizer.encode(TEXT))
    parts = writer(tokenizer).texts(ids)
    assert len(parts) == len(ids)
    assert "".join(parts) == tokenizer.decode(ids)


def test_a_character_of_several_tokens_comes_with_the_last_of_them():
    tokenizer = train_bpe("abc", 257)
    assert writer(tokenizer).texts(tokenizer.encode("🦉")) == ["", "", "", "🦉"]


def test_depths_follow_the_surprise_and_neighbours_of_one_depth_are_joined():
    shown = written_html("Once", [" a", " b", " c", " d<"], [0.5, 2, 2.9, 20], "Text A")
    assert re.findall(r"<i class=s(\d)>(.*?)</i>", shown) == [("1", " b c"), ("4", " d&lt;")]
    assert "<b>Once</b> a<i" in shown
    assert 'role="region" tabindex="0" aria-label="Text A"' in shown


def test_a_stop_token_is_no_text():
    tokenizer = CharacterTokenizer.from_text("ab")
    steps = [TokenStep(0, 1, 1, 0), TokenStep(1, 1, 1, 0, end="stop token")]
    assert steps_html(writer(tokenizer), "", steps, "x").endswith("<b></b>a</div>")


@pytest.mark.parametrize(("p", "bits"), [(1.0, 0.0), (0.25, 2.0), (0.0, -math.log2(1e-30))])
def test_surprise_is_minus_the_binary_logarithm(p, bits):
    assert surprise_bits(TokenStep(0, p, p, 0.0)) == pytest.approx(bits)
    assert math.copysign(1, surprise_bits(TokenStep(0, p, p, 0.0))) == 1


def test_the_table_of_stages_says_what_was_cut_off_and_what_was_drawn():
    table = stage_table(
        ["·owl", "<i>"],
        [
            Column("logit", (2.0, 1.0), "3 of 3 left"),
            Column("top-k", (2.0, -math.inf), "0 of 3 left"),
            Column("probability", (1.0, 0.0), "0 %", shares=True),
        ],
        tail_label="3 others",
        chosen=0,
        label="stages",
    )
    rows = [re.sub("<.*?>", "|", row) for row in table.split("<tr>")[1:]]
    cells = [[cell for cell in row.split("|") if cell] for row in rows]
    assert cells == [
        ["token", "logit", "top-k", "probability"],
        ["·owl ◂ drawn", "2.00", "2.00", "100 %"],
        ["&lt;i&gt;", "1.00", "cut off", "0"],
        ["3 others", "3 of 3 left", "0 of 3 left", "0 %"],
    ]
    assert 'tabindex="0"' in table
