"""Free amounts a machine, and for each class of member the places that they make, by domain of every level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.placement.gangs.tree import NOWHERE, LevelTree, Rows

NO_LIMIT = 2**31

Need = tuple[int, ...]
"""What one member takes of each axis (devices, milli-cores, bytes ...), in the order of the axes."""


@dataclass(slots=True)
class _Class:
    """Places for one class of member: int64 [machines], and one int64 [domains] for each level."""

    need: Rows
    places: Rows
    by_level: list[Rows]


class FreeCounts:
    """Free amounts int64 [machines, axes] over a tree. Changed only by ``take`` and ``give``, exact inverses."""

    def __init__(self, tree: LevelTree, capacity: Rows) -> None:
        if capacity.shape[0] != tree.machines():
            raise ValueError("capacity needs one row a machine")
        self.tree = tree
        self.capacity = capacity
        self.free: Rows = capacity.copy()
        self._classes: dict[Need, _Class] = {}

    def places(self, need: Need) -> Rows:
        """Members of this class that each machine could take now: int64 [machines]."""
        return self._class(need).places

    def by_domain(self, need: Need, level: int) -> Rows:
        """The same, added up by domain of a level: int64 [domains]."""
        return self._class(need).by_level[level]

    def take(self, need: Need, rows: Rows, members: Rows) -> None:
        """Place so many members on these machines. Raises ValueError, changing nothing, where they do not fit."""
        amounts = np.outer(members, np.array(need, dtype=np.int64))
        if (self.free[rows] < amounts).any():
            raise ValueError("a machine has not enough left for the members")
        self._move(rows, -amounts)

    def give(self, need: Need, rows: Rows, members: Rows) -> None:
        """Take the same members away again."""
        self._move(rows, np.outer(members, np.array(need, dtype=np.int64)))

    def _move(self, rows: Rows, amounts: Rows) -> None:
        self.free[rows] += amounts
        for one in self._classes.values():
            fresh = _places(self.free[rows], one.need)
            change = fresh - one.places[rows]
            one.places[rows] = fresh
            for level, sums in enumerate(one.by_level):
                domains = self.tree.domains[level][rows]
                inside = domains != NOWHERE
                np.add.at(sums, domains[inside], change[inside])

    def _class(self, need: Need) -> _Class:
        known = self._classes.get(need)
        if known is None:
            column = np.array(need, dtype=np.int64)
            places = _places(self.free, column)
            by_level = [self.tree.sums(level, places) for level in range(len(self.tree.names))]
            known = self._classes[need] = _Class(column, places, by_level)
        return known

    def check(self) -> None:
        """Cached counts equal fresh ones, and nothing is overdrawn. For tests."""
        assert (self.free >= 0).all()
        assert (self.free <= self.capacity).all()
        for one in self._classes.values():
            assert (one.places == _places(self.free, one.need)).all()
            for level, sums in enumerate(one.by_level):
                assert (sums == self.tree.sums(level, one.places)).all()


def _places(free: Rows, need: Rows) -> Rows:
    asked = np.flatnonzero(need)
    if len(asked) == 0:
        return np.full(len(free), NO_LIMIT, dtype=np.int64)
    places: Rows = (free[:, asked] // need[asked]).min(axis=1)
    return places
