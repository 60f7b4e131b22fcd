"""A Machine's state and what it has to sell: when they change, that is a commit, so that every allocator reads anew."""

from tenure.client import NotFound
from tenure.controllers.events import record
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.machine.fleet import placed_machine, sort_of
from tenure.controllers.machine.for_sale import counted, declared, is_counted, overtaken, sold, uncounted
from tenure.controllers.machine.health import devices_reported, state_wanted
from tenure.controllers.machine.references import references_found
from tenure.controllers.plane import Plane
from tenure.controllers.status import update_status
from tenure.ledger import Decision, View
from tenure.ledger.decision import capacity
from tenure.placement import Fleet
from tenure.quantities import Bytes
from tenure.resources import ApiObject, Machine
from tenure.resources.kinds.machine import MachineStatus
from tenure.topology import MachineTopology, listed

LOOK_AGAIN_MS = 5_000
REDECLARED = "Redeclared"
"""The reason where nothing changed but what is declared."""


def settled(machine: Machine) -> bool:
    """Whether state, reserve and what is for sale are as the spec wants them."""
    status, reserved = machine.status, machine.spec.reserved
    return (
        status is not None
        and status.state in ("Retired", state_wanted(machine.spec))
        and status.failed_devices == devices_reported(machine.spec)
        and status.reserved_seen == sorted(set(reserved.cores))
        and int(status.sellable_memory or 0) == max(0, int(status.memory or 0) - int(reserved.memory))
        and not set(status.sellable_cores) & set(reserved.cores)
        and is_counted(status)
    )


class MachineReconciler:
    """One machine at a time."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._declared = {name: declared(machine) for name, machine in plane.machines.items()}
        """What is declared of each, as the ledger's memory has it: as known before that was read, as first seen where
        it came later, or as committed since."""

    def keys(self, obj: ApiObject) -> list[Key]:
        """What a watched Machine wakes: nothing when its status already says what its spec wants, so that a fleet of
        thousands is not read again one by one at each start."""
        assert isinstance(obj, Machine)
        self._plane.machines[obj.name] = obj
        now = declared(obj)
        known = self._declared.setdefault(obj.name, now)
        if obj.metadata.deletion_timestamp is not None:
            return [Key("", obj.name)]  # which it wakes once more when it is gone
        return [] if settled(obj) and known == now and _seen(obj) else [Key("", obj.name)]

    async def reconcile(self, key: Key) -> Wait | None:
        """Ready when it was observed, Draining when its operator says so, Failed when it is reported broken."""
        plane = self._plane
        try:
            machine = await plane.client.get(Machine, key.name)
        except NotFound:
            self._declared.pop(key.name, None)
            plane.machines.pop(key.name, None)
            return None
        if not await references_found(plane, machine):
            return Wait(LOOK_AGAIN_MS)
        status = machine.status
        if status is None or status.cores is None:
            return None  # nobody has looked at it yet
        if machine.spec.site != plane.site:
            return None
        if status.state == "Retired" and machine.name != plane.machine:  # by which this one is known again, maybe
            return None
        topology = await plane.topology_of(machine.spec.profile)
        if machine.metadata.deletion_timestamp is not None:
            return None  # it takes nothing new, whatever its spec says: `in_use` drains it and lets it go
        wanted = state_wanted(machine.spec)
        machine = await self._rebudget(machine, topology)
        assert machine.status is not None, "it had one"
        now = declared(machine)
        known = self._declared.get(machine.name, now)
        as_before = machine.status.state == wanted and is_counted(machine.status)
        if as_before and known == now:
            await self._say_seen(machine)
            return None
        reason = REDECLARED if as_before else _reason(machine, wanted)
        sells = placed_machine(machine, sort_of(machine, topology))

        def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:  # noqa: ARG001 - the shape of a decision
            return capacity(machine.name, machine.uid, wanted, reason, withdrawn=overtaken(view, sells))

        await plane.allocator.decide(decide)
        self._declared[machine.name] = now
        # Not where others were written meanwhile: those wait for a commit of their own.
        said = sold(machine.status)
        await update_status(
            plane.client,
            machine,
            lambda now: _observed(counted(now, plane.clock) if sold(now) == said else now, machine),
            MachineStatus(),
        )
        await record(plane.client, machine, reason, _told(machine, wanted, topology), plane.clock)
        await plane.allocator.look()  # which says at once what the site has to sell now
        return None

    async def _say_seen(self, machine: Machine) -> None:
        """What was declared and changes nothing, as a price, was seen all the same."""
        await update_status(self._plane.client, machine, lambda status: _observed(status, machine), MachineStatus())

    async def _rebudget(self, machine: Machine, topology: MachineTopology) -> Machine:
        """Write what is for sale under the reserve as declared now; where that changed, it is to be counted anew."""
        kept = set(machine.spec.reserved.cores)
        status = machine.status
        assert status is not None
        known = {core.id for core in topology.cores}
        # What the scan could not use (a cpuset around us) stays out of sale: only the reserve moves cores in and out.
        usable = (set(status.sellable_cores) | kept | set(status.reserved_seen)) & known
        sellable = sorted(usable - kept)
        memory = Bytes(max(0, int(status.memory or 0) - int(machine.spec.reserved.memory)))
        failed = devices_reported(machine.spec)
        if (status.sellable_cores, status.sellable_memory, status.failed_devices) == (sellable, memory, failed):
            return machine

        def change(before: MachineStatus) -> MachineStatus:
            return uncounted(before, self._plane.clock).model_copy(
                update={
                    "sellable_cores": sellable,
                    "sellable_memory": memory,
                    "reserved_seen": sorted(kept),
                    "failed_devices": failed,
                }
            )

        return await update_status(self._plane.client, machine, change, MachineStatus())


def _seen(machine: Machine) -> bool:
    """Whether its status is of its spec as it is now. Thousands of whom it was never said are not written to say it."""
    status = machine.status
    return status is not None and status.observed_generation in (None, machine.metadata.generation)


def _observed(status: MachineStatus, machine: Machine) -> MachineStatus:
    return status.model_copy(update={"observed_generation": machine.metadata.generation})


def _reason(machine: Machine, state: str) -> str:
    if state == "Failed":
        return "MachineFailed"
    if state == "Draining":
        return "Drained"
    return "DevicesFailed" if devices_reported(machine.spec) else "Discovered"


def _told(machine: Machine, state: str, topology: MachineTopology) -> str:
    """What the event says: the state, the devices that are out, and those that the machine does not have."""
    said, health = f"state {state}", machine.spec.health
    if health is not None and health.failed_devices:
        said += f"; not sold: {', '.join(devices_reported(machine.spec))}"
        there = {gpu.id for gpu in listed(topology.gpus)} | {nic.id for nic in listed(topology.nics)}
        unknown = sorted(set(health.failed_devices) - there)
        said += f" (no such device here: {', '.join(unknown)})" if unknown else ""
    return said + (f"; {health.reason}" if health is not None and health.reason else "")
