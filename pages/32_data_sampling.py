"""Slide a window over a text: from ids to input-target pairs, and to batches."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.data.windows import Windows, shuffled_batches, sliding_windows
from pages.figures.windows import windows_alt_text, windows_figure
from pages.widgets.address import linked_text
from pages.widgets.catalog import find_lesson
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.frame import link_to, open_lesson
from pages.widgets.stepper import stepper, stepper_place
from pages.widgets.token_chips import Chip, Highlight, token_chips
from pages.widgets.tokenizer_choice import (
    TokenizedText,
    choose_tokenizer,
    tokenize,
    tokenizer_source,
)
from pages.widgets.view import current_view
from pages.widgets.window_tables import example_list, number_table, pair_table

EXAMPLES = {
    "Owl": (
        "The owl sat in the old oak and watched the moon. The mouse below watched the owl. "
        "Who would move first? The wind moved the leaves, the owl turned its head, and the "
        "mouse was gone."
    ),
    "Code": "def area(width, height):\n    return width * height\n\nprint(area(3, 4))\n",
    "Numbers": "One plus one is 2. Two plus two is 4. 1024 plus 1024 is 2048.",
    "Emoji": "The weather: ☀️ in Paris, 🌧️ in Oslo, ❄️ in 札幌, and 👩‍👩‍👧 at home.",
}
SEEN_LENGTHS = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8, 10**9)


def cut_text() -> TokenizedText:
    """Ask for a text and a tokenizer; show the tokens with their ids."""
    passage = linked_text("Your text", key="reading", examples=EXAMPLES, most=1000, height=110)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Or take", width="content")
        for title, example in EXAMPLES.items():
            st.button(title, key=f"example_{title}", on_click=set_passage, args=(example,))
    name = choose_tokenizer()
    sample = tokenize(name, passage)
    token_chips(
        chips(sample),
        key="text_chips",
        label="The text's tokens",
        show_ids=True,
        selectable=False,
        joined=sample.joined,
    )
    st.caption(
        f"{len(sample.text):,} characters became **{len(sample.ids):,} tokens**, of which "
        f"{len(set(sample.ids)):,} are different. The vocabulary has {sample.vocab_size:,} entries."
    )
    show_code(
        *tokenizer_source(name),
        call=f"""{sample.code}
print(len(ids))  # {len(sample.ids)}
print(ids[:20])  # {list(sample.ids[:20])}""",
        key="text",
    )
    return sample


def set_passage(text: str) -> None:
    """Put an example into the text. A callback."""
    st.session_state["reading"] = text


def chips(sample: TokenizedText) -> list[Chip]:
    """The text's tokens as chips."""
    return [Chip(piece, id=index) for piece, index in zip(sample.pieces, sample.ids, strict=True)]


def slide(sample: TokenizedText) -> Windows:
    """Ask for context length and stride; move the window over the chips."""
    left, right = st.columns(2, gap="large")
    context = left.slider("Context length T", 1, 32, 8, key="context", bind="query-params")
    stride = right.slider("Stride S", 1, 40, 4, key="stride", bind="query-params")
    windows = sliding_windows(sample.ids, context, stride)
    chosen = stepper(len(windows), key="window", label="Window")
    start = int(windows.starts[chosen])
    token_chips(
        chips(sample),
        key="window_chips",
        selectable=False,
        joined=sample.joined,
        label=f"Window {chosen + 1} of {len(windows)} on the text",
        highlights=[
            Highlight(range(start, start + context), "input"),
            Highlight(range(start + context, start + context + 1), "target"),
        ],
    )
    places = range(start, start + context + 1)
    st.html(pair_table([sample.label(p) for p in places], [sample.ids[p] for p in places]))
    st.caption(
        f"Window {chosen + 1} of {len(windows)}: inputs at places {start} to "
        f"{start + context - 1}, targets at places {start + 1} to {start + context}."
    )
    show_code(
        sliding_windows,
        call=f"""{window_call(sample, windows)}
print(len(windows))                  # {len(windows)}
print(windows.inputs[{chosen}].tolist())   # {windows.inputs[chosen].tolist()}
print(windows.targets[{chosen}].tolist())  # {windows.targets[chosen].tolist()}""",
        key="window",
    )
    return windows


def chosen_window(windows: Windows) -> int:
    """Index of the window that the stepper stands at."""
    return min(stepper_place("window"), len(windows) - 1)


def keep_in_range(key: str, most: int) -> None:
    """Lower what a control holds to `most`, which other controls may have lowered."""
    if (st.session_state.get(key) or 1) > most:
        st.session_state[key] = most


