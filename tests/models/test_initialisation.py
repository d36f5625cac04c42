import math

import pytest
import torch

from llm_core.models.config import TransformerConfig
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.models.gpt import GPT
from llm_core.models.initialisation import WRITERS

SHAPE = {"vocab_size": 400, "context_length": 64, "d_model": 96, "n_layers": 8, "n_heads": 4}


def weights(model=GPT, seed=0, **changes):
    generator = torch.Generator().manual_seed(seed)
    config = TransformerConfig(**(SHAPE | changes))
    return dict(model(config, generator=generator).named_parameters())


def spread(tensor):
    return pytest.approx(tensor.std().item(), rel=0.05)


def is_vector(name):
    return name.endswith("bias") or "norm" in name


@pytest.mark.parametrize("position", ["learned", "rope", "t5", "shaw"])
def test_norms_start_at_one_biases_at_zero_and_the_rest_small(position):
    for name, tensor in weights(position=position, qk_norm=True).items():
        if is_vector(name):
            assert (tensor == (0 if name.endswith("bias") else 1)).all(), name
        elif name.endswith(WRITERS):
            assert spread(tensor) == 0.02 / math.sqrt(16), name
        elif tensor.numel() > 1000:
            assert spread(tensor) == 0.02, name


def test_writers_are_not_shrunk_where_each_sum_is_normalised():
    for name, tensor in weights(norm_placement="post").items():
        if name.endswith(WRITERS):
            assert spread(tensor) == 0.02, name


def test_projections_can_start_at_zero():
    for name, tensor in weights(zero_init_projections=True).items():
        assert bool((tensor == 0).all()) == (name.endswith((*WRITERS, "bias"))), name


def test_beside_sinusoids_tokens_and_matrices_start_larger():
    for name, tensor in weights(position="sinusoidal", norm_placement="post").items():
        if not is_vector(name):
            inputs = 96 if name == "token_embedding.weight" else tensor.shape[1]
            assert spread(tensor) == inputs**-0.5, name


def test_each_stream_of_an_encoder_decoder_counts_its_own_writers():
    for name, tensor in weights(EncoderDecoder, kind="encoder-decoder").items():
        if name.endswith(WRITERS):
            writers = 16 if name.startswith("encoder") else 24
            assert spread(tensor) == 0.02 / math.sqrt(writers), name


@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder"])
def test_the_same_seed_gives_the_same_weights(kind):
    model = GPT if kind == "decoder" else EncoderDecoder
    first, again, other = (weights(model, seed, kind=kind) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if not is_vector(name))


def test_the_loss_starts_at_that_of_a_blind_guess():
    ids = torch.randint(400, (4, 64))
    for position in ("learned", "rope", "alibi", "t5", "shaw", "none"):
        config = TransformerConfig(**SHAPE, position=position)
        with torch.no_grad():
            loss = GPT(config)(ids, ids.roll(-1, 1)).loss
        assert float(loss) == pytest.approx(math.log(400), rel=0.02)
