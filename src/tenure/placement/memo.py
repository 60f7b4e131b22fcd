"""What one question asks again and again. Equal machines in equal states are searched once: the claim is the same but
for the machine's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from tenure.placement import derived
from tenure.placement.axes import axes, slots
from tenure.placement.calendar import Calendar, Free
from tenure.placement.demand import Role
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.holds import Claim
from tenure.placement.inside import claims_inside, place_inside
from tenure.placement.leftovers import Leftovers
from tenure.placement.remains import facts

T = TypeVar("T")


class Inside:
    """Remembers preferred claims within one question. ``looks``: at machines, by exact searches, so far."""

    def __init__(self) -> None:
        self.looks = 0
        self._once: dict[tuple[object, ...], tuple[tuple[object, ...], Any]] = {}
        self._known: dict[tuple[object, ...], Claim | None] = {}
        self._free: dict[tuple[int, int, int, int, str], tuple[Fleet, Calendar, dict[str, Free]]] = {}
        self._counts: dict[tuple[object, ...], tuple[int, int]] = {}
        self._in_a_row: dict[tuple[object, ...], tuple[list[Claim], Free]] = {}
        self._alike: dict[int, tuple[Role, Role]] = {}

    def once(self, what: str, of: tuple[object, ...], by: tuple[object, ...], make: Callable[[], T]) -> T:
        """What is made of these very objects, and by values equal to these, made once.

        The objects must not change. They are kept, so that their ids stay their own.
        """
        key = (what, *map(id, of), *by)
        if key not in self._once:
            self._once[key] = (of, make())
        made: T = self._once[key][1]
        return made

    def free(
        self,
        fleet: Fleet,
        calendar: Calendar,
        machines: Iterable[FleetMachine],
        start_ms: int,
        end_ms: int,
        group: str,
    ) -> dict[str, Free]:
        """What ``calendar.free_over`` says, by machine. An explanation asks it again for each constraint that it leaves
        out."""
        key = (id(fleet.memo), id(calendar), start_ms, end_ms, group)
        # Kept with what it was made from, so that their ids stay their own.
        _, _, known = self._free.setdefault(key, (fleet, calendar, {}))
        left = Leftovers(fleet, calendar, start_ms, end_ms, group)
        whole, held = derived.whole(fleet), calendar.by_machine
        found: dict[str, Free] = {}
        for machine in machines:
            name = machine.name
            one = known.get(name) if name in held else whole[name]
            if one is None:
                one = known[name] = left.of(machine)
            found[name] = one
        return found

    def count(self, free: Free, role: Role, limit: int) -> tuple[int, int]:
        """Members of a role that fit together on one machine, whatever else limits them: so many surely, and no more.

        The two differ only where a bounded search gave up. More than ``limit`` are known not to fit, or not asked for.
        """
        key = (limit, *self._key(free, role))
        if key not in self._counts:
            self._counts[key] = self._counted(free, role, limit)
        return self._counts[key]

    def _counted(self, free: Free, role: Role, limit: int) -> tuple[int, int]:
        if not axes(role) and self.place(free, role) is not None:
            return limit, limit  # one takes nothing, and nor do so many
        sure, rest = 0, free
        while sure < limit and (claim := self.place(rest, role)) is not None:
            sure, rest = sure + 1, rest.minus(claim)
        most = limit
        while most > sure:
            found = carries_exactly(free, role, most)
            if found is not False:
                return (most, most) if found else (sure, most)
            most -= 1
        return sure, most

    def place(self, free: Free, role: Role) -> Claim | None:
        """What ``place_inside`` says."""
        machine = free.machine
        key = self._key(free, role)
        if key not in self._known:
            self._known[key] = place_inside(free, role)
        claim = self._known[key]
        return claim if claim is None or claim.machine == machine.name else _on(machine.name, claim)

    def in_a_row(self, free: Free, role: Role, most: int) -> tuple[list[Claim], Free]:
        """So many members on one machine, each placed as ``place`` says beside those before it, and what they leave; as
        many as have a place. Equal claims are one object."""
        key = (most, *self._key(free, role))
        if key not in self._in_a_row:
            self._in_a_row[key] = self._placed_in_a_row(free, role, most)
        claims, rest = self._in_a_row[key]
        machine = free.machine
        if rest.machine is machine:
            return claims, rest
        ours: dict[int, Claim] = {}
        for claim in claims:
            if id(claim) not in ours:
                ours[id(claim)] = _on(machine.name, claim)
        there = [ours[id(claim)] for claim in claims] if len(ours) > 1 else list(ours.values()) * len(claims)
        return there, Free(machine, rest.cores, rest.memory, rest.devices)

    def _placed_in_a_row(self, free: Free, role: Role, most: int) -> tuple[list[Claim], Free]:
        if not axes(role):  # one takes nothing, and so the next one is placed alike
            claim = self.place(free, role)
            return ([claim] * most if claim is not None else []), free
        known: dict[Claim, Claim] = {}
        claims: list[Claim] = []
        while len(claims) < most and (claim := self.place(free, role)) is not None:
            claims.append(known.setdefault(claim, claim))
            free = free.minus(claim)
        return claims, free

    def _key(self, free: Free, role: Role) -> tuple[object, ...]:
        return (*facts(free), self._one(role))

    def _one(self, role: Role) -> Role:
        """A single member: how many there are of it makes no other claim."""
        known = self._alike.get(id(role))
        if known is None:
            known = self._alike[id(role)] = (role, replace(role, count=1, count_min=None, values=()))
        return known[1]


def _on(machine: str, claim: Claim) -> Claim:
    """The same claim on another machine."""
    return Claim(machine, claim.cores, claim.memory_bytes, claim.memory_nodes, claim.devices, claim.role, claim.draws)


COUNT_STEPS_MAX = 2_000
"""Claims tried before it is not known whether so many members fit into one machine."""


def carries_exactly(free: Free, role: Role, members: int) -> bool | None:
    """Whether so many members fit into one machine: depth first over every claim; None where that takes too long."""
    steps = 0

    def extend(rest: Free, wanted: int) -> bool | None:
        nonlocal steps
        if wanted == 0:
            return True
        if slots(rest, role) < wanted:
            return False
        for claim in claims_inside(rest, role):
            steps += 1
            if steps > COUNT_STEPS_MAX:
                return None
            found = extend(rest.minus(claim), wanted - 1)
            if found is not False:
                return found
        return False

    return extend(free, members)
