"""Cut text into tokens: characters, words, and byte pair encoding, trained merge by merge."""

from typing import Any

import pandas as pd
import streamlit as st

from llm_core.tokenizers.bpe import BPETokenizer, MergeStep, iter_merges
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.tokenizers.word import WordTokenizer
from pages.figures.tokenization import merges_alt_text, merges_figure
from pages.widgets.address import linked_text
from pages.widgets.carried_tokenizer import store_tokenizer
from pages.widgets.catalog import find_lesson
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.frame import link_to, open_lesson
from pages.widgets.glossary import literal
from pages.widgets.graphemes import visible_text
from pages.widgets.merge_view import show_merging
from pages.widgets.stepper import stepper
from pages.widgets.token_chips import Chip, Highlight, token_chips
from pages.widgets.trained_tokenizer import Training, choose_training
from pages.widgets.view import current_view
from pages.widgets.vocabulary_comparison import compare_vocabularies
from pages.widgets.window_tables import named_table

EXAMPLES = {
    "Owls": (
        "The oldest owl told the longest tales. In the coldest and longest night the older owls "
        "sat in the old oak, and the younger owls sat below. They told of colder nights, of "
        "longer tales and of older owls, and each new tale was longer than the last one told."
    ),
    "Code": (
        "def add(left, right):\n    return left + right\n\n"
        "def multiply(left, right):\n    return left * right\n\n"
        "print(add(1, 2), multiply(3, 4))\n"
    ),
    "German": (
        "Die älteste Eule erzählte die längste Geschichte. In der kältesten und längsten Nacht "
        "saßen die älteren Eulen in der alten Eiche und erzählten von kälteren Nächten."
    ),
    "Chinese": "最老的猫头鹰讲了最长的故事。在最冷最长的夜里，老猫头鹰坐在老橡树上，讲着更冷的夜。",
}
END = "<|endoftext|>"


def cut_characters() -> str:
    """Ask for the text; show it as characters."""
    passage = linked_text("Your text", key="passage", examples=EXAMPLES, most=5000, height=130)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Or take", width="content")
        for title, example in EXAMPLES.items():
            st.button(title, key=f"example_{title}", on_click=set_passage, args=(example,))
    if not passage.strip():
        raise ValueError("Write a few words first: an empty text has no tokens.")
    tokenizer = CharacterTokenizer.from_text(passage)
    ids = tokenizer.encode(passage)
    token_chips(
        [Chip(character, id=index) for character, index in zip(passage, ids, strict=True)],
        key="character_chips",
        label="The text as characters",
        selectable=False,
        height=200,
    )
    st.caption(f"**{len(ids):,} tokens**, from a vocabulary of only {tokenizer.vocab_size}.")
    show_code(
        CharacterTokenizer.from_text,
        CharacterTokenizer.encode,
        key="characters",
        call=f"""from llm_core.tokenizers.character import CharacterTokenizer

text = {passage!r}
tokenizer = CharacterTokenizer.from_text(text)
print(len(tokenizer.encode(text)), tokenizer.vocab_size)  # {len(ids)} {tokenizer.vocab_size}""",
    )
    return passage


def set_passage(text: str) -> None:
    """Put an example into the text. A callback."""
    st.session_state["passage"] = text


def lose_words(passage: str) -> None:
    """Encode a second sentence with the words of the first text, and see what is lost."""
    tokenizer = WordTokenizer.from_text(passage)
    sentence = st.text_input(
        "A sentence with other words",
        "The coldest owls never told Minerva's unbelievable tales.",
        key="sentence",
        bind="query-params",
        max_chars=300,
    )
    ids = tokenizer.encode(sentence)
    unknown = [place for place, index in enumerate(ids) if index == 0]
    token_chips(
        [Chip(tokenizer.words[index], id=index) for index in ids],
        key="word_chips",
        label="The sentence as words of the text",
        highlights=[Highlight(unknown, "skipped", name="unknown")],
        show_ids=True,
        selectable=False,
        joined=False,
    )
    back = tokenizer.decode(ids)
    st.markdown(f"Decoded again, it reads: **{literal(back)}**")
    st.caption(
        f"{len(unknown)} of {len(ids)} tokens are `<unk>`. The text gave a vocabulary of "
        f"{tokenizer.vocab_size} words and signs; the text itself takes "
        f"{len(tokenizer.encode(passage)):,} tokens."
    )
    show_code(
        WordTokenizer.from_text,
        WordTokenizer.encode,
        key="words",
        call=f"""from llm_core.tokenizers.word import WordTokenizer

tokenizer = WordTokenizer.from_text({passage!r})
ids = tokenizer.encode({sentence!r})
print(ids.count(0), "of", len(ids))  # {len(unknown)} of {len(ids)}
print(repr(tokenizer.decode(ids)))  # {back!r}""",
    )


