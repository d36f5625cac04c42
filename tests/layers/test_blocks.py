import pytest
import torch
from torch import nn

from llm_core.layers.attention import causal_mask
from llm_core.layers.blocks import TransformerBlock
from llm_core.layers.embeddings import TokenEmbedding

NAMES = {
    "attention.query_key_value.": "self_attn.in_proj_",
    "attention.output.": "self_attn.out_proj.",
    "cross_attention.query_key_value.": "multihead_attn.in_proj_",
    "cross_attention.output.": "multihead_attn.out_proj.",
    "feedforward.widen.": "linear1.",
    "feedforward.narrow.": "linear2.",
    "attention_norm.": "norm1.",
    "cross_attention_norm.": "norm2.",
    "feedforward_norm.": "norm3.",
}


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_a_block_equals_torchs_decoder_layer(placement):
    theirs = nn.TransformerDecoderLayer(
        16, 4, 40, 0.0, "gelu", batch_first=True, norm_first=placement == "pre"
    ).eval()
    ours = TransformerBlock(
        d_model=16, n_heads=4, d_ff=40, norm_placement=placement, cross_attention=True
    ).eval()
    state = theirs.state_dict()
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            module, kind = name.rsplit(".", 1)
            parameter.copy_(state[NAMES[module + "."] + kind].normal_())
    x, memory = torch.randn(2, 7, 16), torch.randn(2, 5, 16)
    expected = theirs(x, memory, tgt_mask=~causal_mask(7))
    torch.testing.assert_close(ours(x, context=memory), expected, atol=1e-4, rtol=1e-4)


def test_pre_norm_leaves_the_stream_alone_and_post_norm_does_not():
    x = 100 * torch.randn(1, 5, 16)
    for placement, kept in (("pre", True), ("post", False)):
        block = TransformerBlock(d_model=16, n_heads=2, d_ff=32, norm_placement=placement)
        for silent in (block.attention.output, block.feedforward.narrow):
            nn.init.zeros_(silent.weight)
            nn.init.zeros_(silent.bias)
        assert torch.equal(block(x), x) == kept


def test_a_norm_has_two_places():
    with pytest.raises(ValueError, match="not 'amid'"):
        TransformerBlock(d_model=16, n_heads=2, d_ff=32, norm_placement="amid")


def test_an_embedding_is_a_one_hot_vector_times_the_table():
    table = TokenEmbedding(7, 4, scale=3.0)
    ids = torch.tensor([[0, 6, 3]])
    one_hot = nn.functional.one_hot(ids, 7).float()
    torch.testing.assert_close(table(ids), 3 * one_hot @ table.weight)
