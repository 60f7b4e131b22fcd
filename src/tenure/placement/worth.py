"""The packer behind ``choice.Fragmentation``, kept with its fleet from one question to the next.

What a machine's leftover is worth depends on prices, and prices on what was asked for so far. So that an answer
depends on its snapshot alone, prices are made from a part of the calendar that the snapshot determines: its first
holds, up to the last of a row of milestones (after each 30 %, at most 2 % of the fleet's devices, more). Between two
milestones the same packer serves; only machines whose free parts differ from the question before are scored anew, and
a score depends on prices and on its own machine, in whatever order machines and classes came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from tenure.placement import derived, packing
from tenure.placement.calendar import Calendar, Free
from tenure.placement.demand import Role
from tenure.placement.fleet import WHOLE_MILLI, Fleet, FleetMachine
from tenure.placement.holds import Claim, Hold

GROWTH, FLEET_SHARE = 0.3, 0.02
"""The packer's own rhythm: prices are made anew after so much more was asked for."""

CLASSES_MAX = 256
"""A packer that knows more sorts of demands than this is made anew, so that strange questions do not pile up."""

FEW = 4
"""Questions about fewer than one machine in so many look at those alone."""

Row = tuple[int, int, tuple[int, ...]]
"""Free cores, free bytes, thousandths free of each device of the class."""

Basis = tuple[tuple[Hold, ...], packing.Demand | None]


def costs(
    fleet: Fleet, calendar: Calendar, free: Mapping[str, Free], role: Role, device_class: str
) -> dict[str, float]:
    """What one more member costs on each machine with room, in devices."""
    key = f"worth:{device_class}"
    kept: Worth | None = fleet.memo.get(key)
    wanted = demand_of(role, device_class)
    basis = basis_of(fleet, calendar, wanted)
    if kept is None or kept.basis != basis or len(kept.packer.classes) > CLASSES_MAX:
        kept = fleet.memo[key] = Worth(fleet, basis, device_class)
    return kept.costs(free, wanted)


def basis_of(fleet: Fleet, calendar: Calendar, wanted: packing.Demand) -> Basis:
    """The holds that prices are made from; where there are none yet, the demand itself stands for what is to come."""
    known: tuple[Calendar, tuple[Hold, ...]] | None = fleet.memo.get("worth:first")
    if known is None or known[0] is not calendar:
        known = fleet.memo["worth:first"] = (calendar, _first(fleet, calendar))
    return known[1], None if known[1] else wanted


def _first(fleet: Fleet, calendar: Calendar) -> tuple[Hold, ...]:
    """Of alternatives the first counts: only one of them will come to stand."""
    alone: dict[str, Hold] = {}
    for hold in sorted(calendar.holds.values(), key=lambda hold: (hold.start_ms, hold.id)):
        alone.setdefault(hold.alternative_of, hold)
    return tuple(islice(alone.values(), milestone(len(alone), _devices(fleet))))


def _devices(fleet: Fleet) -> int:
    known: int | None = fleet.memo.get("worth:devices")
    if known is None:
        known = fleet.memo["worth:devices"] = sum(len(machine.devices) for machine in fleet.machines)
    return known


def milestone(count: int, devices: int) -> int:
    """The last milestone up to a count."""
    at = 0
    while True:
        following = at + max(1, min(int(at * GROWTH), int(devices * FLEET_SHARE)))
        if following > count:
            return at
        at = following


