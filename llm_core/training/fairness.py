"""Whose run is next: visitors take turns, however many runs each of them has waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A run in the queue. `since`: when it was put there, in seconds since 1970."""

    run: str
    owner: str
    since: float


def starting_order(waiting: Sequence[Waiting], served: Mapping[str, float]) -> list[Waiting]:
    """Return the waiting runs in the order in which they will start.

    `served` says when a run of an owner last started. The turn is that owner's who has waited
    longest for one: since their last start, or since they came if that is later. So between two
    starts of mine, nobody who came after the first starts twice, and newcomers push nobody back.
    """
    lines: dict[str, list[Waiting]] = {}
    for each in sorted(waiting, key=lambda each: (each.since, each.run)):
        lines.setdefault(each.owner, []).append(each)
    # Lists compare item by item: the moment counts, then the run's name decides.
    turns = {
        owner: (0.0, max(served.get(owner, 0.0), line[0].since), line[0].run)
        for owner, line in lines.items()
    }
    order: list[Waiting] = []
    while lines:
        owner = min(lines, key=turns.__getitem__)
        first = lines[owner].pop(0)
        order.append(first)
        turns[owner] = (float(len(order)), 0.0, first.run)  # behind all who wait now
        if not lines[owner]:
            del lines[owner]
    return order
