import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import BertConfig, BertForMaskedLM, BertModel

from llm_core.models.config import POSITIONS, TransformerConfig
from llm_core.models.encoder import Encoder, cls_pooling, mean_pooling, sentence_vectors
from llm_core.models.huggingface import load_huggingface

TINY = {
    "kind": "encoder",
    "vocab_size": 43,
    "context_length": 16,
    "d_model": 24,
    "n_layers": 2,
    "n_heads": 4,
}


TORCH_NAMES = {
    "layers.": "blocks.",
    "self_attn.in_proj_": "attention.query_key_value.",
    "self_attn.out_proj.": "attention.output.",
    "linear1.": "feedforward.widen.",
    "linear2.": "feedforward.narrow.",
    "norm1.": "attention_norm.",
    "norm2.": "feedforward_norm.",
}


def build(shaken=None, **changes):
    model = Encoder(TransformerConfig(**(TINY | changes)))
    return shaken(model) if shaken else model.eval()


def ids_of(*shape, seed=0):
    return torch.randint(43, shape, generator=torch.Generator().manual_seed(seed))


def padding_mask(*lengths, to):
    return torch.tensor([[place < length for place in range(to)] for length in lengths])


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


@pytest.fixture
def bert_pair(shaken, tmp_path):
    """A BERT of transformers, and the same weights here."""

    def make(kind):
        config = BertConfig(
            vocab_size=43,
            hidden_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=40,
            max_position_embeddings=16,
        )
        theirs = shaken(kind(config))
        theirs.save_pretrained(tmp_path)
        return theirs, load_huggingface(tmp_path)

    return make


def test_padding_and_token_types_act_as_in_transformers_bert(bert_pair):
    theirs, ours = bert_pair(BertModel)
    ids, types = ids_of(3, 14), torch.randint(2, (3, 14))
    mask = padding_mask(14, 9, 1, to=14)
    with torch.no_grad():
        expected = theirs(ids, attention_mask=mask.long(), token_type_ids=types)
        output = ours(ids, mask=mask, token_types=types)
    close(output.hidden[mask], expected.last_hidden_state[mask])
    close(output.pooled, expected.pooler_output)
    assert output.logits is None
    assert output.loss is None


def test_the_masked_token_loss_is_transformers(bert_pair):
    theirs, ours = bert_pair(BertForMaskedLM)
    ids, targets = ids_of(3, 14), torch.full((3, 14), -100)
    targets[:, 3], targets[1, 8] = ids[:, 3], ids[1, 8]
    ids[:, 3] = 1
    with torch.no_grad():
        expected = theirs(ids, labels=targets)
        output = ours(ids, targets)
    close(output.loss, expected.loss)
    close(output.logits, expected.logits)


@pytest.mark.parametrize("placement", ["pre", "post"])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_blocks_equal_torchs_transformer_encoder(placement, activation, shaken):
    ours = build(shaken, position="none", norm_placement=placement, activation=activation, d_ff=40)
    layer = nn.TransformerEncoderLayer(
        24, 4, 40, 0.0, activation, batch_first=True, norm_first=placement == "pre"
    )
    norm = nn.LayerNorm(24) if placement == "pre" else None
    theirs = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False).eval()
    state = ours.state_dict()
    for name, tensor in theirs.state_dict().items():
        if not name.startswith("layers."):  # the norm after the last block
            tensor.copy_(state["final_" + name])
            continue
        for their_part, our_part in TORCH_NAMES.items():
            name = name.replace(their_part, our_part)
        tensor.copy_(state[name])
    ids, mask = ids_of(3, 12), padding_mask(12, 7, 2, to=12)
    with torch.no_grad():
        expected = theirs(ours.token_embedding(ids), src_key_padding_mask=~mask)
        hidden = ours(ids, mask=mask).hidden
    close(hidden[mask], expected[mask])


@pytest.mark.parametrize("position", POSITIONS)
def test_every_token_sees_all_others_and_no_padding(position, shaken):
    model = build(shaken, position=position)
    ids = ids_of(1, 10)
    padded = torch.cat([ids, ids_of(1, 4, seed=1)], dim=1)
    with torch.no_grad():
        hidden = model(ids).hidden
        close(model(padded, mask=padding_mask(10, to=14)).hidden[:, :10], hidden)
        changed = ids.clone()
        changed[0, 9] = (changed[0, 9] + 1) % 43
        assert (model(changed).hidden - hidden).abs().amax(-1).min() > 1e-4


def test_mean_pooling_is_the_mean_of_the_real_tokens(shaken):
    hidden, mask = torch.randn(2, 6, 8), padding_mask(6, 2, to=6)
    pooled = mean_pooling(hidden, mask)
    close(pooled[0], hidden[0].mean(0))
    close(pooled[1], hidden[1, :2].mean(0))
    close(mean_pooling(hidden), hidden.mean(1))
    assert torch.equal(cls_pooling(hidden), hidden[:, 0])
    model = build(shaken)
    ids = ids_of(2, 6)
    with torch.no_grad():
        vectors = sentence_vectors(model, ids, mask)
        expected = mean_pooling(model(ids, mask=mask).hidden, mask)
    close(vectors.norm(dim=-1), torch.ones(2))
    close(F.cosine_similarity(vectors, expected), torch.ones(2))


def test_a_mask_learns_to_be_filled():
    model = build(mlm_head=True, n_token_types=2, embedding_norm=True, norm_placement="post")
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=0.003)
    ids = torch.arange(16)[None].repeat(8, 1)  # a text in which the place tells the token
    for _ in range(60):
        hidden = torch.rand(8, 16) < 0.3
        targets = torch.where(hidden, ids, -100)
        loss = model(ids.masked_fill(hidden, 42), targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    question = ids[:1].clone()
    question[0, 7] = 42
    assert model(question).logits[0, 7].argmax() == 7


def test_targets_need_a_head():
    with pytest.raises(ValueError, match="no masked-token head"):
        build()(ids_of(1, 4), ids_of(1, 4))


def test_a_decoders_shape_is_refused():
    with pytest.raises(ValueError, match="of kind decoder, not an encoder"):
        build(kind="decoder")


@pytest.mark.parametrize("activation", ["swiglu", "relu_squared"])
@pytest.mark.parametrize("bias", [True, False])
def test_every_head_builds(activation, bias):
    model = build(
        activation=activation, bias=bias, mlm_head=True, pooler=True, tie_embeddings=False
    )
    output = model(ids_of(2, 5), ids_of(2, 5))
    assert output.logits.shape == (2, 5, 43)
    assert output.pooled.shape == (2, 24)
    output.loss.backward()
    assert model.unembedding.weight.grad is not None
