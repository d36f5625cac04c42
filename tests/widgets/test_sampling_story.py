"""A text that is written token by token, undone, and branched."""

import pytest

from llm_core.generation.sample import Alternative, TokenStep
from pages.widgets.sampling_story import ROADS, Story, story_tree

LABELS = {index: f"t{index}" for index in range(100)}


def step(index, *others):
    alternatives = tuple(Alternative(other, 0.2, 0.2) for other in others)
    return TokenStep(index, 0.5, 0.5, 1.0, alternatives)


def written(*ids):
    story = Story()
    for index in ids:
        story = story.grow(step(index))
    return story


def test_a_story_grows_and_undo_takes_the_last_token_back():
    story = written(1, 2, 3)
    assert story.ids() == (1, 2, 3)
    assert story.undo().ids() == (1, 2)
    assert story.undo().undo().undo().undo().ids() == ()


def test_what_was_undone_stays_in_the_tree_and_a_road_is_not_doubled():
    story = written(1, 2).undo().grow(step(7))
    assert story.ids() == (1, 7)
    assert len(story.nodes) == 3
    again = story.undo().grow(step(2))
    assert again.ids() == (1, 2)
    assert len(again.nodes) == 3


@pytest.mark.parametrize(("place", "ids"), [(0, ()), (1, (5,)), (2, (5, 6)), (9, (5, 6, 7))])
def test_it_goes_back_to_any_place(place, ids):
    assert written(5, 6, 7).back_to(place).ids() == ids


def test_an_old_story_is_never_changed():
    story = written(1, 2)
    story.undo().grow(step(3))
    assert story.ids() == (1, 2)
    assert len(story.nodes) == 2


def test_the_tree_has_the_text_on_top_then_branches_then_roads_not_taken():
    story = Story().grow(step(1, 1, 8, 9, 10)).grow(step(2)).undo().grow(step(3, 2, 3, 4))
    nodes = story_tree(story, LABELS, "prompt", levels=5)
    by_state = {state: [n for n in nodes if n.state == state] for state in ("path", "kept")}
    assert [(n.label, n.level, n.row) for n in by_state["path"]] == [
        ("prompt", 0, 0),
        ("t1", 1, 0),
        ("t3", 2, 0),
    ]
    assert [(n.label, n.level) for n in by_state["kept"]] == [("t2", 2)]
    dropped = [(n.label, n.level) for n in nodes if n.state == "dropped"]
    # What was written before is no road not taken; of the others, the likeliest two are shown.
    assert sorted(dropped) == [("t4", 2), ("t8", 1), ("t9", 1)]
    assert len([1 for label, level in dropped if level == 1]) == ROADS
    assert len({(n.level, n.row) for n in nodes}) == len(nodes)


def test_only_the_end_of_a_long_text_is_in_the_tree():
    nodes = story_tree(written(*range(20)), LABELS, "t14", levels=5)
    assert [n.label for n in nodes] == ["t14", "t15", "t16", "t17", "t18", "t19"]
    assert [n.level for n in nodes] == [0, 1, 2, 3, 4, 5]


def test_a_story_that_was_undone_to_its_start_shows_what_it_had_been():
    nodes = story_tree(written(1, 2).undo().undo(), LABELS, "prompt", levels=5)
    assert [(n.label, n.state) for n in nodes] == [
        ("prompt", "path"),
        ("t1", "kept"),
        ("t2", "kept"),
    ]
