"""Random shapes of all kinds, and the models that belong to them."""

from hypothesis import strategies as st

from llm_core.models.config import (
    ACTIVATIONS,
    KINDS,
    NORMS,
    PLACEMENTS,
    POSITIONS,
    TransformerConfig,
)
from llm_core.models.encoder import Encoder
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.models.gpt import GPT

CLASSES = {"decoder": GPT, "encoder": Encoder, "encoder-decoder": EncoderDecoder}


@st.composite
def configs(draw, kinds=KINDS):
    """Any shape that can be built, small."""
    kind = draw(st.sampled_from(kinds))
    n_kv_heads, group = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n_heads = n_kv_heads * group
    encoder = kind == "encoder"
    return TransformerConfig(
        kind=kind,
        vocab_size=draw(st.integers(2, 60)),
        context_length=draw(st.integers(12, 20)),
        d_model=n_heads * 2 * draw(st.integers(1, 4)),
        n_layers=draw(st.integers(1, 3)),
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        d_ff=draw(st.integers(1, 40)),
        position=draw(st.sampled_from(POSITIONS)),
        norm=draw(st.sampled_from(NORMS)),
        norm_placement=draw(st.sampled_from(PLACEMENTS)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        bias=draw(st.booleans()),
        tie_embeddings=draw(st.booleans()),
        embedding_norm=draw(st.booleans()),
        qk_norm=draw(st.booleans()),
        window=draw(st.none() | st.integers(1, 9)),
        relative_buckets=draw(st.integers(4, 9)),
        max_distance=draw(st.integers(5, 9)),
        n_token_types=draw(st.integers(0, 3)) if encoder else 0,
        mlm_head=encoder and draw(st.booleans()),
        pooler=encoder and draw(st.booleans()),
    )


def build(config):
    """The model of a config."""
    return CLASSES[config.kind](config)
