"""The fleet as placement sees it: machines with their cores, memory and devices, where each stands, and its budgets.

The algorithm knows nothing of its domain beyond this: capacities, classes, and domains by level.
A machine belongs to one domain at each level that it names (``rack``, ``row``, ``nvlink``, ``leaf`` ...); the levels
of a fleet are listed from the narrowest to the widest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal

from tenure.placement.values import PlacementError, as_json

WHOLE_MILLI = 1000
"""A whole device in thousandths."""

LOCAL_DISTANCE, REMOTE_DISTANCE = 10, 20
"""ACPI's SLIT: 10 is local by definition; 20 is what Linux assumes where firmware gives no table."""

Rating = Literal["rated", "capped", "measured"]


@dataclass(frozen=True, slots=True)
class Draw:
    """So much of one named budget (``power`` in milliwatts, ``rackUnits``, ``licence:x`` ...)."""

    budget: str
    amount: int


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """What is known of a device's or core's power, in milliwatts; ``None`` is unknown, never zero."""

    rated_mw: int | None = None
    capped_mw: int | None = None
    measured_mw: int | None = None

    def by(self, rating: Rating) -> int | None:
        """The figure that a budget of this rating charges; a stricter figure stands in for an unknown one."""
        order = {
            "rated": (self.rated_mw,),
            "capped": (self.capped_mw, self.rated_mw),
            "measured": (self.measured_mw, self.capped_mw, self.rated_mw),
        }[rating]
        return next((figure for figure in order if figure is not None), None)


@dataclass(frozen=True, slots=True)
class Core:
    """One physical core with all its SMT siblings. ``id`` is its lowest logical CPU number.

    ``l3`` numbers the group of cores that share a last-level cache; it is unique within the machine. Below zero it is a
    group of which nobody said so: its cores are alike, and no member is known to share a cache there.
    """

    id: int
    numa_node: int = 0
    l3: int = 0


