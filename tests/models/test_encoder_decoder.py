import math

import pytest
import torch
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration

from llm_core.models.config import POSITIONS, TransformerConfig
from llm_core.models.encoder_decoder import EncoderDecoder

TINY = {
    "kind": "encoder-decoder",
    "vocab_size": 43,
    "context_length": 16,
    "d_model": 24,
    "n_layers": 2,
    "n_heads": 4,
    "activation": "relu",
}


def build(shaken=None, **changes):
    model = EncoderDecoder(TransformerConfig(**(TINY | changes)))
    return shaken(model) if shaken else model.eval()


def ids_of(*shape, seed=0):
    return torch.randint(43, shape, generator=torch.Generator().manual_seed(seed))


def padding_mask(*lengths, to):
    return torch.tensor([[place < length for place in range(to)] for length in lengths])


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


TORCH_NAMES = (
    ("self_attn.in_proj_", "attention.query_key_value."),
    ("self_attn.out_proj.", "attention.output."),
    ("multihead_attn.in_proj_", "cross_attention.query_key_value."),
    ("multihead_attn.out_proj.", "cross_attention.output."),
    ("linear1.", "feedforward.widen."),
    ("linear2.", "feedforward.narrow."),
    (".layers.", ".blocks."),
)


def name_in_ours(name, pre_norm):
    for theirs, ours in TORCH_NAMES:
        name = name.replace(theirs, ours)
    decoder = name.startswith("decoder.blocks")
    name = name.replace("norm1.", "attention_norm.").replace("norm3.", "feedforward_norm.")
    name = name.replace("norm2.", "cross_attention_norm." if decoder else "feedforward_norm.")
    return name.replace("coder.norm.", "coder.final_norm.") if pre_norm else name


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_logits_equal_torchs_transformer(placement, shaken):
    """Sinusoids and the token table are ours, the whole rest is torch's."""
    pre = placement == "pre"
    ours = build(shaken, norm_placement=placement, position="sinusoidal", d_ff=40)
    theirs = nn.Transformer(24, 4, 2, 2, 40, 0.0, batch_first=True, norm_first=pre).eval()
    if not pre:  # the paper has no norm after the last one, torch adds it
        theirs.encoder.norm = theirs.decoder.norm = None
    state = ours.state_dict()
    for name, tensor in theirs.state_dict().items():
        tensor.copy_(state[name_in_ours(name, pre)])
    source, ids = ids_of(3, 9), ids_of(3, 7, seed=1)
    mask = padding_mask(9, 5, 1, to=9)

    def embed(tokens):
        place = torch.arange(tokens.shape[1])[:, None]
        wave = place / 10_000 ** (torch.arange(0, 24, 2) / 24)
        waves = torch.stack([wave.sin(), wave.cos()], dim=-1).flatten(-2)
        return state["token_embedding.weight"][tokens] * math.sqrt(24) + waves

    with torch.no_grad():
        hidden = theirs(
            embed(source),
            embed(ids),
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(7),
            src_key_padding_mask=~mask,
            memory_key_padding_mask=~mask,
        )
        logits = ours(source, ids, source_mask=mask).logits
    close(logits, hidden @ state["token_embedding.weight"].T)


