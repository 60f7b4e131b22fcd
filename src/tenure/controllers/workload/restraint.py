"""What counter-offers may hold: a gang that nobody asked for must not keep others from what is free. Pure.

A counter-offer to a gang larger than the fleet is the largest gang that fits, which is nearly all that is free. So the
counter-offers of all needs together hold at most a quarter of what else is free, of cores and of each class of device.
One that would hold more is quoted and not held; whoever asks for just that gets it as an offer in full, which is held.
A lone member is always held: it takes no more than a part of one machine.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from tenure.controllers.answering.answer import Planned
from tenure.ledger import View
from tenure.ledger.convert import to_placed
from tenure.placement import Claim, Fleet

SHARE = 4
"""Counter-offers together hold at most one part in so many."""


def unheld(planned: Sequence[Planned], view: View, fleet: Fleet, group: str) -> dict[int, str]:
    """Why a quote is not held, by its place in the answer; those that are to be held are absent.

    Alternatives of one group are charged their maximum, so each is judged by itself beside the other needs' holds.
    """
    gangs = [n for n, one in enumerate(planned) if not one.quote.meets_in_full and len(one.plan.claims) > 1]
    if not gangs:
        return {}
    counters, others = _held(view, fleet, group)
    whole = _sellable(fleet)
    found = {}
    for place in gangs:
        taken = _amounts(planned[place].plan.claims, fleet)
        for axis in sorted(taken):
            free = whole[axis] - others[axis]
            if (counters[axis] + taken[axis]) * SHARE > free:
                found[place] = _because(axis, taken[axis], counters[axis], free)
                break
    return found


def _because(axis: str, taken: int, counters: int, free: int) -> str:
    beside = f" beside {counters} that others do" if counters else ""
    return (
        f"it would hold {taken} {axis}{beside}, and counter-offers together hold at most a quarter of the {free} that "
        "are otherwise free; a need that asks for just this is offered it in full, and that is held"
    )


def _held(view: View, fleet: Fleet, group: str) -> tuple[Counter[str], Counter[str]]:
    """(held by other needs' counter-offers, held by all else that is not this need's), each group at its maximum."""
    counters: dict[str, Counter[str]] = {}
    others: dict[str, Counter[str]] = {}
    for record in view.live():
        if record.hold.group == group:
            continue
        amounts = _amounts(to_placed(record.hold).claims, fleet)
        side = counters if record.counter else others
        key = record.hold.group or record.hold.id
        side[key] = side.get(key, Counter()) | amounts  # the greater of each
    return _sum(counters.values()), _sum(others.values())


def _sum(parts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total


def _amounts(claims: Iterable[Claim], fleet: Fleet) -> Counter[str]:
    """Cores, and devices (a share of one counts as one) by class."""
    total: Counter[str] = Counter()
    for claim in claims:
        total["cores"] += len(claim.cores)
        machine = fleet.index.get(claim.machine)
        known = machine.device_index if machine is not None else {}
        for device in claim.devices:
            # What is held of hardware that is gone is no part of what is free either.
            if device.id in known:
                total[f"{known[device.id].device_class}s"] += 1
    return +total


def _sellable(fleet: Fleet) -> Counter[str]:
    """What the machines have to sell; reckoned once a fleet."""
    known: Counter[str] | None = fleet.memo.get("sellable")
    if known is None:
        known = fleet.memo["sellable"] = Counter()
        for machine in fleet.machines:
            known["cores"] += len(machine.sellable_cores())
            for id, milli in machine.sellable_devices().items():
                known[f"{machine.device_index[id].device_class}s"] += bool(milli)
    return known
