"""What a machine has to sell, and what follows when that changes.

Whoever writes other figures than before writes with them that they are not counted yet; whoever has committed them
takes that back. So a process that dies between the two leaves a commit to be made, and none that is forgotten.
"""

from collections.abc import Sequence

from tenure.controllers.machine.fleet import LEVEL_LABEL
from tenure.controllers.status import condition, set_conditions
from tenure.ledger import Record, View
from tenure.ledger.convert import to_placed
from tenure.placement import Calendar, Fleet, FleetMachine
from tenure.quantities import Clock
from tenure.resources import Condition, Machine, condition_of
from tenure.resources.kinds.machine import MachineStatus, SystemReserve

COUNTED = "Counted"


def sold(status: MachineStatus) -> tuple[object, ...]:
    """What its part of a fleet is made of, as far as that is observed."""
    return (
        tuple(status.sellable_cores),
        status.sellable_memory,
        tuple(status.failed_devices),
        status.gpu_capped_power,
    )


def declared(machine: Machine) -> tuple[object, ...]:
    """What its part of a fleet is made of, as far as that is declared: its place, its power, its disk.

    What it costs, how old and whose it is is no capacity. Reserve, drain and health are in the status once they count.
    """
    unsold = {"hourly_cost": None, "owner": None, "in_service_since": None, "end_of_life": None}
    aside = {**unsold, "drain": False, "health": None, "reserved": SystemReserve()}
    spec = machine.spec.model_copy(update=aside)
    # Of its labels only those that say where it stands; whose or what for it is, thousands may be told at once.
    place = {name: said for name, said in (machine.metadata.labels or {}).items() if name.startswith(LEVEL_LABEL)}
    return spec, place


def is_counted(status: MachineStatus) -> bool:
    """Whether the ledger knows of what it says. Thousands that were never changed need no condition that says so."""
    said = condition_of(status.conditions, COUNTED)
    return said is None or said.status == "True"


def uncounted(status: MachineStatus, clock: Clock) -> MachineStatus:
    """The status with figures that are to be committed."""
    return _with(status, condition(COUNTED, False, "Proposed", "what it has to sell changed", clock))


def counted(status: MachineStatus, clock: Clock) -> MachineStatus:
    """The status once its figures are committed."""
    return status if is_counted(status) else _with(status, condition(COUNTED, True, "Discovered", "", clock))


def _with(status: MachineStatus, said: Condition) -> MachineStatus:
    return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})


def overtaken(view: View, machine: FleetMachine) -> list[Record]:
    """Held offers with cores, memory or devices that the machine, as it is now, does not have for them.

    Contracts keep their holds: what became of those is read back from the kernel and recounted. A trial's goes after
    its processes. What is broken is kept, as everything on a machine that failed.
    """
    on_it = _by_machine(view).get(machine.name, [])
    calendar = Calendar.of(to_placed(record.hold) for record in on_it)
    return [record for record in _offers(on_it) if not _carries(machine, calendar, record)]


def overtaken_anywhere(view: View, fleet: Fleet) -> list[Record]:
    """Those of every machine, and all on machines that are not in the fleet any more; each once."""
    found: dict[str, Record] = {}
    for name, on_it in sorted(_by_machine(view).items()):
        lost = overtaken(view, fleet.index[name]) if name in fleet.index else _offers(on_it)
        found.update((record.uid, record) for record in lost)
    return list(found.values())


def _by_machine(view: View) -> dict[str, list[Record]]:
    """What is live on each machine. Found once for all machines: where thousands change, each asks for its own."""
    known: dict[str, list[Record]] | None = view.derived.get("by machine")
    if known is None:
        known = view.derived["by machine"] = {}
        for record in view.live():
            for name in {claim.machine for claim in record.hold.claims}:
                known.setdefault(name, []).append(record)
    return known


def _offers(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.kind == "Offer" and not record.trial]


def _carries(machine: FleetMachine, calendar: Calendar, record: Record) -> bool:
    hold = to_placed(record.hold)
    own = [claim for claim in hold.claims if claim.machine == machine.name]
    left = calendar.free_over(machine, hold.start_ms, hold.end_ms).memory
    devices = {device.id for device in machine.devices}
    return all(
        machine.sellable_cores().issuperset(claim.cores)
        and devices.issuperset(device.id for device in claim.devices)
        and all(left.get(node, -1) >= 0 for node, part in claim.memory_parts().items() if part)
        for claim in own
    )
