"""The axes of a member (device classes, cores, memory) and what one machine has of each, one axis at a time."""

from __future__ import annotations

from collections.abc import Mapping

from tenure.placement.calendar import Free
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.device_choice import fits


def slots(free: Free, role: Role) -> int:
    """An upper limit on the members of a role that fit: each axis alone."""
    # A member that takes nothing fits any number of times.
    least = role.count
    if role.cores:
        least = min(least, len(free.cores) // role.cores)
    if role.memory_bytes and least:
        least = min(least, sum(free.memory.values()) // role.memory_bytes)
    for request in role.devices:
        if least == 0:
            break
        least = min(least, units(free, request) // request.count)
    return least


def units(free: Free, request: DeviceRequest) -> int:
    """Devices, or shares of them, that a request finds free."""
    units = 0
    for device in free.machine.devices:
        if fits(free, device, request):
            units += 1 if request.milli >= device.milli else free.devices[device.id] // request.milli
    return units


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
