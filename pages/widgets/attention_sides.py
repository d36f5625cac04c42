"""Who may look where, on a real encoder: what a word becomes when it cannot see what follows."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.heads import look_back_only, vectors_by_layer
from pages.figures.attention import parting_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.model_request import requested_model

WORD = "bank"
SENTENCES = (
    "The bank is closed today, so the account has to wait.",
    "The bank is steep and muddy, so the boat has to wait.",
)
BOTH, BACK = "all", "before"
CAPTIONS = ("all tokens, as it was trained", "only tokens before it: a causal mask")


def look_both_ways() -> None:
    """The same word in two sentences, under each mask."""
    st.markdown("\n".join(f"- {sentence}" for sentence in SENTENCES))
    mask = st.radio(
        "Each token may see", [BOTH, BACK], captions=CAPTIONS, key="sides", bind="query-params"
    )
    loaded = requested_model("minilm")
    if loaded is None:
        return
    model, tokenizer = loaded
    causal = mask == BACK
    similarities, maps, labels = _measure(model, tokenizer, causal)
    free, hidden = (_measure(model, tokenizer, kind)[0] for kind in (False, True))
    end = similarities[-1]
    show_figure(
        parting_figure(free, hidden, causal=causal),
        key="parting",
        alt=f"After the last layer, the two vectors of “{WORD}” have a cosine of {end:.3f}"
        + (": they are one and the same." if end > 0.9995 else "."),
        table=pd.DataFrame(
            {"all tokens": free, "only tokens before it": hidden},
            index=pd.Index(["embedding", *range(1, len(free))], name="layer"),
        ).map(lambda n: f"{n:.4f}"),
    )
    layer = st.slider("Layer", 1, len(maps), len(maps), key="sides_layer", bind="query-params")
    row = labels.index(WORD)
    weights = maps[layer - 1]
    ahead = float(weights[row, row + 1 :].sum())
    matrix_heatmap(
        np.where(np.triu(np.ones_like(weights), 1) > 0, -np.inf, weights) if causal else weights,
        key="sides_matrix",
        alt=f"The first sentence in layer {layer}, the mean of all heads: “{WORD}” gives "
        f"{ahead:.0%} of its weight to what comes after it.",
        rows=labels,
        columns=labels,
        row_name="query",
        column_name="key",
        numbers=False,
    )
    _show_code(row, causal, end)


@st.cache_data(max_entries=4, show_spinner=False)
def _measure(
    _model: Any, _tokenizer: Any, causal: bool
) -> tuple[list[float], np.ndarray, list[str]]:
    """Cosines (L + 1) of the two words' vectors, the first text's mean maps, and its tokens."""
    import torch
    import torch.nn.functional as F

    found = []
    for sentence in SENTENCES:
        ids = torch.tensor(_tokenizer.encode_text(sentence))
        place = ids.tolist().index(_tokenizer.id_of(WORD))
        found.append(vectors_by_layer(_model, ids, place, causal=causal))
    (first, maps), (second, _) = found
    labels = [_tokenizer.tokens[index] for index in _tokenizer.encode_text(SENTENCES[0])]
    return F.cosine_similarity(first, second).tolist(), maps.mean(dim=1).numpy(), labels


def _show_code(place: int, causal: bool, end: float) -> None:
    show_code(
        vectors_by_layer,
        look_back_only,
        key="sides",
        call=f"""import torch
import torch.nn.functional as F

from llm_core.inspection.heads import vectors_by_layer
from llm_core.pretrained.registry import load

model, tokenizer = load("minilm")
first, second = (
    vectors_by_layer(model, torch.tensor(tokenizer.encode_text(text)), {place}, causal={causal})[0]
    for text in {SENTENCES!r}
)
print(round(float(F.cosine_similarity(first[-1], second[-1], dim=0)), 3))  # {round(end, 3)}""",
    )