@dataclass(frozen=True, slots=True)
class MemoryNode:
    """One NUMA node's memory. ``reserved_bytes`` is what the system itself keeps."""

    id: int
    bytes: int
    reserved_bytes: int = 0

    @property
    def sellable_bytes(self) -> int:
        return max(0, self.bytes - self.reserved_bytes)


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, NIC or disk. ``milli`` is its capacity in thousandths. ``numa_node`` and ``pcie_switch`` may be unknown;
    a device that hangs from no switch (an empty name) shares none with anybody.

    A device that is not healthy keeps its place in the picture and has nothing to sell.
    """

    id: str
    device_class: str
    model: str = ""
    numa_node: int | None = None
    pcie_switch: str | None = None
    milli: int = WHOLE_MILLI
    memory_bytes: int = 0
    power: PowerFacts = PowerFacts()
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class FleetMachine:
    """One machine's sellable facts.

    ``place`` lists (level, domain) from the narrowest level up, without ``machine`` and ``site``, which are known.
    ``numa_distances`` has a row and a column for each of ``numa_nodes``, in that order; empty means not known.
    ``reserved_cores`` are kept for the system and never sold. ``core_power`` is for one core. ``traits`` are figures
    that a choice between machines may weigh (age, hourly cost).
    """

    name: str
    site: str
    cores: tuple[Core, ...] = ()
    memory: tuple[MemoryNode, ...] = ()
    devices: tuple[Device, ...] = ()
    place: tuple[tuple[str, str], ...] = ()
    numa_distances: tuple[tuple[int, ...], ...] = ()
    reserved_cores: frozenset[int] = frozenset()
    core_power: PowerFacts = PowerFacts()
    schedulable: bool = True
    unschedulable_because: str = ""
    hardware_class: str = ""
    traits: tuple[tuple[str, float], ...] = ()
    numa_nodes: tuple[int, ...] = field(init=False, compare=False, repr=False)
    device_index: Mapping[str, Device] = field(init=False, compare=False, repr=False)
    core_index: Mapping[int, Core] = field(init=False, compare=False, repr=False)
    _sellable: tuple[frozenset[int], dict[int, int], dict[str, int]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        nodes = sorted({c.numa_node for c in self.cores} | {m.id for m in self.memory})
        object.__setattr__(self, "numa_nodes", tuple(nodes))
        object.__setattr__(self, "device_index", {d.id: d for d in self.devices})
        object.__setattr__(self, "core_index", {c.id: c for c in self.cores})
        cores = frozenset(c.id for c in self.cores) - self.reserved_cores
        memory = {node.id: node.sellable_bytes for node in self.memory}
        devices = {d.id: d.milli if d.healthy else 0 for d in self.devices}
        object.__setattr__(self, "_sellable", (cores, memory, devices))
        _check_machine(self)

    def domain(self, level: str) -> str | None:
        """The domain that this machine belongs to at a level; ``None`` where it names none."""
        if level == "machine":
            return self.name
        if level == "site":
            return self.site
        return next((name for at, name in self.place if at == level), None)

    def distance(self, one: int, other: int) -> int:
        """NUMA distance between two nodes, as firmware tells it (10 is local)."""
        if one == other:
            return LOCAL_DISTANCE
        if not self.numa_distances:
            return REMOTE_DISTANCE
        return self.numa_distances[self.numa_nodes.index(one)][self.numa_nodes.index(other)]

    def sellable_cores(self) -> frozenset[int]:
        """Cores that the system does not keep for itself."""
        return self._sellable[0]

    def sellable_memory(self) -> Mapping[int, int]:
        """Bytes by NUMA node beyond what the system keeps."""
        return self._sellable[1]

    def sellable_devices(self) -> Mapping[str, int]:
        """Thousandths by device; nothing of a device that is not healthy."""
        return self._sellable[2]


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the fleet. ``bytes_per_s`` is what any two members inside one domain are sure of between them;
    ``None`` is unknown and satisfies no minimum. Levels need not nest (a rail may cut through racks)."""

    name: str
    bytes_per_s: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on a sum over everything inside one domain. ``name`` is free (power, cooling, rackUnits, a licence).

    ``base`` is what is drawn whether or not anything is placed. Power budgets say which figure they charge.
    With ``crossing`` only what reaches beyond the domain is charged: the bandwidth of its uplink.
    ``label`` is what it is called in answers, where that is not its name and its domain; one name, one budget.
    """

    name: str
    level: str
    domain: str
    limit: int
    base: int = 0
    unit: str = ""
    rating: Rating = "rated"
    imposed_by: str = ""
    crossing: bool = False
    label: str = ""

    @property
    def id(self) -> str:
        return self.label or f"{self.name}:{self.domain}"


@dataclass(frozen=True, slots=True)
class Fleet:
    """An immutable snapshot of machines, levels (narrowest first) and budgets."""

    machines: tuple[FleetMachine, ...]
    levels: tuple[Level, ...] = ()
    budgets: tuple[Budget, ...] = ()
    index: Mapping[str, FleetMachine] = field(init=False, compare=False, repr=False)
    _over: dict[str, tuple[Budget, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)
    # Budgets with their numbers in the list, by level and domain: a fleet may have one a machine.
    _budgets_at: dict[str, dict[str, list[tuple[int, Budget]]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    # What follows from machines and levels alone; budgets have no part in it.
    memo: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    drawn: dict[str, tuple[Any, dict[str, int]]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        index = {machine.name: machine for machine in self.machines}
        if len(index) != len(self.machines):
            raise PlacementError("DuplicateMachine", "machines", "two machines have the same name")
        object.__setattr__(self, "index", index)
        for number, budget in enumerate(self.budgets):
            if budget.limit < 0 or budget.base < 0:
                raise PlacementError("BudgetInvalid", f"budgets[{number}]", "a limit or base is negative")
            self._budgets_at.setdefault(budget.level, {}).setdefault(budget.domain, []).append((number, budget))
        if len({budget.id for budget in self.budgets}) != len(self.budgets):
            raise _twice(self.budgets)

    @classmethod
    def of(cls, machines: Iterable[FleetMachine], **more: Any) -> Fleet:
        return cls(machines=tuple(machines), **more)

    def with_budgets(self, budgets: Iterable[Budget]) -> Fleet:
        """The same machines under other budgets; what follows from machines alone is kept."""
        other = Fleet(self.machines, self.levels, tuple(budgets))
        object.__setattr__(other, "memo", self.memo)
        return other

    def machine(self, name: str) -> FleetMachine:
        try:
            return self.index[name]
        except KeyError:
            raise PlacementError("MachineUnknown", "machine", f"the fleet has no machine {name!r}") from None

    def level_names(self) -> tuple[str, ...]:
        """Levels from ``machine`` to ``site``, narrowest first."""
        inner = tuple(lv.name for lv in self.levels if lv.name not in ("machine", "site"))
        return ("machine", *inner, "site")

    def budgets_over(self, machine: str) -> tuple[Budget, ...]:
        """Budgets whose domain contains a machine, in the order in which the fleet lists them."""
        if machine not in self._over:
            facts = self.machine(machine)
            over = [
                one
                for level, by_domain in self._budgets_at.items()
                for one in by_domain.get(facts.domain(level) or "", ())
            ]
            self._over[machine] = tuple(budget for _, budget in sorted(over, key=itemgetter(0)))
        return self._over[machine]

    def budgets_at(self, level: str, domain: str) -> tuple[Budget, ...]:
        """Budgets of just this domain, in the order in which the fleet lists them."""
        return tuple(budget for _, budget in self._budgets_at.get(level, {}).get(domain, ()))

    def inside(self, budget: Budget) -> tuple[FleetMachine, ...]:
        return tuple(m for m in self.machines if m.domain(budget.level) == budget.domain)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        return value


def _twice(budgets: tuple[Budget, ...]) -> PlacementError:
    ids = [budget.id for budget in budgets]
    number = next(place for place, id in enumerate(ids) if id in ids[:place])
    message = f"a second budget {ids[number]}; draws are counted by it"
    return PlacementError("BudgetInvalid", f"budgets[{number}]", message, "give one of them a label")


def _check_machine(machine: FleetMachine) -> None:
    at = f"machines[{machine.name}]"
    if not machine.name:
        raise PlacementError("MachineInvalid", at, "a machine needs a name")
    if len(machine.core_index) != len(machine.cores):
        raise PlacementError("MachineInvalid", f"{at}.cores", "two cores have the same number")
    if len({m.id for m in machine.memory}) != len(machine.memory):
        raise PlacementError("MachineInvalid", f"{at}.memory", "two memory nodes have the same number")
    if len(machine.device_index) != len(machine.devices):
        raise PlacementError("MachineInvalid", f"{at}.devices", "two devices have the same id")
    if any(node.bytes < 0 or node.reserved_bytes < 0 for node in machine.memory):
        raise PlacementError("MachineInvalid", f"{at}.memory", "memory is negative")
    if any(device.milli < 0 for device in machine.devices):
        raise PlacementError("MachineInvalid", f"{at}.devices", "a device's capacity is negative")
    rows = machine.numa_distances
    if rows and (len(rows) != len(machine.numa_nodes) or any(len(row) != len(rows) for row in rows)):
        raise PlacementError("MachineInvalid", f"{at}.numaDistances", "needs one row and column a NUMA node")
    if any(distance < 0 for row in rows for distance in row):
        raise PlacementError("MachineInvalid", f"{at}.numaDistances", "a distance is negative")
