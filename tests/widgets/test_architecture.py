"""The lesson on the architecture: what opens, what is counted, and that its code says the same."""

import contextlib
import io
import re

import pytest
from streamlit.testing.v1 import AppTest

from llm_core.inspection.anatomy import anatomy
from llm_core.inspection.counting import count_parameters
from pages.widgets.architecture_code import part_code
from pages.widgets.architecture_kinds import masks, trials
from pages.widgets.architecture_parts import KINDS, short_count
from pages.widgets.architecture_size import (
    MODELS,
    Setup,
    base_config,
    memory_rows,
    reshaped,
    shown_bytes,
)

PRINTED = re.compile(r"print\(.*\)\s+# (?P<value>.*)")


def run(call):
    """What pasted code prints, and what its comments promise."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(call, "pasted", "exec"), {})
    promised = [found["value"] for line in call.splitlines() if (found := PRINTED.search(line))]
    assert promised
    return printed.getvalue().splitlines(), promised


@pytest.mark.parametrize("name", KINDS)
def test_the_code_of_every_part_builds_it_and_counts_the_same(name):
    kind = KINDS[name]
    config = kind.config()
    for part in anatomy(config, length=64):
        functions, call = part_code(part, config, kind.preset, 64)
        assert functions
        printed, promised = run(call)
        assert printed == promised, part.id


def page():
    import streamlit as st

    from pages.widgets.machine import opened_part

    parts = st.session_state.setdefault("parts", ["embedding", "norm", "attention"])
    st.text(opened_part("part", parts, "attention"))


def opened(app):
    assert not app.exception
    return app.text[0].value


@pytest.mark.parametrize(
    ("link", "part"),
    [("norm", "norm"), ("encoder.norm", "norm"), ("attention", "attention"),
     ("decoder.cross_attention", "attention"), ("<b>", "attention"), ("", "attention")],
)  # fmt: skip
def test_any_address_opens_a_part(link, part):
    app = AppTest.from_function(page)
    app.query_params["part"] = link
    assert opened(app.run()) == part
    assert app.query_params.get("part") == (None if part == "attention" else part)


def test_a_part_stays_open_when_the_machine_changes():
    app = AppTest.from_function(page).run()
    app.session_state["_opened_part"] = "norm"
    assert opened(app.run()) == "norm"
    app.session_state["parts"] = ["embedding", "encoder.norm", "decoder.norm"]
    assert opened(app.run()) == "decoder.norm"
    app.session_state["parts"] = ["embedding", "output"]
    assert opened(app.run()) == "output"


def test_gpt2_small_has_the_size_that_everybody_knows():
    assert count_parameters(base_config(MODELS["GPT-2 small"])) == 124_439_808


@pytest.mark.parametrize("name", MODELS.values())
def test_sliders_at_a_models_own_numbers_leave_it_as_it_is(name):
    base = base_config(name)
    same = reshaped(
        base, n_layers=base.n_layers, n_heads=base.n_heads, d_head=base.d_head,
        vocab_size=base.vocab_size,
    )  # fmt: skip
    assert same == base


@pytest.mark.parametrize("name", MODELS.values())
@pytest.mark.parametrize(
    ("layers", "heads", "d_head", "vocabulary"),
    [(1, 1, 8, 256), (128, 128, 256, 300_000), (7, 10, 24, 999)],
)
def test_any_sliders_make_a_model_and_its_code_makes_the_same(
    name, layers, heads, d_head, vocabulary
):
    config = reshaped(
        base_config(name), n_layers=layers, n_heads=heads, d_head=d_head, vocab_size=vocabulary
    )
    setup = Setup(name, config, 16, 2, 2)
    names = {}
    exec(setup.code, names)
    assert names["config"] == config
    assert len(memory_rows(setup)) == 6


def test_grouped_heads_stay_in_groups_where_they_can():
    base = base_config("smollm2-135m")
    shape = {"n_layers": 2, "d_head": 64, "vocab_size": 500}
    assert reshaped(base, n_heads=12, **shape).n_kv_heads == 4
    assert reshaped(base, n_heads=10, **shape).n_kv_heads == 10


def test_memory_adds_up():
    config = base_config("gpt2")
    rows = memory_rows(Setup("gpt2", config, 1024, 1, 4))
    by_name = {row["in memory"]: row for row in rows}
    assert by_name["weights"]["to train it"] == "498 MB"  # 4 · 124,439,808
    assert by_name["AdamW's two averages"]["to train it"] == "996 MB"
    # 2 · 12 layers · 768 numbers · 1,024 tokens · 4 bytes
    assert by_name["keys and values of one text"]["to use it"] == "75.5 MB"
    assert by_name["together"]["to use it"] == "573 MB"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(12, "12 bytes"), (1000, "1.00 KB"), (497_759_232, "498 MB"), (2.8e12, "2.80 TB"),
     (5e15, "5,000 TB")],
)  # fmt: skip
def test_bytes_are_short(count, shown):
    assert shown_bytes(count) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (1536, "1.54 K"), (2_362_368, "2.36 M"), (174_604_259_328, "175 B")],
)
def test_counts_are_short(count, shown):
    assert short_count(count) == shown


def test_masks_say_what_the_trial_finds():
    """A changed last word moves exactly the rows that may look at it: the mask, measured."""
    for count in (1, 5, 8):
        allowed, found = masks(count), trials(count)
        for kind in ("encoder", "decoder"):
            assert tuple(allowed[kind][:, -1]) == found[kind].moved
        both = allowed["encoder-decoder"]
        assert both[:, :count].all()
        assert both[:, count:].sum() == 6
        assert all(found["encoder-decoder"].moved)
