import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.models.initialisation import without_weights
from llm_core.pretrained.compact import CompactGPT, CompactLinear, can_compact

pytestmark = pytest.mark.skipif(not can_compact(), reason="no FBGEMM for this processor")


def rounded(weight):
    return weight.half().float()


@settings(max_examples=40, deadline=None)
@given(
    outputs=st.integers(1, 70),
    inputs=st.sampled_from([1, 8, 96, 511, 512, 513, 576, 1024, 1100]),
    shape=st.lists(st.integers(1, 4), min_size=0, max_size=3),
    seed=st.integers(0, 1000),
)
def test_products_are_those_of_the_rounded_matrix(outputs, inputs, shape, seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(outputs, inputs, generator=generator)
    x = torch.randn(*shape, inputs, generator=generator)
    layer = CompactLinear(weight)
    with torch.inference_mode():
        y = layer(x)
    assert torch.equal(layer.weight, rounded(weight))
    torch.testing.assert_close(y, F.linear(x, rounded(weight)), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("inputs", [64, 576])
def test_gradients_flow_through_to_the_input(inputs):
    weight = torch.randn(10, inputs)
    x = torch.randn(2, 3, inputs, requires_grad=True)
    same = x.detach().clone().requires_grad_()
    CompactLinear(weight)(x).square().sum().backward()
    F.linear(same, rounded(weight)).square().sum().backward()
    torch.testing.assert_close(x.grad, same.grad, rtol=1e-4, atol=1e-2)


def test_a_compact_model_scores_as_one_with_rounded_matrices():
    config = TransformerConfig(
        vocab_size=61,
        context_length=32,
        d_model=576,
        n_layers=2,
        n_heads=9,
        n_kv_heads=3,
        position="rope",
        norm="rmsnorm",
        activation="swiglu",
        bias=False,
    )
    plain = GPT(config, generator=torch.Generator().manual_seed(1)).eval()
    with without_weights():
        compact = CompactGPT(config).eval()
    for name, tensor in plain.state_dict().items():
        compact.take(name, tensor)
    with torch.no_grad():
        for parameter in plain.parameters():
            if parameter.ndim == 2:
                parameter.copy_(rounded(parameter))
    ids = torch.randint(61, (2, 20))
    with torch.inference_mode():
        torch.testing.assert_close(compact(ids).logits, plain(ids).logits, rtol=0, atol=1e-4)
        cache, ours = compact.new_cache(2), []
        for step in range(20):
            ours.append(compact(ids[:, step : step + 1], cache=cache).logits)
        torch.testing.assert_close(torch.cat(ours, 1), plain(ids).logits, rtol=0, atol=1e-4)
    assert torch.equal(compact.output_weight(), plain.output_weight())
    assert not any(parameter.requires_grad for parameter in compact.parameters())
