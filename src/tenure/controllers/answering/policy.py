"""By what one of several places that would do is chosen: the scores of the Site, as placement weighs them. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tenure.controllers.answering.costs import largest_share
from tenure.controllers.machine.limits import LOCAL_DISK
from tenure.placement import AddedWatts, ByLoad, Choice, Fragmentation, Free, Locality, Role, Score, SpreadOut
from tenure.placement.question import Question
from tenure.resources import Machine
from tenure.resources.kinds.site import SiteScore, SiteSpec

YEAR_MS = 365.25 * 86_400_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Scores with their weights, and how the Site writes each of them."""

    choice: Choice
    names: tuple[str, ...]


POLICY = Policy(Choice(((Fragmentation(), 1.0),)), ("fragmentation",))
"""Where nothing is declared: the place where those who come later lose least."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The price an hour of what a member would take, in the currency that most machines are priced in.

    A machine without a price in it is never preferred for that: it counts as all of the dearest one.
    """

    machines: Mapping[str, Machine]
    currency: str
    dearest: float

    @classmethod
    def of(cls, machines: Mapping[str, Machine]) -> "Cost":
        prices = [cost for machine in machines.values() if (cost := machine.spec.hourly_cost) is not None]
        each = Counter(price.currency for price in prices)
        currency = max(each, key=lambda name: (each[name], name), default="")
        dearest = max((price.micros for price in prices if price.currency == currency), default=0)
        return cls(machines, currency, dearest / 1e6)

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        def taken(one: Free) -> float | None:
            claim = question.inside.place(one, role)
            return None if claim is None else largest_share(claim, one.machine)

        # Reckoned once for all that are equal and in equal states: a fleet has thousands, of few kinds.
        shares = question.each(free, taken)
        disk = sum(draw.amount for draw in role.draws if draw.budget == LOCAL_DISK)
        return {name: self._price(name, share, disk) for name, share in shares.items() if share is not None}

    def _price(self, name: str, share: float, disk: int) -> float:
        machine = self.machines.get(name)
        hourly = machine.spec.hourly_cost if machine is not None else None
        if machine is None or hourly is None or hourly.currency != self.currency:
            return self.dearest
        of_disk = disk / (int(machine.spec.local_disk or 0) or 1)
        return max(share, of_disk) * hourly.micros / 1e6


@dataclass(frozen=True, slots=True)
class Age:
    """Years by which a machine is older than the newest of the site; one of unknown age counts as the oldest."""

    years: Mapping[str, float]

    @classmethod
    def of(cls, machines: Mapping[str, Machine]) -> "Age":
        since = {name: int(at) for name, machine in machines.items() if (at := machine.spec.in_service_since)}
        newest = max(since.values(), default=0)
        return cls({name: (newest - at) / YEAR_MS for name, at in since.items()})

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:  # noqa: ARG002
        oldest = max(self.years.values(), default=0.0)
        return {name: self.years.get(name, oldest) for name in free}


def policy_of(site: SiteSpec, machines: Mapping[str, Machine]) -> Policy:
    """What the Site declares, or the default."""
    if not site.scores:
        return POLICY
    chosen = Choice(tuple((_score(score, machines), _weight(score)) for score in site.scores))
    return Policy(chosen, tuple(score.name for score in site.scores))


def _score(declared: SiteScore, machines: Mapping[str, Machine]) -> Score:
    match declared.score:
        case "fragmentation":
            return Fragmentation()
        case "addedWatts":
            return AddedWatts()
        case "locality":
            return Locality()
        case "cost":
            return Cost.of(machines)
        case "age":
            return Age.of(machines)
    assert declared.level is not None, "spread names its level"
    return SpreadOut(declared.level)


def _weight(declared: SiteScore) -> float | Callable[[float], float]:
    if not declared.by_load:
        return declared.weight
    return ByLoad(declared.weight, tuple((step.taken_min.value, step.weight) for step in declared.by_load))
