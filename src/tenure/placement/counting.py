"""How many members fit, machine by machine, when some kinds of limits do not count or are raised.

Who draws least is placed first: of members that count alike, the most fit so. That is exact where domains nest and the
machines have one order by what a member draws of every kind. Where kinds disagree (a machine that saves watts takes
more licences), each kind's order is tried and the best count is taken, which may then be less than the most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tenure.placement import derived
from tenure.placement.axes import axes, has, units, wants
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
        self._whole, kinds = derived.whole(fleet), derived.kinds(fleet)
        self._kinds = {machine.name: (kinds[machine.name], id(machine.numa_distances)) for machine in machines}
        self.free = {
            m.name: calendar.free_at(m, at_ms) if m.name in calendar.by_machine else self._whole[m.name]
            for m in machines
        }
        self.left = budgets_left(fleet, replace(calendar, margin_ms=0), at_ms, at_ms + 1)
        over = {budget.id for machine in machines for budget in fleet.budgets_over(machine.name)}
        self.budgets = [budget for budget in fleet.budgets if budget.id in over]
        self._kind = {budget.id: budget.name for budget in self.budgets}
        self.inside = Inside()
        self.draws = self._draws_of_all()
        self._drawn = {name: [(b, a) for b, a in drawn.items() if a > 0] for name, drawn in self.draws.items()}
        self._orders = self._orders_of_draw()
        self._by_axis = self._places_of_all()
        self._known_filled: dict[frozenset[str], Filled] = {}
        self._known_places: dict[tuple[str, ...], dict[str, int]] = {}

    def kinds(self) -> list[str]:
        return [*dict.fromkeys(budget.name for budget in self.budgets), *axes(self.role)]

    def hardware(self, axis: str) -> tuple[int, int]:
        """(used, all) of an axis."""
        of_kind: dict[tuple[int, int], int] = {}
        for machine in self.machines:
            if self._kinds[machine.name] not in of_kind:
                of_kind[self._kinds[machine.name]] = has(self._whole[machine.name], self.role, axis)
        used = whole = 0
        for name, free in self.free.items():
            all_of_it = of_kind[self._kinds[name]]
            whole += all_of_it
            used += 0 if free is self._whole[name] else all_of_it - has(free, self.role, axis)
        return used, whole

    def members(self, without: Sequence[str]) -> int:
        """Members that fit when these kinds of limits do not count."""
        return self._filled(without).total

    def each(self, kind: str) -> int:
        """The least that one more member takes of a kind of limit, on any machine that would have a place for it."""
        if kind in axes(self.role):
            return wants(self.role, kind)
        now, places = self._filled(()).members, self._places((kind,))
        drawn = [
            self._by_kind(draws.items()).get(kind, 0) for name, draws in self.draws.items() if places[name] > now[name]
        ]
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

    def _draws_of_all(self) -> dict[str, Mapping[str, int]]:
        """The draws by machine; those of equal parts in one place are reckoned once, unless one has its own budget."""
        alone = any(budget.level == "machine" for budget in self.budgets)
        stands = derived.stands(self.fleet)
        known: dict[object, Mapping[str, int]] = {}
        draws: dict[str, Mapping[str, int]] = {}
        for machine in self.machines:
            name = machine.name
            key: object = name if alone else (self._kinds[name], stands[name])
            if key not in known:
                known[key] = self._draws(machine)
            draws[name] = known[key]
        return draws

    def _draws(self, machine: FleetMachine) -> Mapping[str, int]:
        """What one member on this machine draws of each budget that it lies in; empty where none could ever run."""
        claim = self.inside.place(self._whole[machine.name], self.role)
        if claim is None:
            return {}
        # Of an uplink only members draw of which others stand elsewhere; these stand alone.
        over = self.fleet.budgets_over(machine.name)
        return {budget.id: claim_draw(budget, machine, claim) for budget in over if not budget.crossing}

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
        if raised:
            return self._best(without, raised)
        key = frozenset(without)
        if key not in self._known_filled:
            self._known_filled[key] = self._best(without, {})
        return self._known_filled[key]

    def _best(self, without: Sequence[str], raised: Mapping[str, int]) -> Filled:
        left = {b.id: self.left[b.id] + raised.get(b.name, 0) for b in self.budgets if b.name not in without}
        return max((self._fill(order, without, dict(left)) for order in self._orders), key=lambda one: one.total)

    def _fill(self, order: Sequence[FleetMachine], without: Sequence[str], left: dict[str, int]) -> Filled:
        members: dict[str, int] = {}
        room = self._places(without)
        for machine in order:
            places = room[machine.name]
            drawn = self._drawn[machine.name]
            for budget, amount in drawn:
                if places and budget in left:
                    places = min(places, max(0, left[budget]) // amount)
            for budget, amount in drawn if places else ():
                if budget in left:
                    left[budget] -= places * amount
            members[machine.name] = places
        return Filled(members, left)

    def _places(self, without: Sequence[str]) -> Mapping[str, int]:
        """Members by each machine's own axes. Hardware cannot be thought away, only bought: an axis that is left out
        counts as if the machine had one member's worth more of it."""
        bought = tuple(axis for axis in axes(self.role) if axis in without)
        if bought not in self._known_places:
            self._known_places[bought] = {
                name: min((count + (axis in bought) for axis, count in by_axis.items()), default=0)
                for name, by_axis in self._by_axis.items()
            }
        return self._known_places[bought]

    def _places_of_all(self) -> dict[str, Mapping[str, int]]:
        """Members that each axis of a machine carries by itself; machines with nothing on them once a kind."""
        of_kind: dict[tuple[int, int], Mapping[str, int]] = {}
        places: dict[str, Mapping[str, int]] = {}
        for name, free in self.free.items():
            if free is not self._whole[name]:
                places[name] = self._places_by_axis(name, free)
                continue
            kind = self._kinds[name]
            if kind not in of_kind:
                of_kind[kind] = self._places_by_axis(name, free)
            places[name] = of_kind[kind]
        return places

    def _places_by_axis(self, name: str, free: Free) -> Mapping[str, int]:
        """None of any where no member could ever run."""
        if not self.draws[name] and self.inside.place(self._whole[name], self.role) is None:
            return {}
        return {axis: self._units(free, axis) // wants(self.role, axis) for axis in axes(self.role)}

    def _units(self, free: Free, axis: str) -> int:
        """How much a machine has of an axis, in what ``wants`` counts; a device counts as often as it can be shared."""
        requests = [request for request in self.role.devices if f"devices:{request.device_class}" == axis]
        return min(units(free, request) for request in requests) if requests else has(free, self.role, axis)

    def _lack(self, machine: FleetMachine, kind: str, now: Filled) -> int | None:
        """What one more member on this machine lacks of a kind, beside what stands; None where more is in its way."""
        if self._places(())[machine.name] <= now.members[machine.name]:
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
            if self._places(())[machine.name] != placed or self._places((axis,))[machine.name] <= placed:
                continue
            if all(amount <= now.left[budget] for budget, amount in self.draws[machine.name].items() if amount):
                lacks.append((placed + 1) * want - self._units(self.free[machine.name], axis))
        return min(lacks)

    def _all_drawn(self, kind: str) -> int:
        """More than all members together could draw of a kind, beside what is overdrawn of it."""
        drawn = sum(
            self._by_kind(self.draws[name].items()).get(kind, 0) * count for name, count in self._places(()).items()
        )
        return drawn + max((max(0, -self.left[b.id]) for b in self.budgets if b.name == kind), default=0)
