"""A fleet from a file: manifests or a table, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tenure.discovery.fleets.hardware import Hardware, profile_of
from tenure.discovery.fleets.tables import CORES_MAX, DEVICES_MAX, NODES_MAX, Cells, Table, read_table
from tenure.quantities import ByteRate, Bytes, Money, Power
from tenure.resources import HardwareProfile, Machine, ObjectMeta, Site
from tenure.resources.documents import decode_all, parse_documents
from tenure.resources.kinds.machine import MachineHealth, MachineSpec
from tenure.resources.kinds.site import DomainBudget, SiteSpec
from tenure.resources.problems import Problem, ProblemsFound

T = TypeVar("T")

SITE = "simulated"
"""Whatever the file calls its site, it is served under this name, so that nobody takes it for a real one."""

LEVEL_LABEL = "topology.tenure.dev/"
"""Labels `topology.tenure.dev/LEVEL: DOMAIN` place a machine at levels that its spec has no field for."""

REQUIRED = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
LEVELS = {"nvlink_domain": "nvlinkDomain", "rail": "rail", "leaf": "leaf", "spine": "spine", "feed": "feed"}
OPTIONAL = (
    *("rack", "row", *LEVELS, "numa_nodes", "island", "gpu_power", "rated_power"),
    *("gpu_power_cap", "power_cap", "measured_power", "failed", "nics", "local_disk"),
    *("rack_power", "rack_cooling", "rack_weight", "rack_network", "rack_units", "weight", "hourly_cost"),
)
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class FleetFile:
    """A site with its machines and the profiles that they share, in the order of the file."""

    site: Site
    profiles: tuple[HardwareProfile, ...]
    machines: tuple[Machine, ...]
    called: str = ""  # what the file calls its site


def read_fleet(path: Path) -> FleetFile:
    """The fleet in `path`: manifests where it ends in .yaml, .yml or .json, else a table.

    Raises ProblemsFound with every problem (file, row, column or field), and OSError.
    """
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        return _from_manifests(path)
    return _from_table(read_table(path))


def _from_manifests(path: Path) -> FleetFile:
    source = str(path)
    documents = parse_documents(path.read_bytes(), source=source)
    objects = decode_all(documents)
    problems: list[Problem] = []
    sites: list[Site] = []
    profiles: dict[str, HardwareProfile] = {}
    machines: dict[str, Machine] = {}
    lines = {id(obj): document.line for obj, document in zip(objects, documents, strict=True)}

    def wrong(obj: object, code: str, message: str, path: str, step: str) -> None:
        problems.append(Problem(code, message, path, step, source, lines[id(obj)]))

    for obj in objects:
        if isinstance(obj, Site):
            sites.append(obj)
            if len(sites) > 1:
                wrong(obj, "InvalidValue", f"a second site, {obj.name}: a fleet is one site", "kind", "split the file")
        elif isinstance(obj, HardwareProfile | Machine):
            known: dict[str, HardwareProfile] | dict[str, Machine] = (
                profiles if isinstance(obj, HardwareProfile) else machines
            )
            if obj.name in known:
                wrong(obj, "AlreadyExists", f"a second {obj.kind} {obj.name}", "metadata.name", "give it another name")
            known[obj.name] = obj  # type: ignore[assignment]
        else:
            step = "a fleet has Site, HardwareProfile and Machine"
            wrong(obj, "UnknownKind", f"{obj.kind} is no part of a fleet", "kind", step)
    called = sites[0].name if sites else ""
    for machine in machines.values():
        if machine.spec.profile not in profiles:
            message = f"machine {machine.name}: no HardwareProfile {machine.spec.profile} in this file"
            wrong(machine, "ReferenceNotFound", message, "spec.profile", "add it to the file")
        if sites and machine.spec.site != called:
            message = f"machine {machine.name} stands at {machine.spec.site}, the file's site is {called}"
            wrong(machine, "InvalidValue", message, "spec.site", f"write {called}")
    if not machines and not problems:
        problems.append(Problem("MissingField", "a fleet without machines", "", "add a Machine", source))
    if problems:
        raise ProblemsFound(problems)
    site = Site(metadata=ObjectMeta(name=SITE), spec=sites[0].spec if sites else SiteSpec())
    return FleetFile(site, tuple(profiles.values()), tuple(_here(m) for m in machines.values()), called)


def _here(machine: Machine) -> Machine:
    return machine.model_copy(update={"spec": machine.spec.model_copy(update={"site": SITE}), "status": None})


def _from_table(table: Table) -> FleetFile:
    table.need(REQUIRED, OPTIONAL)
    profiles: dict[Hardware, HardwareProfile] = {}
    machines: dict[str, Machine] = {}
    racks = _Racks()
    for row in table:
        name = _name(row, machines)
        hardware = _hardware(row)
        racks.read(row)
        if len(table.problems) or hardware is None:
            continue
        if hardware not in profiles:
            profiles[hardware] = profile_of(hardware)
        machines[name] = _machine(row, name, profiles[hardware].name)
    table.settle()
    site = Site(metadata=ObjectMeta(name=SITE), spec=SiteSpec(budgets=racks.budgets()))
    return FleetFile(site, tuple(profiles.values()), tuple(machines.values()), Path(table.source).stem)


class _Racks:
    """What the rows say of their racks; each rack is told the same by all, or it is wrong."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Power | ByteRate | int]] = {}

    def read(self, row: Cells) -> None:
        """The budgets in one row."""
        weight = row.whole("rack_weight", 0) or None
        for column, budget in (
            ("rack_power", _power(row, "rack_power")),
            ("rack_cooling", _power(row, "rack_cooling")),
            ("rack_weight", weight),
            ("rack_network", _rate(row, "rack_network")),
        ):
            rack = row.text("rack")
            if budget is None:
                continue
            before = self._told.setdefault(rack, {}).setdefault(column, budget)
            if before != budget:
                row.wrong(column, f"rack {rack} was given {before} before")
            if not rack:
                row.wrong(column, "a budget of a rack, and the row names no rack")

    def budgets(self) -> list[DomainBudget]:
        """By the names of the racks."""
        names = {"rack_power": "power", "rack_cooling": "cooling", "rack_weight": "weight_kg"}
        names["rack_network"] = "network"
        return [
            DomainBudget(level="rack", domain=rack, **{names[column]: value for column, value in told.items()})
            for rack, told in sorted(self._told.items())
        ]


