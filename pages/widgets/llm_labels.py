"""Free labels: every text is full of questions with their answers. What would they cost by hand?"""

import streamlit as st

from llm_core.data.corpora import Corpus, available_corpora, find_corpus
from llm_core.data.free_labels import FreeLabels, cost_by_hand, count_free_labels
from llm_core.tokenizers.vocabularies import load_vocabulary
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.view import current_view
from pages.widgets.window_tables import example_list, named_table

SENTENCE = "The owl sat in the old oak."
_COUNTED = "_labels_counted"
_MOST_PAIRS = 12
_GPT3_TOKENS = 300e9


@own_part
def count_labels() -> None:
    """The pairs in a sentence, the pairs in whole corpora, and the bill that nobody pays."""
    sentence = st.text_input(
        "A sentence", SENTENCE, key="sentence", bind="query-params", max_chars=120
    )
    tokens = _tokens(sentence)
    if len(tokens) < 2:
        raise ValueError("Write at least two words: a pair is some text, and the token after it.")
    pairs = len(tokens) - 1
    st.markdown(
        f"**{len(tokens)} tokens, so {pairs} question{'s' * (pairs > 1)} with the answer:**"
    )
    st.html(example_list([token.strip() or "␣" for token in tokens[: _MOST_PAIRS + 1]]))
    if pairs > _MOST_PAIRS:
        st.caption(f"The first {_MOST_PAIRS} are shown.")
    left, right = st.columns(2, gap="large")
    seconds = left.slider(
        "Assumed: seconds to label one by hand", 1, 60, 5, key="seconds", bind="query-params"
    )
    wage = right.slider(
        "Assumed: pay for an hour, in dollars", 1, 60, 15, key="wage", bind="query-params"
    )
    _corpora(seconds, wage)


def _tokens(sentence: str) -> list[str]:
    vocabulary = load_vocabulary("gpt2")
    return [
        vocabulary.decode_single_token_bytes(index).decode("utf-8", "replace")
        for index in vocabulary.encode_ordinary(sentence)
    ]


@st.cache_data(max_entries=8, show_spinner="Counting …")
def _count(name: str) -> FreeLabels:
    """Cut a whole corpus into GPT-2's tokens, once for all visitors."""
    return count_free_labels(find_corpus(name).load(), load_vocabulary("gpt2").encode_ordinary)


def _corpora(seconds: int, wage: int) -> None:
    """A row a corpus; those that take seconds to read only when they are asked for."""
    corpora = available_corpora()
    everything = st.session_state.get(_COUNTED) or current_view() == "print"
    counted = {
        corpus.title: _count(corpus.name) for corpus in (corpora if everything else corpora[:1])
    }
    rows = []
    for title, labels in counted.items():
        hours, dollars = cost_by_hand(labels.pairs, seconds=seconds, wage=wage)
        rows.append(
            {
                "text": title,
                "characters": labels.characters,
                "pairs, for free": labels.pairs,
                "hours by hand": round(hours),
                "dollars by hand": round(dollars),
            }
        )
    st.html(named_table(rows, "Question-answer pairs in the texts at hand", left=("text",)))
    if not everything:
        st.button(
            f"Count the other {len(corpora) - 1} texts too (a few seconds)",
            key="count_all",
            icon=":material/calculate:",
            on_click=st.session_state.__setitem__,
            args=(_COUNTED, True),
        )
    _bill_of_gpt3(seconds, wage)
    _code(corpora[0], counted[corpora[0].title], seconds, wage)


def _bill_of_gpt3(seconds: int, wage: int) -> None:
    hours, dollars = cost_by_hand(_GPT3_TOKENS, seconds=seconds, wage=wage)
    st.caption(
        f"The 300 billion tokens that GPT-3 was trained on: {hours / 2000:,.0f} people for a year "
        f"of 2,000 hours, or {dollars / 1e9:,.3g} billion dollars. The seconds and the pay are "
        "assumptions; move them. (Cut by GPT-2’s tokenizer.)"
    )


def _code(corpus: Corpus, labels: FreeLabels, seconds: int, wage: int) -> None:
    hours, dollars = cost_by_hand(labels.pairs, seconds=seconds, wage=wage)
    show_code(
        count_free_labels,
        cost_by_hand,
        key="labels",
        call=f"""from llm_core.data.corpora import find_corpus
from llm_core.data.free_labels import cost_by_hand, count_free_labels
from llm_core.tokenizers.vocabularies import load_vocabulary

text = find_corpus({corpus.name!r}).load()
labels = count_free_labels(text, load_vocabulary("gpt2").encode_ordinary)
print(labels.pairs)  # {labels.pairs}
print([round(each) for each in cost_by_hand(labels.pairs, seconds={seconds}, wage={wage})])  # {
            [round(hours), round(dollars)]
        }""",
    )
