"""Levels as columns: for each level, the number of the domain that each machine belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenure.placement.fleet import Fleet

Rows = npt.NDArray[np.int64]
NOWHERE = -1
"""The domain of a machine that names none at a level."""


@dataclass(frozen=True, slots=True)
class LevelTree:
    """``names``: levels, narrowest first; the first is the machine itself. ``domains``: int64 [levels, machines],
    domain numbers from 0, or NOWHERE. Levels need not nest: a rail may cut through racks."""

    names: tuple[str, ...]
    domains: Rows
    labels: tuple[tuple[str, ...], ...]
    _outer: dict[tuple[int, int], Rows] = field(default_factory=dict, compare=False, repr=False)
    _nests: dict[tuple[int, int], bool] = field(default_factory=dict, compare=False, repr=False)
    _crossing: dict[tuple[int, int], Rows] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, levels: Sequence[tuple[str, Sequence[str | None]]]) -> LevelTree:
        """From (level, the domain of each machine), narrowest first, the machine's level included."""
        columns, labels = [], []
        for _, domains in levels:
            names = sorted({name for name in domains if name is not None})
            place = {name: number for number, name in enumerate(names)}
            columns.append([NOWHERE if name is None else place[name] for name in domains])
            labels.append(tuple(names))
        return cls(tuple(name for name, _ in levels), np.array(columns, dtype=np.int64), tuple(labels))

    @classmethod
    def of_fleet(cls, fleet: Fleet) -> LevelTree:
        """From a fleet's levels; domains of different sites are different although they share a name."""

        def label(site: str, domain: str | None) -> str | None:
            return None if domain is None else f"{site}\0{domain}"

        return cls.of(
            [(level, [label(m.site, m.domain(level)) for m in fleet.machines]) for level in fleet.level_names()]
        )

    def machines(self) -> int:
        return int(self.domains.shape[1])

    def outer(self, level: int, wider: int) -> Rows:
        """For each domain of a level, the domain of a wider level that its first machine lies in, or NOWHERE."""
        key = (level, wider)
        if key not in self._outer:
            first = np.full(len(self.labels[level]), NOWHERE, dtype=np.int64)
            inside = np.flatnonzero(self.domains[level] != NOWHERE)[::-1]
            first[self.domains[level][inside]] = self.domains[wider][inside]
            self._outer[key] = first
        return self._outer[key]

    def nests(self, level: int, wider: int) -> bool:
        """Whether every domain of a level lies whole in one domain of the wider one."""
        key = (level, wider)
        if key not in self._nests:
            inside = np.flatnonzero(self.domains[level] != NOWHERE)
            around = self.domains[wider][inside]
            expected = self.outer(level, wider)[self.domains[level][inside]]
            self._nests[key] = bool(((around == expected) & (around != NOWHERE)).all())
        return self._nests[key]

    def crossing(self, level: int, other: int) -> Rows:
        """What domains of two levels have in common, numbered from 0: int64 [machines], or NOWHERE."""
        key = (level, other)
        if key not in self._crossing:
            one, two = self.domains[level], self.domains[other]
            inside = np.flatnonzero((one != NOWHERE) & (two != NOWHERE))
            pairs = one[inside] * (len(self.labels[other]) + 1) + two[inside]
            common = np.full(self.machines(), NOWHERE, dtype=np.int64)
            common[inside] = np.unique(pairs, return_inverse=True)[1]
            self._crossing[key] = common
        return self._crossing[key]

    def rows(self, level: int, domain: int) -> Rows:
        """Machines of one domain."""
        return np.flatnonzero(self.domains[level] == domain)

    def sums(self, level: int, values: Rows) -> Rows:
        """Values a machine, added up by domain."""
        return added_up(self.domains[level], values, len(self.labels[level]))


def added_up(domains: Rows, values: Rows, size: int) -> Rows:
    """Values a machine, added up by ``size`` domains; what lies NOWHERE counts nowhere."""
    inside = domains >= 0
    if inside.all():
        return np.bincount(domains, weights=values, minlength=size).astype(np.int64)
    return np.bincount(domains[inside], weights=values[inside], minlength=size).astype(np.int64)
