"""How tokens look at each other: attention by hand, in heads, in a real model, and its cost."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.inspection.attention import score_spread
from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.dot_product import (
    attention_scores,
    attention_weights,
    scaled_dot_product_attention,
)
from llm_core.layers.masks import causal_mask
from pages.figures.attention import spread_figure
from pages.widgets.attention_ablation import take_away
from pages.widgets.attention_cost import count_cache, count_cost
from pages.widgets.attention_demos import (
    WIDTHS,
    changed_outputs,
    show_orders,
    shuffle_of,
    shuffled_outputs,
    spreads,
)
from pages.widgets.attention_hand import Hand, Stages, make_hand, read_words, rounded
from pages.widgets.attention_real import look_inside
from pages.widgets.attention_sides import look_both_ways
from pages.widgets.attention_stages import show_causal, show_heads, show_simple, show_trained
from pages.widgets.attention_why import look_back, who_is_meant
from pages.widgets.catalog import find_lesson
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.frame import link_to, open_lesson
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.view import current_view


def choose_words() -> Hand:
    """Ask for a few words; show their vectors."""
    first, second, third = st.columns([2, 1, 1], gap="medium")
    sentence = first.text_input(
        "Three to six words", "The owl saw a mouse", key="words", bind="query-params", max_chars=80
    )
    width = second.radio(
        "Numbers a word", [4, 8], key="width", bind="query-params", horizontal=True
    )
    seed = third.number_input("Seed", 0, 999, 3, key="seed", bind="query-params")
    hand = make_hand(read_words(sentence), int(width), int(seed))
    matrix_heatmap(
        hand.x.numpy(),
        key="vectors",
        alt="The vectors x of your words, drawn at random: nothing has been learnt yet.",
        rows=hand.labels,
        columns=[str(n) for n in range(hand.width)],
        row_name="word",
        column_name="number",
        role="train",
        diverging=True,
    )
    show_code(
        key="words",
        call=f"""{hand.code}
print(x[0].tolist())  # {hand.x[0].tolist()}""",
    )
    return hand


def simplified(hand: Hand) -> None:
    """Attention in its simplest form."""
    stages = show_simple(hand)
    show_code(
        attention_weights,
        key="simple",
        call=f"""{hand.code}

from llm_core.layers.dot_product import attention_weights

scores = x @ x.T
weights = attention_weights(scores)
print(weights[1].round(decimals=3).tolist())  # {rounded(stages.weights[1])}
print((weights @ x)[1].round(decimals=3).tolist())  # {rounded(stages.output[1])}""",
    )


def trained(hand: Hand) -> Stages:
    """One head, stage by stage."""
    stages = show_trained(hand)
    show_code(
        attention_scores,
        attention_weights,
        scaled_dot_product_attention,
        key="trained",
        call=f"""{hand.code}

from llm_core.layers.dot_product import scaled_dot_product_attention

q, k, v = x @ w_q, x @ w_k, x @ w_v
output, weights = scaled_dot_product_attention(q, k, v)
print((q @ k.T)[1].round(decimals=3).tolist())  # {rounded(stages.products[1])}
print(weights[1].round(decimals=3).tolist())  # {rounded(stages.weights[1])}
print(output[1].round(decimals=3).tolist())  # {rounded(stages.output[1])}""",
    )
    return stages


def why_scaled() -> None:
    """What becomes of softmax when the vectors get wide."""
    if not page.predict("wide_scores", {}):
        return
    width = st.select_slider("Width D of a head", WIDTHS, 64, key="d", bind="query-params")
    found = spreads()
    chosen = found[WIDTHS.index(width)]
    rows = {
        "variance": [s.variance for s in found],
        "scaled variance": [s.scaled_variance for s in found],
        "entropy": [s.entropy for s in found],
        "scaled entropy": [s.scaled_entropy for s in found],
    }
    numbers = list(rows.values())
    show_figure(
        spread_figure(WIDTHS, numbers[:2], numbers[2:], most=np.log2(chosen.n_keys), chosen=width),
        key="spread_figure",
        alt=f"At D = {width}, plain scores have a variance of {chosen.variance:.3g}, and the "
        f"largest of {chosen.n_keys} weights is {chosen.largest:.0%} on average. Divided by √D: "
        f"{chosen.scaled_variance:.3g}, and {chosen.scaled_largest:.0%}.",
        table=pd.DataFrame(rows, index=pd.Index(WIDTHS, name="D")).map(lambda n: f"{n:.4g}"),
    )
    show_code(
        score_spread,
        key="spread",
        call=f"""from llm_core.inspection.attention import score_spread

spread = score_spread({width})
print(round(spread.variance, 2), round(spread.scaled_variance, 2))  # {round(chosen.variance, 2)} {
            round(chosen.scaled_variance, 2)
        }
print(round(spread.entropy, 3), round(spread.scaled_entropy, 3))  # {round(chosen.entropy, 3)} {
            round(chosen.scaled_entropy, 3)
        }""",
    )


