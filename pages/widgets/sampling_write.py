"""Write together: the model proposes, the learner disposes, and roads not taken stay in sight."""

import streamlit as st
import torch

from llm_core.generation.sample import TokenStep, generate
from llm_core.generation.settings import SamplingSettings
from pages.figures.decoding_tree import tree_figure
from pages.figures.distribution import percent, top_outcomes
from pages.widgets.address import asked_value, write_value
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.sampling_step import Step, step_after
from pages.widgets.sampling_story import Story, story_tree
from pages.widgets.sampling_texts import surprise_bits
from pages.widgets.token_bars import token_bars
from pages.widgets.token_chips import Chip, Highlight, chosen_chip, token_chips
from pages.widgets.view import current_view

BARS = 8
LEVELS = 5  # of the tree
MOST = 150  # tokens: a link must hold them
PRINTED = 8  # tokens on paper, where nothing can be pressed
_LINK = "story"
_STORY, _OF, _DRAWS, _CHIPS = "_story", "_story_of", "_story_draws", "_story_chips"
_NAMES = {"path": "your text", "kept": "written, then left", "dropped": "a road not taken"}


@own_part
def write_together(step: Step) -> None:
    """The text, what may come next as bars to choose from, and the tree behind."""
    story = _current_story(step)
    _controls(step, story)
    _show_text(step, story)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _offer(step, story)
    with right:
        _show_tree(step, story)


def continued(
    step: Step, written: tuple[int, ...], settings: SamplingSettings, *, seed: int
) -> list[TokenStep]:
    """Let the model go on after the prompt and what is written."""
    ids = torch.tensor(step.ids + written)
    generator = torch.Generator().manual_seed(seed)
    return list(generate(step.writer.model, ids, settings, generator=generator))


def story_from_link(step: Step, link: str) -> Story:
    """The text that an address stands for, token ids between dashes; empty if it makes no sense."""
    parts = link.split("-")
    if len(parts) > MOST or not all(part.isascii() and part.isdigit() for part in parts):
        return Story()
    ids = tuple(int(part) for part in parts if len(part) < 7)
    if len(ids) != len(parts) or max(ids) >= step.writer.vocab_size:
        return Story()
    settings = SamplingSettings(max_new_tokens=len(ids), forced=ids)
    return _grown(Story(), continued(step, (), settings, seed=0))


def _grown(story: Story, steps: list[TokenStep]) -> Story:
    for each in steps:
        story = story.grow(each)
    return story


def _current_story(step: Step) -> Story:
    """The story so far; a new one for another prompt or model, or if the address asks for one."""
    state = st.session_state
    asked, of = asked_value(_LINK), (step.writer.key, step.ids)
    if state.get(_OF) != of or asked is not None:
        state[_STORY] = story_from_link(step, asked) if asked else Story()
        if not asked and current_view() == "print":
            settings = SamplingSettings(max_new_tokens=PRINTED)
            state[_STORY] = _grown(Story(), continued(step, (), settings, seed=1))
        state[_OF] = of
    story: Story = state[_STORY]
    write_value(_LINK, "-".join(map(str, story.ids())))
    return story


def _set(story: Story) -> None:
    """A callback's end: keep the story, and let go of a chip that was chosen."""
    st.session_state[_STORY] = story
    st.session_state[_CHIPS] = st.session_state.get(_CHIPS, 0) + 1
    write_value(_LINK, "-".join(map(str, story.ids())))


def _draw(step: Step, story: Story, count: int) -> None:
    """Let the model write. Each press draws anew, so that going back can lead elsewhere."""
    draws = st.session_state[_DRAWS] = st.session_state.get(_DRAWS, 0) + 1
    count = min(count, MOST - len(story.ids()))
    settings = SamplingSettings(
        max_new_tokens=count, temperature=st.session_state.get("write_t", 1.0)
    )
    _set(_grown(story, continued(step, story.ids(), settings, seed=draws)))


def _take(step: Step, story: Story, index: int) -> None:
    """Go on with a token that the learner has chosen."""
    settings = SamplingSettings(max_new_tokens=1, forced=(index,))
    _set(_grown(story, continued(step, story.ids(), settings, seed=0)))