def train(passage: str) -> Training:
    """Learn merges, and let the learner watch them one by one."""
    trained = choose_training(passage)
    text, steps = trained.text, trained.steps
    if not page.predict("next_merge", first_merge(text, steps)):
        return trained
    done = stepper(len(steps) + 1, key="merge", label="Step")
    show_merging(passage, steps, done, trained.pattern)
    tokens = [len(text.encode()), *(step.text_tokens for step in steps)]
    show_figure(
        merges_figure(tokens, len(text), chosen=done),
        key="merges_figure",
        alt=merges_alt_text(tokens, len(text), chosen=done),
        table=pd.DataFrame({"tokens of the text": tokens}).rename_axis("merges"),
    )
    st.markdown(f"**The vocabulary**: 256 bytes, and {done} tokens made by merging, newest first.")
    token_chips(
        [
            Chip(step.new_token, id=step.new_id, detail=f"merge {step.number}, {step.count} times")
            for step in reversed(steps[:done])
        ],
        key="vocabulary_chips",
        label="Tokens made by merging",
        joined=False,
        selectable=False,
        height=150,
    )
    last = steps[-1]
    show_code(
        iter_merges,
        key="train",
        call=f"""{trained.text_code}
from llm_core.tokenizers.bpe import {trained.pattern_code}, iter_merges

steps = list(iter_merges(text, {256 + len(steps)}, pattern={trained.pattern_code}))
print(steps[0].tokens, steps[0].count)  # {steps[0].tokens} {steps[0].count}
print(steps[-1].tokens, steps[-1].text_tokens)  # {last.tokens} {last.text_tokens}""",
    )
    return trained


def first_merge(text: str, steps: list[MergeStep]) -> dict[str, Any]:
    """What the first question asks about."""
    first, characters = steps[0], len(text.encode())
    return {
        "byte_tokens": characters,
        "first_pair": " and ".join(f"`{visible_text(token)}`" for token in first.tokens),
        "first_count": characters - first.text_tokens,
        "after_first": first.text_tokens,
        "twice_less": characters - 2 * (characters - first.text_tokens),
    }


def encode_word(trained: Training) -> None:
    """Let the learner follow the encoding of a word, merge by merge."""
    word = st.text_input("A word", "coldest", key="word", bind="query-params", max_chars=60)
    if not word:
        raise ValueError("Type a word to encode.")
    tokenizer = trained.tokenizer()
    states = list(tokenizer.encode_steps(word))
    place = stepper(len(states), key="encoding", label="Stage")
    state = states[place]
    token_chips(
        [Chip(token, id=index) for token, index in zip(state.tokens, state.ids, strict=True)],
        key="encoding_chips",
        label=f"{word} after {place} merges",
        highlights=[Highlight(state.places, "pair", name="just merged")],
        show_ids=True,
        selectable=False,
    )
    if state.merge is None:
        said = f"The {len(state.tokens)} bytes of the word."
    else:
        said = f"Merge {state.merge} made this one; of all that fit, it was learnt the earliest."
    st.caption(f"{said} In the end the word takes **{len(states[-1].ids)} tokens**.")
    show_code(
        BPETokenizer.encode_steps,
        key="encode",
        call=f"""{trained.tokenizer_code()}
states = list(tokenizer.encode_steps({word!r}))
print(states[{place}].tokens)  # {state.tokens}
print(tokenizer.encode({word!r}))  # {list(states[-1].ids)}""",
    )


