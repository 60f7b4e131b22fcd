"""What stands over a time, without looking at what does not: holds in order of their start, and a sum that steps.

Of n holds, those that meet a time are found in the order of log n and their own number, since every node knows the
latest end under it. The peak of a sum over a time is found in the order of log n: every node knows by how much the sum
changes over all its steps, and how far it rises on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from tenure.placement import ordered
from tenure.placement.holds import Hold
from tenure.placement.ordered import Entry, Node, Sort, Tree
from tenure.placement.values import FOREVER_MS


def _latest_end(entries: Sequence[Entry]) -> int:
    return max(int(entry[2]) for entry in entries)


STANDING = Sort(key_length=2, of_entries=_latest_end, of_parts=max)
"""Holds as (start, id, end, hold); a node's summary is the latest end."""


def _earliest_start(entries: Sequence[Entry]) -> int:
    return min(int(entry[2]) for entry in entries)


ENDING = Sort(key_length=2, of_entries=_earliest_start, of_parts=min)
"""Holds as (end, id, start, hold); a node's summary is the earliest start."""


def entry_of(sort: Sort, hold: Hold) -> Entry:
    if sort is ENDING:
        return hold.end_ms, hold.id, hold.start_ms, hold
    return hold.start_ms, hold.id, hold.end_ms, hold


def with_all(tree: Tree, holds: Sequence[Hold], sort: Sort = STANDING) -> Tree:
    """These holds too."""
    if tree is None:
        return ordered.built(sort, sorted((entry_of(sort, hold) for hold in holds), key=itemgetter(0, 1)))
    for hold in holds:
        tree = ordered.put(sort, tree, entry_of(sort, hold))
    return tree


def without(tree: Tree, hold: Hold, sort: Sort = STANDING) -> Tree:
    return ordered.without(sort, tree, entry_of(sort, hold)[: sort.key_length])


def first_to_end(tree: Tree, after_ms: int, until_ms: int | None) -> Iterator[Hold]:
    """Of a tree by ends: holds that end after the one instant and start before the other (None: whenever), by end and
    id."""
    if tree is None or (until_ms is not None and tree.summary >= until_ms):
        return
    if tree.leaf:
        for end_ms, _, start_ms, hold in tree.parts:
            if end_ms > after_ms and (until_ms is None or start_ms < until_ms):
                yield hold
        return
    # What ends at that very instant may be in several parts; the keys of all of them lie before this one.
    for part in tree.parts[tree.part_of((after_ms + 1,)) :]:
        yield from first_to_end(part, after_ms, until_ms)


def meeting(tree: Tree, after_ms: int, until_ms: int | None) -> list[Hold]:
    """Holds that end after the one instant and start before the other (None: whenever), by start and id."""
    met: list[Hold] = []
    if tree is not None and tree.summary > after_ms:
        _meet(tree, after_ms, until_ms, met)
    return met


def _meet(node: Node, after_ms: int, until_ms: int | None, met: list[Hold]) -> None:
    if node.leaf:
        for start_ms, _, end_ms, hold in node.parts:
            if until_ms is not None and start_ms >= until_ms:
                return
            if end_ms > after_ms:
                met.append(hold)
        return
    for part in node.parts:
        if until_ms is not None and part.first[0] >= until_ms:
            return
        if part.summary > after_ms:
            _meet(part, after_ms, until_ms, met)


def around(tree: Tree, after_ms: int, until_ms: int) -> tuple[int, int, int, int]:
    """Ends and starts beside which those two instants may move and still meet the same holds: the latest end up to the
    one and the earliest end after it, the latest start before the other and the earliest start from it on."""
    beside = [-FOREVER_MS, FOREVER_MS, -FOREVER_MS, FOREVER_MS]
    if tree is not None:
        _narrow(tree, after_ms, until_ms, beside)
    ended_ms, ends_ms, started_ms, starts_ms = beside
    return ended_ms, ends_ms, started_ms, starts_ms


def _narrow(node: Node, after_ms: int, until_ms: int, beside: list[int]) -> None:
    """What stops before all that is met starts before it too, and what starts after it stops after it."""
    for part in node.parts:
        start_ms, end_ms = (part[0], part[2]) if node.leaf else (part.first[0], part.summary)
        if start_ms >= until_ms:
            beside[3] = min(beside[3], start_ms)
            return
        if end_ms <= after_ms:
            beside[0] = max(beside[0], end_ms)
        elif node.leaf:
            beside[1], beside[2] = min(beside[1], end_ms), max(beside[2], start_ms)
        else:
            _narrow(part, after_ms, until_ms, beside)


def latest_first(tree: Tree) -> Iterator[Hold]:
    """All holds, the last to start first."""
    if tree is None:
        return
    for part in reversed(tree.parts):
        if tree.leaf:
            yield part[3]
        else:
            yield from latest_first(part)


Step = tuple[int, int]
"""(instant in ms, by how much the sum changes there)."""


def _rise(steps: Iterable[Entry]) -> tuple[int, int]:
    """(change over all the steps, the greatest that it comes to after any of them)."""
    total, highest = 0, None
    for _, change in steps:
        total += change
        if highest is None or total > highest:
            highest = total
    return total, highest or 0


def _rise_over(parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    total, highest = 0, None
    for change, rise in parts:
        if highest is None or total + rise > highest:
            highest = total + rise
        total += change
    return total, highest or 0


STEPS = Sort(key_length=1, of_entries=_rise, of_parts=_rise_over)


def line(changes: Iterable[Step]) -> Tree:
    """The sum that changes so, in whatever order; changes of one instant are one step, and none of zero is kept."""
    total: dict[int, int] = {}
    for at_ms, change in changes:
        total[at_ms] = total.get(at_ms, 0) + change
    return ordered.built(STEPS, sorted(step for step in total.items() if step[1]))


def changed(tree: Tree, changes: Iterable[Step]) -> Tree:
    """The sum with further changes."""
    for at_ms, change in changes:
        there = ordered.found(tree, (at_ms,))
        whole = change if there is None else there[1] + change
        if whole:
            tree = ordered.put(STEPS, tree, (at_ms, whole))
        elif there is not None:
            tree = ordered.without(STEPS, tree, (at_ms,))
    return tree


def peak(tree: Tree, start_ms: int, until_ms: int) -> int:
    """The greatest that the sum is at any instant of [start, until); one instant at least."""
    at_start = _at(tree, start_ms)
    return at_start if tree is None else _peak(tree, start_ms, until_ms, at_start, at_start)[1]


def _at(tree: Tree, at_ms: int) -> int:
    """The sum at an instant, what changes there included."""
    total: int = 0
    node: Tree = tree
    while node is not None and not node.leaf:
        place = node.part_of((at_ms,))
        total += sum(part.summary[0] for part in node.parts[:place])
        node = node.parts[place]
    if node is None:
        return 0
    total += sum(change for when_ms, change in node.parts if when_ms <= at_ms)
    return total


def _peak(node: Node, after_ms: int, until_ms: int, value: int, highest: int) -> tuple[int, int]:
    """(the sum after the steps of a node between these instants, the greatest until then)."""
    if node.leaf:
        for when_ms, change in node.parts:
            if after_ms < when_ms < until_ms:
                value += change
                highest = max(highest, value)
        return value, highest
    low, high = node.part_of((after_ms,)), node.part_of((until_ms,))
    for place in range(low, high + 1):
        part = node.parts[place]
        if low < place < high:
            highest = max(highest, value + part.summary[1])
            value += part.summary[0]
        else:
            value, highest = _peak(part, after_ms, until_ms, value, highest)
    return value, highest