def window_call(sample: TokenizedText, windows: Windows) -> str:
    """The code that makes the windows on screen."""
    imports, _, making = sample.code.partition("\n\n")
    return (
        f"{imports}\nfrom llm_core.data.windows import shuffled_batches, sliding_windows\n\n"
        f"{making}\n"
        f"windows = sliding_windows(ids, {windows.context_length}, {windows.stride})"
    )


def list_examples(sample: TokenizedText, windows: Windows) -> None:
    """The T examples of the window that is chosen above."""
    if not page.predict("examples_in_a_window", settings(sample, windows)):
        return
    chosen = chosen_window(windows)
    start, length = int(windows.starts[chosen]), windows.context_length
    st.html(example_list([sample.label(p) for p in range(start, start + length + 1)]))
    st.caption(
        f"{length} examples from window {chosen + 1}, which was chosen above. All "
        f"{len(windows)} windows together hold {len(windows) * length:,}."
    )
    last, ids = length - 1, list(sample.ids[start : start + length + 1])
    show_code(
        call=f"""{window_call(sample, windows)}
inputs, targets = windows.inputs[{chosen}].tolist(), windows.targets[{chosen}].tolist()
examples = [(inputs[: t + 1], targets[t]) for t in range(windows.context_length)]
print(len(examples))  # {length}
print(examples[0])  # {(ids[:1], ids[1])}
print(examples[{last}])  # {(ids[:-1], ids[-1])}""",
        key="examples",
    )


def compare_strides(sample: TokenizedText, windows: Windows) -> None:
    """What this stride repeats and skips, and what others would."""
    if not page.predict("double_stride", settings(sample, windows)):
        return
    show_layout(sample, windows)
    show_coverage(sample, windows)
    if windows.skipped:
        st.warning(
            f"The stride ({windows.stride}) is longer than the context ({windows.context_length}): "
            f"{windows.skipped} tokens between the windows are never read.",
            icon=":material/warning:",
        )
    if windows.left_over:
        st.caption(
            f"{windows.left_over} tokens at the end are too few for one more step of the window."
        )
    st.table(stride_table(sample, windows), border="horizontal")
    show_code(
        Windows.coverage.func,
        call=f"""{window_call(sample, windows)}
print(len(windows), windows.skipped, windows.left_over)  # {len(windows)} {windows.skipped} {
            windows.left_over
        }
print(windows.coverage.tolist())  # {windows.coverage.tolist()}""",
        key="stride",
    )


def show_layout(sample: TokenizedText, windows: Windows) -> None:
    """The windows as bars above the text."""
    coverage, length = windows.coverage.tolist(), windows.context_length
    labels = [sample.label(place) for place in range(len(sample.ids))]
    show_figure(
        windows_figure(windows.starts.tolist(), length, coverage, chosen=chosen_window(windows)),
        key="windows_figure",
        alt=windows_alt_text(len(windows), length, windows.stride, coverage),
        table=pd.DataFrame({"token": labels, "times read": coverage}).rename_axis("place"),
    )


def show_coverage(sample: TokenizedText, windows: Windows) -> None:
    """The text itself, deeper coloured where it is read more often."""
    reads = windows.coverage.tolist()
    unread = [place for place in range(windows.end) if not reads[place]]
    rest = range(windows.end + 1, len(reads))
    token_chips(
        chips(sample),
        key="coverage_chips",
        label="How often each token is read",
        highlights=[Highlight(unread, "skipped"), Highlight(rest, "unused")],
        levels=reads,
        level_name="times read",
        selectable=False,
        joined=sample.joined,
    )


