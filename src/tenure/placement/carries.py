"""How many members of one role the machines of a domain carry together, without placing one: between which numbers.

Machines that stand in the same place with the same parts are added up, and every limit that counts by domain (a
budget, a spread) caps the sum of its domain, narrow domains first. A gang of more than the upper number is refused
at once; one of no more than the lower number is known to fit. Only between them must anybody search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tenure.placement import derived
from tenure.placement.bound import greatest_draw, least_draw
from tenure.placement.calendar import Free
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.device_choice import takes_milli
from tenure.placement.fleet import Budget, FleetMachine
from tenure.placement.question import Question
from tenure.placement.remains import Each, total


@dataclass(frozen=True, slots=True)
class Carried:
    """``sure`` members fit together; more than ``most`` do not."""

    sure: int
    most: int


@dataclass(slots=True)
class _Cell:
    """Machines that no limit tells apart, or what a limit has made of them. ``places``: domain by level; a level at
    which they stand in several domains is not there."""

    machines: tuple[FleetMachine, ...]  # one of each sort
    places: dict[str, str | None]
    sure: int
    most: int


Cap = Callable[[list[_Cell]], tuple[int, int]]
"""The sure number and the greatest that a limit leaves to the cells of its domain."""


class Carrying:
    """The limits of one question at one start, for one role; asked once for each domain that is tried."""

    def __init__(self, question: Question, role: Role, left: Mapping[str, int]) -> None:
        self._role = role
        self._left = left
        self._fleet = question.fleet
        self._spread = question.demand.spread
        named = {b.level for b in question.fleet.budgets}
        if self._spread is not None:
            named.add(self._spread.level)
        order = {level: place for place, level in enumerate(question.fleet.level_names())}
        self._levels = sorted(named, key=lambda level: (order.get(level, len(order)), level))
        self._machine = question.fleet.machine
        self._stands = None if "machine" in named else derived.stands(question.fleet)
        self._draws: dict[tuple[object, ...], int] = {}
        self._alone = len(question.demand.roles) == 1
        self._count = role.least

    def between(self, names: Sequence[str], most: Each[int], sure: Each[int] | None, count: int) -> Carried:
        """Given what each machine carries by itself, at most and surely, what these machines carry together.

        Of no use beyond ``count`` members, which is how many are asked for.
        """
        self._count = count
        if not self._levels:
            return Carried(total(sure, names) if sure is not None else 0, total(most, names))
        cells = self._cells(names, most, sure)
        best = sum(cell.most for cell in cells)
        certain: int | None = None
        left = list(self._levels)
        while left:
            chain, left, capped = self._chain(cells, left)
            best = min(best, sum(cell.most for cell in capped))
            # Limits over domains that cut through each other are each kept by themselves; together, nobody knows.
            certain = sum(cell.sure for cell in capped) if certain is None and not left else 0
            if not chain:
                break
        return Carried(min(certain or 0, best), best)

    def _cells(self, names: Sequence[str], most: Each[int], sure: Each[int] | None) -> list[_Cell]:
        cells: dict[object, _Cell] = {}
        sort_of, most_of, sure_of = most.remains.sorts, most.of_sort, sure.of_sort if sure is not None else None
        for name in names:
            key = self._stands[name] if self._stands is not None else name
            cell = cells.get(key)
            if cell is None:
                machine = self._machine(name)
                places = {level: machine.domain(level) for level in self._levels}
                cell = cells[key] = _Cell((machine,), places, 0, 0)
            sort = sort_of[name]
            if sure_of is not None:
                cell.sure += sure_of[sort]
            cell.most += most_of[sort]
        return list(cells.values())

    def _chain(self, cells: list[_Cell], levels: list[str]) -> tuple[list[str], list[str], list[_Cell]]:
        """Cap level after level while domains nest: the levels that did, those that are left, and what remains."""
        done: list[str] = []
        current = [_Cell(cell.machines, dict(cell.places), cell.sure, cell.most) for cell in cells]
        for level in levels:
            if any(level not in cell.places for cell in current):
                break
            current = self._capped(current, level)
            done.append(level)
        return done, levels[len(done) :], current

    def _capped(self, cells: list[_Cell], level: str) -> list[_Cell]:
        groups: dict[str | None, list[_Cell]] = {}
        for cell in cells:
            groups.setdefault(cell.places[level], []).append(cell)
        result: list[_Cell] = []
        for domain, inside in groups.items():
            if domain is None:
                # Such a machine is in nobody's budget, but it cannot be spread by a level that it does not name.
                if self._spread is None or self._spread.level != level:
                    result += inside
                continue
            caps = self._caps(level, domain)
            if not caps:
                result += inside
                continue
            sure, most = (min(numbers) for numbers in zip(*(cap(inside) for cap in caps), strict=True))
            shared = {
                at: place for at, place in inside[0].places.items() if all(c.places.get(at, 0) == place for c in inside)
            }
            sorts = {(id(m.devices), m.core_power): m for cell in inside for m in cell.machines}
            result.append(_Cell(tuple(sorts.values()), shared, sure, most))
        return result

    def _caps(self, level: str, domain: str) -> list[Cap]:
        caps: list[Cap] = [
            partial(self._by_crossing if budget.crossing else self._by_budget, budget)
            for budget in self._fleet.budgets_at(level, domain)
        ]
        if self._spread is not None and self._spread.level == level:
            limit = self._spread.members_max
            caps.append(lambda cells: (min(limit, _sure(cells)), min(limit, _most(cells))))
        return caps

    def _by_budget(self, budget: Budget, cells: list[_Cell]) -> tuple[int, int]:
        left = self._left[budget.id]
        machines = [machine for cell in cells for machine in cell.machines]
        least = min(self._draw(least_draw, budget, machine) for machine in machines)
        greatest = max(self._draw(greatest_draw, budget, machine) for machine in machines)
        most = _most(cells) if least == 0 else min(_most(cells), max(0, left) // least)
        return (_sure(cells) if greatest == 0 else min(_sure(cells), max(0, left) // greatest)), most

    def _by_crossing(self, budget: Budget, cells: list[_Cell]) -> tuple[int, int]:
        """All members inside, or no more than the uplink carries."""
        sure, most = self._by_budget(budget, cells)
        return sure, _most(cells) if not self._alone or _most(cells) >= self._count else most

    def _draw(self, reckon: Callable[[Budget, FleetMachine, Role], int], budget: Budget, machine: FleetMachine) -> int:
        key = (reckon, budget.name, budget.rating, id(machine.devices), machine.core_power)
        if key not in self._draws:
            self._draws[key] = reckon(budget, machine, self._role)
        return self._draws[key]


def _sure(cells: Sequence[_Cell]) -> int:
    return sum(cell.sure for cell in cells)


def _most(cells: Sequence[_Cell]) -> int:
    return sum(cell.most for cell in cells)


def too_much_together(
    question: Question, roles: Sequence[Role], names: Sequence[str], free: Mapping[str, Free], left: Mapping[str, int]
) -> bool:
    """Whether roles that would each fit ask for more, added up, than these machines or their budgets have."""
    machines = [free[name] for name in names]
    if sum(r.count * r.cores for r in roles) > sum(len(one.cores) for one in machines):
        return True
    if sum(r.count * r.memory_bytes for r in roles) > sum(sum(one.memory.values()) for one in machines):
        return True
    spread = question.demand.spread
    if spread is not None:
        domains = {one.machine.domain(spread.level) for one in machines} - {None}
        if sum(r.count for r in roles) > len(domains) * spread.members_max:
            return True
    classes = {request.device_class for role in roles for request in role.devices}
    if any(_devices_short(one, roles, machines) for one in classes):
        return True
    return _budgets_short(question, roles, [one.machine for one in machines], left)


def _devices_short(device_class: str, roles: Sequence[Role], machines: Sequence[Free]) -> bool:
    devices = [
        (d, one.devices[d.id]) for one in machines for d in one.machine.devices if d.device_class == device_class
    ]
    sizes = {device.milli: device for device, _ in devices}.values()

    def least(request: DeviceRequest) -> int:
        return request.count * min((takes_milli(device, request) for device in sizes), default=1)

    asked = sum(role.count * least(r) for role in roles for r in role.devices if r.device_class == device_class)
    return asked > sum(free for _, free in devices)


def _budgets_short(
    question: Question, roles: Sequence[Role], machines: Sequence[FleetMachine], left: Mapping[str, int]
) -> bool:
    sides: dict[tuple[str, str], dict[str, Budget]] = {}
    for budget in question.fleet.budgets:
        if not budget.crossing:
            sides.setdefault((budget.name, budget.level), {})[budget.domain] = budget
    kinds = {(m.site, m.place, id(m.devices), m.core_power): m for m in machines}.values()
    for (_, level), by_domain in sides.items():
        under = [(m, by_domain.get(m.domain(level) or "")) for m in (machines if level == "machine" else kinds)]
        known = [(machine, budget) for machine, budget in under if budget is not None]
        if len(known) < len(under):
            continue
        asked = sum(role.count * min(least_draw(b, machine, role) for machine, b in known) for role in roles)
        if asked > sum(max(0, left[name]) for name in {budget.id for _, budget in known}):
            return True
    return False
