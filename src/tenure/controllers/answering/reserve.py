"""The reserve of the class `guaranteed`: capacity held back beside what the work runs on, where availability is asked.

It is a role of the same demand, so that it is placed by the same question, held by the same hold, and priced. On one
machine it is as many whole cores as the work has: what a remedy can bring in there is another core. On a fleet it is
one whole member more, of each role, on another machine than a lone member's. Pure.
"""

from collections import Counter
from dataclasses import replace

from tenure.controllers.answering.choices import STEPS_MAX, Choice
from tenure.controllers.answering.ground import Ground
from tenure.ledger.convert import RESERVE
from tenure.placement import Constraint, Demand, Fleet, Plan, Refusal, Role, Spread, Start, Step
from tenure.placement.answers import Conflict
from tenure.placement.apart import kept
from tenure.placement.preferences import with_only
from tenure.resources.kinds.allocation import Relaxation

IMPOSED_BY = "class guaranteed"
NEXT_STEP = "all else fits: ask for class: burstable, which holds no reserve, or leave objectives.availability out"
WEAKER = 0.2
"""How much less isolated work without a reserve is; more than work that was measured beside quiet neighbours."""


def with_reserve(choice: Choice, fleet: Fleet) -> Choice:
    """The choice with the reserve as a role of its own."""
    demand = choice.demand
    apart = len(fleet.machines) > 1
    spares = tuple(_spare(member, apart=apart) for member in demand.roles)
    spread = _apart(demand) if apart and _is_alone(demand) else demand.spread
    return replace(choice, demand=replace(demand, roles=(*demand.roles, *spares), spread=spread))


def plan_apart(demand: Demand, ground: Ground) -> Plan | Refusal:
    """The plan for it, or the refusal. Where several members may be one, and one is what it comes to, its reserve
    stands apart from it as any lone member's does; or they are more, which need no such distance, if later."""
    found = ground.plan(demand)
    strict = parted(demand, ground.fleet)
    if isinstance(found, Refusal) or len(strict) == 1:
        return found
    several, lone = strict
    spread = lone.spread
    assert spread is not None, "a lone member's reserve is apart"
    if len(found.claims) > 2 or kept(spread, (ground.fleet.machine(claim.machine) for claim in found.claims)):
        return found
    apart = ground.plan(lone)
    if isinstance(apart, Refusal):
        more = ground.plan(several)
        return apart if isinstance(more, Refusal) else more
    return replace(apart, demand=demand.id)


def parted(demand: Demand, fleet: Fleet) -> tuple[Demand, ...]:
    """A demand of several members that may be one: as of two and more, and as of one with its reserve apart. Any other
    one as it is."""
    work = [role for role in demand.roles if role.name != RESERVE]
    held = len(work) < len(demand.roles)
    if not held or len(fleet.machines) == 1 or _is_alone(demand) or sum(role.least for role in work) > 1:
        return (demand,)
    alone = tuple(replace(role, count=1, count_min=None, values=()) for role in demand.roles)
    return (
        replace(demand, roles=tuple(_at_least_two(role) for role in demand.roles)),
        replace(demand, id=f"{demand.id}/lone", roles=alone, spread=_apart(demand)),
    )


def _at_least_two(role: Role) -> Role:
    if role.name == RESERVE:
        return role
    if role.values:
        return replace(role, values=tuple(pair for pair in role.values if pair[0] > 1))
    return replace(role, count_min=2)


def _spare(member: Role, *, apart: bool) -> Role:
    spare = replace(member, name=RESERVE, count=1, count_min=None, values=())
    if apart:
        return spare
    inside = frozenset({"l3", "numa"})
    spare = replace(spare, memory_bytes=0, devices=(), requires=member.requires & inside)
    return replace(spare, prefers=member.prefers & inside)


def _is_alone(demand: Demand) -> bool:
    return sum(member.count for member in demand.roles if member.name != RESERVE) == 1


def _apart(demand: Demand) -> Spread:
    """What keeps a lone member's reserve from its machine: its own spread, where that does."""
    return demand.spread if demand.spread is not None and demand.spread.members_max == 1 else Spread("machine")


def without_reserve(choice: Choice) -> Choice | None:
    """The same as the lesser class, which holds none; None where it gives up too much besides."""
    if len(choice.steps) >= STEPS_MAX or any(step.axis == "isolation" for step in choice.steps):
        return None
    lesser = Relaxation(axis="isolation", what="class", asked="guaranteed", offered="burstable, without a reserve")
    demand = replace(_bare(choice.demand), id=f"{choice.demand.id}/burstable")
    step = Step("isolation", WEAKER, "without a reserve")
    return replace(choice, demand=demand, relaxed=(*choice.relaxed, lesser), steps=(*choice.steps, step))


def naming_reserve(refused: Refusal, demand: Demand, ground: Ground) -> Refusal:
    """The refusal as it is, or, where the need would fit without its reserve, as what the reserve lacks."""
    spares = tuple(role for role in demand.roles if role.name == RESERVE)
    if not spares:
        return refused
    work = ground.plan(_bare(demand))
    if not isinstance(work, Plan):
        return refused
    taken = ground.calendar.with_holds(work.hold(f"{demand.id}/work", group=f"{demand.id}/work"))
    constraints, spread = demand.constraints, demand.spread
    if len(work.claims) == 1 and len(ground.fleet.machines) > 1:
        spread = _apart(demand)
    if spread is not None:
        elsewhere = _with_room(spread, work, ground.fleet)
        constraints = (*constraints, Constraint(f"another {spread.level}", IMPOSED_BY, machines=elsewhere))
    start = Start(work.start_ms, work.start_ms)
    spare = replace(with_only(demand, ()), roles=spares, spread=None, start=start, constraints=constraints)
    lacks = replace(ground, calendar=taken).plan(spare)
    if not isinstance(lacks, Refusal):
        return refused
    binding = replace(
        lacks.binding,
        constraint=RESERVE,
        imposed_by=IMPOSED_BY,
        frees_at_ms=refused.binding.frees_at_ms,
        hint=NEXT_STEP,
    )
    return replace(refused, binding=binding, conflict=(Conflict(RESERVE, IMPOSED_BY),))


def _with_room(spread: Spread, work: Plan, fleet: Fleet) -> frozenset[str]:
    """Machines in whose domain one more may stand."""
    each = Counter(fleet.machine(claim.machine).domain(spread.level) for claim in work.claims)
    full = {None, *(domain for domain, members in each.items() if members >= spread.members_max)}
    return frozenset(machine.name for machine in fleet.machines if machine.domain(spread.level) not in full)


def _bare(demand: Demand) -> Demand:
    """The work alone; a lone member is apart from nobody."""
    roles = tuple(role for role in demand.roles if role.name != RESERVE)
    return replace(demand, roles=roles, spread=None if _is_alone(demand) else demand.spread)
