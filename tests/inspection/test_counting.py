import pytest
import torch
from hypothesis import given, settings
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from llm_core.inspection.counting import (
    TRAINING_FACTOR,
    count_parameters,
    flops_per_token,
    forward_flops,
    parameters_by_part,
)
from llm_core.models.config import TransformerConfig, preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from tests.inspection.shapes import build, configs


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


def published(name):
    return preset(name, vocab_size=PUBLISHED_VOCAB_SIZES[name])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
        ("smollm2-135m", 134_515_008),
        ("minilm", 22_713_216),
        ("bert", 109_482_240),
        ("t5-small", 60_506_624),
    ],
)
def test_famous_models_have_their_published_sizes(name, expected):
    assert count_parameters(published(name)) == expected


def test_gpt3_has_the_175_billion_of_its_name():
    assert count_parameters(published("gpt3-175b")) / 1e9 == pytest.approx(175, abs=0.5)


def test_famous_shapes_equal_transformers_modules():
    with torch.device("meta"):
        smollm2 = LlamaConfig(
            vocab_size=49152,
            hidden_size=576,
            intermediate_size=1536,
            num_hidden_layers=30,
            num_attention_heads=9,
            num_key_value_heads=3,
            tie_word_embeddings=True,
        )
        minilm = BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
        )
        theirs = {
            "smollm2-135m": LlamaForCausalLM(smollm2),
            "minilm": BertModel(minilm),
            "bert": BertModel(BertConfig()),
            "t5-small": T5ForConditionalGeneration(T5Config()),
        }
        for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"):
            config = published(name)
            theirs[name] = GPT2LMHeadModel(
                GPT2Config(n_embd=config.d_model, n_layer=config.n_layers, n_head=config.n_heads)
            )
    for name, model in theirs.items():
        assert count_parameters(published(name)) == size(model), name


PARTS = {
    "embeddings": ("token_embedding", "type_embedding"),
    "positions": ("positions", "attention.position"),
    "norms": ("norm.weight", "norm.bias"),
    "heads": ("unembedding", "pooler", "masked_token_head"),
    "attention": ("attention.",),
    "feedforward": ("feedforward.",),
}


@settings(max_examples=150, deadline=None)
@given(config=configs())
def test_parameters_equal_the_real_module_part_by_part(config):
    with torch.device("meta"):
        model = build(config)
    counted = dict.fromkeys(PARTS, 0)
    for name, parameter in model.named_parameters():
        part = next(part for part, words in PARTS.items() if any(word in name for word in words))
        counted[part] += parameter.numel()
    assert parameters_by_part(config) == counted
    assert count_parameters(config) == size(model)


def inputs(config, batch, length, source_length):
    def ids(count):
        return torch.zeros(batch, count, dtype=torch.long)

    return (ids(source_length), ids(length)) if config.kind == "encoder-decoder" else (ids(length),)


def run(model, *arguments, backward=False):
    """FLOPs as torch counts them; only the open kernel shows it its matrix products."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        output = model(*arguments)
        if backward:
            output.loss.backward()
    return counter.get_total_flops()


@settings(max_examples=60, deadline=None)
@given(config=configs())
def test_forward_flops_equal_torchs_count(config):
    source_length = 7 if config.kind == "encoder-decoder" else 0
    flops = forward_flops(config, length=11, batch=2, source_length=source_length)
    model = build(config)
    assert sum(flops.values()) == run(model, *inputs(config, 2, 11, 7))
    if config.kind == "encoder" and not (config.mlm_head or config.pooler):
        assert flops["output"] == 0


@settings(max_examples=40, deadline=None)
@given(config=configs(kinds=("decoder", "encoder-decoder")))
def test_a_training_step_costs_three_forward_passes(config):
    arguments = inputs(config, 2, 11, 11)
    counted = run(build(config), *arguments, arguments[0], backward=True)
    forward = sum(forward_flops(config, length=11, batch=2, source_length=11).values())
    assert counted == TRAINING_FACTOR * forward
    assert flops_per_token(config, length=11, training=True) == counted / 22
    assert flops_per_token(config, length=11) == forward / 22


@settings(max_examples=20, deadline=None)
@given(config=configs(kinds=("decoder",)))
def test_a_token_after_a_cache_costs_one_row(config):
    model = build(config).eval()
    cache = model.new_cache()
    with torch.no_grad():
        model(torch.zeros(1, 9, dtype=torch.long), cache=cache)
        keys = cache.layers[0].visible(1)
        counted = run(model, torch.zeros(1, 1, dtype=torch.long), None, cache)
    assert sum(forward_flops(config, length=1, keys=keys).values()) == counted


def test_most_flops_are_two_a_weight_and_token():
    config = published("gpt2")
    weights = count_parameters(config) - config.context_length * config.d_model
    attention = forward_flops(config, length=1024)["attention"] / 1024
    assert flops_per_token(config, length=1024) - attention == pytest.approx(2 * weights, rel=0.01)


def test_flops_of_a_config_are_whole_numbers_by_part():
    config = TransformerConfig(
        vocab_size=10, context_length=8, d_model=4, n_layers=2, n_heads=2, bias=False
    )
    assert forward_flops(config, length=3) == {
        "projections": 2 * (2 * 3 * 4 * 16),
        "attention": 2 * (4 * 3 * 3 * 4),
        "feedforward": 2 * (2 * 2 * 3 * 4 * 16),
        "output": 2 * 3 * 4 * 10,
    }
