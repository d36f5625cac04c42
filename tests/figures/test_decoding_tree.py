"""Trees of texts: their rows, and what is drawn."""

import random
from itertools import combinations

import pytest

from pages.figures.decoding_tree import TreeNode, branch_rows, tree_figure


def test_a_first_child_goes_straight_on_and_the_others_below_it():
    parents = {0: None, 1: 0, 2: 0, 3: 1, 4: 1, 5: 2}
    assert branch_rows(parents, [0, 1, 2, 3, 4, 5]) == {0: 0, 1: 0, 3: 0, 4: 1, 2: 2, 5: 2}


@pytest.mark.parametrize("seed", range(20))
def test_no_two_lines_cross(seed):
    """Each line falls just behind its parent, then goes level: two of one level never overlap."""
    chance = random.Random(seed)
    parents = {0: None} | {n: chance.randrange(n) for n in range(1, 25)}
    rows = branch_rows(parents, sorted(parents))
    level = {0: 0}
    for number in range(1, 25):
        level[number] = level[parents[number]] + 1
    places = [(level[n], rows[n]) for n in parents]
    assert len(set(places)) == len(places)
    for a, b in combinations(range(1, 25), 2):
        if level[a] != level[b] or parents[a] == parents[b]:
            continue
        first, second = sorted((a, b), key=lambda n: rows[parents[n]])
        assert rows[first] < rows[second]  # in the order of their parents
        assert max(rows[first], rows[parents[first]]) < rows[second]


def node(number, parent, level, row, state="path", label="owl"):
    return TreeNode(number, parent, level, row, label, "50 %", state)


def test_every_node_is_drawn_once_with_a_line_to_the_one_before():
    nodes = [node(-1, None, 0, 0), node(0, -1, 1, 0), node(1, -1, 1, 1, "dropped", "<i>")]
    figure = tree_figure(nodes, names={"path": "your text"})
    points = {trace.name: trace for trace in figure.data if trace.mode == "markers+text"}
    assert set(points) == {"your text", "not taken"}
    assert list(points["your text"].x) == [0, 1]
    assert points["not taken"].customdata[0][0] == "&lt;i&gt;"
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    ends = [(line.x[0], line.y[0], line.x[-2], line.y[-2]) for line in lines]
    assert sorted(ends) == [(0, 0, 1, 0), (0, 0, 1, 1)]


def test_long_labels_are_cut_and_lone_signs_quoted():
    figure = tree_figure([node(0, None, 0, 0, label="grandmother"), node(1, 0, 1, 0, label=",")])
    texts = next(trace.text for trace in figure.data if trace.mode == "markers+text")
    assert list(texts) == ["<b>grandmot…</b>", "<b>“,”</b>"]
