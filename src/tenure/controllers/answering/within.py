"""As much of an elastic need as limits of money and power allow, at the start that was found for it. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tenure.controllers.answering.chosen import Over
from tenure.placement import Demand, Fleet, Plan, Refusal, Role, Start
from tenure.placement.preferences import Wish, holding, loses, marked, preferences, searches_max, wishes_of, with_only

Planner = Callable[[Demand], Plan | Refusal]
"""The plan for a demand, or the refusal."""


def within_limits(demand: Demand, found: Plan, fleet: Fleet, planner: Planner, over: Over) -> Plan:
    """What was found, where it lies within the limits. Else all of it without what is preferred, or with as many
    members as lie within, and of what is preferred whatever lies within, too; where even the fewest cost too much,
    those."""
    if not over(found):
        return found
    pinned = replace(demand, start=Start(found.start_ms, found.start_ms))
    plain = with_only(pinned, ())

    def within(wanted: Demand) -> Plan | None:
        made = planner(wanted)
        return made if isinstance(made, Plan) and not over(made) else None

    base = within(_at_most(plain, _carried(found))) if plain != pinned else None
    base = base or _fewer(plain, found, planner, over)
    return found if base is None else _wished(base, pinned, fleet, within)


def _wished(base: Plan, demand: Demand, fleet: Fleet, within: Callable[[Demand], Plan | None]) -> Plan:
    """The same members, lying as is preferred as far as that stays within the limits, one wish after another."""
    best, wishes, cut = base, wishes_of(demand), set[Wish]()
    sized = _at_most(demand, _carried(base))
    left = searches_max(len(base.claims))
    for place, wish in enumerate(wishes):
        if wish.kept(fleet, best.claims):
            continue
        left -= 1
        if left < 0:
            cut.add(wish)
            continue
        held = [*wishes[:place], *(later for later in wishes[place:] if later.kept(fleet, best.claims))]
        made = within(with_only(holding(fleet, sized, best.claims, held), (wish,)))
        if made is None or _carried(made) != _carried(best):
            continue
        if not all(one.sought for one in made.preferences):
            cut.add(wish)
        lost = loses(*(preferences(fleet, demand, one.claims) for one in (best, made)))
        if wish.kept(fleet, made.claims) and not lost:
            best = made
    told = tuple(marked(wish.told(fleet, best.claims), sought=wish not in cut) for wish in wishes)
    return replace(best, preferences=told)


def _fewer(demand: Demand, found: Plan, planner: Planner, over: Over) -> Plan | None:
    """With fewer members: each role in turn takes as many as are allowed beside those before it and the least of those
    after it, as it does of room. None where no role may have fewer.

    That fewer members cost no more is a rule of thumb (fewer may stand on a dearer machine), so not every size is
    tried: each role's by halving, all at their least last. Where that costs too much, it is the answer.
    """
    carried = _carried(found)
    varying = [role for role in demand.roles if role.least < carried[role.name]]
    most = {role.name: role.least for role in varying}
    within: Plan | None = None
    fewest: Plan | None = None
    for role in varying:
        sizes = _sizes(role, carried[role.name])
        # That all of the only role that varies costs too much, and that a later one's least does not, is known.
        low, high = 0 if within is None else 1, len(sizes) - (len(varying) == 1)
        while low < high:
            middle = (low + high) // 2
            made = planner(_at_most(demand, {**most, role.name: sizes[middle]}))
            if isinstance(made, Plan) and not over(made):
                low, within = middle + 1, made
            else:
                high, fewest = middle, made if isinstance(made, Plan) else fewest
        if within is None:
            return fewest
        most[role.name] = sizes[max(0, low - 1)]
    return within


def _carried(plan: Plan) -> Counter[str]:
    return Counter(claim.role for claim in plan.claims)


def _sizes(role: Role, carried: int) -> Sequence[int]:
    """The sizes up to the one carried, in order."""
    if role.values:
        return sorted(size for size, _ in role.values if size <= carried)
    return range(role.least, carried + 1)


def _at_most(demand: Demand, most: Mapping[str, int]) -> Demand:
    """The demand in which these roles have no more members than that."""

    def cut(role: Role) -> Role:
        if role.least == role.count or role.name not in most:
            return role
        count = min(role.count, most[role.name])
        return replace(role, count=count, values=tuple(pair for pair in role.values if pair[0] <= count))

    return replace(demand, roles=tuple(cut(role) for role in demand.roles))
