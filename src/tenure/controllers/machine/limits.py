"""The limits that a site declares, of itself and of its parts, as budgets of the fleet. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from tenure.placement import Budget, FleetMachine
from tenure.placement.fleet import Rating
from tenure.resources import Machine, Site
from tenure.resources.kinds.site import DomainBudget, SiteSpec

POWER, COOLING, UNITS, WEIGHT, NETWORK = "power", "cooling", "rackUnits", "weight", "network"
LOCAL_DISK = "localDisk"
"""A budget of each machine that sells some: its members draw of it."""


def budgets_of(site: Site, placed: Sequence[FleetMachine], machines: Sequence[Machine]) -> tuple[Budget, ...]:
    """The limits that the site declares, of itself and of its parts. Work takes power and, as heat, cooling; space and
    weight are taken by machines."""
    declared = {machine.name: machine.spec for machine in machines}
    units: Counter[tuple[str, str]] = Counter()
    weight: Counter[tuple[str, str]] = Counter()
    for machine in placed:
        for at in (("site", machine.site), ("machine", machine.name), *machine.place):
            units[at] += declared[machine.name].rack_units or 0
            weight[at] += declared[machine.name].weight_kg or 0
    found: list[Budget] = []

    def add(level: str, domain: str, limits: SiteSpec | DomainBudget) -> None:
        by, rating = f"site {site.name}", limits.power_basis or site.spec.power_basis or "rated"
        for name, limit, base, unit in (
            (POWER, limits.power, 0, "mW"),
            (COOLING, limits.cooling, 0, "mW"),
            (UNITS, limits.rack_units, units[level, domain], "U"),
            (WEIGHT, limits.weight_kg, weight[level, domain], "kg"),
        ):
            if limit is not None:
                found.append(Budget(name, level, domain, int(limit), base, unit, rating, by))
        if isinstance(limits, DomainBudget) and limits.network is not None:
            uplink = int(limits.network)
            found.append(Budget(NETWORK, level, domain, uplink, 0, "bytes/s", imposed_by=by, crossing=True))
        for own in limits.named:
            # A budget of the whole site is called by its name alone; there is one of it.
            label = own.name if level == "site" else ""
            found.append(Budget(own.name, level, domain, own.limit, 0, own.unit, imposed_by=by, label=label))

    add("site", site.name, site.spec)
    named = {(part.level, part.domain) for part in site.spec.budgets if part.domain is not None}
    for part in site.spec.budgets:
        domains = (
            [part.domain] if part.domain is not None else sorted({m.domain(part.level) or "" for m in placed} - {""})
        )
        for domain in domains:
            if part.domain is None and (part.level, domain) in named:
                continue  # what is said of one rack stands before what is said of all
            add(part.level, domain, part)
    for machine in placed:
        disk = declared[machine.name].local_disk
        if disk is not None:
            by = f"machine {machine.name}"
            found.append(Budget(LOCAL_DISK, "machine", machine.name, int(disk), unit="bytes", imposed_by=by))
    return _told_apart(found)


def _told_apart(found: Sequence[Budget]) -> tuple[Budget, ...]:
    """One budget an id: a rack and a row may both be called `1`, and what one draws is not the other's. Of two limits
    that are given to the same domain the lower holds."""
    lowest: dict[tuple[str, str, str, Rating], Budget] = {}
    for budget in found:
        key = (budget.name, budget.level, budget.domain, budget.rating)
        lowest[key] = min(lowest.get(key, budget), budget, key=lambda one: one.limit)
    budgets = list(lowest.values())
    for form in ("{0.name}:{0.level}/{0.domain}", "{0.name}:{0.level}/{0.domain}:{0.rating}"):
        count = Counter(budget.id for budget in budgets)
        budgets = [replace(one, label=form.format(one)) if count[one.id] > 1 else one for one in budgets]
    return tuple(budgets)


def may_bind(budgets: Sequence[Budget], placed: Sequence[FleetMachine]) -> tuple[Budget, ...]:
    """Those that work could exceed: of power and cooling where full machines would, of named ones all. Space and weight
    are taken by machines."""
    watts = (POWER, COOLING)
    full: Counter[tuple[Rating, str, str]] = Counter()
    for rating in {budget.rating for budget in budgets if budget.name in watts}:
        for machine in placed:
            draw = full_mw(machine, rating)
            for level, domain in (("site", machine.site), ("machine", machine.name), *machine.place):
                full[rating, level, domain] += draw
    return tuple(
        budget
        for budget in budgets
        if budget.name not in (*watts, UNITS, WEIGHT)
        or (budget.name in watts and budget.base + full[budget.rating, budget.level, budget.domain] > budget.limit)
    )


def full_mw(machine: FleetMachine, rating: Rating = "rated") -> int:
    """What a machine draws when all of it is sold; what is not known counts as nothing, as in placement."""
    devices = sum(device.power.by(rating) or 0 for device in machine.devices)
    return devices + len(machine.sellable_cores()) * (machine.core_power.by(rating) or 0)
