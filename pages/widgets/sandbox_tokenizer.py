"""What the sandbox cuts its text with: characters, pairs learnt here, a lesson's, or GPT-2's."""

import html
from dataclasses import dataclass

import streamlit as st

from llm_core.data.own_text import VALIDATION_MINIMUM
from llm_core.data.splits import split_by_position
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.config import RunConfig
from pages.widgets.carried_tokenizer import kept_tokenizer, tokenizer_file
from pages.widgets.graphemes import visible_text
from pages.widgets.text_choice import ChosenText

VOCABULARIES = (300, 400, 512, 768, 1024, 1536, 2048, 3072, 4096)
_USUAL_VOCABULARY = 512
_KINDS = {
    "char": "Characters",
    "bpe": "Pairs learnt from this text (BPE)",
    "file": "The tokenizer from the lesson",
    "gpt2": "GPT-2's",
}
_SHOWN_TOKENS = 24
_VALIDATION = 0.1  # of the tokens, as in RunConfig


@dataclass(frozen=True)
class Cut:
    """How the text is cut. `asked` is the vocabulary size that BPE may reach; tokens: of the text.

    `path` is where a tokenizer from a lesson lies.
    """

    kind: str  # one of RunConfig's tokenizers
    vocab_size: int
    tokens: int
    asked: int = _USUAL_VOCABULARY
    path: str | None = None

    @property
    def unit(self) -> str:
        """What the model reads one of at a time, in the plural."""
        return "characters" if self.kind == "char" else "tokens"


def choose_cut(text: ChosenText | None, context_length: int) -> Cut | None:
    """Ask for the tokenizer; None, and a sentence, if this text cannot be trained on with it."""
    carried = _carried()
    kinds = [kind for kind in _KINDS if kind != "file" or carried]
    kind = st.selectbox(
        "Cut the text into",
        kinds,
        index=kinds.index("file") if carried else 0,
        format_func=_KINDS.__getitem__,
        key="cut",
        bind="query-params",
        help="What the model reads and writes one of at a time. Longer pieces let it see further "
        "back, and make a longer table to learn.",
    )
    asked = _choose_vocabulary() if kind == "bpe" else _USUAL_VOCABULARY
    path = carried if kind == "file" else None
    if text is None:
        return Cut(kind, 100, 0, asked, path)
    if kind == "char":
        return Cut(kind, text.vocab_size, text.characters, asked)
    try:
        vocab_size, tokens, beginning = _measured(kind, asked, path, text.corpus, text.text)
        _require_room(tokens, context_length)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return None
    _say(vocab_size, tokens, text.characters, beginning, fewer=kind == "bpe" and vocab_size < asked)
    return Cut(kind, vocab_size, tokens, asked, path)


def _choose_vocabulary() -> int:
    return int(
        st.select_slider(
            "Vocabulary",
            VOCABULARIES,
            value=_USUAL_VOCABULARY,
            key="vocabulary",
            bind="query-params",
            help="256 bytes, and then the pairs that stand side by side most often, merged one "
            "after the other.",
        )
    )


def _carried() -> str | None:
    """Return the file of the tokenizer in the address, if there is one, and say which it is."""
    name = st.query_params.get("tokenizer")
    if not name:
        return None
    try:
        tokenizer = kept_tokenizer(name)
    except ValueError as error:
        st.warning(str(error), icon=":material/info:")
        return None
    parts = ""
    if isinstance(tokenizer, BPETokenizer):
        parts = f" (256 bytes and {len(tokenizer.merges)} merges)"
    st.info(
        f"A lesson has handed over the tokenizer *{name[:6]}*: {tokenizer.vocab_size} tokens "
        f"instead of characters{parts}.",
        icon=":material/content_cut:",
    )
    return str(tokenizer_file(name))


@st.cache_data(max_entries=50, show_spinner="Cutting the text …")
def _measured(
    kind: str, asked: int, path: str | None, corpus: str | None, text: str | None
) -> tuple[int, int, list[str]]:
    """Vocabulary, number of tokens, and how the text begins when it is cut just as a run cuts it.

    Raises ValueError for a tokenizer that cannot be had, or that cannot express the text.
    """
    from llm_core.data.corpora import find_corpus
    from llm_core.training.cutting import build_tokenizer

    whole = text if text is not None else find_corpus(str(corpus)).load()
    config = RunConfig(
        corpus=corpus or "tiny_tales", tokenizer=kind, vocab_size=asked, tokenizer_path=path
    )
    train_text, _ = split_by_position(whole, config.validation_fraction)
    tokenizer = build_tokenizer(config, train_text, whole)
    ids = tokenizer.encode_array(whole)
    beginning = [
        visible_text(
            tokenizer.token_bytes(token)
            if isinstance(tokenizer, BPETokenizer)
            else tokenizer.decode([token])
        )
        for token in ids[:_SHOWN_TOKENS].tolist()
    ]
    return tokenizer.vocab_size, len(ids), beginning


def _require_room(tokens: int, context_length: int) -> None:
    """Raise ValueError for a text that is too short once it is cut."""
    held_back = tokens - int(tokens * (1 - _VALIDATION))
    if tokens - held_back > context_length and held_back >= VALIDATION_MINIMUM:
        return
    raise ValueError(
        f"Cut like this, the text has {tokens:,} tokens: too few for a context of "
        f"{context_length}. Take a longer text, shorter pieces or a shorter context."
    )


def _say(
    vocab_size: int, tokens: int, characters: int, beginning: list[str], *, fewer: bool
) -> None:
    """Tell what came out; `fewer`: the text has no pairs left to merge."""
    words = "are all that the pairs of this text make" if fewer else "in the vocabulary"
    st.caption(
        f"{vocab_size:,} tokens {words}. The text becomes {tokens:,} of them, of "
        f"{characters / tokens:.1f} characters each. It begins:"
    )
    pieces = "".join(
        '<span style="border:1px solid;border-radius:4px;padding:0 .2em;margin:0 .15em .2em 0;'
        f'display:inline-block">{html.escape(piece)}</span>'
        for piece in beginning
    )
    st.html(f'<div style="font-size:.85rem" aria-label="How the text begins">{pieces}</div>')
