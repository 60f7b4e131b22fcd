"""The funnel: how many machines each constraint leaves, in order, and with which numbers.

Order: in service, then each imposed constraint as given, then what a machine has at all, then what is free over the
time asked for, then whether the free parts lie together as required.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenure.placement.answers import FunnelStep
from tenure.placement.axes import UNITS, axes, has, wants
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.fleet import FleetMachine
from tenure.placement.question import Question
from tenure.placement.remains import Each, Remains

T = TypeVar("T")

IN_SERVICE = "schedulable"
CAPACITY, FREE = "capacity", "free"


@dataclass(frozen=True, slots=True)
class Funnel:
    """The steps for one role and the machines that are left at the end."""

    role: Role
    steps: tuple[FunnelStep, ...]
    left: tuple[FleetMachine, ...]

    @property
    def last(self) -> FunnelStep | None:
        """The step that removed the last candidates, if all are gone."""
        return next((step for step in self.steps if step.after == 0), None)


def funnels(question: Question, start_ms: int) -> list[Funnel]:
    """One funnel a role, at one start."""
    return [_funnel(question, role, start_ms) for role in question.demand.roles]


def tightest(found: list[Funnel]) -> Funnel:
    """The funnel to show: of the role that no machine can carry, else of the one with the fewest machines a member."""
    return min(found, key=lambda one: len(one.left) / one.role.count)


def _funnel(question: Question, role: Role, start_ms: int) -> Funnel:
    steps: list[FunnelStep] = []
    machines = list(question.fleet.machines)

    def cut(keep: Callable[[FleetMachine], bool], step: Callable[[int, int], FunnelStep]) -> None:
        nonlocal machines
        after = [machine for machine in machines if keep(machine)]
        steps.append(step(len(machines), len(after)))
        machines = after

    out = _out_of_service(machines)
    cut(
        lambda m: m.schedulable,
        lambda b, a: FunnelStep(IN_SERVICE, "operator", "service", b, a, role=role.name, hint=out),
    )
    for c in question.demand.constraints:
        cut(
            lambda m, c=c: c.permits(m.name, m.hardware_class),  # type: ignore[misc]
            lambda b, a, c=c: FunnelStep(  # type: ignore[misc]
                c.id, c.imposed_by, "constraint", b, a, role=role.name, policy=c.policy, hint=c.hint
            ),
        )
    whole = question.whole()
    machines = _by_axes(question, role, machines, whole, CAPACITY, steps)
    machines = _by_fit(question, role, machines, whole, CAPACITY, steps)
    free = question.free(machines, start_ms)
    machines = _by_axes(question, role, machines, free, FREE, steps)
    machines = _by_fit(question, role, machines, free, FREE, steps)
    return Funnel(role, tuple(steps), tuple(machines))


def _out_of_service(machines: list[FleetMachine]) -> str:
    """Why machines take nothing new, as far as anybody said."""
    why = Counter(machine.unschedulable_because for machine in machines if not machine.schedulable)
    return "; ".join(f"{count} out of service: {because}" for because, count in why.items() if because)


def _by_axes(
    question: Question,
    role: Role,
    machines: list[FleetMachine],
    free: Remains,
    stage: str,
    steps: list[FunnelStep],
) -> list[FleetMachine]:
    for axis in axes(role):
        need = wants(role, axis)
        amounts = _of(free, machines).each(lambda one, axis=axis: has(one, role, axis))  # type: ignore[misc]
        after = _kept(machines, amounts, lambda amount, need=need: amount >= need)  # type: ignore[misc]
        steps.append(
            FunnelStep(
                constraint=axis,
                imposed_by=question.demand.imposed_by,
                stage=stage,
                before=len(machines),
                after=len(after),
                needed=need,
                available=max(amounts.of_sort.values(), default=0),
                unit=UNITS.get(axis, "devices"),
                role=role.name,
            )
        )
        machines = after
    return machines


def _by_fit(
    question: Question,
    role: Role,
    machines: list[FleetMachine],
    free: Remains,
    stage: str,
    steps: list[FunnelStep],
) -> list[FleetMachine]:
    """Machines with enough of everything where it also lies together as required."""
    those = _of(free, machines)
    fits = those.each(lambda one: question.inside.place(one, role) is not None)
    parts = those.each(lambda one: _largest_part(one, role)).of_sort if role.cores else {}
    after = _kept(machines, fits, bool)
    steps.append(
        FunnelStep(
            constraint=fit_name(role),
            imposed_by=question.demand.imposed_by,
            stage=stage,
            before=len(machines),
            after=len(after),
            needed=role.cores if role.cores else None,
            available=max(parts.values(), default=0) if role.cores else None,
            unit="cores" if role.cores else "",
            role=role.name,
        )
    )
    return after


def _of(free: Remains, machines: list[FleetMachine]) -> Remains:
    """What is free on these machines, which are some or all of those that it is known of."""
    return free if len(machines) == len(free) else free.among([machine.name for machine in machines])


def _kept(machines: list[FleetMachine], values: Each[T], keep: Callable[[T], bool]) -> list[FleetMachine]:
    """Machines of which it holds, asked once a sort."""
    kept, sorts = {sort for sort, value in values.of_sort.items() if keep(value)}, values.remains.sorts
    return machines if len(kept) == len(values.of_sort) else [m for m in machines if sorts[m.name] in kept]


def fit_name(role: Role) -> str:
    """The name of the constraint that a member's parts lie together: ``topology:numa`` and the like."""
    names = sorted(role.requires) + (["distance"] if role.numa_distance_max is not None else [])
    return "topology:" + ("+".join(names) if names else "memory-nodes")


def _largest_part(free: Free, role: Role) -> int:
    """The most free cores in one domain of the kind that the role requires."""
    inside = "l3" if "l3" in role.requires else "numa"
    count: dict[int, int] = {}
    for core in free.cores:
        facts = free.machine.core_index[core]
        key = facts.l3 if inside == "l3" else facts.numa_node
        count[key] = count.get(key, 0) + 1
    return max(count.values(), default=0)
