"""References of a Machine: its site and its hardware profile exist, or a condition says which does not; it clears."""

from tenure.client import NotFound
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.resources import Machine, Site
from tenure.resources.kinds.machine import MachineStatus

FOUND = "ReferencesFound"


async def references_found(plane: Plane, machine: Machine) -> bool:
    """Whether both are there. What is missing is said in the Machine's status, and taken back once it is there."""
    lacking = await _lacking(plane, machine)
    said = machine.status is not None and any(c.type == FOUND for c in machine.status.conditions)
    if lacking is None and not said:
        return True  # thousands whose references were never missing need no condition that says so

    def change(status: MachineStatus) -> MachineStatus:
        reason = FOUND if lacking is None else "ReferenceNotFound"
        now = condition(FOUND, lacking is None, reason, lacking or "", plane.clock)
        return status.model_copy(update={"conditions": set_conditions(status.conditions, now)})

    await update_status(plane.client, machine, change, MachineStatus())
    return lacking is None


async def _lacking(plane: Plane, machine: Machine) -> str | None:
    spec = machine.spec
    try:
        if spec.site != plane.site:
            await plane.client.get(Site, spec.site)
    except NotFound:
        return f"spec.site: no Site is named {spec.site}"
    try:
        await plane.topology_of(spec.profile)
    except NotFound:
        return f"spec.profile: no HardwareProfile is named {spec.profile}"
    return None