class Worth:
    """Prices of one basis, and the scores of all machines that are in service. Mutable only in what it remembers."""

    def __init__(self, fleet: Fleet, basis: Basis, device_class: str) -> None:
        self.basis = basis
        self._class = device_class
        machines = [machine for machine in fleet.machines if machine.schedulable]
        self._names = [machine.name for machine in machines]
        self._places = {name: place for place, name in enumerate(self._names)}
        self._every = range(len(self._names))
        self._devices = [tuple(d.id for d in m.devices if d.device_class == device_class) for m in machines]
        whole = derived.whole(fleet)
        self._seen: list[Free] = [whole[name] for name in self._names]
        self._rows: list[Row] = [self._row(place, one) for place, one in enumerate(self._seen)]
        columns = packing.Fleet.of([_facts(machine, device_class) for machine in machines])
        self._state = packing.FleetState(columns)
        self.packer = self._priced({machine.name: place for place, machine in enumerate(machines)})

    def costs(self, free: Mapping[str, Free], wanted: packing.Demand) -> dict[str, float]:
        """By machine, of those in ``free`` on which the demand fits by the sums of its axes."""
        few = FEW * len(free) < len(self._names)
        asked = sorted(self._places[name] for name in free if name in self._places) if few else self._every
        for place in asked:
            one = free.get(self._names[place])
            if one is None or one is self._seen[place]:
                continue
            self._seen[place] = one
            row = self._row(place, one)
            if row != self._rows[place]:
                self._rows[place] = row
                self._write(place, row)
                self.packer.touched(place)
        every = self.packer.costs(wanted)
        found = zip(asked, (every[asked] if few else every).tolist(), strict=True)
        return {name: cost for place, cost in found if cost != float("inf") and (name := self._names[place]) in free}

    def _priced(self, places: Mapping[str, int]) -> packing.Packer:
        """A packer with prices for the fleet as the basis leaves it."""
        holds, wanted = self.basis
        claims = [claim for hold in holds for claim in hold.claims if claim.machine in places]
        mix = Counter(self._asked(places[claim.machine], claim) for claim in claims)
        if wanted is not None or not mix:
            mix[wanted or packing.Demand(WHOLE_MILLI, 0)] += 1
        classes = packing.ClassTable(models=self._state.fleet.models)
        for asked, count in mix.items():
            index = classes.intern(asked)  # a new class may make the columns longer
            classes.arrivals[index] += count
        for place, row in self._left(claims, places).items():
            self._rows[place] = row
            self._write(place, row)
        packer = packing.Packer(self._state, classes=classes)
        first = classes.demands[0]
        # The packer prices when it hears of an arrival; one that is counted already is the one it hears of.
        classes.arrivals[0] -= 1
        packer.arrived(first)
        packer.settle()
        # What the question finds free is compared with these rows, so the machines as last seen are forgotten.
        self._seen = [Free(one.machine, frozenset(), {}, {}) for one in self._seen] if claims else self._seen
        return packer

    def _left(self, claims: Iterable[Claim], places: Mapping[str, int]) -> dict[int, Row]:
        """What these claims leave if all of them stood at once, and nothing where they take more than there is."""
        left: dict[int, Row] = {}
        for claim in claims:
            place = places[claim.machine]
            cores, memory, devices = left.get(place, self._rows[place])
            taken = {device.id: device.milli for device in claim.devices}
            still = zip(self._devices[place], devices, strict=True)
            left[place] = (
                max(0, cores - len(claim.cores)),
                max(0, memory - claim.memory_bytes),
                tuple(max(0, milli - taken.get(id, 0)) for id, milli in still),
            )
        return left

    def _row(self, place: int, one: Free) -> Row:
        own = self._devices[place]
        return len(one.cores), sum(one.memory.values()), tuple(one.devices[device] for device in own)

    def _write(self, place: int, row: Row) -> None:
        cores, memory, devices = row
        self._state.cpu_free[place] = cores * WHOLE_MILLI
        self._state.memory_free[place] = memory
        self._state.device_free[place, : len(devices)] = devices

    def _asked(self, place: int, claim: Claim) -> packing.Demand:
        own = set(self._devices[place])
        taken = [device for device in claim.devices if device.id in own]
        milli = min(taken[0].milli, WHOLE_MILLI) if len(taken) == 1 else WHOLE_MILLI
        return packing.Demand(len(claim.cores) * WHOLE_MILLI, claim.memory_bytes, len(taken), milli)


def demand_of(role: Role, device_class: str) -> packing.Demand:
    """A member as the packer knows it. Several requests of the class are taken whole."""
    requests = [request for request in role.devices if request.device_class == device_class]
    count = sum(request.count for request in requests)
    milli = requests[0].milli if len(requests) == 1 and count == 1 else WHOLE_MILLI
    models = sorted({model for request in requests for model in request.models})
    return packing.Demand(role.cores * WHOLE_MILLI, role.memory_bytes, count, milli, tuple(models))


def _facts(machine: FleetMachine, device_class: str) -> tuple[str, int, int, int, str]:
    models = Counter(device.model for device in machine.devices if device.device_class == device_class)
    commonest = min(models, key=lambda model: (-models[model], model), default="")
    memory = sum(machine.sellable_memory().values())
    return machine.name, len(machine.sellable_cores()) * WHOLE_MILLI, memory, models.total(), commonest or "any"
