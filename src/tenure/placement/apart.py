"""A spread that is preferred: the same members at the same start, kept apart where they fit so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tenure.placement.answers import Silent
from tenure.placement.demand import Role, Spread
from tenure.placement.fleet import FleetMachine
from tenure.placement.question import Question
from tenure.placement.search import Found, Search


def kept(spread: Spread, machines: Iterable[FleetMachine]) -> bool:
    """Whether members on these machines, one each, stand as far apart; who names no such domain may share any."""
    each = Counter(machine.domain(spread.level) for machine in machines)
    return None not in each and max(each.values(), default=0) <= spread.members_max


def as_preferred(question: Question, found: Found) -> Found:
    """What was found, spread as the demand prefers where that delays nothing, costs no member and breaks no spread
    that is required."""
    demand, fleet = question.demand, question.fleet
    preferred = demand.preferred_spread
    if preferred is None or kept(preferred, (fleet.machine(claim.machine) for claim in found.claims)):
        return found
    placed = Counter(claim.role for claim in found.claims)

    def sized(role: Role) -> Role:
        rigid = role.least == role.count
        return role if rigid else replace(role, count=placed[role.name], count_min=None, values=())

    roles = tuple(sized(role) for role in demand.roles)
    wished = replace(demand, roles=roles, spread=preferred, preferred_spread=None)
    claims = Search(replace(question, demand=wished), Silent()).at(found.start_ms)
    if claims is None:
        return found
    if demand.spread is not None and not kept(demand.spread, (fleet.machine(claim.machine) for claim in claims)):
        return found
    return Found(found.start_ms, claims)
