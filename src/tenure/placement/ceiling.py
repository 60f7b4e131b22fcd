"""Sizes of several roles that no domain carries, told by counting once a start, so that they need not be placed.

Upper limits alone: each role by itself with budgets and spread, and all roles together axis by axis, budget by budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tenure.placement.bound import least_draw
from tenure.placement.calendar import Free
from tenure.placement.carries import Carrying
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.device_choice import takes_milli
from tenure.placement.fleet import Budget, FleetMachine
from tenure.placement.question import Question
from tenure.placement.remains import Each

DOMAINS_MAX = 64
"""Domains that are told apart. Of more, the most that any of them has is the limit of all."""

UNLIMITED = 1 << 62

Axis = tuple[list[int], Callable[[Sequence[Free]], int]]
"""What a member of each role takes of it at least, and what some machines have of it at most."""


class Ceiling:
    """The limits at one start. ``room``: upper limits a role and machine, axis by axis, for roles of any size."""

    def __init__(
        self,
        question: Question,
        roles: Sequence[Role],
        free: Mapping[str, Free],
        left: Mapping[str, int],
        room: Sequence[Each[int]],
    ) -> None:
        # Machines of one profile share their very tuple of devices.
        sorts = list({(id(one.machine.devices), one.machine.core_power): one.machine for one in free.values()}.values())
        axes = [*_hardware(roles, sorts), *_budgets(question, roles, sorts, left)]
        carrying = [Carrying(question, role, left) for role in roles]

        def limits(names: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
            # As many as are asked for at least: where those do not all fit inside, neither do more.
            each = (
                one.between(names, by_name, None, role.least).most
                for one, by_name, role in zip(carrying, room, roles, strict=True)
            )
            machines = [free[name] for name in names]
            return tuple(each), tuple(have(machines) for _, have in axes)

        rows = list(dict.fromkeys(limits(names) for _, names in question.widest_domains()))
        if len(rows) > DOMAINS_MAX:
            most, have = (tuple(map(max, zip(*column, strict=True))) for column in zip(*rows, strict=True))
            rows = [(most, have)]
        self._rows = rows
        self._takes = [takes for takes, _ in axes]

    def admits(self, sizes: Sequence[int]) -> bool:
        """False where these sizes surely fit into no domain."""
        asked = [sum(n * amount for n, amount in zip(sizes, takes, strict=True)) for takes in self._takes]
        return any(
            all(size <= limit for size, limit in zip(sizes, most, strict=True))
            and all(amount <= limit or not amount for amount, limit in zip(asked, have, strict=True))
            for most, have in self._rows
        )


def _hardware(roles: Sequence[Role], sorts: Sequence[FleetMachine]) -> list[Axis]:
    axes: list[Axis] = [
        ([role.cores for role in roles], lambda machines: sum(len(one.cores) for one in machines)),
        ([role.memory_bytes for role in roles], lambda machines: sum(sum(one.memory.values()) for one in machines)),
    ]
    return axes + [_of_class(name, roles, sorts) for name in sorted({r.device_class for x in roles for r in x.devices})]


def _of_class(name: str, roles: Sequence[Role], sorts: Sequence[FleetMachine]) -> Axis:
    """Thousandths of devices of a class."""
    devices = [device for machine in sorts for device in machine.devices if device.device_class == name]

    def least(request: DeviceRequest) -> int:
        return request.count * min((takes_milli(device, request) for device in devices), default=1)

    def have(machines: Sequence[Free]) -> int:
        return sum(one.devices[d.id] for one in machines for d in one.machine.devices if d.device_class == name)

    return [sum(least(r) for r in role.devices if r.device_class == name) for role in roles], have


def _budgets(
    question: Question, roles: Sequence[Role], sorts: Sequence[FleetMachine], left: Mapping[str, int]
) -> list[Axis]:
    """Budgets of one name and level lie side by side, so what each has left adds up."""
    sides: dict[tuple[str, str], dict[str, Budget]] = {}
    for budget in question.fleet.budgets:
        if not budget.crossing:
            sides.setdefault((budget.name, budget.level), {})[budget.domain] = budget
    return [_of_side(level, by_domain, roles, sorts, left) for (_, level), by_domain in sides.items()]


def _of_side(
    level: str,
    by_domain: Mapping[str, Budget],
    roles: Sequence[Role],
    sorts: Sequence[FleetMachine],
    left: Mapping[str, int],
) -> Axis:
    alike = {budget.rating: budget for budget in by_domain.values()}.values()
    least = [min((least_draw(b, machine, role) for b in alike for machine in sorts), default=0) for role in roles]

    def have(machines: Sequence[Free]) -> int:
        under = [by_domain.get(domain) for domain in {one.machine.domain(level) or "" for one in machines}]
        # A machine that lies under none of them is bound by none.
        return sum(UNLIMITED if budget is None else max(0, left[budget.id]) for budget in under)

    return least, have
