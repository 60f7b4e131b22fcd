"""A simulated fleet registered: thousands of Machines made side by side, and one commit that makes them count.

A later start with another version of the file changes what differs and adds what is new; machines that the file no
longer has are retired, not deleted, so that what stands on them stays accounted for. What was declared through the door
and the file does not name stays (`merging`).
"""

from tenure.client import AsyncClient
from tenure.controllers.in_use.finalizer import create_guarded, guarded
from tenure.controllers.machine.for_sale import overtaken_anywhere
from tenure.controllers.machine.health import devices_reported, state_wanted
from tenure.controllers.machine.merging import declared_of
from tenure.controllers.machine.power import SIMULATED
from tenure.controllers.machine.register import Registered
from tenure.controllers.plane import Plane
from tenure.controllers.side_by_side import side_by_side
from tenure.discovery.fleets import FleetFile
from tenure.discovery.fleets.reading import SITE
from tenure.engines.simulated import NOTHING_RUNS
from tenure.ledger import Decision, View
from tenure.ledger.decision import capacity
from tenure.placement import Fleet
from tenure.quantities import Bytes, Clock, Instant, VirtualClock
from tenure.resources import Engine, HardwareProfile, Machine, ObjectMeta, Site
from tenure.resources.kinds.engine import EngineSpec, EngineStatus
from tenure.resources.kinds.machine import Enforcement, MachineStatus
from tenure.topology import known, listed, machine_from_json

ENGINE = "simulated"
FLEET = "tenure.dev/fleet"
"""The annotation of what the file calls its site."""


async def register_fleet(
    client: AsyncClient, clock: Clock, fleet: FleetFile, before: FleetFile | None = None
) -> Registered:
    """Create what is missing, change what the file says otherwise. Capacity counts once it is announced.

    `before`: the file as it was when it was last taken over; absent: as it is now.
    """
    before = before or fleet
    overruled = await _site(client, fleet, before)
    profiles = {profile.name: profile for profile in fleet.profiles}
    overruled += await _profiles(client, fleet, before)
    await create_guarded(client, Engine(metadata=ObjectMeta(name=ENGINE), spec=EngineSpec(type="simulated", site=SITE)))
    await _engine_seen(client, clock)
    found = await client.list(Machine)
    there = {machine.name: machine for machine in found.readable if machine.spec.site == SITE}
    passed_over = {unread.name for unread in found.unreadable}
    observed = {name: observed_of(profile, clock) for name, profile in profiles.items()}
    once = {machine.name: machine for machine in before.machines}
    changed: list[tuple[Machine, Machine | None]] = []
    for wanted in fleet.machines:
        if wanted.name in passed_over:
            continue
        machine = there.get(wanted.name)
        made, told = (wanted, []) if machine is None else declared_of(machine, wanted, once.get(wanted.name))
        overruled += told
        changed.append((made, machine))
    await side_by_side(_machine(client, made, machine, observed[made.spec.profile]) for made, machine in changed)
    return Registered(SITE, f"{len(fleet.machines)} simulated", (), tuple(overruled))


async def announce_fleet(plane: Plane) -> None:
    """One commit for all of it, so that every allocator reads the fleet anew.

    With it go the held offers that the fleet, as its file has it now, does not carry any more.
    """
    site = await plane.client.get(Site, plane.site)

    def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:  # noqa: ARG001 - the shape of a decision
        withdrawn = overtaken_anywhere(view, fleet)
        return capacity(site.name, site.uid, "Ready", "Simulated", kind="Site", withdrawn=withdrawn)

    await plane.allocator.decide(decide)


