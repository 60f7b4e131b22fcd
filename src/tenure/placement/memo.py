"""What one question asks again and again. Equal machines in equal states are searched once: the claim is the same but
for the machine's name."""

from __future__ import annotations

from tenure.placement.calendar import Calendar, Free
from tenure.placement.demand import Role
from tenure.placement.fleet import FleetMachine
from tenure.placement.holds import Claim
from tenure.placement.inside import place_inside


class Inside:
    """Remembers preferred claims within one question. Two machines are known to be equal when they share their facts'
    very tuples, as machines of one profile do; facts live as long as the fleet, so their identity is a key."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Claim | None] = {}
        self._free: dict[tuple[str, int, int, str], tuple[Calendar, Free]] = {}

    def free(self, calendar: Calendar, machine: FleetMachine, start_ms: int, end_ms: int, group: str) -> Free:
        """What ``calendar.free_over`` says. An explanation asks it again for each constraint that it leaves out."""
        key = (machine.name, start_ms, end_ms, group)
        known = self._free.get(key)
        if known is None or known[0] is not calendar:
            found = calendar.free_over(machine, start_ms, end_ms, without_group=group)
            known = self._free[key] = (calendar, found)
        return known[1]

    def place(self, free: Free, role: Role) -> Claim | None:
        """What ``place_inside`` says."""
        machine = free.machine
        key = (
            id(machine.cores),
            id(machine.memory),
            id(machine.devices),
            id(machine.numa_distances),
            free.cores,
            tuple(free.memory.values()),
            tuple(free.devices.values()),
            role,
        )
        if key not in self._known:
            self._known[key] = place_inside(free, role)
        claim = self._known[key]
        if claim is None or claim.machine == machine.name:
            return claim
        return Claim(
            machine.name,
            claim.cores,
            claim.memory_bytes,
            claim.memory_nodes,
            claim.devices,
            claim.role,
            claim.draws,
        )
