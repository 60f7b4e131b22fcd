"""What is preferred, sought once a place is found: the same members at the same start, lying as they would rather."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tenure.placement.answers import Preference, Silent
from tenure.placement.apart import kept
from tenure.placement.axes import slots
from tenure.placement.demand import Constraint, Demand, Role
from tenure.placement.derived import emptiness_of
from tenure.placement.holds import Claim
from tenure.placement.preferences import Wish, holding, loses, marked, preferences, searches_max, wishes_of
from tenure.placement.question import Question
from tenure.placement.search import Found, Search

SORTS_SOUGHT_MAX = 256
"""Machines unlike each other among which what lies inside a member is sought: each is searched by itself."""

Claims = tuple[Claim, ...]


def as_preferred(question: Question, found: Found) -> tuple[Found, tuple[Preference, ...]]:
    """What was found, lying as the demand prefers where that delays nothing, costs no member, breaks nothing that is
    required, loses no preference that it keeps and takes nothing from one that comes before; and what it makes of each.
    What it does not keep is asked for once, as far as the effort goes, and nothing where it keeps all."""
    fleet, demand = question.fleet, question.demand
    claims, wishes = found.claims, wishes_of(demand)
    left = searches_max(len(claims))
    cut: set[Wish] = set()
    for place, wish in enumerate(wishes):
        if wish.kept(fleet, claims):
            continue
        left -= 1
        among = _among(question, wish, found.start_ms, claims) if left >= 0 else frozenset[str]()
        if among is not None:
            cut.add(wish)
        if among == frozenset():
            continue
        held = [*wishes[:place], *(later for later in wishes[place:] if later.kept(fleet, claims))]
        wished = wish.required(holding(fleet, _sized(demand, claims), claims, held), wish.asked)
        if among is not None:
            only = Constraint("preferred", "tenure", machines=among)
            wished = replace(wished, constraints=(*wished.constraints, only))
        search = Search(replace(question, demand=wished), Silent())
        made = search.at(found.start_ms)
        if not search.proved:
            cut.add(wish)
        if made is not None and _no_worse(question, claims, made):
            claims = made
    told = tuple(marked(wish.told(fleet, claims), sought=wish not in cut) for wish in wishes)
    return found if claims is found.claims else Found(found.start_ms, claims), told


def _among(question: Question, wish: Wish, start_ms: int, claims: Claims) -> frozenset[str] | None:
    """Where on many machines, each unlike the others, what lies inside a member is sought: where members are now and on
    the emptiest, or nowhere where that is too much already. None: on all."""
    roles = [role for role in question.demand.roles if role.name == wish.role]
    if not roles:
        return None
    free = question.free(question.able(), start_ms)
    ones = {sort: one for sort, one in free.ones.items() if any(slots(one, role) for role in roles)}
    if len(ones) <= SORTS_SOUGHT_MAX:
        return None
    now = {free.sorts[claim.machine] for claim in claims}
    first: dict[int, str] = {}
    for name, sort in free.sorts.items():
        first.setdefault(sort, name)
    emptiest = sorted(ones, key=lambda sort: (*(-left for left in emptiness_of(ones[sort])), first[sort]))
    sorts = {*now, *emptiest[: SORTS_SOUGHT_MAX - len(now)]} if len(now) < SORTS_SOUGHT_MAX else set[int]()
    return frozenset(name for name, sort in free.sorts.items() if sort in sorts)


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
