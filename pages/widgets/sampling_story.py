"""A text that is written token by token, with undo and branches: nothing written is ever lost.

No Streamlit: the page keeps a `Story`, and every change returns a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llm_core.generation.sample import TokenStep
from pages.figures.decoding_tree import TreeNode, branch_rows

ROADS = 2  # likely tokens that were not taken, shown at each place


@dataclass(frozen=True)
class Node:
    """A token that was written once: after which other one (None: the prompt), and its step."""

    parent: int | None
    step: TokenStep


@dataclass(frozen=True)
class Story:
    """All that was written after a prompt; `at` is the last token of the text as it stands."""

    nodes: tuple[Node, ...] = ()
    at: int | None = None

    def path(self) -> list[int]:
        """Numbers of the nodes of the text as it stands, in order."""
        found: list[int] = []
        place = self.at
        while place is not None:
            found.append(place)
            place = self.nodes[place].parent
        return found[::-1]

    def steps(self) -> list[TokenStep]:
        """The steps of the text as it stands."""
        return [self.nodes[number].step for number in self.path()]

    def ids(self) -> tuple[int, ...]:
        """Its token ids."""
        return tuple(step.id for step in self.steps())

    def grow(self, step: TokenStep) -> "Story":
        """Go on with a token; a road that was taken before is taken again, not doubled."""
        for number, node in enumerate(self.nodes):
            if node.parent == self.at and node.step.id == step.id:
                return replace(self, at=number)
        return Story((*self.nodes, Node(self.at, step)), len(self.nodes))

    def undo(self) -> "Story":
        """Go back by one token, which stays in the tree."""
        return self if self.at is None else replace(self, at=self.nodes[self.at].parent)

    def back_to(self, place: int) -> "Story":
        """Go back to where only the first `place` tokens of the text are written."""
        path = self.path()
        return self if place >= len(path) else replace(self, at=path[place - 1] if place else None)


def story_tree(
    story: Story, labels: Mapping[int, str], label: str, *, levels: int
) -> list[TreeNode]:
    """The last tokens of the text, what was written and left, and the likeliest roads not taken.

    labels: by token id; label: of the token before the first one that is shown; levels: how many
    tokens back the tree begins.
    """
    path = story.path()
    first = max(0, len(path) - levels)
    root = path[first - 1] if first else None
    parents: dict[int, int | None] = {-1: None}
    level = {-1: 0}
    found: dict[int, tuple[int, float, str]] = {}  # token id, probability, state
    order = [-1]
    below = [(root, -1)]
    untaken = -2
    while below:
        parent, drawn_as = below.pop()
        children = [n for n, node in enumerate(story.nodes) if node.parent == parent]
        children.sort(key=lambda n: n not in path)  # the text first: it goes straight on
        for number in children:
            step = story.nodes[number].step
            state = "path" if number in path else "kept"
            found[number] = (step.id, step.model_probability, state)
            parents[number], level[number] = drawn_as, level[drawn_as] + 1
            order.append(number)
            below.append((number, number))
        if children and parent in (root, *path):
            taken = {story.nodes[number].step.id for number in children}
            roads = [a for a in story.nodes[children[0]].step.alternatives if a.id not in taken]
            for road in roads[:ROADS]:
                found[untaken] = (road.id, road.model_probability, "dropped")
                parents[untaken], level[untaken] = drawn_as, level[drawn_as] + 1
                order.append(untaken)
                untaken -= 1
    rows = branch_rows(parents, order)
    nodes = [TreeNode(-1, None, 0, rows[-1], label, "where this tree begins", "path")]
    for number, (index, probability, state) in found.items():
        said = (labels[index], f"{probability:.1%}", state)
        nodes.append(TreeNode(number, parents[number], level[number], rows[number], *said))
    return nodes
