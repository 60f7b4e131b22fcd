"""What binds when each member alone has a place: the sum over machines, a budget, a level, the spread, the mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tenure.placement import derived, shared
from tenure.placement.answers import Binding, Silent
from tenure.placement.axes import UNITS, axes, has, slots, wants
from tenure.placement.budgets import WATTS, draws
from tenure.placement.calendar import Free
from tenure.placement.conflict import CROWD_MIN
from tenure.placement.demand import Constraint, Role
from tenure.placement.question import Question
from tenure.placement.remains import total
from tenure.placement.search import Search

REASON_POLICY = "PolicyForbids"
REASON_CONSTRAINT = "ConstraintExcludes"
REASON_GANG = "GangTooLarge"
REASON_HELD = "CapacityHeld"
REASON_BUDGET = "BudgetExceeded"
REASON_LEVEL = "LevelUnfit"
REASON_SPREAD = "SpreadUnfit"
REASON_MIXTURE = "MembersDoNotFitTogether"
REASON_WINDOW = "WindowClosed"

BUDGETS_TRIED_MAX = 8
"""Budgets of which it is asked whether one binds alone where no placement shows which: each is a whole search."""


def shared_binding(question: Question, start_ms: int) -> tuple[str, Binding]:
    """(reason, binding constraint) of a demand whose members each have a machine at this start."""
    if not question.in_time(question.demand.start_at(question.now_ms).latest_ms):
        return REASON_WINDOW, _plain(question, "start", 1, 0, 1, "starts")
    for one in question.demand.roles:
        short = _too_few_slots(question, one, start_ms)
        if short is not None:
            return short
    if _fits(_without_level(question), start_ms):
        return _level(question, start_ms)
    if question.fleet.budgets and _fits(_without_budgets(question), start_ms):
        overdrawn = _budget(question, start_ms)
        if overdrawn is not None:
            return REASON_BUDGET, overdrawn
    if question.demand.spread is not None and _fits(_without_spread(question), start_ms):
        return REASON_SPREAD, _spread(question, start_ms)
    return REASON_MIXTURE, _plain(
        question, "members", _count(question), _most(question, start_ms), _count(question), "members"
    )


def _fits(question: Question, start_ms: int) -> bool:
    return Search(question, Silent()).fits_at(start_ms)


def _count(question: Question) -> int:
    return sum(role.least for role in question.demand.roles)


def _most(question: Question, start_ms: int) -> int:
    """How many members fit together when roles are given up one after another, the last stated first."""
    roles = question.demand.roles
    for kept in range(len(roles) - 1, 0, -1):
        fewer = replace(question, demand=replace(question.demand, roles=roles[:kept]))
        if _fits(fewer, start_ms):
            return _count(fewer)
    return 0


def _plain(question: Question, constraint: str, needed: int, available: int, capacity: int, unit: str) -> Binding:
    return Binding(constraint, question.demand.imposed_by, needed, available, capacity, unit)


def _too_few_slots(question: Question, role: Role, start_ms: int) -> tuple[str, Binding] | None:
    """All machines together have too few places; told on the axis on which they are scarcest."""
    least = role.least
    machines = question.able()
    free = question.free(machines, start_ms)
    if total(question.room(free, role)) >= least:
        return None
    whole = question.whole().on(machines)
    axis = min(axes(role), key=lambda one: total(free.each(lambda f: has(f, role, one) // wants(role, one))))
    available = total(free.each(lambda one: _usable(one, role, axis)))
    capacity = total(whole.each(lambda one: _usable(one, role, axis)))
    binding = _plain(question, axis, least * wants(role, axis), available, capacity, UNITS.get(axis, "devices"))
    if capacity >= binding.needed:
        return REASON_HELD, binding
    constraint = _excluding(question, role, axis, binding.needed)
    if constraint is None:
        return REASON_GANG, binding
    named = replace(binding, constraint=constraint.id, imposed_by=constraint.imposed_by, policy=constraint.policy)
    return (REASON_POLICY if constraint.policy else REASON_CONSTRAINT), replace(named, hint=constraint.hint)


def _excluding(question: Question, role: Role, axis: str, needed: int) -> Constraint | None:
    """The constraint, in the order given, by which too little of an axis is left of a fleet that has enough of it."""
    whole = question.whole()
    names = [machine.name for machine in question.fleet.machines if machine.schedulable]
    for constraint in (None, *question.demand.constraints):
        if constraint is not None:
            names = [n for n in names if constraint.permits(n, question.fleet.machine(n).hardware_class)]
        if total(whole.among(names).each(lambda one: _usable(one, role, axis))) < needed:
            return constraint
    return None


def _usable(free: Free, role: Role, axis: str) -> int:
    """What whole members can use of an axis on one machine."""
    return slots(free, role) * wants(role, axis)


def _level(question: Question, start_ms: int) -> tuple[str, Binding]:
    demand = question.demand
    fleet, link = question.fleet, demand.link_bytes_per_s_min
    unknown = next((level for level in demand.required_levels if level not in fleet.level_names()), None)
    if unknown is not None:
        # The fleet says nothing of such a level, so no two machines are known to share one.
        return REASON_LEVEL, _plain(question, f"level:{unknown}", 1, 0, 0, "domains")
    found = shared.ways(fleet, demand)
    if not found:
        best_known = max((lv.bytes_per_s or 0 for lv in question.fleet.levels), default=0)
        return REASON_LEVEL, _plain(question, "link", link or 0, best_known, best_known, "bytes/s")
    levels = shared.narrowed(fleet, demand.required_levels)
    constraint = "link" if link is not None and levels not in found else f"level:{'+'.join(levels or found[0])}"
    machines = question.able()
    free = question.free(machines, start_ms)
    whole = derived.whole(question.fleet)
    needed = _count(question)
    best = top = 0
    where = ""
    for domain, inside in question.widest_domains():
        room = _room(question, [free[name] for name in inside])
        top = max(top, _room(question, [whole[name] for name in inside]))
        if room > best or not where:
            best, where = room, domain
    # Counted axis by axis, room is an upper limit; that they do not all fit is known.
    binding = _plain(question, constraint, needed, min(best, needed - 1), top, "members")
    carrying = [level.name for level in fleet.levels if link is not None and (level.bytes_per_s or 0) >= link]
    hints = [f"so much bandwidth is known only inside one {' or one '.join(carrying)}"] if constraint == "link" else []
    hints += _out_of_service(question, levels or found[0], where)
    return REASON_LEVEL, replace(binding, where=where, hint="; ".join(hints))


def _out_of_service(question: Question, levels: tuple[str, ...], where: str) -> list[str]:
    """How much of the domain that comes nearest is not there to be sold, being broken or drained."""
    inside = next((names for domain, names in derived.domains(question.fleet, *levels) if domain == where), [])
    machines = [question.fleet.machine(name) for name in inside]
    gone = sum(1 for machine in machines if not machine.schedulable)
    broken = sum(1 for m in machines if m.schedulable for device in m.devices if not device.healthy)
    said = [f"{gone} of the {len(machines)} machines"] if gone else []
    said += [f"{broken} device{'s' if broken > 1 else ''}"] if broken else []
    return [f"{' and '.join(said)} of {where} are out of service"] if said else []


def _room(question: Question, free: list[Free]) -> int:
    """An upper limit on the members of all roles together that fit on these machines."""
    return sum(min(role.count, sum(slots(one, role) for one in free)) for role in question.demand.roles)


def _budget(question: Question, start_ms: int) -> Binding | None:
    """The budget that the members would overdraw if only the other limits counted.

    ``needed`` is what that placement draws. Where several are overdrawn, one that binds alone comes first. That they
    fit may be known by counting while the bounded search finds no places for them: then it is one that binds alone,
    and more than it has left is all that is known to be needed; None where no single one does.
    """
    left = question.left(start_ms)
    drawn = _drawn(question, start_ms)
    # What the members draw nothing of is not in their way, however far it is overdrawn already.
    over = [budget for budget in question.fleet.budgets if budget.id in drawn and drawn[budget.id] > left[budget.id]]
    tried = over or question.fleet.budgets[:BUDGETS_TRIED_MAX]
    alone = (budget for budget in tried if _fits(_without_budgets(question, budget.id), start_ms))
    budget = next(alone, over[0] if over else None)
    if budget is None:
        return None
    return Binding(
        constraint=budget.id,
        imposed_by=budget.imposed_by or f"budget {budget.id}",
        needed=max(drawn.get(budget.id, 0), left[budget.id] + 1),
        available=left[budget.id],
        capacity=budget.limit - budget.base,
        unit=budget.unit,
        where=budget.domain,
    )


def _drawn(question: Question, start_ms: int) -> Mapping[str, int]:
    """What the members draw of budgets if none counts, placed so; a crowd that draws the same anywhere is added up."""
    fleet, roles = question.fleet, question.demand.roles
    fixed = all(role.least == role.count for role in roles)
    if fixed and _count(question) > CROWD_MIN and not any(b.crossing or b.name in WATTS for b in fleet.budgets):
        over = {fleet.budgets_over(machine.name) for machine in question.able()}
        if len(over) == 1:
            asked = [(draw.budget, role.count * draw.amount) for role in roles for draw in role.draws]
            drawn = {b.id: sum(amount for budget, amount in asked if budget == b.name) for b in over.pop()}
            return {budget: amount for budget, amount in drawn.items() if amount}
    return draws(fleet, Search(_without_budgets(question), Silent()).at(start_ms) or ())


def _spread(question: Question, start_ms: int) -> Binding:
    """Domains of one site with room for any member: an upper limit, of which it is known that it is too high."""
    spread = question.demand.spread
    assert spread is not None
    machines = question.able()
    free = question.free(machines, start_ms)
    roomy: dict[str, set[str]] = {}
    every: dict[str, set[str]] = {}
    for machine in machines:
        domain = machine.domain(spread.level)
        if domain is None:
            continue
        every.setdefault(machine.site, set()).add(domain)
        if any(slots(free[machine.name], role) for role in question.demand.roles):
            roomy.setdefault(machine.site, set()).add(domain)
    needed = -(-_count(question) // spread.members_max)
    available = min(needed - 1, max(map(len, roomy.values()), default=0))
    capacity = max(map(len, every.values()), default=0)
    binding = _plain(question, f"spread:{spread.level}", needed, available, capacity, "domains")
    hint = f"at most {spread.members_max} in one {spread.level} was asked for: allow more there, or fewer members"
    return replace(binding, hint=hint)


def _without_level(question: Question) -> Question:
    demand = replace(
        question.demand, required_level=None, required_also=(), preferred_level=None, link_bytes_per_s_min=None
    )
    return replace(question, demand=demand)


def _without_budgets(question: Question, *ids: str) -> Question:
    """Without these budgets; without any, if none is named."""
    fleet = question.fleet
    left = tuple(budget for budget in fleet.budgets if ids and budget.id not in ids)
    return replace(question, fleet=fleet.with_budgets(left))


def _without_spread(question: Question) -> Question:
    return replace(question, demand=replace(question.demand, spread=None))
