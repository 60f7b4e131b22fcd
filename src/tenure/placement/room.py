"""Room for all members, axis by axis, kept from one release to the next: an upper limit that is cheap to move on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tenure.placement.fleet import FleetMachine
from tenure.placement.question import Question


class Room:
    """Members that each widest domain could carry at a start.

    Between two releases on a machine less is free there at every later start, so what was counted at its last release
    is never too little.
    """

    def __init__(
        self,
        question: Question,
        machines: Sequence[FleetMachine],
        domains: Sequence[tuple[str, Sequence[str]]],
        start_ms: int,
    ) -> None:
        self._question = question
        self._machines = {machine.name: machine for machine in machines}
        self._domains_of: dict[str, list[int]] = {}
        for number, (_, names) in enumerate(domains):
            for name in names:
                self._domains_of.setdefault(name, []).append(number)
        self._needed = [role.least for role in question.demand.roles]
        self._by_machine: dict[str, list[int]] = {name: [0] * len(self._needed) for name in self._machines}
        self._totals = [[0] * len(self._needed) for _ in domains]
        self.update(self._machines, start_ms)

    def update(self, names: Iterable[str], start_ms: int) -> None:
        """Count these machines afresh for a start at ``start_ms``; others need not be known."""
        known = [self._machines[name] for name in names if name in self._machines]
        free = self._question.free(known, start_ms)
        for number, role in enumerate(self._question.demand.roles):
            for name, fresh in self._question.room(free, role).items():
                more = fresh - self._by_machine[name][number]
                if more:
                    self._by_machine[name][number] = fresh
                    for place in self._domains_of.get(name, ()):
                        self._totals[place][number] += more

    def enough(self) -> bool:
        """Whether any domain could carry the smallest size of every role."""
        return any(all(have >= need for have, need in zip(row, self._needed, strict=True)) for row in self._totals)
