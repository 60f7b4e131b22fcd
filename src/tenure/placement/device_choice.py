"""Which devices of a machine a member takes: the nearest set that meets every request, by backtracking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenure.placement.calendar import Free
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.fleet import WHOLE_MILLI, Device


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """``taken`` as (device id, thousandths); ``away`` counts those off the member's nodes; ``switches`` those used."""

    taken: tuple[tuple[str, int], ...] = ()
    away: int = 0
    switches: int = 0


NOTHING = DeviceChoice()


def choose_devices(free: Free, role: Role, nodes: Sequence[int], *, near_only: bool) -> DeviceChoice | None:
    """The preferred devices of one member whose cores and memory lie on ``nodes``, or None where no choice exists."""
    return next(device_choices(free, role, nodes, near_only=near_only), None)


def device_choices(free: Free, role: Role, nodes: Sequence[int], *, near_only: bool) -> Iterator[DeviceChoice]:
    """All choices up to alike devices, preferred first.

    Pools are tried from the closest to the widest: one switch beside the nodes, one node, all nodes, the machine.
    A device whose node is unknown counts as near; one whose switch is unknown shares it with nobody.
    """
    if not role.devices:
        yield NOTHING
        return
    units = [request for request in role.devices for _ in range(request.count)]
    given: set[tuple[tuple[str, int], ...]] = set()
    for pool in _pools(free, nodes, one_switch="pcie" in role.requires and len(units) > 1, near_only=near_only):
        ordered = _hardest_first(pool, units, free)
        if ordered is None:
            continue
        for taken in _matches(free, pool, ordered):
            if tuple(taken) not in given:
                given.add(tuple(taken))
                yield _choice(free, taken, nodes)


def takes_milli(device: Device, request: DeviceRequest) -> int:
    """Thousandths that a request takes of a device; a whole device is all it has."""
    return device.milli if request.milli == WHOLE_MILLI else request.milli


def suits(device: Device, request: DeviceRequest) -> bool:
    """Whether a device is of the right class and model."""
    return device.device_class == request.device_class and (not request.models or device.model in request.models)


def fits(free: Free, device: Device, request: DeviceRequest) -> bool:
    """Whether a device suits and has enough left."""
    if not suits(device, request):
        return False
    left = free.devices.get(device.id, 0)
    return left > 0 and left >= takes_milli(device, request)


def _pools(free: Free, nodes: Sequence[int], *, one_switch: bool, near_only: bool) -> Iterator[list[Device]]:
    devices = [device for device in free.machine.devices if free.devices.get(device.id, 0) > 0]
    near = [device for device in devices if device.numa_node is None or device.numa_node in nodes]
    for pool in (near, devices):
        switches = sorted({device.pcie_switch for device in pool if device.pcie_switch})
        by_switch = [[device for device in pool if device.pcie_switch == switch] for switch in switches]
        yield from sorted(by_switch, key=lambda part: sum(free.devices[device.id] for device in part))
        if not one_switch:
            for node in sorted({device.numa_node for device in pool if device.numa_node is not None}):
                yield [device for device in pool if device.numa_node == node]
            yield pool
        if near_only:
            return


def _hardest_first(pool: list[Device], units: list[DeviceRequest], free: Free) -> list[DeviceRequest] | None:
    """The request with the fewest candidates first, equal ones side by side; None where one has too few."""
    count = {request: sum(1 for device in pool if fits(free, device, request)) for request in set(units)}
    if any(count[request] < units.count(request) for request in count):
        return None
    order = {request: place for place, request in enumerate(dict.fromkeys(units))}
    return sorted(units, key=lambda request: (count[request], -request.milli, order[request]))


def _matches(free: Free, pool: list[Device], units: list[DeviceRequest]) -> Iterator[list[tuple[str, int]]]:
    """Sets of distinct devices for all units, depth first; alike devices and alike units are not tried twice."""
    ordered = sorted(pool, key=lambda device: (free.devices[device.id], device.pcie_switch or "", device.id))
    taken: list[tuple[str, int]] = []
    used: set[int] = set()

    def extend(unit: int, since: int) -> Iterator[list[tuple[str, int]]]:
        if unit == len(units):
            yield sorted(taken)
            return
        request = units[unit]
        tried: set[tuple[object, ...]] = set()
        for place in range(since, len(ordered)):
            device = ordered[place]
            alike = (device.model, device.numa_node, device.pcie_switch, free.devices[device.id], device.milli)
            if place in used or alike in tried or not fits(free, device, request):
                continue
            tried.add(alike)
            used.add(place)
            taken.append((device.id, takes_milli(device, request)))
            same_again = unit + 1 < len(units) and units[unit + 1] == request
            yield from extend(unit + 1, place + 1 if same_again else 0)
            taken.pop()
            used.discard(place)

    yield from extend(0, 0)


def _choice(free: Free, taken: list[tuple[str, int]], nodes: Sequence[int]) -> DeviceChoice:
    chosen = [free.machine.device_index[name] for name, _ in taken]
    away = sum(1 for device in chosen if device.numa_node is not None and device.numa_node not in nodes)
    switches = len({device.pcie_switch for device in chosen})
    return DeviceChoice(tuple(sorted(taken)), away, switches)
