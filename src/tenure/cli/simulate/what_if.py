"""What-if: the same fleet with machines added, power limited otherwise, or part of it failing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tenure.cli.failures import Failure, usage
from tenure.cli.simulate.run import Outage
from tenure.discovery.fleets import FleetFile
from tenure.quantities import Duration, Power
from tenure.resources import Machine
from tenure.resources.kinds.site import DomainBudget

HINT = "--what-if add=100, add=100:MACHINE, power=2MW, power=rack-7:40kW, outage=rack-7 or outage=rack-7@2h"


@dataclass(frozen=True, slots=True)
class Changed:
    """The fleet as changed, and what fails when."""

    fleet: FleetFile
    outages: tuple[Outage, ...]


def changed(fleet: FleetFile, wishes: Sequence[str]) -> Changed:
    """Apply each wish in turn. Raises Failure for one that cannot be read or names nothing of the fleet."""
    outages: list[Outage] = []
    for wish in wishes:
        for one in filter(None, re.split(r",(?=\w+=)", wish)):
            name, _, value = one.partition("=")
            try:
                match name:
                    case "add":
                        fleet = _add(fleet, value)
                    case "power":
                        fleet = _power(fleet, value)
                    case "outage":
                        outages.append(_outage(fleet, value))
                    case _:
                        raise ValueError(f"{name!r} is no change that is known")
            except ValueError as error:
                raise _wrong(one, str(error)) from None
    return Changed(fleet, tuple(outages))


def _wrong(wish: str, why: str) -> Failure:
    return usage(f"--what-if {wish}: {why}", HINT, "InvalidValue")


def _add(fleet: FleetFile, value: str) -> FleetFile:
    """So many machines like the one named, or like the commonest; in racks of their own, as full as its rack."""
    number, _, like = value.partition(":")
    if not number.isdigit() or not int(number):
        raise ValueError(f"{number!r} is no number of machines")
    sorts = Counter((m.spec.profile, m.spec.rated_power) for m in fleet.machines if m.name == like or not like)
    if not sorts:
        raise ValueError(f"no machine {like} is in the fleet")
    wanted = max(sorts, key=lambda sort: sorts[sort])
    model = next(m for m in fleet.machines if (m.spec.profile, m.spec.rated_power) == wanted)
    together = max(1, sum(m.spec.rack == model.spec.rack for m in fleet.machines)) if model.spec.rack else 0
    added = [_copy(model, n, together) for n in range(int(number))]
    taken = {m.name for m in fleet.machines} & {m.name for m in added}
    if taken:
        raise ValueError(f"the fleet has a machine {min(taken)} already")
    return replace(fleet, machines=(*fleet.machines, *added))


def _copy(model: Machine, number: int, together: int) -> Machine:
    place = {"rack": f"added-{number // together}"} if together else {}
    spec = model.spec.model_copy(update={**place, "row": None})
    metadata = model.metadata.model_copy(update={"name": f"added-{number:05d}", "labels": None})
    return model.model_copy(update={"metadata": metadata, "spec": spec})


def _power(fleet: FleetFile, value: str) -> FleetFile:
    domain, colon, text = value.rpartition(":")
    power = Power.parse(text)
    spec = fleet.site.spec
    if not colon:
        changed_spec = spec.model_copy(update={"power": power})
    else:
        level = next(
            (
                lv
                for lv, of in (("rack", "rack"), ("row", "row"))
                if any(getattr(m.spec, of) == domain for m in fleet.machines)
            ),
            None,
        )
        if level is None:
            raise ValueError(f"no rack or row {domain} is in the fleet")
        others = [part for part in spec.budgets if part.domain != domain]
        mine = DomainBudget.model_validate({"level": level, "domain": domain, "power": str(power)})
        changed_spec = spec.model_copy(update={"budgets": [*others, mine]})
    return replace(fleet, site=fleet.site.model_copy(update={"spec": changed_spec}))


def _outage(fleet: FleetFile, value: str) -> Outage:
    domain, _, at = value.partition("@")
    if not any(
        domain in (m.name, m.spec.rack, m.spec.row, *(m.metadata.labels or {}).values()) for m in fleet.machines
    ):
        raise ValueError(f"nothing of the fleet is called {domain}")
    return Outage(domain, Duration.parse(at).ms if at else 0)
