"""Machines of a fleet that a demand may stand on: in service, permitted, able. The last few selections are kept with
the fleet as the very same objects, so that what is known of one serves the next question, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tenure.placement import derived
from tenure.placement.demand import Constraint
from tenure.placement.fleet import Fleet, FleetMachine

SELECTIONS_MAX = 8
"""Selections kept of a fleet, those asked for last: a demand's machines, all in service, and without one or another
axis, as a refusal asks."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Machines of these kinds that no constraint forbids: those in service, or those out of it too."""

    kinds: frozenset[int]
    constraints: tuple[Constraint, ...] = ()
    out_of_service: bool = False


class Selection(list[FleetMachine]):
    """Some machines of a fleet, or all, in its order. Not to be changed."""

    def __init__(self, fleet: Fleet, machines: Iterable[FleetMachine]) -> None:
        super().__init__(machines)
        self.all = len(self) == len(fleet.machines)
        self.names: Mapping[str, FleetMachine] = fleet.index if self.all else {one.name: one for one in self}
        self._domains: dict[int, tuple[derived.Domains, derived.Domains]] = {}

    def domains(self, every: derived.Domains) -> derived.Domains:
        """What these domains have of the machines; the very same list for the very same list, which is kept so that
        its id stays its own."""
        if self.all:
            return every
        if id(every) not in self._domains:
            found = [(domain, [name for name in names if name in self.names]) for domain, names in every]
            self._domains[id(every)] = (every, [(domain, names) for domain, names in found if names])
        return self._domains[id(every)][1]


def selected(fleet: Fleet, wanted: Wanted) -> Selection:
    """The machines; of the last few that were wanted the very same selection."""
    if len(derived.in_service(fleet)) == len(fleet.machines):  # the same machines are the same selection
        wanted = replace(wanted, out_of_service=True)
    kept: tuple[tuple[Wanted, Selection], ...] = fleet.memo.get("selections", ())
    known = next((one for one in kept if one[0] == wanted), None) or (wanted, _made(fleet, wanted))
    others = (one for one in kept if one is not known)
    fleet.memo["selections"] = (known, *others)[:SELECTIONS_MAX]
    return known[1]


def everyone(fleet: Fleet) -> Selection:
    """All machines, in service or not."""
    return selected(fleet, Wanted(frozenset(derived.of_kind(fleet)), out_of_service=True))


def _made(fleet: Fleet, wanted: Wanted) -> Selection:
    machines: Iterable[FleetMachine] = fleet.machines if wanted.out_of_service else derived.in_service(fleet)
    for constraint in wanted.constraints:
        machines = [one for one in machines if constraint.permits(one.name, one.hardware_class)]
    if len(wanted.kinds) < len(derived.of_kind(fleet)):
        kind_of = derived.kinds(fleet)
        machines = [one for one in machines if kind_of[one.name] in wanted.kinds]
    return Selection(fleet, machines)
