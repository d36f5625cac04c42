import subprocess
import sys

import pytest

from llm_core.layers.feedforward import ACTIVATIONS as BUILT_ACTIVATIONS
from llm_core.models import config as config_module
from llm_core.models.config import ACTIVATIONS, PRESETS, TransformerConfig, preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES

SHAPE = {"vocab_size": 65, "context_length": 8, "d_model": 16, "n_layers": 1, "n_heads": 2}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_valid_shape(name):
    config = preset(name, vocab_size=65)
    assert config.d_head * config.n_heads == config.d_model
    assert config.d_ff == (1536 if name == "smollm2-135m" else 4 * config.d_model)


def test_published_vocabularies_are_those_of_presets():
    assert PUBLISHED_VOCAB_SIZES.keys() == PRESETS.keys() - {"pico", "nano", "micro"}


def test_unknown_preset_is_named():
    with pytest.raises(ValueError, match="no preset 'giant'"):
        preset("giant", vocab_size=65)


def test_what_is_not_said_has_a_default():
    config = TransformerConfig(**SHAPE)
    assert (config.d_ff, config.n_kv_heads, config.scale_embeddings) == (64, 2, False)
    assert TransformerConfig(**SHAPE, position="sinusoidal").scale_embeddings
    assert not TransformerConfig(
        **SHAPE, position="sinusoidal", scale_embeddings=False
    ).scale_embeddings
    assert TransformerConfig(**SHAPE, position="t5").max_distance == 128
    assert TransformerConfig(**SHAPE, position="shaw").max_distance == 16


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vocab_size": 0}, "vocab_size must be a whole number"),
        ({"n_layers": 1.5}, "n_layers must be a whole number"),
        ({"n_layers": True}, "n_layers must be a whole number"),
        ({"n_heads": 3}, "cannot be split evenly"),
        ({"n_heads": 4, "n_kv_heads": 3}, "4 query heads cannot share 3 key-value heads"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"kind": "giant"}, "no kind 'giant': choose of decoder, encoder, encoder-decoder"),
        ({"position": "gps"}, "no position 'gps': choose of learned"),
        ({"norm": "batch"}, "no norm 'batch'"),
        ({"norm_placement": "between"}, "no norm_placement 'between'"),
        ({"activation": "tanh"}, "no activation 'tanh'"),
        ({"norm_eps": 0.0}, "norm_eps must be above 0"),
        ({"rope_base": float("inf")}, "rope_base must be above 0"),
        ({"rope_scaling": -1.0}, "rope_scaling must be above 0"),
        ({"window": 0}, "window must be a whole number"),
        ({"position": "rope", "d_model": 6}, "a head of 3 numbers leaves one over"),
        ({"position": "t5", "relative_buckets": 3}, "relative_buckets must be a whole number"),
        ({"position": "t5", "max_distance": 16}, "max_distance must be above half"),
        ({"position": "shaw", "max_distance": -1}, "max_distance must be a whole number"),
        ({"mlm_head": True}, "are an encoder's"),
        ({"n_token_types": 2}, "are an encoder's"),
    ],
)
def test_shapes_that_cannot_be_built_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        TransformerConfig(**(SHAPE | change))


def test_every_activation_of_a_config_can_be_built():
    assert set(ACTIVATIONS) == set(BUILT_ACTIVATIONS)


def test_every_field_is_explained():
    explained = TransformerConfig.__doc__
    for name in config_module.TransformerConfig.__dataclass_fields__:
        assert name in explained


def test_reading_a_config_needs_no_torch():
    code = "import sys, llm_core.inspection.counting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