def mark_the_end(trained: Training) -> None:
    """Show a special token in a text: read as plain text, or allowed."""
    tokenizer = trained.tokenizer(END)
    text = f"The end.{END}A new text."
    allowed = st.toggle("The program allows special tokens", key="special", bind="query-params")
    ids = tokenizer.encode(text, allowed_special=[END] if allowed else [])
    special = [place for place, index in enumerate(ids) if index == len(tokenizer.tokens)]
    token_chips(
        [Chip(tokenizer.token_bytes(index), id=index) for index in ids],
        key="special_chips",
        label="A text with a mark in it",
        highlights=[Highlight(special, "special")],
        show_ids=True,
        selectable=False,
    )
    st.caption(
        f"{len(ids)} tokens. "
        + (f"The mark is one token, {ids[special[0]]}." if special else "The mark is plain text.")
    )
    allowing = f", allowed_special=[{END!r}]" if allowed else ""
    show_code(
        key="special",
        call=f"""{trained.tokenizer_code(END)}
print(len(tokenizer.encode({text!r}{allowing})))  # {len(ids)}""",
    )


@st.cache_data(max_entries=50, show_spinner=False)
def vocabulary_sizes(_trained: Training, text: str, pattern: str, merges: int) -> pd.DataFrame:
    """What the text takes after a sixth of the merges, two sixths, and so on."""
    rows = []
    for size in sorted({0, *(merges * part // 6 for part in range(1, 7))}):
        tokenizer = _trained.tokenizer(merges=size)
        counts = pd.Series(tokenizer.encode_array(text)).value_counts()
        made = [counts.get(step.new_id, 0) for step in _trained.steps[:size]]
        rows.append(
            {
                "merges": size,
                "vocabulary": tokenizer.vocab_size,
                "tokens of the text": int(counts.sum()),
                "characters a token": round(len(text) / int(counts.sum()), 2),
                "merged tokens seen under 5 times": sum(count < 5 for count in made),
            }
        )
    return pd.DataFrame(rows).set_index("merges")


def choose_size(trained: Training) -> None:
    """What more merges bring, and what they cost."""
    width = st.select_slider(
        "Numbers per token (d_model) of the model that will read them",
        [64, 128, 256, 512, 768, 1600, 4096],
        768,
        key="width",
        bind="query-params",
    )
    text = trained.text
    sizes = vocabulary_sizes(trained, text, trained.pattern_name, len(trained.steps))
    rows = sizes.assign(**{"embedding parameters": sizes["vocabulary"] * width})
    st.html(named_table(rows.reset_index().to_dict("records"), "Vocabularies of several sizes"))
    last = rows.iloc[-1]
    show_code(
        key="size",
        call=f"""{trained.tokenizer_code()}
ids = tokenizer.encode_array(text)
print(len(ids), tokenizer.vocab_size * {width})  # {int(last["tokens of the text"])} {
            int(last["embedding parameters"])
        }""",
    )


def compare(passage: str, trained: Training) -> None:
    """One text under this tokenizer and those of real models."""
    compare_vocabularies(passage, trained.tokenizer(), trained.tokenizer_code())


def carry(trained: Training) -> None:
    """Hand the tokenizer to the sandbox."""
    tokenizer = trained.tokenizer()
    link_to(
        find_lesson("training_sandbox"),
        f"Train a GPT on these {tokenizer.vocab_size} tokens",
        tokenizer=store_tokenizer(tokenizer),
    )


def settings(passage: str, trained: Training) -> dict[str, Any]:
    """The values on screen that questions ask about."""
    tokens = len(trained.tokenizer().encode(passage))
    merges = len(trained.steps)
    return first_merge(trained.text, trained.steps) | {
        "characters": len(passage),
        "tokens": tokens,
        "characters_per_token": round(len(passage) / tokens, 2),
        "tokens_per_character": round(tokens / len(passage), 2),
        "merges": merges,
        "vocab_size": 256 + merges,
    }


page = open_lesson("tokenization")
passage = page.show("characters", cut_characters)
page.show("words", lose_words, passage)
trained = page.show("train", train, passage)
page.show("encode", encode_word, trained)
page.show("special", mark_the_end, trained)
page.show("compare", compare, passage, trained)
page.show("size", choose_size, trained)
if current_view() == "learn":
    page.show("carry", carry, trained)
page.close(settings(passage, trained) if passage and trained else None)
