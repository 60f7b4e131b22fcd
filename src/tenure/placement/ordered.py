"""Ordered entries that never change in place: a wide tree of which an addition or removal copies one path.

An entry is a tuple that begins with its key; keys differ. A calendar is a value of which many versions live side by
side, so adding a hold must leave the version before it as it was, and cost no more than the logarithm of what is there.
Each node keeps a summary of all entries under it, and the questions of ``over_time`` look at summaries, not entries.
(Wide because copying a short tuple is one step of C; the shape has no part in any answer.)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 32
"""Entries of a leaf, and parts of a branch, at most."""

Key = tuple[Any, ...]
Entry = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """How long an entry's key is, and how entries, or the summaries of parts, are summed up."""

    key_length: int
    of_entries: Callable[[Sequence[Entry]], Any]
    of_parts: Callable[[Sequence[Any]], Any]


class Node:
    """A leaf of entries, or a branch of nodes; ``firsts`` are the keys at which a branch's parts begin."""

    __slots__ = ("first", "firsts", "leaf", "parts", "summary")

    def __init__(self, sort: Sort, parts: tuple[Any, ...], *, leaf: bool) -> None:
        self.parts = parts
        self.leaf = leaf
        if leaf:
            self.firsts: tuple[Key, ...] = ()
            self.first: Key = parts[0][: sort.key_length]
            self.summary = sort.of_entries(parts)
        else:
            self.firsts = tuple(part.first for part in parts)
            self.first = self.firsts[0]
            self.summary = sort.of_parts([part.summary for part in parts])

    def part_of(self, key: Key) -> int:
        """The number of the part under which a key lies, or would lie."""
        return max(0, bisect_right(self.firsts, key) - 1)


Tree = Node | None
"""None is the tree with nothing in it."""


def built(sort: Sort, entries: Sequence[Entry]) -> Tree:
    """The tree of entries that are in order already."""
    level = _grouped(sort, entries, leaf=True)
    while len(level) > 1:
        level = _grouped(sort, level, leaf=False)
    return level[0] if level else None


def _grouped(sort: Sort, parts: Sequence[Any], *, leaf: bool) -> list[Node]:
    step = WIDTH * 3 // 4  # not quite full, so that the next additions split nothing
    return [Node(sort, tuple(parts[at : at + step]), leaf=leaf) for at in range(0, len(parts), step)]


def found(tree: Tree, key: Key) -> Entry | None:
    """The entry of a key, if it is there."""
    node = tree
    while node is not None and not node.leaf:
        node = node.parts[node.part_of(key)]
    if node is None:
        return None
    place = bisect_left(node.parts, key)
    if place < len(node.parts) and node.parts[place][: len(key)] == key:
        entry: Entry = node.parts[place]
        return entry
    return None


def put(sort: Sort, tree: Tree, entry: Entry) -> Node:
    """The tree with this entry, in the place of one with its key."""
    if tree is None:
        return Node(sort, (entry,), leaf=True)
    nodes = _put(sort, tree, entry, entry[: sort.key_length])
    return nodes[0] if len(nodes) == 1 else Node(sort, nodes, leaf=False)


def _put(sort: Sort, node: Node, entry: Entry, key: Key) -> tuple[Node, ...]:
    parts = node.parts
    if node.leaf:
        place = bisect_left(parts, key)
        there = place < len(parts) and parts[place][: len(key)] == key
        parts = (*parts[:place], entry, *parts[place + there :])
    else:
        place = node.part_of(key)
        parts = (*parts[:place], *_put(sort, parts[place], entry, key), *parts[place + 1 :])
    if len(parts) <= WIDTH:
        return (Node(sort, parts, leaf=node.leaf),)
    half = len(parts) // 2
    return Node(sort, parts[:half], leaf=node.leaf), Node(sort, parts[half:], leaf=node.leaf)


def without(sort: Sort, tree: Tree, key: Key) -> Tree:
    """The tree without the entry of a key, which must be there."""
    if tree is None:
        raise KeyError(key)
    node = _without(sort, tree, key)
    while node is not None and not node.leaf and len(node.parts) == 1:
        node = node.parts[0]
    return node


def _without(sort: Sort, node: Node, key: Key) -> Tree:
    parts = node.parts
    if node.leaf:
        place = bisect_left(parts, key)
        if place == len(parts) or parts[place][: len(key)] != key:
            raise KeyError(key)
        rest = parts[:place] + parts[place + 1 :]
    else:
        place = node.part_of(key)
        part = _without(sort, parts[place], key)
        rest = _joined(sort, parts, place, part)
    return Node(sort, rest, leaf=node.leaf) if rest else None


def _joined(sort: Sort, parts: tuple[Any, ...], place: int, part: Tree) -> tuple[Any, ...]:
    """The parts with another in one place; one that has become small is joined to a neighbour that has room for it."""
    if part is None:
        return parts[:place] + parts[place + 1 :]
    if len(part.parts) < WIDTH // 4:
        for low in (place - 1, place):
            if not 0 <= low < len(parts) - 1:
                continue
            pair = (parts[low], part) if low < place else (part, parts[low + 1])
            if len(pair[0].parts) + len(pair[1].parts) <= WIDTH:
                whole = Node(sort, pair[0].parts + pair[1].parts, leaf=part.leaf)
                return (*parts[:low], whole, *parts[low + 2 :])
    return (*parts[:place], part, *parts[place + 1 :])
