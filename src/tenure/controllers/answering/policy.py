"""By what one of several places that would do is chosen: the scores of the Site, as placement weighs them. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tenure.controllers.answering.costs import share_of
from tenure.placement import AddedWatts, ByLoad, Choice, Fragmentation, Free, Locality, Role, Score, SpreadOut
from tenure.placement.question import Question
from tenure.resources import Machine
from tenure.resources.kinds.site import SiteScore, SiteSpec


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

    A machine without a price in it is never preferred for that: it counts as the dearest.
    """

    machines: Mapping[str, Machine]

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        prices = self._prices(question, free, role)
        currency = Counter(currency for currency, _ in prices.values()).most_common(1)
        known = {name: price for name, (of, price) in prices.items() if currency and of == currency[0][0]}
        dearest = max(known.values(), default=0.0)
        return {name: known.get(name, dearest) for name in free}

    def _prices(self, question: Question, free: Mapping[str, Free], role: Role) -> dict[str, tuple[str, float]]:
        found = {}
        for name, one in free.items():
            claim, machine = question.inside.place(one, role), self.machines.get(name)
            share = share_of(claim, machine, one.machine) if claim is not None and machine is not None else None
            if share is not None:
                found[name] = (share.currency, share.micros / 1e6)
        return found


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
            return Cost(machines)
    assert declared.level is not None, "spread names its level"
    return SpreadOut(declared.level)


def _weight(declared: SiteScore) -> float | Callable[[float], float]:
    if not declared.by_load:
        return declared.weight
    return ByLoad(declared.weight, tuple((step.taken_min.value, step.weight) for step in declared.by_load))
