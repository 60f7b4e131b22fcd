"""A refusal is data: the binding constraint with its numbers, the funnel, and a minimal conflicting set.

The binding constraint is the one that removed the last candidates. Where every member has a place of its own and they
still do not fit together, it is what they share: the sum over machines, a budget, a level, the spread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tenure.placement.answers import Binding, FunnelStep, Refusal, Reporter, Silent
from tenure.placement.axes import axes, has
from tenure.placement.calendar import Calendar
from tenure.placement.conflict import minimal_conflict
from tenure.placement.demand import Demand, Role
from tenure.placement.fleet import Fleet
from tenure.placement.funnel import CAPACITY, FREE, IN_SERVICE, Funnel, fit_name, funnels, tightest
from tenure.placement.question import Question
from tenure.placement.search import Search
from tenure.placement.together import REASON_CONSTRAINT, REASON_GANG, REASON_POLICY, shared_binding
from tenure.placement.values import FOREVER_MS

REASON_SERVICE = "NoMachineInService"
REASON_CAPACITY = "CapacityTooSmall"
REASON_HELD = "CapacityHeld"
REASON_TOPOLOGY = "TopologyUnfit"


def refuse(question: Question, reporter: Reporter, *, proved: bool) -> Refusal:
    """Why a question has no plan. The start looked at is the earliest that it asks for."""
    question = replace(question, choice=None)  # what would be best matters no more, only what would do
    reason, binding, funnel = _bound(question)
    for step in funnel.steps:
        reporter.cut(step)
    return Refusal(
        demand=question.demand.id,
        reason=reason,
        binding=binding,
        funnel=funnel.steps,
        conflict=minimal_conflict(question, proved=proved),
        earliest_ms=binding.frees_at_ms,
        proved=proved,
    )


def what_binds(fleet: Fleet, calendar: Calendar, demand: Demand, *, now_ms: int, seed: int = 0) -> Binding | None:
    """What binds a demand that does not fit, without the rest of an explanation; None where it fits."""
    question = Question(fleet, calendar, demand, now_ms, seed)
    if Search(question, Silent()).start(demand.start_at(now_ms).latest_ms) is not None:
        return None
    return _bound(question)[1]


def _bound(question: Question) -> tuple[str, Binding, Funnel]:
    """(reason, what binds, the funnel) at the earliest start."""
    start_ms = question.demand.start_at(question.now_ms).earliest_ms
    funnel = tightest(funnels(question, start_ms))
    if funnel.last is not None:
        reason, binding = _from_step(question, funnel, funnel.last)
    else:
        reason, binding = shared_binding(question, start_ms)
        funnel = _to_nothing(funnel, binding)
        if reason == REASON_GANG:  # with all that is in service; what is out of it may be what lacks
            binding = replace(binding, hint=binding.hint or funnel.steps[0].hint)
    held_by = question.in_the_way(start_ms)
    return reason, replace(binding, frees_at_ms=_earliest(question), held_by=held_by), funnel


def _to_nothing(funnel: Funnel, binding: Binding) -> Funnel:
    """The funnel down to nothing: each machine that is left would carry a member, and no choice of them carries all,
    for what they share."""
    step = FunnelStep(
        constraint=binding.constraint,
        imposed_by=binding.imposed_by,
        stage="together",
        before=len(funnel.left),
        after=0,
        needed=binding.needed,
        available=binding.available,
        unit=binding.unit,
        role=funnel.role.name,
    )
    return replace(funnel, steps=(*funnel.steps, step))


def _earliest(question: Question) -> int | None:
    """When the whole demand would fit, if its latest start did not matter."""
    return Search(question, Silent()).start(FOREVER_MS - 1)


def _from_step(question: Question, funnel: Funnel, step: FunnelStep) -> tuple[str, Binding]:
    role = funnel.role
    capacity = _capacity(question, role, step)
    binding = Binding(
        constraint=step.constraint,
        imposed_by=step.imposed_by,
        needed=step.needed if step.needed is not None else role.count,
        available=step.available if step.available is not None else 0,
        capacity=capacity,
        unit=step.unit or "machines",
        where=_where(question, step),
        policy=step.policy,
        hint=step.hint,
    )
    if step.constraint == IN_SERVICE:
        return REASON_SERVICE, binding
    if step.stage == "constraint":
        return (REASON_POLICY if step.policy else REASON_CONSTRAINT), binding
    if step.constraint == fit_name(role):
        return REASON_TOPOLOGY if step.stage == CAPACITY else REASON_HELD, binding
    return REASON_HELD if step.stage == FREE else REASON_CAPACITY, binding


def _capacity(question: Question, role: Role, step: FunnelStep) -> int:
    """The greatest amount that any permitted machine has of the step's axis when it is empty."""
    if step.constraint in axes(role):
        return max(_whole(question, role, step.constraint), default=0)
    if step.stage in ("service", "constraint"):
        return step.before
    return step.available or 0


def _whole(question: Question, role: Role, axis: str) -> Iterable[int]:
    """What each permitted machine has of an axis when it is empty."""
    permitted = question.whole().on(question.permitted())
    return permitted.each(lambda one: has(one, role, axis)).of_sort.values()


def _where(question: Question, step: FunnelStep) -> str:
    """The machine, if there is only one to speak of; else empty: any of those left before the step."""
    machines = question.permitted() if step.stage in (CAPACITY, FREE) else question.fleet.machines
    return machines[0].name if len(machines) == 1 else ""
