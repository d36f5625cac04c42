"""What every decoder must do, whatever parts it is made of."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BloomConfig, BloomForCausalLM

from llm_core.layers.trace import Trace
from llm_core.models.config import ACTIVATIONS, POSITIONS, TransformerConfig
from llm_core.models.gpt import GPT

TINY = {"vocab_size": 43, "context_length": 16, "d_model": 24, "n_layers": 2, "n_heads": 4}
RELATIVE = [position for position in POSITIONS if position != "learned"]

# One shape for each part, so that every part meets every demand.
SHAPES = {position: {"position": position} for position in POSITIONS} | {
    "post-norm": {"norm_placement": "post", "embedding_norm": True},
    "llama": {"position": "rope", "norm": "rmsnorm", "activation": "swiglu", "n_kv_heads": 2},
    "modern": {"position": "rope", "norm": "rmsnorm", "qk_norm": True, "n_kv_heads": 1},
    "shaw, grouped": {"position": "shaw", "n_kv_heads": 2, "max_distance": 3},
    "t5, few buckets": {"position": "t5", "relative_buckets": 6, "max_distance": 9},
    "window": {"position": "alibi", "window": 3},
    "learned window": {"window": 5},
}


def build(shape, shaken=None, **changes):
    model = GPT(TransformerConfig(**(TINY | shape | changes)))
    return shaken(model) if shaken else model.eval()


def ids_of(*shape, seed=0):
    return torch.randint(43, shape, generator=torch.Generator().manual_seed(seed))


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("name", SHAPES)
def test_no_token_sees_a_later_one(name, shaken):
    model = build(SHAPES[name], shaken)
    ids = ids_of(2, 12)
    with torch.no_grad():
        before = model(ids).logits
        for place in (1, 6, 11):
            changed = ids.clone()
            changed[:, place] = (changed[:, place] + 1) % 43
            after = model(changed).logits
            close(after[:, :place], before[:, :place])
            assert not torch.allclose(after[:, place], before[:, place], atol=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_cached_equals_uncached_token_by_token(name, shaken):
    model = build(SHAPES[name], shaken)
    ids = ids_of(2, 16)
    cache = model.new_cache(batch=2)
    with torch.no_grad():
        whole = model(ids).logits
        for place in range(16):
            close(model(ids[:, place : place + 1], cache=cache).logits[:, 0], whole[:, place])
    assert cache.length == 16


@pytest.mark.parametrize("name", SHAPES)
def test_cached_equals_uncached_in_pieces(name, shaken):
    model = build(SHAPES[name], shaken)
    ids = ids_of(1, 16)
    cache = model.new_cache()
    with torch.no_grad():
        pieces = [model(part, cache=cache).logits for part in ids.split([3, 1, 3, 2, 3, 1, 3], 1)]
        close(torch.cat(pieces, dim=1), model(ids).logits)


@settings(max_examples=25, deadline=None)
@given(
    position=st.sampled_from(RELATIVE),
    capacity=st.integers(1, 7),
    pieces=st.lists(st.integers(1, 9), min_size=1, max_size=9),
    seed=st.integers(0, 9),
)
def test_a_sliding_cache_equals_a_window_over_the_whole_text(position, capacity, pieces, seed):
    torch.manual_seed(seed)
    model = build({"position": position})
    windowed = build({"position": position}, window=capacity)
    windowed.load_state_dict(model.state_dict())
    ids = ids_of(2, sum(pieces), seed=seed)
    cache = model.new_cache(batch=2, capacity=capacity, sliding=True)
    with torch.no_grad():
        read = [model(part, cache=cache).logits for part in ids.split(pieces, dim=1)]
        close(torch.cat(read, dim=1), windowed(ids).logits)


@pytest.mark.parametrize("name", SHAPES)
def test_padding_on_the_left_changes_nothing(name, shaken):
    model = build(SHAPES[name], shaken)
    long, short = ids_of(1, 12), ids_of(1, 7, seed=1)
    both = torch.cat([long, torch.cat([torch.zeros(1, 5, dtype=torch.long), short], dim=1)])
    mask = torch.ones(2, 12, dtype=torch.bool)
    mask[1, :5] = False
    with torch.no_grad():
        expected = model(long).logits, model(short).logits
        logits = model(both, mask=mask).logits
        cache = model.new_cache(batch=2)
        first = model(both[:, :8], cache=cache, mask=mask[:, :8]).logits
        rest = [model(both[:, i : i + 1], cache=cache).logits for i in range(8, 12)]
    assert logits.isfinite().all()
    for result in (logits, torch.cat([first, *rest], dim=1)):
        close(result[:1], expected[0])
        close(result[1:, 5:], expected[1])


@pytest.mark.parametrize("name", SHAPES)
def test_weights_and_the_fused_kernel_agree_in_value_and_gradient(name, shaken):
    model = build(SHAPES[name], shaken)
    ids, targets = ids_of(2, 16), ids_of(2, 16, seed=1)
    gradients = []
    for trace in (None, Trace()):
        model.zero_grad()
        model(ids, targets, trace=trace).loss.backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for fused, explicit in zip(*gradients, strict=True):
        torch.testing.assert_close(fused, explicit, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("position", RELATIVE)
def test_relative_positions_read_beyond_the_context_they_were_made_for(position):
    assert build({"position": position})(ids_of(1, 50)).logits.isfinite().all()


def test_learned_positions_end_with_the_context():
    model = build({})
    with pytest.raises(ValueError, match="17 tokens, and the model has places for 16"):
        model(ids_of(1, 17))
    cache = model.new_cache()
    model(ids_of(1, 16), cache=cache)
    with pytest.raises(ValueError, match="17 tokens, and the model has places for 16"):
        model(ids_of(1, 1), cache=cache)
    assert cache.length == 16


def test_without_positions_order_means_nothing_to_the_last_token(shaken):
    ids = ids_of(1, 9)
    mixed = torch.cat([ids[:, torch.tensor([3, 1, 0, 7, 6, 2, 5, 4])], ids[:, 8:]], dim=1)
    with torch.no_grad():
        for position in POSITIONS:
            model = build({"position": position}, shaken, n_layers=1)
            same = torch.allclose(model(ids).logits[:, -1], model(mixed).logits[:, -1], atol=1e-5)
            assert same == (position == "none")


def test_only_the_last_token_can_be_scored(shaken):
    model = build({}, shaken)
    logits = model(ids_of(2, 9), last_only=True).logits
    close(logits, model(ids_of(2, 9)).logits[:, -1:])
    assert logits.shape == (2, 1, 43)


def test_a_target_of_minus_100_does_not_count(shaken):
    model = build({}, shaken)
    ids, targets = ids_of(1, 9), ids_of(1, 9, seed=1)
    targets[:, 4:] = -100
    close(model(ids, targets).loss, model(ids[:, :4], targets[:, :4]).loss)


@pytest.mark.parametrize("heads", [4, 6])
def test_logits_equal_transformers_bloom(heads, shaken):
    width = 8 * heads
    theirs = shaken(
        BloomForCausalLM(BloomConfig(vocab_size=43, hidden_size=width, n_layer=2, n_head=heads))
    )
    shape = {"position": "alibi", "embedding_norm": True, "activation": "gelu_tanh"}
    ours = build(shape, n_heads=heads, d_model=width)
    source, state = theirs.transformer.state_dict(), {}
    for ours_name, name in (
        ("token_embedding", "word_embeddings"),
        ("embedding_norm", "word_embeddings_layernorm"),
        ("final_norm", "ln_f"),
    ):
        state |= {
            f"{ours_name}.{k}": source[f"{name}.{k}"]
            for k in ("weight", "bias")
            if f"{name}.{k}" in source
        }
    for i in range(2):
        for ours_name, name in (
            ("attention_norm", "input_layernorm"),
            ("attention.query_key_value", "self_attention.query_key_value"),
            ("attention.output", "self_attention.dense"),
            ("feedforward_norm", "post_attention_layernorm"),
            ("feedforward.widen", "mlp.dense_h_to_4h"),
            ("feedforward.narrow", "mlp.dense_4h_to_h"),
        ):
            for kind in ("weight", "bias"):
                tensor = source[f"h.{i}.{name}.{kind}"]
                if "query_key_value" in name:  # theirs lie head by head: q, k, v, q, k, v, ...
                    tensor = tensor.unflatten(0, (heads, 3, 8)).transpose(0, 1).flatten(0, 2)
                state[f"blocks.{i}.{ours_name}.{kind}"] = tensor
    ours.load_state_dict(state)
    ids = ids_of(2, 16)
    with torch.no_grad():
        torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_builds_and_learns(activation):
    torch.manual_seed(0)
    model = build({"activation": activation}).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    ids = ids_of(4, 16)
    losses = []
    for _ in range(20):
        loss = model(ids[:, :-1], ids[:, 1:]).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.5


def test_evaluating_first_does_not_spoil_training():
    for position in POSITIONS:  # tables made in inference mode cannot be trained through
        model = build({"position": position})
        with torch.inference_mode():
            model(ids_of(1, 8))
        model(ids_of(1, 8), ids_of(1, 8)).loss.backward()


def test_projections_that_start_at_zero_pass_the_embedding_through():
    model = build({"zero_init_projections": True})
    ids = ids_of(1, 8)
    expected = model.final_norm(model.positions(model.token_embedding(ids)))
    close(model(ids).logits, expected @ model.token_embedding.weight.T)


def test_an_encoders_shape_is_refused():
    with pytest.raises(ValueError, match="shape of an encoder: a GPT is a decoder"):
        build({"kind": "encoder"})
