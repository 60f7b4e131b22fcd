"""Room for all members, axis by axis, kept from one release to the next: an upper limit that is cheap to move on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from tenure.placement.derived import Domains, places
from tenure.placement.fleet import FleetMachine
from tenure.placement.question import Question
from tenure.placement.remains import totals

MANY = 4
"""Machines are many, and all are counted, when so many times as many are no fewer than there are."""


class Room:
    """Members that each widest domain could carry at a start.

    Between two releases on a machine less is free there at every later start, so what was counted at its last release
    is never too little.
    """

    def __init__(self, question: Question, machines: Sequence[FleetMachine], domains: Domains, start_ms: int) -> None:
        self._question = question
        self._machines = machines
        self._domains = domains
        self._roles = question.demand.roles
        self._count_all(start_ms)

    def update(self, names: Sequence[str], start_ms: int) -> None:
        """Count these machines afresh for a start at ``start_ms``; others need not be known."""
        if MANY * len(names) >= len(self._machines):
            self._count_all(start_ms)
            return
        known = [self._by_name[name] for name in names if name in self._by_name]
        free = self._question.free(known, start_ms)
        for number, role in enumerate(self._roles):
            counted = self._counted[number]
            for name, fresh in self._question.room(free, role).items():
                more = fresh - self._fresh[number].get(name, counted[name])
                if more:
                    self._fresh[number][name] = fresh
                    for place in self._domains_of.get(name, ()):
                        self._totals[place][number] += more

    def enough(self) -> bool:
        """Whether any domain could carry the smallest size of every role."""
        needed = [role.least for role in self._roles]
        return any(all(have >= need for have, need in zip(row, needed, strict=True)) for row in self._totals)

    def _count_all(self, start_ms: int) -> None:
        free = self._question.free(self._machines, start_ms)
        self._counted = [self._question.room(free, role) for role in self._roles]
        self._fresh: list[dict[str, int]] = [{} for _ in self._roles]
        self._totals = [
            list(row) for row in zip(*(totals(counted, self._domains) for counted in self._counted), strict=True)
        ]

    @cached_property
    def _by_name(self) -> Mapping[str, FleetMachine]:
        return {machine.name: machine for machine in self._machines}

    @cached_property
    def _domains_of(self) -> Mapping[str, Sequence[int]]:
        return places(self._domains)
