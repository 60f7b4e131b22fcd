"""Putting the controllers of one machine together, and running them until they are told to stop."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from tenure.client import ApiError, AsyncClient, Unreadable
from tenure.controllers.contract.reconcile import ContractReconciler
from tenure.controllers.contract.retention import keep_sweeping
from tenure.controllers.in_use import guard_all, in_use_controllers
from tenure.controllers.inquiry import InquiryReconciler
from tenure.controllers.kernel import Controller, Key, run_controllers
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.reconcile import MachineReconciler
from tenure.controllers.machine.register import Registered, register
from tenure.controllers.machine.retiring import retire_gone, retire_others
from tenure.controllers.machine.simulated import announce_fleet, register_fleet
from tenure.controllers.measuring import Measurements
from tenure.controllers.offer import OfferReconciler
from tenure.controllers.plane import Plane
from tenure.controllers.shelf import put_catalog
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.discovery.fleets import FleetFile
from tenure.engines import LocalEngine, SimulatedEngine
from tenure.evidence import EvidenceLog, KeyRing
from tenure.ledger import Allocator
from tenure.measurement.store import MeasurementStore
from tenure.quantities import Clock
from tenure.resources import ApiObject, Contract, Inquiry, Machine, Offer, Site, Workload

MEASUREMENTS_FILE = "measurements.db"
KEYS_FOLDER = "keys"
EVIDENCE_FOLDER = "evidence"
OPEN_AGAIN_SECONDS = 10
log = structlog.get_logger("tenure.controllers")


@asynccontextmanager
async def plane_of(
    client: AsyncClient, home: Path, clock: Clock, fleet: FleetFile | None = None, before: FleetFile | None = None
) -> AsyncIterator[Plane]:
    """A control plane over `home`: this machine registered, or a simulated fleet; its catalog in place, its runs
    adopted. `before`: the fleet's file as it was last taken over, where it is another now."""
    engine: LocalEngine | SimulatedEngine
    if fleet is None:
        registered: Registered = await register(client, clock)
        engine = LocalEngine(home)
    else:
        registered = await register_fleet(client, clock, fleet, before)
        engine = SimulatedEngine(home)
    known = MeasurementStore(home / MEASUREMENTS_FILE)
    keys = KeyRing.open(home / KEYS_FOLDER, clock=clock)
    plane = Plane(
        client=client,
        clock=clock,
        allocator=Allocator(client, registered.site, clock, fleet_of, registered.machine if fleet is None else None),
        engine=engine,
        measurements=Measurements(registered.system_cpus),
        known=known,
        keys=keys,
        log=EvidenceLog.open_for_writing(home / EVIDENCE_FOLDER, keys=keys, clock=clock),
        home=home,
        site=registered.site,
        machine=registered.machine,
        system_cpus=registered.system_cpus,
        overruled=registered.overruled,
    )
    for said in plane.overruled:
        log.warning("the fleet's file overrules what was declared", what=said)
    opening: asyncio.Task[None] | None = None
    try:
        await asyncio.to_thread(engine.adopt)
        await put_catalog(client)
        await guard_all(client)
        # Known before the ledger reads them: what is edited from here on is a change to be counted.
        machines = (await client.list(Machine)).readable
        plane.machines.update({machine.name: machine for machine in machines if machine.spec.site == plane.site})
        opening = None if await _ledger_opens(plane, fleet) else asyncio.create_task(_keep_opening(plane, fleet))
        yield plane
    finally:
        if opening is not None:
            opening.cancel()
        await plane.measurements.close()
        plane.log.close()
        known.close()


async def _ledger_opens(plane: Plane, fleet: FleetFile | None) -> bool:
    """Whether the ledger could be read. Where one that counts cannot be, nothing new is held until it is corrected or
    deleted: every decision is refused with its name. What runs runs on, and is looked after."""
    try:
        await plane.allocator.recover()
        if fleet is not None:
            await retire_gone(plane, {machine.name for machine in fleet.machines})
            await announce_fleet(plane)
        else:  # what it has to sell now counts before anybody is answered
            await retire_others(plane)
            await MachineReconciler(plane).reconcile(Key("", plane.machine))
    except Unreadable as error:
        log.error("nothing is held anew", because=str(error))
        return False
    return True


async def _keep_opening(plane: Plane, fleet: FleetFile | None) -> None:
    opened = False
    while not opened:
        await asyncio.sleep(OPEN_AGAIN_SECONDS)
        try:
            opened = await _ledger_opens(plane, fleet)
        except ApiError as error:
            log.warning("the ledger does not open yet", because=str(error))


async def run_plane(plane: Plane, ready: Callable[[], None]) -> None:
    """Run the controllers until cancelled. They share the system's own cores with the rest of the control plane."""
    if plane.system_cpus:
        os.sched_setaffinity(0, plane.system_cpus)
    trials = Trials(plane)
    await trials.end_left()
    needs = WorkloadReconciler(plane, trials)
    machines = MachineReconciler(plane)
    controllers = [
        Controller(Machine, machines, also={Machine: machines.keys}),
        Controller(
            Workload,
            needs,
            also={Offer: _workload_of, Contract: _workload_of, Site: needs.place_bound.woken_by},
        ),
        Controller(Offer, OfferReconciler(plane.client, plane.allocator, plane.clock, trials)),
        Controller(Contract, ContractReconciler(plane)),
        Controller(Inquiry, InquiryReconciler(plane)),
        *in_use_controllers(plane),
    ]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_controllers(plane.client, controllers, plane.clock), name="controllers")
            group.create_task(keep_sweeping(plane), name="retention")
            ready()
    finally:
        await trials.close()


def _workload_of(obj: ApiObject) -> list[Key]:
    """The Workload that an Offer or Contract answers."""
    assert isinstance(obj, Offer | Contract)
    return [Key(obj.namespace or "", obj.spec.workload.name)]
