"""One text under the learner's tokenizer and under those of real models, side by side."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from llm_core.data.parallel_sentences import OTHER_TEXTS, PARALLEL_SENTENCES
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.vocabularies import load_vocabulary
from pages.figures.tokenization import languages_alt_text, languages_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.token_chips import Chip, token_chips
from pages.widgets.window_tables import named_table

REAL = {"GPT-2": "gpt2", "GPT-4": "cl100k_base", "GPT-4o": "o200k_base"}
OWN = "Yours"
TEXTS = PARALLEL_SENTENCES | OTHER_TEXTS


def compare_vocabularies(passage: str, own: BPETokenizer, own_code: str) -> None:
    """Show a text of the learner's choice under each tokenizer; the published ones on demand."""
    titles = ["Your text", *TEXTS, "Write one"]
    kind = st.selectbox("A text", titles, index=1, key="sample", bind="query-params")
    sample = TEXTS.get(kind, passage)
    if kind == "Write one":
        sample = st.text_area(
            "Write it here", key="own_sample", max_chars=500, persist_state="session", height=80
        )
    if not sample:
        raise ValueError("Write a text to compare the vocabularies on.")
    tokenizers = {OWN: own} | _published()
    price = st.number_input(
        "If a million tokens cost", 0.0, 1000.0, 1.0, 0.5, key="price", bind="query-params"
    )
    rows = [_row(name, each, sample, price) for name, each in tokenizers.items()]
    st.html(named_table(rows, "The text under each vocabulary"))
    for name, each in tokenizers.items():
        _chips(name, each, sample)
    _languages(tokenizers)
    _code(own, own_code, sample)


def _published() -> dict[str, Any]:
    """The vocabularies of real models, if the learner wants them and they can be had."""
    wanted = st.toggle(
        "Compare with the vocabularies of GPT-2, GPT-4 and GPT-4o",
        key="published",
        bind="query-params",
        help="They are fetched once, 3 MB, and kept on this machine.",
    )
    found: dict[str, Any] = {}
    if wanted:
        try:
            with st.spinner("Loading the vocabularies …"):
                found = {title: load_vocabulary(name) for title, name in REAL.items()}
        except ValueError as error:
            st.warning(str(error), icon=":material/info:")
    return found


def _encoder(tokenizer: Any) -> Callable[[str], list[int]]:
    encode: Callable[[str], list[int]] = getattr(tokenizer, "encode_ordinary", tokenizer.encode)
    return encode


def _vocab_size(tokenizer: Any) -> int:
    return int(getattr(tokenizer, "n_vocab", 0) or tokenizer.vocab_size)


def _row(name: str, tokenizer: Any, sample: str, price: float) -> dict[str, Any]:
    count = len(_encoder(tokenizer)(sample))
    return {
        "vocabulary": name,
        "its size": _vocab_size(tokenizer),
        "tokens": count,
        "characters a token": round(len(sample) / count, 2),
        "cost of a million such texts": round(price * count, 2),
    }


def _chips(name: str, tokenizer: Any, sample: str) -> None:
    ids = _encoder(tokenizer)(sample)
    pieces = getattr(tokenizer, "decode_single_token_bytes", None) or tokenizer.token_bytes
    st.markdown(f"**{name}**: {len(ids)} tokens")
    token_chips(
        [Chip(pieces(index), id=index) for index in ids],
        key=f"chips_{name}",
        label=f"The text under the vocabulary: {name}",
        show_ids=True,
        selectable=False,
        height=220,
    )


def _languages(tokenizers: dict[str, Any]) -> None:
    """The same sentence in every language, and what it costs."""
    languages = list(PARALLEL_SENTENCES)
    counts = {
        name: [len(_encoder(each)(PARALLEL_SENTENCES[language])) for language in languages]
        for name, each in tokenizers.items()
    }
    st.markdown("**The same sentence in other languages**")
    show_figure(
        languages_figure(counts, languages),
        key="languages_figure",
        alt=languages_alt_text(counts, languages),
        table=pd.DataFrame(counts, index=languages),
    )


def _code(own: BPETokenizer, own_code: str, sample: str) -> None:
    show_code(
        BPETokenizer.encode,
        load_vocabulary,
        key="compare",
        call=f"""{own_code}
sample = {sample!r}
print(len(tokenizer.encode(sample)))  # {len(own.encode(sample))}

from llm_core.tokenizers.vocabularies import load_vocabulary

gpt2 = load_vocabulary("gpt2")  # comes from a package, or from tiktoken's own place
print(gpt2.n_vocab)  # 50257""",
    )
