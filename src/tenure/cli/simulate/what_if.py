"""What-if: the same fleet with machines added, power or cooling limited otherwise, or part of it failing.

Machines take space and weigh; what the site cannot carry is refused with the limit that it would break.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tenure.cli import exit_codes
from tenure.cli.failures import Failure, usage
from tenure.cli.simulate.copies import Copies
from tenure.cli.simulate.run import Outage
from tenure.controllers.machine.fleet import LEVELS, fleet_of, place_of
from tenure.controllers.machine.limits import UNITS, WEIGHT
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile
from tenure.quantities import Duration, Power
from tenure.resources import Machine
from tenure.resources.kinds.site import DomainBudget

HINT = (
    "--what-if add=100, add=100:MACHINE, power=2MW, power=rack-7:40kW, cooling=rack-7:30kW, "
    "outage=rack-7, outage=rack-7@2h or outage=row/7"
)


@dataclass(frozen=True, slots=True)
class Changed:
    """The fleet as changed, and what fails when."""

    fleet: FleetFile
    outages: tuple[Outage, ...]


def changed(fleet: FleetFile, wishes: Sequence[str]) -> Changed:
    """Apply each wish in turn.

    Raises Failure for one that cannot be read or names nothing of the fleet, and for more machines than the site can
    carry.
    """
    outages: list[Outage] = []
    given = fleet
    for wish in wishes:
        for one in filter(None, re.split(r",(?=\w+=)", wish)):
            name, _, value = one.partition("=")
            try:
                match name:
                    case "add":
                        fleet = _add(fleet, value)
                    case "power" | "cooling":
                        fleet = _watts(fleet, name, value)
                    case "outage":
                        outages.append(_outage(fleet, value))
                    case _:
                        raise ValueError(f"{name!r} is no change that is known")
            except ValueError as error:
                raise _wrong(one, str(error)) from None
    _stands(fleet, given)
    return Changed(fleet, tuple(outages))


def _stands(fleet: FleetFile, given: FleetFile) -> None:
    """Space and weight: what machines take of the site, of rows and racks. What was too much before is let pass."""
    before = _overloaded(given)
    for id, (taken, limit, unit) in _overloaded(fleet).items():
        if id not in before:
            raise Failure(
                f"--what-if: {id} would be {taken:,} of {limit:,} {unit}",
                exit_code=exit_codes.INFEASIBLE,
                reason="Infeasible",
                next_step="add fewer machines, or give the site more of it in Site.spec",
            )


def _overloaded(fleet: FleetFile) -> dict[str, tuple[int, int, str]]:
    budgets = fleet_of(fleet.site, as_observed(fleet, 0), fleet.profiles, every_budget=True).budgets
    return {b.id: (b.base, b.limit, b.unit) for b in budgets if b.name in (UNITS, WEIGHT) and b.base > b.limit}


def _wrong(wish: str, why: str) -> Failure:
    return usage(f"--what-if {wish}: {why}", HINT, "InvalidValue")


def _add(fleet: FleetFile, value: str) -> FleetFile:
    """So many machines like the one named, or like the commonest; in racks of their own, as full as its rack and under
    the same limits, in its row and on its feed."""
    number, _, like = value.partition(":")
    if not number.isdigit() or not int(number):
        raise ValueError(f"{number!r} is no number of machines")
    sorts = Counter((m.spec.profile, m.spec.rated_power) for m in fleet.machines if m.name == like or not like)
    if not sorts:
        raise ValueError(f"no machine {like} is in the fleet")
    wanted = max(sorts, key=lambda sort: sorts[sort])
    model = next(m for m in fleet.machines if (m.spec.profile, m.spec.rated_power) == wanted)
    copies = Copies(fleet.machines, model)
    added = [copies.machine(n) for n in range(int(number))]
    taken = {m.name for m in fleet.machines} & {m.name for m in added}
    if taken:
        raise ValueError(f"the fleet has a machine {min(taken)} already")
    spec = fleet.site.spec
    site = spec.model_copy(update={"budgets": [*spec.budgets, *copies.limits(spec.budgets)]})
    return replace(fleet, machines=(*fleet.machines, *added), site=fleet.site.model_copy(update={"spec": site}))


def _watts(fleet: FleetFile, name: str, value: str) -> FleetFile:
    """Another limit of power or cooling for the site, or for one rack or row; its other limits stand."""
    said_of, colon, text = value.rpartition(":")
    watts = Power.parse(text)
    spec = fleet.site.spec
    if not colon:
        changed_spec = spec.model_copy(update={name: watts})
    else:
        level, domain = _meant(fleet, said_of, ("rack", "row"), "rack or row")
        others = [part for part in spec.budgets if (part.level, part.domain) != (level, domain)]
        said = [part for part in spec.budgets if (part.level, part.domain) in ((level, domain), (level, None))]
        # What is said of one rack stands before what is said of all.
        own = max(said, key=lambda part: part.domain is not None, default=DomainBudget(level="rack"))
        mine = own.model_copy(update={"level": level, "domain": domain, name: watts})
        changed_spec = spec.model_copy(update={"budgets": [*others, mine]})
    return replace(fleet, site=fleet.site.model_copy(update={"spec": changed_spec}))


def _outage(fleet: FleetFile, value: str) -> Outage:
    said_of, _, at = value.partition("@")
    level, domain = _meant(fleet, said_of, ("machine", *LEVELS), "machine or domain")
    return Outage(domain, Duration.parse(at).ms if at else 0, level)


def _meant(fleet: FleetFile, said_of: str, levels: Sequence[str], sort: str) -> tuple[str, str]:
    """The level and domain that a name stands for; ``rack/1`` where a rack and a row are both called 1."""
    prefix, slash, rest = said_of.partition("/")
    found = _called(fleet, said_of, levels)
    if not found and slash and prefix in levels:
        found, said_of = _called(fleet, rest, (prefix,)), rest
    if not found:
        raise ValueError(f"no {sort} {said_of} is in the fleet")
    if len(set(found.values())) > 1:
        named = " or ".join(f"{level}/{said_of}" for level in found)
        raise ValueError(f"{' and '.join(found)} are both called {said_of}; write {named}")
    return next(iter(found)), said_of


def _called(fleet: FleetFile, name: str, levels: Sequence[str]) -> dict[str, frozenset[str]]:
    """Levels with a domain of this name, and the machines in it."""
    inside = {level: frozenset(m.name for m in fleet.machines if _at(m, level) == name) for level in levels}
    return {level: machines for level, machines in inside.items() if machines}


def _at(machine: Machine, level: str) -> str | None:
    return machine.name if level == "machine" else dict(place_of(machine, 0)).get(level)
