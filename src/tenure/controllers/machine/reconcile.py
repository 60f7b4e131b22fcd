"""A Machine's state and what it has to sell: when they change, that is a commit, so that every allocator reads anew."""

from tenure.client import NotFound
from tenure.controllers.events import record
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import update_status
from tenure.ledger.decision import capacity
from tenure.quantities import Bytes
from tenure.resources import HardwareProfile, Machine
from tenure.resources.kinds.machine import MachineStatus
from tenure.topology import machine_from_json


class MachineReconciler:
    """One machine at a time."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def reconcile(self, key: Key) -> Wait | None:
        """Ready when it was observed, Draining when its operator says so."""
        plane = self._plane
        try:
            machine = await plane.client.get(Machine, key.name)
            profile = await plane.client.get(HardwareProfile, machine.spec.profile)
        except NotFound:
            return None
        if machine.status is None or machine.spec.site != plane.site:
            return None
        wanted = "Draining" if machine.spec.drain else "Ready"
        rebudgeted = await self._rebudget(machine, profile)
        if machine.status.state == wanted and not rebudgeted:
            return None
        reason = "Drained" if machine.spec.drain else "Discovered"
        await plane.allocator.decide(
            lambda view, fleet, now_ms: capacity(machine.name, machine.uid, wanted, reason)  # noqa: ARG005
        )
        await record(plane.client, machine, reason, f"state {wanted}", plane.clock)
        return None

    async def _rebudget(self, machine: Machine, profile: HardwareProfile) -> bool:
        """Write what is for sale under the reserve as declared now; True when that changed."""
        topology = machine_from_json(profile.spec.topology)
        kept = set(machine.spec.reserved.cores)
        status = machine.status
        assert status is not None
        known = {core.id for core in topology.cores}
        # What the scan could not use (a cpuset around us) stays out of sale: only the reserve moves cores in and out.
        usable = (set(status.sellable_cores) | kept | set(status.reserved_seen)) & known
        sellable = sorted(usable - kept)
        memory = Bytes(max(0, int(status.memory or 0) - int(machine.spec.reserved.memory)))
        if status.sellable_cores == sellable and status.sellable_memory == memory:
            return False

        def change(before: MachineStatus) -> MachineStatus:
            return before.model_copy(
                update={"sellable_cores": sellable, "sellable_memory": memory, "reserved_seen": sorted(kept)}
            )

        await update_status(self._plane.client, machine, change, MachineStatus())
        return True