def t5_state(theirs, scale):
    """T5's weights under our names; it does not divide scores by √D, so queries must grow."""
    source = theirs.state_dict()
    state = {"token_embedding.weight": source["shared.weight"]}
    state["unembedding.weight"] = source["lm_head.weight"]
    for side in ("encoder", "decoder"):
        first = f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        state[f"{side}.positions.weight"] = source[first]
        state[f"{side}.final_norm.weight"] = source[f"{side}.final_layer_norm.weight"]
        for i in range(2):
            ours, layer = f"{side}.blocks.{i}.", f"{side}.block.{i}.layer."
            looks = [("attention", "0", "SelfAttention")]
            if side == "decoder":
                looks.append(("cross_attention", "1", "EncDecAttention"))
            for name, number, kind in looks:
                q, k, v, o = (source[f"{layer}{number}.{kind}.{p}.weight"] for p in "qkvo")
                state[f"{ours}{name}.query_key_value.weight"] = torch.cat([q * scale, k, v])
                state[f"{ours}{name}.output.weight"] = o
                state[f"{ours}{name}_norm.weight"] = source[f"{layer}{number}.layer_norm.weight"]
            last = f"{layer}{len(looks)}."
            state[f"{ours}feedforward.widen.weight"] = source[last + "DenseReluDense.wi.weight"]
            state[f"{ours}feedforward.narrow.weight"] = source[last + "DenseReluDense.wo.weight"]
            state[f"{ours}feedforward_norm.weight"] = source[last + "layer_norm.weight"]
    return state


def test_logits_equal_transformers_t5(shaken):
    config = T5Config(
        vocab_size=43,
        d_model=24,
        d_kv=6,
        d_ff=40,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=11,
        tie_word_embeddings=False,
        decoder_start_token_id=0,
    )
    theirs = shaken(T5ForConditionalGeneration(config))
    shape = {"position": "t5", "relative_buckets": 8, "max_distance": 11, "norm": "rmsnorm"}
    ours = build(**shape, norm_eps=1e-6, bias=False, d_ff=40, tie_embeddings=False)
    ours.load_state_dict(t5_state(theirs, math.sqrt(6)))
    source, ids, targets = ids_of(2, 16), ids_of(2, 15, seed=1), ids_of(2, 15, seed=2)
    mask = padding_mask(16, 9, to=16)
    with torch.no_grad():
        expected = theirs(source, attention_mask=mask.long(), decoder_input_ids=ids, labels=targets)
        output = ours(source, ids, targets, source_mask=mask)
    close(output.logits, expected.logits)
    close(output.loss, expected.loss)


@pytest.mark.parametrize("position", POSITIONS)
def test_cached_equals_uncached_token_by_token(position, shaken):
    model = build(shaken, position=position)
    source, ids = ids_of(2, 9), ids_of(2, 12, seed=1)
    mask = padding_mask(9, 4, to=9)
    with torch.no_grad():
        expected = model(source, ids, source_mask=mask).logits
        memory = model.encode(source, mask=mask)
        cache = model.new_cache(batch=2)
        for place in range(12):
            one = ids[:, place : place + 1]
            logits = model.decode(one, memory, memory_mask=mask, cache=cache)
            close(logits[:, 0], expected[:, place])


@pytest.mark.parametrize("position", POSITIONS)
def test_the_decoder_sees_the_whole_source_and_nothing_ahead(position, shaken):
    model = build(shaken, position=position)
    source, ids = ids_of(1, 9), ids_of(1, 12, seed=1)
    with torch.no_grad():
        logits = model(source, ids).logits
        changed = ids.clone()
        changed[0, 7] = (changed[0, 7] + 1) % 43
        close(model(source, changed).logits[:, :7], logits[:, :7])
        other = source.clone()
        other[0, 8] = (other[0, 8] + 1) % 43
        assert (model(other, ids).logits - logits).abs().amax(-1).min() > 1e-5


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_it_learns_to_reverse(placement):
    model = build(
        position="sinusoidal", vocab_size=12, d_model=32, n_layers=1, norm_placement=placement
    )
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=0.003)

    def batch(size):
        source = torch.randint(2, 12, (size, 5))
        answer = source.flip(1)
        start = torch.ones(size, 1, dtype=torch.long)
        return source, torch.cat([start, answer[:, :-1]], dim=1), answer

    for _ in range(150):
        loss = model(*batch(64)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    source, ids, answer = batch(100)
    assert (model(source, ids).logits.argmax(-1) == answer).float().mean() > 0.9


def test_another_models_shape_is_refused():
    with pytest.raises(ValueError, match="of kind decoder, not of two"):
        build(kind="decoder")