def observed_of(profile: HardwareProfile, clock: Clock) -> MachineStatus:
    """What would be observed of a machine of this profile if it existed; all of it is for sale."""
    topology = machine_from_json(profile.spec.topology)
    memory = Bytes(known(topology.memory_bytes) or 0)
    return MachineStatus(
        state="Ready",
        cores=len(topology.cores),
        sellable_cores=[core.id for core in topology.cores],
        memory=memory,
        sellable_memory=memory,
        devices=len(listed(topology.gpus)),
        enforcement=[Enforcement(what="simulated", available=False, reason=NOTHING_RUNS)],
        virtual=SIMULATED,
        last_seen=Instant(clock.now_ms()),
    )


def as_observed(fleet: FleetFile, now_ms: int) -> list[Machine]:
    """The machines of a file as they would be registered, for questions that need no host."""
    observed = {profile.name: observed_of(profile, VirtualClock(now_ms)) for profile in fleet.profiles}
    return [
        machine.model_copy(update={"status": _status(machine, observed[machine.spec.profile])})
        for machine in fleet.machines
    ]


async def _site(client: AsyncClient, fleet: FleetFile, before: FleetFile) -> list[str]:
    """See to it that it is as declared; what the file overrules of that."""
    named = {FLEET: fleet.called} if fleet.called else None
    await create_guarded(client, Site(metadata=ObjectMeta(name=SITE, annotations=named), spec=fleet.site.spec))
    there = await client.get(Site, SITE)
    wanted, overruled = declared_of(there, fleet.site, before.site)
    if named is not None:
        annotations = {**(there.metadata.annotations or {}), **named}
        wanted = wanted.model_copy(update={"metadata": wanted.metadata.model_copy(update={"annotations": annotations})})
    if wanted != there:
        await client.replace(wanted)
    return overruled


async def _profiles(client: AsyncClient, fleet: FleetFile, before: FleetFile) -> list[str]:
    """See to it that hardware is as the file says, also under a name that it had for other hardware before."""
    there = {profile.name: profile for profile in (await client.list(HardwareProfile)).readable}
    once = {profile.name: profile for profile in before.profiles}
    overruled = []
    for profile in fleet.profiles:
        if profile.name not in there:
            await create_guarded(client, profile)
            continue
        wanted, told = declared_of(there[profile.name], profile, once.get(profile.name))
        overruled += told
        if wanted != there[profile.name]:
            await client.replace(wanted)
    return overruled


async def _machine(client: AsyncClient, wanted: Machine, there: Machine | None, seen: MachineStatus) -> None:
    if there is None:
        made = await client.create(guarded(wanted))
        await client.replace_status(made.model_copy(update={"status": _status(made, seen)}))
        return
    if wanted is not there and wanted != there:
        there = await client.replace(wanted)
    status = _status(there, seen).model_copy(update={"last_seen": None})
    before = there.status.model_copy(update={"last_seen": None}) if there.status is not None else None
    never_said = before is not None and before.observed_generation is None
    # Thousands of whom it was never said which spec was seen are not written to say that alone (`reconcile._seen`).
    if before != (status.model_copy(update={"observed_generation": None}) if never_said else status):
        await client.replace_status(there.model_copy(update={"status": status}))


def _status(machine: Machine, seen: MachineStatus) -> MachineStatus:
    kept = set(machine.spec.reserved.cores)
    memory = Bytes(max(0, int(seen.memory or 0) - int(machine.spec.reserved.memory)))
    cores = [core for core in seen.sellable_cores if core not in kept]
    return seen.model_copy(
        update={
            "state": state_wanted(machine.spec),
            "sellable_cores": cores,
            "sellable_memory": memory,
            "reserved_seen": sorted(kept),
            "failed_devices": devices_reported(machine.spec),
            "observed_generation": machine.metadata.generation,
        }
    )


async def _engine_seen(client: AsyncClient, clock: Clock) -> None:
    engine = await client.get(Engine, ENGINE)
    nothing = [Enforcement(what="simulated", available=False, reason=NOTHING_RUNS)]
    status = EngineStatus(reachable=True, version="1", abilities=nothing, last_seen=Instant(clock.now_ms()))
    await client.replace_status(engine.model_copy(update={"status": status}))
