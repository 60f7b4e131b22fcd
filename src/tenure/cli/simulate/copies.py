"""Machines that are added to a fleet, where they stand, and the limits of their racks. Pure."""

from collections.abc import Sequence

from tenure.controllers.machine.fleet import LEVEL_LABEL
from tenure.resources import Machine
from tenure.resources.kinds.site import DomainBudget

SHARED = ("row", "spine", "feed")
"""What no rack brings with it, be the fleet so small that one rack has it to itself."""

Domain = tuple[str, str]
"""Level and name."""


class Copies:
    """Copies of one machine, as many beside each other as stand beside it.

    Its rack and whatever lies wholly inside that (an NVLink domain) is copied, with the limits given to it; what
    reaches further (its row, a leaf, a feed) is shared: more machines there draw of the same limits.
    """

    def __init__(self, machines: Sequence[Machine], model: Machine) -> None:
        self._model = model
        self._beside = _beside(machines, model)
        inside = {machine.name for machine in self._beside}
        reaching = {domain for machine in machines if machine.name not in inside for domain in _domains(machine)}
        own = {domain for machine in self._beside for domain in _domains(machine)} - reaching
        self._own = {domain for domain in own if domain[0] not in SHARED}
        self._made: dict[Domain, list[str]] = {}

    def machine(self, number: int) -> Machine:
        """The copy of this number, counted from 0."""
        group, place = divmod(number, len(self._beside))
        model, beside = self._model, self._beside[place]
        name = f"added-{number:05d}"
        rack = model.spec.rack and self._copied(("rack", model.spec.rack), f"added-{group}")
        self._copied(("machine", model.name), name)
        labels = {
            key: self._copied(domain, f"added-{group}-{value}") if (domain := _of(key, value)) in self._own else value
            for key, value in (beside.metadata.labels or {}).items()
            if key.startswith(LEVEL_LABEL)
        }
        metadata = model.metadata.model_copy(update={"name": name, "labels": labels or None})
        return model.model_copy(update={"metadata": metadata, "spec": model.spec.model_copy(update={"rack": rack})})

    def limits(self, budgets: Sequence[DomainBudget]) -> list[DomainBudget]:
        """The limits of what was copied; those of every domain of a level hold for the copies as they stand."""
        return [
            budget.model_copy(update={"domain": name})
            for budget in budgets
            for name in self._made.get((budget.level, budget.domain or ""), ())
        ]

    def _copied(self, domain: Domain, name: str) -> str:
        made = self._made.setdefault(domain, [])
        if name not in made[-1:]:
            made.append(name)
        return name


def _beside(machines: Sequence[Machine], model: Machine) -> list[Machine]:
    """The machines of its rack; where it names none, those of its NVLink domain, which takes no more than it has."""
    for level in ("rack", "nvlinkDomain"):
        if (domain := _at(model, level)) is not None:
            return [machine for machine in machines if _at(machine, level) == domain]
    return [model]


def _at(machine: Machine, level: str) -> str | None:
    rack = machine.spec.rack if level == "rack" else None
    return rack or (machine.metadata.labels or {}).get(LEVEL_LABEL + level)


def _domains(machine: Machine) -> list[Domain]:
    return [_of(key, value) for key, value in (machine.metadata.labels or {}).items() if key.startswith(LEVEL_LABEL)]


def _of(label: str, domain: str) -> Domain:
    return label.removeprefix(LEVEL_LABEL), domain
