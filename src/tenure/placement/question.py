"""One question as the search sees it: the snapshot, the demand, and what each constraint leaves of the fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from zlib import crc32

from tenure.placement.budgets import budgets_left
from tenure.placement.calendar import Calendar, Free
from tenure.placement.choice import Choice
from tenure.placement.demand import Demand, Role
from tenure.placement.device_choice import fits
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.memo import Inside


@dataclass(frozen=True, slots=True)
class Question:
    """Immutable snapshot, demand, clock and seed: the same question always has the same answer."""

    fleet: Fleet
    calendar: Calendar
    demand: Demand
    now_ms: int
    seed: int = 0
    choice: Choice | None = None
    inside: Inside = field(default_factory=Inside, compare=False, repr=False)

    def permitted(self) -> list[FleetMachine]:
        """Machines that are schedulable and that no constraint forbids."""
        return [
            machine
            for machine in self.fleet.machines
            if machine.schedulable
            and all(c.permits(machine.name, machine.hardware_class) for c in self.demand.constraints)
        ]

    def able(self) -> list[FleetMachine]:
        """Permitted machines that could carry a member of some role if they were empty."""
        return [
            machine
            for machine in self.permitted()
            if any(lacks(Free.whole(machine), role) is None for role in self.demand.roles)
        ]

    def rank(self, machines: Iterable[FleetMachine]) -> dict[str, int]:
        """An order for ties: by name, or shuffled by the seed when it is not zero."""
        names = sorted(
            (machine.name for machine in machines),
            key=lambda name: (crc32(f"{self.seed}:{name}".encode()) if self.seed else 0, name),
        )
        return {name: place for place, name in enumerate(names)}

    def free(self, machines: Iterable[FleetMachine], start_ms: int) -> dict[str, Free]:
        """What is free throughout a run that starts at ``start_ms``."""
        end_ms = self.demand.end_from(start_ms)
        return {
            machine.name: self.calendar.free_over(machine, start_ms, end_ms, without_group=self.demand.group)
            for machine in machines
        }

    def left(self, start_ms: int) -> dict[str, int]:
        """What is left of each budget throughout a run that starts at ``start_ms``."""
        end_ms = self.demand.end_from(start_ms)
        return budgets_left(self.fleet, self.calendar, start_ms, end_ms, without_group=self.demand.group)

    def in_time(self, latest_ms: int) -> bool:
        """Whether the earliest start that is asked for is allowed at all."""
        earliest_ms = self.demand.start_at(self.now_ms).earliest_ms
        return earliest_ms <= self._latest(latest_ms)

    def later_starts(self, machines: Iterable[FleetMachine], latest_ms: int) -> dict[int, list[str]]:
        """Every start after the earliest that could be the first feasible one, in order, and what is released then.

        With budgets a release anywhere counts, since it may be the budget that frees.
        """
        earliest_ms = self.demand.start_at(self.now_ms).earliest_ms
        names = list(self.calendar.by_machine) if self.fleet.budgets else [machine.name for machine in machines]
        return self.calendar.releases(names, earliest_ms, self._latest(latest_ms), without_group=self.demand.group)

    def _latest(self, latest_ms: int) -> int:
        return latest_ms if self.demand.until_ms is None else min(latest_ms, self.demand.until_ms - 1)

    def widest_level(self) -> str | None:
        """The widest level that members may span: what is required, narrowed by the link bandwidth; None if no
        level of the fleet is known to carry that bandwidth."""
        names = self.fleet.level_names()
        required = self.demand.required_level or "site"
        widest = names.index(required) if required in names else -1
        minimum = self.demand.link_bytes_per_s_min
        if minimum is not None:
            wide_enough = {lv.name for lv in self.fleet.levels if (lv.bytes_per_s or 0) >= minimum}
            widest = max((n for n, name in enumerate(names) if name in wide_enough and n <= widest), default=-1)
        return names[widest] if widest >= 0 else None

    def levels_to_try(self) -> list[str]:
        """From the preferred level (or the narrowest) up to the widest allowed."""
        widest = self.widest_level()
        if widest is None:
            return []
        names = self.fleet.level_names()
        allowed = list(names[: names.index(widest) + 1])
        if sum(role.count for role in self.demand.roles) == 1 and not self.demand.required_level:
            return allowed[-1:]
        preferred = self.demand.preferred_level
        return allowed[allowed.index(preferred) :] if preferred in allowed else allowed

    def domains(self, level: str, machines: Iterable[FleetMachine]) -> Iterator[tuple[str, list[FleetMachine]]]:
        """Machines by their domain at a level, in order of name. A machine that names none belongs to none.

        Domains of different sites are different although they share a name.
        """
        groups: dict[tuple[str, str], list[FleetMachine]] = {}
        for machine in machines:
            domain = machine.domain(level)
            if domain is not None:
                groups.setdefault((machine.site, domain), []).append(machine)
        for (_, domain), members in sorted(groups.items()):
            yield domain, members


def lacks(free: Free, role: Role) -> str | None:
    """The first axis on which a machine has too little for one member: a device class, ``cores``, ``memory``."""
    for request in role.devices:
        if sum(1 for device in free.machine.devices if fits(free, device, request)) < request.count:
            return f"devices:{request.device_class}"
    if len(free.cores) < role.cores:
        return "cores"
    if sum(free.memory.values()) < role.memory_bytes:
        return "memory"
    return None


def has(free: Free, role: Role, axis: str) -> int:
    """How much a machine has of an axis that ``lacks`` names, as far as it counts for this role."""
    if axis == "cores":
        return len(free.cores)
    if axis == "memory":
        return sum(free.memory.values())
    requests = [request for request in role.devices if f"devices:{request.device_class}" == axis]
    return min(sum(1 for device in free.machine.devices if fits(free, device, request)) for request in requests)


def wants(role: Role, axis: str) -> int:
    """How much one member needs of an axis."""
    if axis == "cores":
        return role.cores
    if axis == "memory":
        return role.memory_bytes
    return max((request.count for request in role.devices if f"devices:{request.device_class}" == axis), default=0)


def axes(role: Role) -> tuple[str, ...]:
    """The axes that a role asks for, in the order in which they are looked at."""
    classes = dict.fromkeys(f"devices:{request.device_class}" for request in role.devices)
    return (*classes, *(("cores",) if role.cores else ()), *(("memory",) if role.memory_bytes else ()))


UNITS: Mapping[str, str] = {"cores": "cores", "memory": "bytes"}
