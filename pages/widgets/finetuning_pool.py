"""Which vector stands for a text: the last token's, or that of whatever fills up the row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from llm_core.data.labelled_texts import make_texts
from pages.figures.finetuning import padding_figure
from pages.widgets.figure import show_figure
from pages.widgets.token_chips import Chip, Highlight, token_chips

if TYPE_CHECKING:
    from llm_core.finetuning.classification import Classifier

TASK, COUNT, STEPS = "plots", 100, 40
UNSEEN = 120
MOST_PADDING = 60
_TEXT = 3  # of the test texts: the one that is looked at


@dataclass(frozen=True)
class Pooled:
    """A text under both kinds of pooling, over 0 to `MOST_PADDING` padding tokens.

    right: its label; last_token, last_place: the probability of that label. accuracy: of both, on
    texts that were padded to the longest of 64.
    """

    text: str
    right: str
    pieces: tuple[str, ...]
    last_token: tuple[float, ...]
    last_place: tuple[float, ...]
    accuracy: tuple[float, float]


def show_pool() -> Pooled:
    """Pad a text, and see what becomes of its probability."""
    pooled = pool()
    count = int(st.slider("Padding tokens", 0, 30, 6, key="padding", bind="query-params"))
    shown = len(pooled.pieces)
    token_chips(
        [
            *(Chip(piece, id=place) for place, piece in enumerate(pooled.pieces)),
            *(Chip("pad", id=-1) for _ in range(count)),
        ],
        key="pool_chips",
        label="The text with its padding",
        highlights=[
            Highlight([shown - 1], "validation", "the last token"),
            *([Highlight([shown + count - 1], "prediction", "the last place")] if count else []),
        ],
        selectable=False,
    )
    right, wrong = pooled.last_token[count], pooled.last_place[count]
    alt = (
        f"For “{pooled.right}”, the right label, the last token gives {right:.1%}, however much "
        f"padding there is; the last place gives {wrong:.1%} with {count} padding tokens."
    )
    places = list(range(MOST_PADDING + 1))
    show_figure(
        padding_figure(places, pooled.last_token, pooled.last_place),
        key="pool_figure",
        alt=alt,
        table=pd.DataFrame(
            {"last token": pooled.last_token, "last place": pooled.last_place},
            index=pd.Index(places, name="padding tokens"),
        ),
    )
    token, place = pooled.accuracy
    st.markdown(
        f"**Measured** on {UNSEEN} unseen texts, padded in rows of 64: **{token:.1%}** right with "
        f"the last token, **{place:.1%}** with the last place."
    )
    return pooled


@st.cache_data(max_entries=1, show_spinner=False)
def pool() -> Pooled:
    """Train a head on the plots, once for all visitors, and pool in both ways."""
    import torch

    from llm_core.finetuning.classification import encode_texts, predict

    classifier, tokenizer = trained_head()
    texts = make_texts(TASK, train=COUNT, test=UNSEEN)
    rows, labels = encode_texts(texts.test, tokenizer, 128)
    row, right = rows[_TEXT], labels[_TEXT]
    found: dict[str, list[float]] = {}
    accuracy = []
    ids = torch.tensor([row + [0] * MOST_PADDING])
    for kind in ("last token", "last place"):
        classifier.pool = kind
        said = predict(classifier, rows).argmax(dim=-1)
        accuracy.append(float((said == torch.tensor(labels)).float().mean()))
        with torch.inference_mode():
            found[kind] = [
                float(
                    classifier(ids[:, : len(row) + n], torch.tensor([len(row)]))
                    .logits[0]
                    .softmax(-1)[right]
                )
                for n in range(MOST_PADDING + 1)
            ]
    return Pooled(
        texts.test[_TEXT].text,
        texts.labels[right],
        tuple(tokenizer.decode([index]) for index in row),
        tuple(found["last token"]),
        tuple(found["last place"]),
        (accuracy[0], accuracy[1]),
    )


def trained_head() -> "tuple[Classifier, object]":
    """A head on the pretrained tiny GPT, trained in a second."""
    import torch

    from llm_core.finetuning.classification import Classifier, fine_tune
    from llm_core.finetuning.settings import FinetuneSettings
    from llm_core.pretrained.tiny import load_tiny

    texts = make_texts(TASK, train=COUNT, test=UNSEEN)
    model, tokenizer = load_tiny()
    classifier = Classifier(model, len(texts.labels), generator=torch.Generator().manual_seed(1))
    settings = FinetuneSettings(trained="head", steps=STEPS, score_interval=STEPS)
    list(fine_tune(classifier, tokenizer, texts, settings))
    return classifier, tokenizer
