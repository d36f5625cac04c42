"""A text that is written token by token, with undo and branches: nothing written is ever lost.

No Streamlit: the page keeps a `Story`, and every change returns a new one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llm_core.generation.sample import Alternative, TokenStep
from pages.figures.decoding_tree import State, TreeNode, branch_rows

_ROOT = -1  # the number of the tree's first node; roads not taken have lower ones
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
    nodes = [TreeNode(_ROOT, None, 0, 0, label, "where this tree begins", "path")]
    below: list[tuple[int | None, TreeNode]] = [(root, nodes[0])]
    while below:
        written_as, parent = below.pop()
        children = [n for n, node in enumerate(story.nodes) if node.parent == written_as]
        children.sort(key=lambda n: n not in path)  # the text goes straight on
        for number in children:
            state: State = "path" if number in path else "kept"
            step = story.nodes[number].step
            probability = step.model_probability
            child = _below(parent, number, labels[step.id], probability, state)
            nodes.append(child)
            below.append((number, child))
        if written_as in (root, *path):
            first_free = _ROOT - 1 - sum(node.state == "dropped" for node in nodes)
            for place, road in enumerate(_roads(story, children)):
                label, probability = labels[road.id], road.model_probability
                number = first_free - place
                nodes.append(_below(parent, number, label, probability, "dropped"))
    rows = branch_rows({n.number: n.parent for n in nodes}, [n.number for n in nodes])
    return [replace(node, row=rows[node.number]) for node in nodes]


def _below(parent: TreeNode, number: int, label: str, probability: float, state: State) -> TreeNode:
    """A node one level further, whose row is to be found."""
    level = parent.level + 1
    return TreeNode(number, parent.number, level, 0, label, f"{probability:.1%}", state)


def _roads(story: Story, children: Sequence[int]) -> list[Alternative]:
    """The likeliest tokens in the place of these that were never written there."""
    if not children:
        return []
    steps = [story.nodes[number].step for number in children]
    taken = {step.id for step in steps}
    return [each for each in steps[0].alternatives if each.id not in taken][:ROADS]
