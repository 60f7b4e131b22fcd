"""Small machines, demands and holds, said in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenure.placement import (
    Claim,
    Core,
    Demand,
    Device,
    DeviceClaim,
    DeviceRequest,
    FleetMachine,
    Free,
    Hold,
    MemoryNode,
    Plan,
    Role,
)
from tenure.placement.question import Question

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Trait:
    """A score of one's own: a figure that each machine carries; one without it counts as the greatest."""

    name: str

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        traits = {machine.name: dict(machine.traits) for machine in question.fleet.machines}
        unknown = max((own[self.name] for own in traits.values() if self.name in own), default=0.0)
        return {name: traits[name].get(self.name, unknown) for name in free}


def machine(
    name: str = "m1",
    *,
    nodes: int = 1,
    caches: int = 1,
    cores: int = 2,
    gib: int = 8,
    gpus: int = 0,
    site: str = "here",
    **more: Any,
) -> FleetMachine:
    """``nodes`` NUMA nodes of ``caches`` caches of ``cores`` cores each, ``gib`` GiB and ``gpus`` GPUs (two a switch)
    a node."""
    all_cores = tuple(
        Core(id=(node * caches + cache) * cores + place, numa_node=node, l3=node * caches + cache)
        for node in range(nodes)
        for cache in range(caches)
        for place in range(cores)
    )
    devices = tuple(
        Device(f"gpu{node * gpus + n}", "gpu", model="T4", numa_node=node, pcie_switch=f"s{node}.{n // 2}")
        for node in range(nodes)
        for n in range(gpus)
    )
    memory = tuple(MemoryNode(node, gib * GIB) for node in range(nodes))
    return FleetMachine(name, site, **{"cores": all_cores, "memory": memory, "devices": devices, **more})


def demand(
    name: str = "d",
    *,
    count: int = 1,
    cores: int = 0,
    gib: int = 0,
    gpus: int = 0,
    milli: int = 1000,
    role: dict[str, Any] | None = None,
    **more: Any,
) -> Demand:
    devices = (DeviceRequest("gpu", gpus, milli),) if gpus else ()
    one = Role(count=count, cores=cores, **{"memory_bytes": gib * GIB, "devices": devices, **(role or {})})
    return Demand(name, (one,), **more)


def told(found: Plan) -> dict[str, bool]:
    """What was preferred, and whether it is kept."""
    return {f"{one.role}:{one.what}".lstrip(":"): one.kept for one in found.preferences}


def hold(
    name: str = "h",
    *,
    start: int = 0,
    end: int = 100,
    on: str = "m1",
    cores: tuple[int, ...] = (),
    gib: int = 0,
    memory_nodes: tuple[int, ...] = (0,),
    devices: dict[str, int] | None = None,
    group: str = "",
) -> Hold:
    claim = Claim(on, cores, gib * GIB, memory_nodes, tuple(DeviceClaim(d, m) for d, m in (devices or {}).items()))
    return Hold(name, group, "here", start, end, (claim,))
