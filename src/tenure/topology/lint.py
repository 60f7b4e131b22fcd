"""What is missing of a machine's description: each attribute that decisions stand on, and why it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tenure.topology.facts import Unknown, listed
from tenure.topology.machine import MachineTopology

Weight = Literal["needed", "wanted"]
"""`needed`: without it work cannot be placed as promised. `wanted`: something cannot be said or checked."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One attribute that is not known: its path in the JSON form, why, and what stands on it."""

    path: str
    reason: str
    weight: Weight


def missing_attributes(machine: MachineTopology) -> tuple[Missing, ...]:
    """Attributes that are not known, in the order of the JSON form; none for a machine that is described in full."""
    return tuple(
        Missing(path, fact.reason if isinstance(fact, Unknown) else "there is none", weight)
        for path, fact, weight in _attributes(machine)
        if isinstance(fact, Unknown) or fact == ()
    )


def _attributes(machine: MachineTopology) -> Iterator[tuple[str, Any, Weight]]:
    yield "architecture", machine.architecture, "wanted"
    yield "vendor", machine.vendor, "wanted"
    yield "product", machine.product, "wanted"
    yield "packages", machine.packages, "needed"
    yield from _each("packages", machine.packages, model="wanted")
    yield "cores", machine.cores, "needed"
    yield from _each("cores", machine.cores, package="needed", numa_node="needed")
    yield "caches", machine.caches, "needed"
    yield from _each("caches", machine.caches, size_bytes="wanted")
    yield "numaNodes", machine.numa_nodes, "needed"
    yield from _each("numaNodes", machine.numa_nodes, memory_bytes="needed", kind="wanted")
    yield "numaDistances", machine.numa_distances, "needed"
    yield "pci", _unknown_only(machine.pci), "needed"
    yield "gpus", _unknown_only(machine.gpus), "needed"
    yield from _each("gpus", listed(machine.gpus), model="needed", memory_bytes="needed", numa_node="needed")
    yield from _each("gpus", listed(machine.gpus), power_max_mw="wanted")
    yield "nics", _unknown_only(machine.nics), "needed"
    yield from _each("nics", listed(machine.nics), numa_node="needed", speed_bits_per_s="wanted")
    yield "disks", _unknown_only(machine.disks), "needed"
    yield from _each("disks", listed(machine.disks), size_bytes="needed", model="wanted")
    if len(listed(machine.gpus)) > 1:
        yield "links", _unknown_only(machine.links), "needed"


def _unknown_only(fact: Any) -> Any:
    """A machine may have no GPU, network or disk; that is no gap."""
    return fact if isinstance(fact, Unknown) else "known"


def _each(path: str, items: Iterable[Any], **weights: Weight) -> Iterator[tuple[str, Any, Weight]]:
    for at, item in enumerate(items):
        for name, weight in weights.items():
            first, *rest = name.split("_")
            camel = first + "".join(part.capitalize() for part in rest)
            yield f"{path}[{at}].{camel}", getattr(item, name), weight