def _name(row: Cells, machines: dict[str, Machine]) -> str:
    name = row.text("sn").lower()
    if not NAME.fullmatch(name):
        row.wrong("sn", f"{name!r} is no name", "InvalidName", "use lower-case letters, digits, '-' and '.'")
    if name in machines:
        row.wrong("sn", f"a second machine {name}", "AlreadyExists", "give it another name")
    return name


def _hardware(row: Cells) -> Hardware | None:
    cores = row.whole("cpu_milli", least=1000, most=CORES_MAX * 1000) // 1000
    gpus = row.whole("gpu", most=DEVICES_MAX)
    nodes = row.whole("numa_nodes", 1, least=1, most=NODES_MAX)
    island = row.whole("island", 0)
    power = _power(row, "gpu_power")
    if nodes > cores:
        row.wrong("numa_nodes", f"{nodes} nodes of {cores} cores")
    if island and gpus % island:
        row.wrong("island", f"{gpus} GPUs do not make islands of {island}")
    memory = row.whole("memory_mib") << 20
    rated = _power(row, "rated_power")
    if rated is not None and power is not None and int(rated) < gpus * int(power):
        row.wrong("rated_power", f"{gpus} GPUs of {power} draw more than {rated}")
    nics = row.whole("nics", most=DEVICES_MAX) if row.text("nics") else None
    if row.table.problems:
        return None
    return Hardware(
        cores=cores,
        memory_bytes=memory,
        gpus=gpus,
        model=row.text("model") if gpus else "",
        numa_nodes=nodes,
        gpu_power_mw=int(power) if power is not None and gpus else None,
        island=island if gpus else 0,
        nics=nics,
    )


def _bytes(row: Cells, column: str) -> Bytes | None:
    return _quantity(row, column, Bytes.parse, "3840G or 7Ti")


def _power(row: Cells, column: str) -> Power | None:
    return _quantity(row, column, Power.parse, "700W or 40kW")


def _rate(row: Cells, column: str) -> ByteRate | None:
    return _quantity(row, column, ByteRate.parse, "100GB/s or 400Gb/s")


def _quantity(row: Cells, column: str, parse: Callable[[str], T], like: str) -> T | None:
    text = row.text(column)
    try:
        return parse(text) if text else None
    except ValueError as error:
        row.wrong(column, str(error), "InvalidQuantity", f"write it like {like}")
        return None


def _health(row: Cells) -> MachineHealth | None:
    """What the column `failed` reports: `machine`, some of its GPUs, or `none`; nothing where it is empty."""
    words = row.text("failed").split()
    if words in ([], ["none"], ["machine"]):
        return MachineHealth(failed=words == ["machine"]) if words else None
    gpus = [f"gpu-{number}" for number in range(row.whole("gpu"))]
    nics = [f"nic-{number}" for number in range(row.whole("nics", 0))]
    for word in words:
        if word not in (*gpus, *nics):
            said = f"{word!r} is none of its {len(gpus)} GPUs" + (f" and {len(nics)} NICs" if nics else "")
            row.wrong("failed", said, step="write machine, none, or gpu-0 gpu-1")
    return MachineHealth(failed_devices=words)


def _machine(row: Cells, name: str, profile: str) -> Machine:
    cost = None
    try:
        cost = Money.parse(row.text("hourly_cost")) if row.text("hourly_cost") else None
    except ValueError as error:
        row.wrong("hourly_cost", str(error), "InvalidQuantity", 'write it like "24.00 EUR"')
    labels = {LEVEL_LABEL + level: row.text(column) for column, level in LEVELS.items() if row.text(column)}
    spec = MachineSpec(
        site=SITE,
        rack=row.text("rack") or None,
        row=row.text("row") or None,
        profile=profile,
        rated_power=_power(row, "rated_power"),
        capped_power=_power(row, "power_cap"),
        measured_power=_power(row, "measured_power"),
        gpu_capped_power=_power(row, "gpu_power_cap"),
        health=_health(row),
        local_disk=_bytes(row, "local_disk"),
        rack_units=row.whole("rack_units", 0) or None,
        weight_kg=row.whole("weight", 0) or None,
        hourly_cost=cost,
    )
    return Machine(metadata=ObjectMeta(name=name, labels=labels or None), spec=spec)


__all__ = ["LEVEL_LABEL", "SITE", "FleetFile", "read_fleet"]