def _controls(step: Step, story: Story) -> None:
    full, empty = len(story.ids()) >= MOST, story.at is None
    left, right = st.columns([3, 2], gap="large", vertical_alignment="bottom")
    with left.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Next token",
            key="next_token",
            type="primary",
            icon=":material/casino:",
            disabled=full,
            on_click=_draw,
            args=(step, story, 1),
        )
        st.button("Ten more", key="ten_more", disabled=full, on_click=_draw, args=(step, story, 10))
        st.button(
            "Undo",
            key="undo",
            icon=":material/undo:",
            disabled=empty,
            on_click=_set,
            args=(story.undo(),),
        )
        st.button(
            "Start again", key="again", disabled=not story.nodes, on_click=_set, args=(Story(),)
        )
    right.slider("Temperature of the dart", 0.0, 2.0, 1.0, 0.1, key="write_t", bind="query-params")
    if full:
        st.caption(f"{MOST} tokens are enough for one page: undo some, or start again.")


def _chips_key() -> str:
    return f"story_chips_{st.session_state.get(_CHIPS, 0)}"


def _show_text(step: Step, story: Story) -> None:
    """Prompt and text as chips: the deeper their colour, the less the model had expected them."""
    steps, writer = story.steps(), step.writer
    bits = [surprise_bits(each) for each in steps]
    chips = [Chip(writer.piece(index), id=index) for index in step.ids]
    chips += [
        Chip(writer.piece(each.id), id=each.id, detail=f"probability {percent(p)}")
        for each, p in ((each, each.model_probability) for each in steps)
    ]
    token_chips(
        chips,
        key=_chips_key(),
        label="Your text so far",
        highlights=[Highlight(range(len(step.ids)), "input", name="prompt")],
        levels=[0.0] * len(step.ids) + bits,
        level_name="surprise in bits",
        level_role="prediction",
    )
    if bits:
        mean = sum(bits) / len(bits)
        st.caption(
            f"{len(bits)} tokens written. The last one was a surprise of {bits[-1]:.2f} bits; on "
            f"average it is {mean:.2f} bits, a perplexity of {2**mean:.2f}. "
            "Choose a token above to see what else could have stood there."
        )


def _offer(step: Step, story: Story) -> None:
    """What may come next, or at the place of the chip that is chosen, as bars to choose from."""
    chosen = chosen_chip(_chips_key(), len(step.ids) + len(story.ids()))
    place = None if chosen is None else chosen - len(step.ids)
    writer, before = step.writer, story
    if place is not None and place >= 0:
        before = story.back_to(place)
        st.markdown(f"**In place of** token {place + 1} of your text: choose, and branch off.")
    else:
        st.markdown("**What may come next**: choose a token yourself.")
    p = step_after(step, *before.ids()).probabilities
    best, tail = top_outcomes(p, BARS)
    token_bars(
        [writer.label(index) for index in best],
        [float(p[index]) for index in best],
        key="offers",
        label="Tokens to choose from",
        rest=f"{len(p) - len(best):,} other tokens have {percent(tail)} together.",
        number=hash((writer.key, step.ids, before.ids())) % 1_000_000,
        on_choose=lambda bar: _take(step, before, best[bar]),
    )


def _show_tree(step: Step, story: Story) -> None:
    st.markdown("**The tree behind it**")
    if not story.nodes:
        st.info("It grows with the first token: press *Next token*, or choose a bar.")
        return
    written = story.ids()
    before = (step.ids + written)[: len(step.ids) + max(0, len(written) - LEVELS)]
    labels = {each.id for node in story.nodes for each in (node.step, *node.step.alternatives)}
    nodes = story_tree(
        story,
        {index: step.writer.label(index) for index in labels},
        step.writer.label(before[-1]),
        levels=LEVELS,
    )
    left = sum(node.state == "kept" for node in nodes)
    show_figure(
        tree_figure(nodes, names=_NAMES),  # type: ignore[arg-type]
        key="story_tree",
        alt=f"The last {min(len(written), LEVELS)} of {len(written)} tokens of your text, with the "
        "likeliest roads not taken at each of them"
        + (
            f", and {left} that {'were' if left > 1 else 'was'} written and then left."
            if left
            else "."
        ),
    )