def masked(hand: Hand) -> Stages:
    """The same head, which may not look ahead."""
    stages = show_causal(hand)
    st.markdown(f"**A test**: turn the vector of the last word, “{hand.labels[-1]}”, round.")
    st.table(changed_outputs(hand), border="horizontal")
    st.caption("How far each word's output moved, at most.")
    show_code(
        causal_mask,
        attention_weights,
        key="causal",
        call=f"""{hand.code}

from llm_core.layers.dot_product import scaled_dot_product_attention
from llm_core.layers.masks import causal_mask

mask = causal_mask(len(words))
output, weights = scaled_dot_product_attention(x @ w_q, x @ w_k, x @ w_v, mask=mask)
print(weights[1].round(decimals=3).tolist())  # {rounded(stages.weights[1])}
print(output[1].round(decimals=3).tolist())  # {rounded(stages.output[1])}""",
    )
    return stages


def many_heads(hand: Hand) -> None:
    """The same numbers, cut into heads."""
    count = int(
        st.radio("Heads", [1, 2, 4], index=1, key="heads", bind="query-params", horizontal=True)
    )
    output = show_heads(hand, count)
    show_code(
        MultiHeadAttention.forward,
        MultiHeadAttention.heads,
        key="heads",
        call=f"""{hand.code}

from llm_core.layers.attention import MultiHeadAttention

attention = MultiHeadAttention(d_model={hand.width}, n_heads={count}, bias=False).double()
attention.query_key_value.weight.data = torch.cat([w_q, w_k, w_v], dim=1).T
attention.output.weight.data = w_o.T
output, weights = attention.forward_with_weights(x[None])
print(tuple(weights.shape))  # {(1, count, len(hand.words), len(hand.words))}
print(output[0, -1].detach().round(decimals=3).tolist())  # {rounded(output[-1])}""",
    )


def reorder(hand: Hand) -> None:
    """Shuffle the words, and look for what has changed."""
    if not page.predict("shuffled_words", {}):
        return
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    seed = left.slider("Another order", 1, 20, 1, key="shuffle", bind="query-params")
    positions = right.toggle("Add positions to the vectors", key="placed", bind="query-params")
    order = shuffle_of(len(hand.words), seed)
    before, after = shuffled_outputs(hand, order, positions=positions)
    show_orders(hand, order, (before, after))
    difference = float(np.abs(before[order] - after).max())
    said = "differ by 0: the rows have only moved" if difference < 1e-9 else "are different now"
    most = "" if difference < 1e-9 else f", by up to {difference:.3f}"
    st.markdown(f"A word's outputs in the two sentences **{said}**{most}.")
    placing = "from llm_core.layers.positions import SinusoidalPositions\n" if positions else ""
    place = f"SinusoidalPositions(d_model={hand.width})(x[None])[0]" if positions else "x"
    show_code(
        key="order",
        call=f"""{hand.code}

from llm_core.layers.dot_product import scaled_dot_product_attention
{placing}

def attend(x):
    x = {place}
    return scaled_dot_product_attention(x @ w_q, x @ w_k, x @ w_v)[0]


order = {order}
difference = (attend(x)[order] - attend(x[order])).abs().max()
print(round(float(difference), 3))  # {round(difference, 3)}""",
    )
    lesson = find_lesson("positions")
    if lesson.path.exists() and current_view() == "learn":
        link_to(lesson, "How models are told the order: positions")


def settings(hand: Hand, stages: Stages) -> dict[str, Any]:
    """The values on screen that questions ask about. stages: of the causal head."""
    count = len(hand.words)
    first, second = (round(float(weight), 2) for weight in stages.weights[1, :2])
    value_1, value_2 = (round(float(value), 2) for value in stages.v[:2, 0])
    return {
        "tokens": count,
        "scores": count * count,
        "allowed": count * (count + 1) // 2,
        "strictly_before": count * (count - 1) // 2,
        "word": hand.labels[1],
        "weight_1": first,
        "weight_2": second,
        "value_1": value_1,
        "value_2": value_2,
        "mixed": round(first * value_1 + second * value_2, 3),
        "mean_value": (value_1 + value_2) / 2,
        "winner": value_1 if first > second else value_2,
    }


page = open_lesson("self_attention")
page.show("why", who_is_meant)
page.show("reach", look_back)
hand = page.show("words", choose_words)
page.show("simple", simplified, hand)
page.show("trained", trained, hand)
page.show("scaling", why_scaled)
causal = page.show("causal", masked, hand)
page.show("heads", many_heads, hand)
real = page.show("real", look_inside)
page.show("ablation", take_away, real)
page.show("sides", look_both_ways)
page.show("cost", count_cost)
page.show("cache", count_cache)
page.show("order", reorder, hand)
page.close(settings(hand, causal) if hand and causal else None)
