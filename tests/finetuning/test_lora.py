import pytest
import torch
from torch import nn

from llm_core.finetuning.lora import (
    LoRALinear,
    adapter_state,
    add_lora,
    load_adapter,
    merge_lora,
)
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT

CONFIG = TransformerConfig(
    vocab_size=50, context_length=16, d_model=24, n_layers=2, n_heads=2, tie_embeddings=True
)
IDS = torch.arange(12).view(1, 12)


def model(seed=3):
    return GPT(CONFIG, generator=torch.Generator().manual_seed(seed)).eval()


def shaken(gpt, seed=5):
    """The same with changes that are not 0."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in gpt.parameters():
        if parameter.requires_grad:
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return gpt


def test_it_changes_nothing_at_first():
    plain = model()(IDS).logits
    changed = model()
    add_lora(changed, rank=4)
    assert torch.equal(changed(IDS).logits, plain)


def test_merged_equals_unmerged_and_is_plain_again():
    gpt = model()
    before = gpt(IDS).logits
    add_lora(gpt, rank=4, alpha=8.0)
    unmerged = shaken(gpt)(IDS).logits.detach()
    assert (unmerged - before).abs().max() > 0.1  # else there is nothing to compare
    merge_lora(gpt)
    assert not any(isinstance(part, LoRALinear) for part in gpt.modules())
    assert (gpt(IDS).logits - unmerged).abs().max() < 1e-5
    assert set(gpt.state_dict()) == set(model().state_dict())


def test_a_layer_computes_the_written_formula():
    base = nn.Linear(6, 4)
    layer = LoRALinear(base, rank=2, alpha=6.0)
    layer.up.data = torch.randn(4, 2)
    x = torch.randn(3, 6)
    expected = x @ (base.weight + 3.0 * layer.up @ layer.down).T + base.bias
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.weight, base.weight + 3.0 * layer.up @ layer.down)


def test_only_the_changes_learn_and_their_count_is_right():
    gpt = model()
    trained = add_lora(gpt, rank=3)
    c = CONFIG.d_model
    sides = [(c, 3 * c), (c, c), (c, 4 * c), (4 * c, c)]
    assert sum(p.numel() for p in trained) == 2 * sum(3 * (a + b) for a, b in sides)
    frozen = {name: value.clone() for name, value in gpt.named_parameters() if "base" in name}
    optimizer = torch.optim.AdamW(trained, lr=0.1)
    gpt(IDS, IDS).loss.backward()
    optimizer.step()
    for name, value in gpt.named_parameters():
        if name in frozen:
            assert torch.equal(value, frozen[name])


def test_the_changes_alone_can_be_kept_and_put_back():
    gpt = model()
    add_lora(gpt, rank=4)
    shaken(gpt)
    kept = adapter_state(gpt)
    other = model()
    add_lora(other, rank=4)
    load_adapter(other, kept)
    torch.testing.assert_close(other(IDS).logits, gpt(IDS).logits)
    third = model()
    add_lora(third, rank=2)
    with pytest.raises(ValueError, match="another rank"):
        load_adapter(third, kept)
    with pytest.raises(ValueError, match="other layers"):
        load_adapter(model(), kept)


def test_ranks_and_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="between 1 and 24"):
        add_lora(model(), rank=25)
    with pytest.raises(ValueError, match="no layers called nothing"):
        add_lora(model(), targets=("nothing",))
