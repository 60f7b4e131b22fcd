"""Registering this machine: what discovery sees becomes a Machine, its HardwareProfile, the Site and the Engine."""

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from tenure.client import AsyncClient, NotFound
from tenure.controllers.in_use.finalizer import create_guarded
from tenure.controllers.machine.for_sale import sold, uncounted
from tenure.controllers.status import update_status
from tenure.discovery import scan
from tenure.quantities import Bytes, Clock, Instant, Power
from tenure.resources import Engine, HardwareProfile, Machine, ObjectMeta, Site
from tenure.resources.kinds.engine import EngineSpec, EngineStatus
from tenure.resources.kinds.machine import (
    Enforcement,
    HardwareProfileSpec,
    MachineSpec,
    MachineStatus,
    SystemReserve,
)
from tenure.topology import MachineTopology, ObservedMachine, Unknown, digest, identity_json, known, known_or, listed

SITE = "local"
ENGINE = "local"
NAME_LENGTH_MAX = 63


@dataclass(frozen=True, slots=True)
class Registered:
    """The names under which this machine is known, and the CPUs that the system keeps."""

    site: str
    machine: str
    system_cpus: tuple[int, ...]
    overruled: tuple[str, ...] = ()
    """What was declared through the door and the file of a fleet says otherwise, in words."""


async def register(client: AsyncClient, clock: Clock) -> Registered:
    """Create what is missing and write what was observed. What an operator declared is left alone."""
    seen = await asyncio.to_thread(scan)
    name = await _known_as(client) or machine_name(known_or(seen.hostname, "") or socket.gethostname())
    profile = f"hw-{digest(seen.topology).removeprefix('sha256:')[:12]}"
    spec = HardwareProfileSpec(
        digest=digest(seen.topology), topology=identity_json(seen.topology), summary=summary(seen)
    )
    await create_guarded(client, Site(metadata=ObjectMeta(name=SITE)))
    await create_guarded(client, HardwareProfile(metadata=ObjectMeta(name=profile), spec=spec))
    machine = await _machine(client, name, profile, seen, clock)
    await _engine(client, name)
    machine = await _observed(client, machine, seen, clock)
    await _engine_seen(client, seen, clock)
    return Registered(SITE, name, seen.topology.cpus_of(machine.spec.reserved.cores))


async def _known_as(client: AsyncClient) -> str | None:
    """The name under which this home knows its machine: that of its engine, while there is a Machine of that name.

    It stays where the host is called otherwise now, and where a backup is put back on another one: what was declared
    and what is held is under that name, and one machine under two names would be sold twice.
    """
    with suppress(NotFound):
        known = (await client.get(Engine, ENGINE)).spec.machine
        return (await client.get(Machine, known)).name if known is not None else None
    return None


async def _engine(client: AsyncClient, name: str) -> None:
    """The engine runs work on the machine of this name; a Machine that was deleted had another one, maybe."""
    await create_guarded(
        client, Engine(metadata=ObjectMeta(name=ENGINE), spec=EngineSpec(type="local", site=SITE, machine=name))
    )
    there = await client.get(Engine, ENGINE)
    if there.spec.machine != name:
        await client.replace(there.model_copy(update={"spec": there.spec.model_copy(update={"machine": name})}))


async def _machine(client: AsyncClient, name: str, profile: str, seen: ObservedMachine, clock: Clock) -> Machine:
    reserved = seen.reserved
    kept = (
        SystemReserve()
        if isinstance(reserved, Unknown)
        else SystemReserve(cores=list(reserved.cores), memory=Bytes(reserved.memory_bytes))
    )
    wanted = Machine(metadata=ObjectMeta(name=name), spec=MachineSpec(site=SITE, profile=profile, reserved=kept))
    await create_guarded(client, wanted)
    machine = await client.get(Machine, name)
    if machine.spec.profile != profile:  # the hardware changed since the last start
        machine = await update_status(client, machine, lambda status: uncounted(status, clock), MachineStatus())
        changed = machine.spec.model_copy(update={"profile": profile})
        machine = await client.replace(machine.model_copy(update={"spec": changed}))
    return machine


async def _observed(client: AsyncClient, machine: Machine, seen: ObservedMachine, clock: Clock) -> Machine:
    def change(status: MachineStatus) -> MachineStatus:
        kept = set(machine.spec.reserved.cores)
        # Of the nodes that CPUs may use as their own: a GPU's memory may be a node too, and is not for sale here.
        reserved = int(machine.spec.reserved.memory)
        seen_sellable = known(seen.sellable_memory_bytes())
        total = seen_sellable + reserved if seen_sellable is not None else known_or(seen.memory_total_bytes, 0)
        now = status.model_copy(
            update={
                "cores": len(seen.topology.cores),
                "sellable_cores": [core for core in seen.allowed_cores() if core not in kept],
                "reserved_seen": sorted(kept),
                "memory": Bytes(total),
                "sellable_memory": Bytes(max(0, total - reserved)),
                "devices": len(listed(seen.topology.gpus)),
                "gpu_capped_power": gpu_limit(seen.topology),
                "enforcement": enforcement(seen),
                "boot_id": known(seen.boot_id),
                "virtual": known(seen.virtual) or None,
                "last_seen": Instant(clock.now_ms()),
                "observed_generation": machine.metadata.generation,
            }
        )
        return now if sold(now) == sold(status) else uncounted(now, clock)

    return await update_status(client, machine, change, MachineStatus())


async def _engine_seen(client: AsyncClient, seen: ObservedMachine, clock: Clock) -> None:
    engine = await client.get(Engine, ENGINE)

    def change(status: EngineStatus) -> EngineStatus:
        return status.model_copy(
            update={"reachable": True, "abilities": enforcement(seen), "last_seen": Instant(clock.now_ms())}
        )

    await update_status(client, engine, change, EngineStatus())


def enforcement(seen: ObservedMachine) -> list[Enforcement]:
    """What can be enforced, in the API's words."""
    return [
        Enforcement(
            what=capability.what,
            available=capability.available,
            mechanism=capability.mechanism or None,
            reason=capability.reason or None,
        )
        for capability in seen.capabilities
    ]


def summary(seen: ObservedMachine) -> str:
    """The hardware in one line."""
    topology = seen.topology
    memory = known(topology.memory_bytes)
    model = next((known_or(package.model, "") for package in topology.packages), "")
    parts = [
        f"{len(topology.packages)} x {model}" if model else f"{len(topology.packages)} package(s)",
        f"{len(topology.cores)} cores",
        f"{len(topology.numa_nodes)} NUMA node(s)",
        f"{memory / 2**30:.1f} GiB" if memory else "memory unknown",
    ]
    gpus = listed(topology.gpus)
    return ", ".join([*parts, f"{len(gpus)} GPU(s)"] if gpus else parts)


def gpu_limit(topology: MachineTopology) -> Power | None:
    """The power limit that is set on the GPUs, the greatest where they differ; unknown where one's is."""
    limits = [known(gpu.power_limit_mw) for gpu in listed(topology.gpus)]
    read = [limit for limit in limits if limit is not None]
    return Power(max(read)) if read and len(read) == len(limits) else None


def machine_name(hostname: str) -> str:
    """The host name as an object's name."""
    text = re.sub(r"[^a-z0-9-]+", "-", hostname.lower()).strip("-")
    return text[:NAME_LENGTH_MAX].strip("-") or "this-machine"
