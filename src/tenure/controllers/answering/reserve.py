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
    constraints = demand.constraints
    if demand.spread is not None:
        elsewhere = _with_room(demand.spread, work, ground.fleet)
        constraints = (*constraints, Constraint(f"another {demand.spread.level}", IMPOSED_BY, machines=elsewhere))
    start = Start(work.start_ms, work.start_ms)
    spare = replace(demand, roles=spares, spread=None, preferred_spread=None, start=start, constraints=constraints)
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
