"""Why a plan is as it is: its size and what the next one lacks, preferences not kept, the weights that chose. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from tenure.controllers.answering.explicit import INSIDE, MEMBERS, ONE_MEMBER, Members, Wanted
from tenure.controllers.answering.ground import Ground
from tenure.controllers.answering.promised import parts
from tenure.controllers.answering.refusal import bound_by
from tenure.ledger.convert import ALIKE
from tenure.placement import Demand, Plan, Preference, Role, Start, what_binds
from tenure.placement.preferences import DISTANCE, LINK, with_only
from tenure.quantities import ByteRate
from tenure.resources.kinds.allocation import Relaxation
from tenure.resources.kinds.answer import Binding, Chosen, NextSize, Size, Unkept

NAMED = {own: name for name, own in INSIDE.items()}
"""Placement's words for what is shared inside a machine, as a need says them."""

NO_CORE = Unkept(preference="core", asked="one core", found="none, cores are held whole and nothing else shares them")

Over = Callable[[Plan], Sequence[Relaxation]]
"""The limits of money and power that a plan exceeds."""


def chosen_of(
    plan: Plan, demand: Demand, wanted: Wanted, ground: Ground, over: Over, *, several: bool
) -> Chosen | None:
    """What decided, if anything did. `several`: whether the engine runs more than one member."""
    unmet = [*unkept_of(plan), *([NO_CORE] if wanted.prefers_core else [])]
    sizes = [_size(sort, plan, demand, ground, over, several=several) for sort in wanted.sorts if sort.varies]
    taken, scores = ground.weighed(demand, plan.start_ms)
    return Chosen(sizes=sizes, unmet=unmet, scores=scores, taken=taken) if sizes or unmet or scores else None


def unkept_of(plan: Plan) -> list[Unkept]:
    """Preferences that the plan does not keep. One member has no link to another one, whatever is held back for it."""
    alone = len(parts(plan)[0]) == 1
    return [_unkept(one) for one in plan.preferences if not one.kept and not (alone and one.what == LINK)]


def _unkept(one: Preference) -> Unkept:
    sort, _, level = one.what.partition(":")
    role = None if one.role in ("", ALIKE) else one.role
    found = _found(one, sort, level)
    if sort == LINK:
        return Unkept(preference=LINK, asked=f"at least {ByteRate(one.asked)}", found=found)
    if sort == DISTANCE:
        return Unkept(preference=DISTANCE, role=role, asked=f"at most {one.asked}", found=found)
    if sort == "spread":
        return Unkept(preference=one.what, asked=f"at most {one.asked} in one {level}", found=found)
    name = level or NAMED[sort]
    return Unkept(preference=one.what if level else name, role=role, asked=f"one {name}", found=found)


def _found(one: Preference, sort: str, level: str) -> str:
    if one.found is None:
        said = _not_known(sort, level)
    else:
        said = str(ByteRate(one.found)) if sort == LINK else str(one.found)
    return said if one.sought else f"{said}; to answer in time it was not sought everywhere"


def _not_known(sort: str, level: str) -> str:
    """That a figure is not known, and who would say it."""
    if level:
        return f"not known, not every machine there names a {level}"
    if sort == LINK:
        return "not known, Site.spec.levels declares no bandwidth of a level that they share"
    return "not known, as the machine's profile leaves it out"


def _size(sort: Members, plan: Plan, demand: Demand, ground: Ground, over: Over, *, several: bool) -> Size:
    work = Counter(claim.role for claim in parts(plan)[0])
    # Where the engine runs one member, whatever its role is called in what was planned, that is it.
    carried = work[sort.name or ALIKE] if several else work.total()
    worth = dict(sort.values)
    larger = _larger(sort, carried)
    needs = None
    if larger is not None:
        one = Binding(constraint=MEMBERS, imposed_by="engine local", message=ONE_MEMBER)
        needs = _needs(sort.name or ALIKE, larger, plan, demand, ground, over) if several else one
    return Size(
        role=sort.name,
        members=carried,
        members_min=sort.fewest,
        members_max=sort.count,
        value=worth.get(carried),
        next_size=NextSize(members=larger, value=worth.get(larger), needs=needs)
        if larger is not None and needs is not None
        else None,
    )


def _larger(sort: Members, carried: int) -> int | None:
    """The next size that would be taken if it fitted."""
    if not sort.values:
        return carried + 1 if carried < sort.count else None
    worth = dict(sort.values)
    return min((size for size in worth if size > carried and worth[size] > worth.get(carried, 0)), default=None)


def _needs(name: str, size: int, plan: Plan, demand: Demand, ground: Ground, over: Over) -> Binding | None:
    """What so many members of a role lack at the same start, beside the others as they are."""
    carried = Counter(claim.role for claim in plan.claims)

    def sized(role: Role) -> Role:
        if role.name == name:
            return replace(role, count=size, count_min=None, values=())
        varies = role.least < role.count
        return replace(role, count=carried[role.name], count_min=None, values=()) if varies else role

    roles = tuple(sized(role) for role in demand.roles)
    larger = replace(demand, id=f"{demand.id}/larger", roles=roles, start=Start(plan.start_ms, plan.start_ms))
    binding = what_binds(ground.fleet, ground.calendar, larger, now_ms=ground.now_ms, seed=ground.seed)
    if binding is not None:
        return bound_by(binding)
    # What is preferred yields to limits, so it does not count among what more members would take.
    found = ground.plan(with_only(larger, ()))
    beyond = next(iter(over(found)), None) if isinstance(found, Plan) else None
    if beyond is None:  # a bounded search did not come as far
        return None
    message = f"{beyond.what}: at most {beyond.asked} is allowed, {size} members take {beyond.offered}"
    return Binding(constraint=beyond.what, imposed_by="workload", message=message)
