"""What a plan costs and draws, as far as anybody declared it; what is not known is said to be unknown. Pure."""

from collections import Counter
from collections.abc import Mapping

from tenure.controllers.machine.limits import LOCAL_DISK
from tenure.ledger.convert import RESERVE
from tenure.placement import Claim, Fleet, FleetMachine, Plan
from tenure.promises import DEFAULT_CREDIT
from tenure.quantities import Money, Power
from tenure.resources import Machine
from tenure.resources.kinds.allocation import CreditBand, Price, Promises, Watts


def costs_of(plan: Plan, machines: Mapping[str, Machine], fleet: Fleet, *, simulated: bool) -> tuple[Price, Watts]:
    """What it costs and what it draws."""
    watts = rated_watts_of(plan, fleet) if simulated else watts_of(plan, machines)
    return price_of(plan, machines, fleet), watts


def price_of(plan: Plan, machines: Mapping[str, Machine], fleet: Fleet) -> Price:
    """The machines' declared hourly cost by the largest of the shares of cores, memory, local disk and each class of
    devices; unknown if not."""
    total: Money | None = None
    held_back: Money | None = None
    for claim in plan.claims:
        machine = machines[claim.machine]
        cost, status = machine.spec.hourly_cost, machine.status
        if cost is None or status is None or not status.sellable_cores:
            return Price(
                unknown_because=f"nobody has declared what {claim.machine} costs: "
                f'tenure price set {claim.machine} "0.10 EUR"'
            )
        by_cores = (len(claim.cores), len(status.sellable_cores))
        by_memory = (claim.memory_bytes, int(status.sellable_memory or 0) or 1)
        of_disk = sum(draw.amount for draw in claim.draws if draw.budget == LOCAL_DISK)
        by_disk = (of_disk, int(machine.spec.local_disk or 0) or 1)
        shares = (by_cores, by_memory, by_disk, *_by_devices(claim, fleet.machine(claim.machine)))
        share = cost.times(*max(shares, key=lambda share: share[0] / share[1]))
        total = share if total is None else total + share
        if claim.role == RESERVE:
            held_back = share if held_back is None else held_back + share
    if total is None:
        return Price(unknown_because="nothing is held")
    whole = total.times(plan.end_ms - plan.start_ms, 3_600_000)
    return Price(hourly=total, total=whole, reserve_hourly=held_back)


def largest_share(claim: Claim, machine: FleetMachine) -> float:
    """The largest of the shares of a machine's cores, memory and each class of devices that a claim takes."""
    memory = sum(node.sellable_bytes for node in machine.memory)
    by_cores, by_memory = (len(claim.cores), len(machine.sellable_cores())), (claim.memory_bytes, memory)
    return max(taken / (whole or 1) for taken, whole in (by_cores, by_memory, *_by_devices(claim, machine)))


def _by_devices(claim: Claim, machine: FleetMachine) -> list[tuple[int, int]]:
    """(thousandths taken, all that the machine has) of each class of devices that a claim takes."""
    taken: Counter[str] = Counter()
    for device in claim.devices:
        taken[machine.device_index[device.id].device_class] += device.milli
    return [(milli, sum(d.milli for d in machine.devices if d.device_class == name)) for name, milli in taken.items()]


def with_credit(price: Price, promises: Promises) -> Price:
    """The price with the schedule by which it comes back, said before anyone accepts, where anything is measured or
    due."""
    if not promises.statistical and promises.complete_by is None:
        return price
    bands = [
        CreditBand(below_percent=round(step.below * 100), credit_percent=round(step.share * 100))
        for step in DEFAULT_CREDIT
    ]
    return price.model_copy(update={"credit": bands})


def watts_of(plan: Plan, machines: Mapping[str, Machine]) -> Watts:
    """What it draws, as far as anybody knows; inside a virtual machine nobody does."""
    machine = machines[plan.claims[0].machine]
    virtual = machine.status.virtual if machine.status else None
    if virtual:
        return Watts(unknown_because=f"{machine.name} is a virtual machine ({virtual}), which does not see its power")
    if machine.spec.rated_power is None:
        return Watts(unknown_because=f"no power reading and no rated power is declared for {machine.name}")
    cores = machine.status.cores if machine.status and machine.status.cores else 1
    # The reserve counts: whoever is promised these watts may have it brought in.
    held = sum(len(claim.cores) for claim in plan.claims)
    power = type(machine.spec.rated_power)(int(machine.spec.rated_power) * held // cores)
    return Watts(power=power, basis="rated power of the machine by the share of its cores")


def rated_watts_of(plan: Plan, fleet: Fleet) -> Watts:
    """What cores and devices held are rated at, added up."""
    total = 0
    for claim in plan.claims:
        machine = fleet.machine(claim.machine)
        rated = [machine.device_index[device.id].power.rated_mw for device in claim.devices]
        if None in rated or (claim.cores and machine.core_power.rated_mw is None):
            return Watts(unknown_because=f"no rated power is declared for {claim.machine}")
        for device, figure in zip(claim.devices, rated, strict=True):
            total += -(-(figure or 0) * device.milli // machine.device_index[device.id].milli)
        total += len(claim.cores) * (machine.core_power.rated_mw or 0)
    return Watts(power=Power(-(-total // 1000) * 1000), basis="rated power of the cores and devices held, simulated")
