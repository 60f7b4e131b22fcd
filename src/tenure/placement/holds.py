"""Claims and holds: what of which machine is spoken for, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.placement.fleet import Draw


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """``milli`` thousandths of one device of the claim's machine."""

    id: str
    milli: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What one member takes of one machine.

    Memory over several NUMA nodes is taken in equal parts, page by page in turn (interleaved): that is a split which
    the kernel can be told to keep, and it follows from the claim alone, so that a recount needs nothing else.
    """

    machine: str
    cores: tuple[int, ...] = ()
    memory_bytes: int = 0
    memory_nodes: tuple[int, ...] = ()
    devices: tuple[DeviceClaim, ...] = ()
    role: str = ""
    draws: tuple[Draw, ...] = ()

    def memory_parts(self) -> dict[int, int]:
        """Bytes on each NUMA node; the first nodes carry the remainder."""
        return equal_parts(self.memory_bytes, self.memory_nodes)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "machine": self.machine,
            "cores": list(self.cores),
            "memoryBytes": self.memory_bytes,
            "memoryNodes": list(self.memory_nodes),
            "devices": [{"id": device.id, "milli": device.milli} for device in self.devices],
        }
        if self.role:
            value["role"] = self.role
        if self.draws:
            value["draws"] = [{"budget": draw.budget, "amount": draw.amount} for draw in self.draws]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Claim:
        return cls(
            machine=value["machine"],
            cores=tuple(value.get("cores", ())),
            memory_bytes=value.get("memoryBytes", 0),
            memory_nodes=tuple(value.get("memoryNodes", ())),
            devices=tuple(DeviceClaim(d["id"], d["milli"]) for d in value.get("devices", ())),
            role=value.get("role", ""),
            draws=tuple(Draw(d["budget"], d["amount"]) for d in value.get("draws", ())),
        )


def equal_parts(total: int, nodes: Sequence[int]) -> dict[int, int]:
    """``total`` split evenly over ``nodes``; the remainder goes to the first of them."""
    if not nodes or not total:
        return {}
    part, rest = divmod(total, len(nodes))
    return {node: part + (1 if place < rest else 0) for place, node in enumerate(nodes)}


@dataclass(frozen=True, slots=True)
class Hold:
    """Claims from ``start_ms`` to ``end_ms`` (Unix ms, end excluded).

    Holds of one ``group`` are alternatives: only one of them will come to stand, so together they are charged their
    pointwise maximum over time. An empty group means that the hold stands alone.
    """

    id: str
    group: str
    site: str
    start_ms: int
    end_ms: int
    claims: tuple[Claim, ...]

    @property
    def alternative_of(self) -> str:
        """The key by which alternatives are found; a hold without a group is its own."""
        return self.group or f"\0{self.id}"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "group": self.group,
            "site": self.site,
            "startMs": self.start_ms,
            "endMs": self.end_ms,
            "claims": [claim.to_json() for claim in self.claims],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Hold:
        return cls(
            id=value["id"],
            group=value.get("group", ""),
            site=value.get("site", ""),
            start_ms=value["startMs"],
            end_ms=value["endMs"],
            claims=tuple(Claim.from_json(claim) for claim in value["claims"]),
        )
