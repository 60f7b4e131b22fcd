"""Which of several machines that would all do: scores, weighed and added up; the least is taken.

A score says what a member costs on each machine, in its own unit; a weight turns that into one currency and may depend
on how full the fleet is. Without a choice the nearly full machine is filled up first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tenure.placement.calendar import Calendar, Free
from tenure.placement.demand import Role
from tenure.placement.fleet import WHOLE_MILLI
from tenure.placement.holds import Claim
from tenure.placement.inside import place_inside

if TYPE_CHECKING:
    from tenure.placement import packing

Weight = float | Callable[[float], float]
"""A number, or a function of the share of the fleet's devices (or cores, where it has none) that is taken."""


class Score(Protocol):
    """Costs of one more member of a role, by machine; lower is better. Pure: the same arguments, the same costs."""

    def costs(self, calendar: Calendar, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        """Costs on those machines that have room; others may be left out."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Scores with their weights."""

    scores: tuple[tuple[Score, Weight], ...]

    def costs(self, calendar: Calendar, free: Mapping[str, Free], role: Role) -> dict[str, float]:
        """The weighed sum by machine; a machine that a score leaves out costs nothing by it."""
        taken = taken_share(free)
        total = dict.fromkeys(free, 0.0)
        for score, weight in self.scores:
            factor = weight(taken) if callable(weight) else weight
            for name, cost in score.costs(calendar, free, role).items():
                total[name] += factor * cost
        return total


def taken_share(free: Mapping[str, Free]) -> float:
    """The share of all devices that is taken; of all cores, where there are no devices."""
    devices = sum(sum(one.machine.sellable_devices().values()) for one in free.values())
    if devices:
        return 1 - sum(sum(one.devices.values()) for one in free.values()) / devices
    cores = sum(len(one.machine.sellable_cores()) for one in free.values())
    return 1 - sum(len(one.cores) for one in free.values()) / cores if cores else 0.0


@dataclass(frozen=True, slots=True)
class Fragmentation:
    """What a member takes from those who come later, in devices: the opportunity cost that ``packing`` reckons.

    What will be asked for is read off what the calendar holds. Prices are made anew from the snapshot each time (some
    40 ms for a thousand machines), so that the answer depends on nothing else. Machines whose devices are of several
    models count by their commonest one.
    """

    device_class: str = "gpu"

    def costs(self, calendar: Calendar, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        # Imported where it is used: the rest of the room does without numpy, and starts faster for it.
        from tenure.placement import packing

        names = list(free)
        fleet = packing.Fleet.of([self._row(free[name]) for name in names])
        state = packing.FleetState(fleet)
        for row, name in enumerate(names):
            one = free[name]
            state.cpu_free[row] = len(one.cores) * WHOLE_MILLI
            state.memory_free[row] = sum(one.memory.values())
            own = [d.id for d in one.machine.devices if d.device_class == self.device_class]
            state.device_free[row, : len(own)] = [one.devices[device] for device in own]
        classes = packing.ClassTable(models=fleet.models)
        for asked, count in self._mix(calendar, free).items():
            classes.arrivals[classes.intern(asked)] += count
        packer = packing.Packer(state, classes=classes)
        wanted = self._of_role(role)
        packer.arrived(wanted)
        costs = packer.costs(wanted).tolist()
        return {name: cost for name, cost in zip(names, costs, strict=True) if cost != float("inf")}

    def _row(self, free: Free) -> tuple[str, int, int, int, str]:
        machine = free.machine
        models = Counter(device.model for device in machine.devices if device.device_class == self.device_class)
        commonest = min(models, key=lambda model: (-models[model], model), default="")
        memory = sum(machine.sellable_memory().values())
        return machine.name, len(machine.sellable_cores()) * WHOLE_MILLI, memory, models.total(), commonest or "any"

    def _of_role(self, role: Role) -> packing.Demand:
        from tenure.placement import packing

        requests = [request for request in role.devices if request.device_class == self.device_class]
        count = sum(request.count for request in requests)
        milli = requests[0].milli if len(requests) == 1 and count == 1 else WHOLE_MILLI
        models = sorted({model for request in requests for model in request.models})
        return packing.Demand(role.cores * WHOLE_MILLI, role.memory_bytes, count, milli, tuple(models))

    def _mix(self, calendar: Calendar, free: Mapping[str, Free]) -> Counter[packing.Demand]:
        mix: Counter[packing.Demand] = Counter()
        for hold in calendar.holds.values():
            for claim in hold.claims:
                if claim.machine in free:
                    mix[self._of_claim(claim, free[claim.machine])] += 1
        return mix

    def _of_claim(self, claim: Claim, free: Free) -> packing.Demand:
        from tenure.placement import packing

        index = free.machine.device_index
        own = [d for d in claim.devices if d.id in index and index[d.id].device_class == self.device_class]
        milli = own[0].milli if len(own) == 1 else WHOLE_MILLI
        return packing.Demand(len(claim.cores) * WHOLE_MILLI, claim.memory_bytes, len(own), min(milli, WHOLE_MILLI))


@dataclass(frozen=True, slots=True)
class AddedWatts:
    """Rated watts of the cores and devices that a member would take; what is unknown counts nothing."""

    def costs(self, calendar: Calendar, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:  # noqa: ARG002
        found: dict[str, float] = {}
        for name, one in free.items():
            claim = place_inside(one, role)
            if claim is not None:
                machine = one.machine
                drawn = len(claim.cores) * (machine.core_power.rated_mw or 0)
                drawn += sum(machine.device_index[device.id].power.rated_mw or 0 for device in claim.devices)
                found[name] = drawn / 1000
        return found


@dataclass(frozen=True, slots=True)
class Trait:
    """A figure that each machine carries (``age``, ``hourlyCost``): ``FleetMachine.traits``; absent counts nothing."""

    name: str

    def costs(self, calendar: Calendar, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:  # noqa: ARG002
        return {name: dict(one.machine.traits).get(self.name, 0.0) for name, one in free.items()}
