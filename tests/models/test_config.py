import subprocess
import sys

import pytest

from llm_core.models.config import PRESETS, TransformerConfig, preset


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_valid_shape(name):
    config = preset(name, vocab_size=65)
    assert config.d_head * config.n_heads == config.d_model
    assert config.d_ff == 4 * config.d_model


def test_unknown_preset_is_named():
    with pytest.raises(ValueError, match="no preset 'giant'"):
        preset("giant", vocab_size=65)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vocab_size": 0}, "vocab_size must be a whole number"),
        ({"n_layers": 1.5}, "n_layers must be a whole number"),
        ({"n_heads": 3}, "cannot be split evenly"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
    ],
)
def test_shapes_that_cannot_be_built_are_refused(change, words):
    shape = {"vocab_size": 65, "context_length": 8, "d_model": 16, "n_layers": 1, "n_heads": 2}
    with pytest.raises(ValueError, match=words):
        TransformerConfig(**(shape | change))


def test_reading_a_config_needs_no_torch():
    code = "import sys, llm_core.inspection.counting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
