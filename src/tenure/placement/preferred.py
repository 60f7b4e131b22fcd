"""What is preferred, sought once a place is found: the same members at the same start, lying as they would rather."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tenure.placement.answers import Silent
from tenure.placement.apart import kept
from tenure.placement.demand import Demand, Role
from tenure.placement.holds import Claim
from tenure.placement.preferences import holding, loses, preferences, wishes_of
from tenure.placement.question import Question
from tenure.placement.search import Found, Search

Claims = tuple[Claim, ...]


def as_preferred(question: Question, found: Found) -> Found:
    """What was found, lying as the demand prefers where that delays nothing, costs no member, breaks nothing that is
    required, loses no preference that it keeps and takes nothing from one that comes before. What it does not keep is
    asked for once, and nothing where it keeps all."""
    fleet, demand = question.fleet, question.demand
    claims, wishes = found.claims, wishes_of(demand)
    for place, wish in enumerate(wishes):
        if wish.kept(fleet, claims):
            continue
        held = [*wishes[:place], *(later for later in wishes[place:] if later.kept(fleet, claims))]
        wished = wish.required(holding(fleet, _sized(demand, claims), claims, held), wish.asked)
        made = Search(replace(question, demand=wished), Silent()).at(found.start_ms)
        if made is not None and _no_worse(question, claims, made):
            claims = made
    return found if claims is found.claims else Found(found.start_ms, claims)


def _sized(demand: Demand, claims: Claims) -> Demand:
    """The demand of just as many members as were placed."""
    placed = Counter(claim.role for claim in claims)

    def sized(role: Role) -> Role:
        rigid = role.least == role.count
        return role if rigid else replace(role, count=placed[role.name], count_min=None, values=())

    return replace(demand, roles=tuple(sized(role) for role in demand.roles))


def _no_worse(question: Question, claims: Claims, made: Claims) -> bool:
    """Whether these claims stand apart as is required, where a preferred spread stood in for that, and lose no
    preference that those keep."""
    fleet, demand = question.fleet, question.demand
    if demand.spread is not None and not kept(demand.spread, (fleet.machine(claim.machine) for claim in made)):
        return False
    return not loses(preferences(fleet, demand, claims), preferences(fleet, demand, made))