def stride_table(sample: TokenizedText, windows: Windows) -> Any:
    """Windows, readings and gaps for the stride on screen and for four telling ones."""
    length = windows.context_length
    strides = sorted({1, max(1, length // 2), length, 2 * length, windows.stride})
    rows = []
    for stride in strides:
        other = sliding_windows(sample.ids, length, stride)
        reads = other.coverage[: other.end]
        rows.append(
            {
                "stride": f"{stride} (yours)" if stride == windows.stride else str(stride),
                "windows": len(other),
                "tokens read": int((reads > 0).sum()),
                "times each is read": round(float(reads[reads > 0].mean()), 1),
                "tokens skipped": other.skipped,
            }
        )
    return pd.DataFrame(rows).set_index("stride").style.format(precision=1)


def stack_batches(sample: TokenizedText, windows: Windows) -> int:
    """Shuffle the windows and show one batch as the two tables that a model gets."""
    size_place, seed_place, which_place = st.columns(3, gap="medium")
    size = size_place.slider("Batch size B", 1, 8, 2, key="batch", bind="query-params")
    seed = seed_place.number_input("Seed", 0, 9999, 0, key="seed", bind="query-params")
    batches = list(shuffled_batches(windows, size, seed=seed))
    keep_in_range("which", len(batches))
    which = which_place.number_input(
        f"Batch, of {len(batches)}", 1, len(batches), 1, key="which", bind="query-params"
    )
    inputs, targets = batches[which - 1]
    as_tokens = st.toggle("Show tokens in place of ids", key="as_tokens", bind="query-params")
    names = dict(zip(sample.ids, map(sample.label, range(len(sample.ids))), strict=True))
    for title, rows in (("inputs", inputs), ("targets", targets)):
        st.markdown(f"**{title}**, shape ({size}, {windows.context_length})")
        shown: Any = np.vectorize(names.__getitem__)(rows) if as_tokens else rows
        st.html(number_table(shown.tolist(), f"{title} of this batch"))
    st.caption(
        f"{len(windows)} windows fill {len(batches)} batches an epoch; "
        f"{len(windows) % size} windows are left out of this epoch."
    )
    show_code(
        shuffled_batches,
        call=f"""{window_call(sample, windows)}
batches = list(shuffled_batches(windows, {size}, seed={seed}))
print(len(batches), batches[0][0].shape)  # {len(batches)} {inputs.shape}
print(batches[{which - 1}][0].tolist())  # {inputs.tolist()}
print(batches[{which - 1}][1].tolist())  # {targets.tolist()}""",
        key="batches",
    )
    return int(size)


def count_labels(sample: TokenizedText, windows: Windows) -> None:
    """How many answers a text gives for nothing, from this one up to a billion tokens."""
    length = st.select_slider(
        "If your text had this many tokens",
        SEEN_LENGTHS,
        10**6,
        format_func=lambda count: f"{count:,}",
        key="length",
        bind="query-params",
    )
    # One zero in memory that claims to be `length` tokens: windows are counted, never read.
    ids = np.broadcast_to(np.uint16(0), length)
    many = sliding_windows(ids, windows.context_length, windows.stride)
    with st.container(horizontal=True):
        st.metric("Windows", f"{len(many):,}", width="content")
        st.metric("Different answers", f"{length - 1:,}", width="content")
        st.metric("Labels written by people", "0", width="content")
    st.caption(
        f"With your context length of {windows.context_length} and stride of {windows.stride}. "
        f"Your own text has {len(sample.ids) - 1:,} answers."
    )
    show_code(
        call=f"""import numpy as np
from llm_core.data.windows import sliding_windows

ids = np.broadcast_to(np.uint16(0), {length})  # as long as that, and costs no memory
print(len(sliding_windows(ids, {windows.context_length}, {windows.stride})))  # {len(many)}""",
        key="labels",
    )


def carry(windows: Windows) -> None:
    """Hand context length and stride to the sandbox."""
    sandbox = find_lesson("training_sandbox")
    if windows.context_length < 4:
        st.info("The sandbox wants a context length of at least 4.")
        return
    link_to(
        sandbox,
        f"Train with context {windows.context_length} and stride {windows.stride}",
        context_length=str(windows.context_length),
        window_stride=str(windows.stride),
    )


def settings(sample: TokenizedText, windows: Windows, batch: int = 2) -> dict[str, int]:
    """The values on screen that questions ask about."""
    tokens, context, stride = len(sample.ids), windows.context_length, windows.stride
    return {
        "tokens": tokens,
        "context": context,
        "stride": stride,
        "windows": len(windows),
        "windows_double": len(sliding_windows(sample.ids, context, 2 * stride)),
        "last_start": tokens - context - 1,
        "tokens_by_stride": tokens // stride,
        "tokens_by_context": tokens // context,
        "batch": batch,
        "answers_in_batch": batch * context,
    }


page = open_lesson("data_sampling")
sample = page.show("text", cut_text)
windows = page.show("window", slide, sample)
page.show("examples", list_examples, sample, windows)
page.show("stride", compare_strides, sample, windows)
batch = page.show("batches", stack_batches, sample, windows)
page.show("labels", count_labels, sample, windows)
if current_view() == "learn":
    page.show("carry", carry, windows)
page.close(settings(sample, windows, batch or 2) if sample and windows is not None else None)
