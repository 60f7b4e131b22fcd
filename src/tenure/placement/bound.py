"""How many members of a role budgets let stand at most: an upper limit that ends a hopeless search at once.

Budgets of one name and level lie side by side, so what each still carries adds up; of several names and levels the
tightest counts. A member is charged the least that any claim of its role could draw on a machine of the domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.placement.budgets import WATTS
from tenure.placement.demand import Role
from tenure.placement.device_choice import suits, takes_milli
from tenure.placement.fill import Fill
from tenure.placement.fleet import Budget, FleetMachine


class BudgetBound:
    """The bound over one attempt's machines. Budgets that count crossings are judged elsewhere and bound nothing."""

    def __init__(self, fill: Fill, names: Sequence[str]) -> None:
        self._fill = fill
        self._sides: dict[tuple[str, str], dict[str, Budget]] = {}
        for name in names:
            for budget in fill.budgets_of(name):
                self._sides.setdefault((budget.name, budget.level), {})[name] = budget
        self._least: dict[tuple[str, str, int], int] = {}

    def __bool__(self) -> bool:
        return bool(self._sides)

    def admits(self, name: str, role: Role) -> bool:
        """Whether one more member could stand on a machine as far as budgets go."""
        return all(
            (draw := self._on(budget, name, role)) == 0 or draw <= self._fill.left[budget.id]
            for side in self._sides.values()
            if (budget := side.get(name)) is not None
        )

    def most(self, role: Role, room: Mapping[str, int]) -> int:
        """An upper limit on the members that stand together, given each machine's own room."""
        best = sum(room.values())
        for side in self._sides.values():
            free, inside, each = 0, dict[str, int](), dict[str, int]()
            for name, count in room.items():
                budget = side.get(name)
                if budget is None or not count:
                    free += count
                    continue
                draw = self._on(budget, name, role)
                inside[budget.id] = inside.get(budget.id, 0) + count
                each[budget.id] = min(draw, each.get(budget.id, draw))
            left = self._fill.left
            best = min(
                best, free + sum(min(n, max(0, left[b]) // each[b]) if each[b] else n for b, n in inside.items())
            )
        return best

    def _on(self, budget: Budget, name: str, role: Role) -> int:
        key = (budget.id, name, id(role))
        if key not in self._least:
            self._least[key] = least_draw(budget, self._fill.question.fleet.machine(name), role)
        return self._least[key]


def least_draw(budget: Budget, machine: FleetMachine, role: Role) -> int:
    """The least that one member can draw of a budget on a machine, whichever cores and devices it takes."""
    return _draw(budget, machine, role, greatest=False)


def greatest_draw(budget: Budget, machine: FleetMachine, role: Role) -> int:
    """The most that one member can draw of it."""
    return _draw(budget, machine, role, greatest=True)


def _draw(budget: Budget, machine: FleetMachine, role: Role, *, greatest: bool) -> int:
    drawn = sum(draw.amount for draw in role.draws if draw.budget == budget.name)
    if budget.name not in WATTS:
        return drawn
    drawn += role.cores * (machine.core_power.by(budget.rating) or 0)
    for request in role.devices:
        each = [
            -(-(device.power.by(budget.rating) or 0) * takes_milli(device, request) // max(1, device.milli))
            for device in machine.devices
            if suits(device, request)
        ]
        drawn += sum(sorted(each, reverse=greatest)[: request.count])
    return drawn
