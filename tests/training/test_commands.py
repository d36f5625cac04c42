"""The command line can say all that a config can, and says it back."""

import shlex
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.models.config import (
    ACTIVATIONS,
    NORMS,
    PLACEMENTS,
    POSITIONS,
    PRESETS,
    TransformerConfig,
)
from llm_core.training.commands import command_for
from llm_core.training.config import PRECISIONS, RunConfig
from llm_core.training.options import OPTIONS, build_parser, changed_config, config_of
from llm_core.training.recipes import MATRIX_OPTIMIZERS, RECIPES, SCHEDULES, Recipe
from llm_core.training.runs import OWN_TEXT
from pages.widgets.sandbox_learning import AS_USUAL, changed_recipe
from pages.widgets.sandbox_setup import STEPS, Choices, run_config
from pages.widgets.sandbox_tokenizer import VOCABULARIES, Cut
from pages.widgets.text_choice import ChosenText

NEVER_A_DECODERS = {"kind", "n_token_types", "mlm_head", "pooler", "vocab_size"}


def parsed(command):
    return vars(build_parser().parse_args(shlex.split(command)[3:]))


def maybe(strategy):
    return st.none() | strategy


def amounts(least, most):
    return st.floats(least, most, allow_nan=False)


recipes = st.builds(
    lambda recipe, **changed: changed_recipe(recipe, **changed),
    st.sampled_from(list(RECIPES.values())),
    rate=maybe(amounts(1e-5, 30)),
    schedule=st.sampled_from([AS_USUAL, *SCHEDULES]),
    matrix_optimizer=st.sampled_from([AS_USUAL, *MATRIX_OPTIMIZERS]),
    warmup_steps=maybe(st.integers(0, 10_000)),
    weight_decay=maybe(amounts(0, 1)),
    clip_norm=maybe(amounts(0.01, 1000)),
)
shapes = st.builds(
    lambda size, changed: PRESETS[size] | changed,
    st.sampled_from(["pico", "nano", "micro"]),
    st.fixed_dictionaries(
        {"context_length": st.integers(4, 256)},
        optional={
            "n_layers": st.integers(1, 12),
            "d_model": st.sampled_from([24, 48, 96]),
            "n_heads": st.sampled_from([2, 4, 6]),
            "n_kv_heads": st.sampled_from([1, 2]),
            "position": st.sampled_from(POSITIONS),
            "norm": st.sampled_from(NORMS),
            "norm_placement": st.sampled_from(PLACEMENTS),
            "activation": st.sampled_from(ACTIVATIONS),
            "tie_embeddings": st.booleans(),
            "bias": st.booleans(),
            "dropout": amounts(0, 0.9),
        },
    ),
)
cuts = st.sampled_from(
    [
        Cut("char", 60, 1000),
        *[Cut("bpe", size, 500, size) for size in VOCABULARIES],
        Cut("file", 300, 500, path="/somewhere/tokenizer.json"),
        Cut("gpt2", 50257, 300),
    ]
)
texts = st.sampled_from(
    [
        None,
        ChosenText("Tales", "tiny_tales", None, "Once upon", 1000, 60),
        ChosenText("Own", None, "a b", "", 1000, 60),
        ChosenText("Own", None, "a b", "-- 'x'\n\"y\" $HOME", 1000, 60),
    ]
)
choices = st.builds(
    Choices,
    shape=shapes,
    recipe=recipes,
    stride=st.integers(1, 256),
    steps=st.sampled_from(STEPS),
    batch=st.integers(1, 128),
    accumulation=st.integers(1, 64),
    seed=st.integers(0, 10**6),
    precision=st.sampled_from(["auto", *PRECISIONS]),
    device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
    stop_minutes=maybe(amounts(0.1, 10_000)),
    stop_loss=maybe(amounts(0.01, 20)),
)
rate_changes = st.lists(st.tuples(st.integers(1, 99), amounts(1e-3, 1e3)), max_size=3)


@settings(max_examples=150)
@given(texts, cuts, choices, rate_changes)
def test_what_the_page_can_make_the_command_makes_again(text, cut, chosen, changes):
    try:
        config = run_config(text, cut, chosen)
    except ValueError:
        return  # a shape that cannot be: the page says so
    config = replace(config, rate_changes=tuple(sorted(changes, key=lambda each: each[0])))
    made = config_of(parsed(command_for(config)))
    here = {"text_path": config.text_path and str(Path(OWN_TEXT).resolve())}
    here["tokenizer_path"] = config.tokenizer_path and str(
        Path("checkpoint/tokenizer.json").resolve()
    )
    assert made == replace(config, **here)


def test_there_is_an_option_for_every_setting():
    named = {(option.of, option.field) for option in OPTIONS}
    elsewhere = {"corpus", "text_path", "tokenizer_path", "model", "recipe", "tuned", "body"}
    assert {("run", each.name) for each in fields(RunConfig)} - named == {
        ("run", name) for name in elsewhere
    }
    assert {("recipe", each.name) for each in fields(Recipe)} - named == {
        ("recipe", "name"),
        ("recipe", "model"),
    }
    assert {("model", each.name) for each in fields(TransformerConfig)} - named == {
        ("model", name) for name in NEVER_A_DECODERS
    }


def test_a_recipe_of_ones_own_is_told_by_its_numbers(tiny_run):
    own = Recipe(name="mine", learning_rate=0.02, beta1=0.5, model={"position": "alibi"})
    made = config_of(parsed(command_for(tiny_run(recipe=own, tokenizer="gpt2"))))
    assert (made.recipe.learning_rate, made.recipe.beta1) == (0.02, 0.5)
    assert made.transformer(9) == tiny_run(recipe=own).transformer(9)


def test_what_may_change_on_the_way_does_and_the_rest_is_refused(tiny_run):
    options = parsed("python -m x --resume d --steps 50 --rate-factor 0.5 --stop-minutes 3")
    config = changed_config(tiny_run(steps=30), options, taken=10)
    assert (config.steps, config.stop_minutes) == (50, 3)
    assert (config.rate_changes, config.earlier_steps) == (((10, 0.5),), ((10, 30),))
    with pytest.raises(ValueError, match="--layers cannot be changed"):
        changed_config(tiny_run(), parsed("python -m x --resume d --layers 3"), taken=10)
    with pytest.raises(ValueError, match="goes with --resume"):
        config_of(parsed("python -m x --text t --rate-factor 2"))
