"""The calendar of holds: an immutable value that answers what is free, over which time, and when more becomes free.

A hold takes its claims from its start until its end plus the margin in which its processes stop; the next hold on the
same capacity starts after that. Holds of one group are alternatives and are charged their pointwise maximum: the union
of their cores, the greater of their bytes and thousandths, at each instant.

Each machine's holds are kept by their start, with the latest end of every stretch of them (``over_time``), so what
stands there over some time is found without a walk over what stands there at other times; a hold more or less copies
one path. All holds are kept by their start, and by their end, in the same way. What is drawn of budgets is kept beside
them as lines of steps (``charges``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from tenure.placement import over_time
from tenure.placement.charges import Change, Charges
from tenure.placement.fleet import FleetMachine
from tenure.placement.holds import Claim, Hold
from tenure.placement.ordered import Node, Tree
from tenure.placement.values import FOREVER_MS, PlacementError

Amounts = dict[str, int]
"""Used amounts by axis: ``memory:0`` in bytes, ``device:gpu-3`` in thousandths, or the id of a budget."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one hold takes on some axes, from ``start_ms`` until ``end_ms`` (margin included)."""

    group: str
    start_ms: int
    end_ms: int
    amounts: Mapping[str, int]


def peak_use(uses: Iterable[Use], start_ms: int, end_ms: int) -> Amounts:
    """The greatest use of each axis at any instant of [start, end): the maximum within a group, the sum over groups.

    One sweep over starts and ends; what ends at an instant is gone before what starts at it is added.
    """
    near = [use for use in uses if use.start_ms < end_ms and use.end_ms > start_ms]
    if len(near) == 1:
        return dict(near[0].amounts)
    changes = [(max(start_ms, use.start_ms), 1, place) for place, use in enumerate(near)]
    changes += [(use.end_ms, 0, place) for place, use in enumerate(near) if use.end_ms < end_ms]
    standing: dict[str, list[Use]] = {}
    total: Amounts = {}
    peak: Amounts = {}
    for _, together in groupby(sorted(changes), key=itemgetter(0)):
        risen: set[str] = set()
        for _, starts, place in together:
            use = near[place]
            own = standing.setdefault(use.group, [])
            before = _greatest(own)
            if starts:
                own.append(use)
            else:
                own.remove(use)
            after = _greatest(own)
            for axis in use.amounts:
                total[axis] = total.get(axis, 0) + after.get(axis, 0) - before.get(axis, 0)
            risen.update(use.amounts)
        for axis in risen:
            if total[axis] > peak.get(axis, 0):
                peak[axis] = total[axis]
    return peak


def _greatest(alternatives: list[Use]) -> Mapping[str, int]:
    """The maximum of each axis over the alternatives of one group."""
    if len(alternatives) <= 1:
        return alternatives[0].amounts if alternatives else {}
    greatest: Amounts = {}
    for use in alternatives:
        for axis, amount in use.amounts.items():
            greatest[axis] = max(greatest.get(axis, 0), amount)
    return greatest


@dataclass(frozen=True, slots=True)
class Free:
    """What one machine has left over some time: whole cores, bytes a NUMA node, thousandths a device."""

    machine: FleetMachine
    cores: frozenset[int]
    memory: Mapping[int, int]
    devices: Mapping[str, int]

    @classmethod
    def whole(cls, machine: FleetMachine) -> Free:
        """The machine with nothing on it: what could ever be sold."""
        return cls(machine, machine.sellable_cores(), machine.sellable_memory(), machine.sellable_devices())

    def minus(self, claim: Claim) -> Free:
        """What is left beside a further claim on the same machine."""
        memory = dict(self.memory)
        for node, part in claim.memory_parts().items():
            memory[node] -= part
        devices = dict(self.devices)
        for device in claim.devices:
            devices[device.id] -= device.milli
        return Free(self.machine, self.cores.difference(claim.cores), memory, devices)


