"""How many members fit, machine by machine, when some kinds of limits do not count or are raised.

Who draws least is placed first: of members that count alike, the most fit so. That is exact where domains nest and the
machines have one order by what a member draws of every kind. Where kinds disagree (a machine that saves watts takes
more licences), each kind's order is tried and the best count is taken, which may then be less than the most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tenure.placement.axes import axes, has, wants
from tenure.placement.budgets import budgets_left, claim_draw
from tenure.placement.calendar import Calendar, Free
from tenure.placement.demand import Role
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.memo import Inside


@dataclass(frozen=True, slots=True)
class Filled:
    """Members a machine, by name, and what they leave of each budget, by id."""

    members: Mapping[str, int]
    left: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.members.values())


class Count:
    """Counts members under some kinds of limits; one instance a report."""

    def __init__(self, fleet: Fleet, calendar: Calendar, machines: list[FleetMachine], role: Role, at_ms: int) -> None:
        self.fleet, self.role, self.machines = fleet, role, machines
        self.free = {machine.name: calendar.free_at(machine, at_ms) for machine in machines}
        self.left = budgets_left(fleet, replace(calendar, margin_ms=0), at_ms, at_ms + 1)
        self.budgets = [b for b in fleet.budgets if any(machine.domain(b.level) == b.domain for machine in machines)]
        self._kind = {budget.id: budget.name for budget in self.budgets}
        self.inside = Inside()
        self.draws = {machine.name: self._draws(machine) for machine in machines}
        self._orders = self._orders_of_draw()

    def kinds(self) -> list[str]:
        return [*dict.fromkeys(budget.name for budget in self.budgets), *axes(self.role)]

    def hardware(self, axis: str) -> tuple[int, int]:
        """(used, all) of an axis."""
        whole = sum(has(Free.whole(machine), self.role, axis) for machine in self.machines)
        return whole - sum(has(free, self.role, axis) for free in self.free.values()), whole

    def members(self, without: Sequence[str]) -> int:
        """Members that fit when these kinds of limits do not count."""
        return self._filled(without).total

    def each(self, kind: str) -> int:
        """The least that one member takes of a kind of limit on any machine."""
        if kind in axes(self.role):
            return wants(self.role, kind)
        drawn = [self._by_kind(draws.items()).get(kind, 0) for draws in self.draws.values()]
        return min((amount for amount in drawn if amount), default=0)

    def one_more(self, kind: str) -> int:
        """The least by which a limit must grow so that one more member fits: all budgets of a kind, or the hardware of
        one machine."""
        if kind in axes(self.role):
            return self._one_more_hardware(kind)
        now = self._filled(())
        lacks = [self._lack(machine, kind, now) for machine in self.machines]
        most = min((lack for lack in lacks if lack is not None), default=self._all_drawn(kind))

        def enough(amount: int) -> bool:
            return self._filled((), {kind: amount}).total > now.total

        # What is lacking beside what stands is mostly the least; another choice of machines may lack less.
        low, high = 1, most
        if high > low and not enough(high - 1):
            return high
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle + 1, high)
        return high

    def next_after(self, kind: str) -> str | None:
        """The limit that would bind if this kind did not count."""
        others = [other for other in self.kinds() if other != kind]
        have = self.members((kind,))
        gain = {other: self.members((kind, other)) - have for other in others}
        best = max(gain, key=lambda other: gain[other], default=None)
        return best if best is not None and gain[best] > 0 else None

    def _draws(self, machine: FleetMachine) -> Mapping[str, int]:
        """What one member on this machine draws of each budget that it lies in; empty where none could ever run."""
        claim = self.inside.place(Free.whole(machine), self.role)
        if claim is None:
            return {}
        own = [budget for budget in self.budgets if machine.domain(budget.level) == budget.domain]
        return {budget.id: claim_draw(budget, machine, claim) for budget in own}

    def _orders_of_draw(self) -> list[list[FleetMachine]]:
        """The machines by what a member draws of each kind, least first; then by the other kinds."""
        by_kind = {m.name: self._by_kind(self.draws[m.name].items()) for m in self.machines}
        kinds = list(dict.fromkeys(self._kind.values()))
        uneven = [kind for kind in kinds if len({by_kind[m.name].get(kind, 0) for m in self.machines}) > 1]
        orders: dict[tuple[str, ...], list[FleetMachine]] = {}
        for first in uneven or [""]:
            keys = [first, *(kind for kind in uneven if kind != first)]
            order = sorted(self.machines, key=lambda m, keys=keys: [by_kind[m.name].get(kind, 0) for kind in keys])  # type: ignore[misc]
            orders.setdefault(tuple(machine.name for machine in order), order)
        return list(orders.values())

    def _by_kind(self, draws: Iterable[tuple[str, int]]) -> dict[str, int]:
        """The most that is drawn of any one budget of a kind: a rack's watts are the site's too."""
        greatest: dict[str, int] = {}
        for budget, amount in draws:
            greatest[self._kind[budget]] = max(greatest.get(self._kind[budget], 0), amount)
        return greatest

    def _filled(self, without: Sequence[str], raised: Mapping[str, int] | None = None) -> Filled:
        """The best of the orders, when these kinds do not count and those are raised by so much."""
        more = raised or {}
        left = {b.id: self.left[b.id] + more.get(b.name, 0) for b in self.budgets if b.name not in without}
        return max((self._fill(order, without, dict(left)) for order in self._orders), key=lambda one: one.total)

    def _fill(self, order: Sequence[FleetMachine], without: Sequence[str], left: dict[str, int]) -> Filled:
        members: dict[str, int] = {}
        for machine in order:
            places = self._places(machine, without)
            drawn = {b: a for b, a in self.draws[machine.name].items() if b in left and a > 0}
            for budget, amount in drawn.items():
                places = min(places, max(0, left[budget]) // amount)
            for budget, amount in drawn.items():
                left[budget] -= places * amount
            members[machine.name] = places
        return Filled(members, left)

    def _places(self, machine: FleetMachine, without: Sequence[str]) -> int:
        """Members by the machine's own axes. Hardware cannot be thought away, only bought: an axis that is left out
        counts as if the machine had one member's worth more of it."""
        if not self.draws[machine.name] and self.inside.place(Free.whole(machine), self.role) is None:
            return 0
        free = self.free[machine.name]
        return min(
            (
                has(free, self.role, axis) // wants(self.role, axis) + (1 if axis in without else 0)
                for axis in axes(self.role)
            ),
            default=0,
        )

    def _lack(self, machine: FleetMachine, kind: str, now: Filled) -> int | None:
        """What one more member on this machine lacks of a kind, beside what stands; None where more is in its way."""
        if self._places(machine, ()) <= now.members[machine.name]:
            return None
        lacking = {
            b: amount - max(0, now.left[b])
            for b, amount in self.draws[machine.name].items()
            if amount > max(0, now.left[b])
        }
        if not lacking or any(self._kind[budget] != kind for budget in lacking):
            return None
        return max(self.draws[machine.name][budget] - now.left[budget] for budget in lacking)

    def _one_more_hardware(self, axis: str) -> int:
        """Of machines where a member would fit but for this axis, the least that one of them lacks."""
        now, want = self._filled(()), wants(self.role, axis)
        lacks = [want]
        for machine in self.machines:
            placed = now.members[machine.name]
            if self._places(machine, ()) != placed or self._places(machine, (axis,)) <= placed:
                continue
            if all(amount <= now.left[budget] for budget, amount in self.draws[machine.name].items() if amount):
                lacks.append((placed + 1) * want - has(self.free[machine.name], self.role, axis))
        return min(lacks)

    def _all_drawn(self, kind: str) -> int:
        """More than all members together could draw of a kind, beside what is overdrawn of it."""
        places = {machine.name: self._places(machine, ()) for machine in self.machines}
        drawn = sum(self._by_kind(self.draws[name].items()).get(kind, 0) * count for name, count in places.items())
        return drawn + max((max(0, -self.left[b.id]) for b in self.budgets if b.name == kind), default=0)