@dataclass(frozen=True, slots=True)
class Calendar:
    """All holds that count, by id; ``margin_ms`` is kept between two holds on the same capacity."""

    holds: Mapping[str, Hold] = field(default_factory=dict)
    margin_ms: int = 0
    by_machine: Mapping[str, Node] = field(default_factory=dict, compare=False, repr=False)
    by_group: Mapping[str, tuple[Hold, ...]] = field(default_factory=dict, compare=False, repr=False)
    in_order: Tree = field(default=None, compare=False, repr=False)
    by_end: Tree = field(default=None, compare=False, repr=False)
    charges: Charges = field(default_factory=Charges, compare=False, repr=False)

    @classmethod
    def of(cls, holds: Iterable[Hold], *, margin_ms: int = 0) -> Calendar:
        return cls(margin_ms=margin_ms).with_holds(*holds)

    def with_holds(self, *added: Hold) -> Calendar:
        """A calendar that holds these too. An id that is there already is an error: free it first."""
        holds, by_machine, by_group = dict(self.holds), dict(self.by_machine), dict(self.by_group)
        fresh: dict[str, list[Hold]] = {}
        changes: list[Change] = []
        for hold in added:
            if hold.id in holds:
                raise PlacementError("HoldExists", f"holds[{hold.id}]", "a hold of this id is in the calendar")
            if hold.end_ms <= hold.start_ms:
                raise PlacementError("HoldInvalid", f"holds[{hold.id}].endMs", "a hold ends after it starts")
            holds[hold.id] = hold
            for name in {claim.machine for claim in hold.claims}:
                fresh.setdefault(name, []).append(hold)
            beside = by_group.get(hold.group, ()) if hold.group else ()
            if hold.group:
                by_group[hold.group] = (*beside, hold)
            changes.append(Change(hold, beside, came=True))
        for name, own in fresh.items():
            row = over_time.with_all(by_machine.get(name), own)
            if row is not None:
                by_machine[name] = row
        in_order = over_time.with_all(self.in_order, added)
        by_end = over_time.with_all(self.by_end, added, over_time.ENDING)
        return Calendar(holds, self.margin_ms, by_machine, by_group, in_order, by_end, self.charges.after(changes))

    def without(self, *ids: str) -> Calendar:
        """A calendar without these holds. What is not there is an error: nothing is freed twice."""
        holds, by_machine, by_group = dict(self.holds), dict(self.by_machine), dict(self.by_group)
        in_order, by_end = self.in_order, self.by_end
        changes: list[Change] = []
        for hold_id in ids:
            hold = holds.pop(hold_id, None)
            if hold is None:
                raise PlacementError("HoldUnknown", f"holds[{hold_id}]", "the calendar has no hold of this id")
            in_order = over_time.without(in_order, hold)
            by_end = over_time.without(by_end, hold, over_time.ENDING)
            for name in {claim.machine for claim in hold.claims}:
                row = over_time.without(by_machine.pop(name), hold)
                if row is not None:
                    by_machine[name] = row
            beside: tuple[Hold, ...] = ()
            if hold.group:
                beside = tuple(other for other in by_group.pop(hold.group) if other.id != hold_id)
                if beside:
                    by_group[hold.group] = beside
            changes.append(Change(hold, beside, came=False))
        return Calendar(holds, self.margin_ms, by_machine, by_group, in_order, by_end, self.charges.after(changes))

    def last_start_ms(self, *, without_group: str = "") -> int:
        """From then on no hold begins: what is free only grows. Unix ms, or the least number where there is none."""
        starts = (h.start_ms for h in over_time.latest_first(self.in_order) if not _of(h, without_group))
        return next(starts, -FOREVER_MS)

    def alternatives(self) -> Iterable[tuple[Hold, ...]]:
        """All holds, those of one group together."""
        yield from self.by_group.values()
        yield from ((hold,) for hold in self.holds.values() if not hold.group)

    def stop_ms(self, hold: Hold) -> int:
        """When the capacity of a hold is free again: its end and the margin for stopping."""
        return min(FOREVER_MS, hold.end_ms + self.margin_ms)

    def near(self, machine: str, start_ms: int, end_ms: int, *, without_group: str = "") -> list[Hold]:
        """Holds on a machine that a hold of [start, end) would meet, the margins of both sides included."""
        return self._meeting(machine, start_ms, min(FOREVER_MS, end_ms + self.margin_ms), without_group)

    def ahead(self, machine: str, instant_ms: int, *, without_group: str = "") -> list[Hold]:
        """Holds on a machine that have not stopped at an instant, whenever they start."""
        return self._meeting(machine, instant_ms, None, without_group)

    def _meeting(self, machine: str, after_ms: int, until_ms: int | None, without_group: str) -> list[Hold]:
        """Holds on a machine that stop after one instant and start before another, by start and id."""
        if after_ms >= FOREVER_MS:
            return []
        met = over_time.meeting(self.by_machine.get(machine), after_ms - self.margin_ms, until_ms)
        return [hold for hold in met if not _of(hold, without_group)] if without_group else met

    def free_over(self, machine: FleetMachine, start_ms: int, end_ms: int, *, without_group: str = "") -> Free:
        """What is free on a machine throughout [start, end), its own stopping margin included."""
        near = self.near(machine.name, start_ms, end_ms, without_group=without_group)
        return self._left(machine, near, start_ms, min(FOREVER_MS, end_ms + self.margin_ms))

    def free_at(self, machine: FleetMachine, instant_ms: int, *, without_group: str = "") -> Free:
        """What is free at one instant (a hold that is just stopping still counts)."""
        near = self._meeting(machine.name, instant_ms, instant_ms + 1, without_group)
        return self._left(machine, near, instant_ms, instant_ms + 1)

    def _left(self, machine: FleetMachine, near: list[Hold], start_ms: int, until_ms: int) -> Free:
        """What these holds leave of a machine throughout [start, until)."""
        if not near:
            return Free.whole(machine)
        taken = {
            core for hold in near for claim in hold.claims if claim.machine == machine.name for core in claim.cores
        }
        uses = [Use(h.alternative_of, h.start_ms, self.stop_ms(h), _amounts(h, machine.name)) for h in near]
        peak = peak_use(uses, start_ms, until_ms)
        return Free(
            machine,
            machine.sellable_cores() - taken,
            {node: left - peak.get(f"memory:{node}", 0) for node, left in machine.sellable_memory().items()},
            {name: left - peak.get(f"device:{name}", 0) for name, left in machine.sellable_devices().items()},
        )

    def first_to_end(self, after_ms: int, until_ms: int | None = None, *, without_group: str = "") -> Iterator[Hold]:
        """Holds anywhere that stop after one instant and start before another (None: whenever), by end and id."""
        if after_ms >= FOREVER_MS:
            return iter(())
        met = over_time.first_to_end(self.by_end, after_ms - self.margin_ms, until_ms)
        return (hold for hold in met if not _of(hold, without_group)) if without_group else met

    def releases(
        self, machines: Container[str], after_ms: int, until_ms: int, *, without_group: str = ""
    ) -> dict[int, list[str]]:
        """Instants in (after, until] at which something on these machines becomes free, in order, and on which.

        The earliest feasible start of any demand is either the earliest that it asks for or one of these: between
        them, less is free at every later start. A machine is there once a hold.
        """
        found: dict[int, list[str]] = {}
        if until_ms <= after_ms:
            return found
        end_ms, names = after_ms, list[str]()
        for hold in self.first_to_end(after_ms, without_group=without_group):
            if hold.end_ms != end_ms or not found:
                end_ms, stop_ms = hold.end_ms, self.stop_ms(hold)
                if stop_ms > until_ms:
                    break
                names = found.setdefault(stop_ms, [])
            if len(hold.claims) == 1:
                name = hold.claims[0].machine
                if name in machines:
                    names.append(name)
            else:
                names += dict.fromkeys(claim.machine for claim in hold.claims if claim.machine in machines)
        return {stop_ms: names for stop_ms, names in found.items() if names}


def _of(hold: Hold, group: str) -> bool:
    return bool(group) and hold.group == group


def _amounts(hold: Hold, machine: str) -> Amounts:
    """Memory and devices that a hold takes on one machine, its claims there added up."""
    amounts: Amounts = {}
    for claim in hold.claims:
        if claim.machine != machine:
            continue
        for node, part in claim.memory_parts().items():
            amounts[f"memory:{node}"] = amounts.get(f"memory:{node}", 0) + part
        for device in claim.devices:
            amounts[f"device:{device.id}"] = amounts.get(f"device:{device.id}", 0) + device.milli
    return amounts
