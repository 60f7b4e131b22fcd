"""The funnel: how many machines each constraint leaves, in order, and with which numbers.

Order: in service, then each imposed constraint as given, then what a machine has at all, then what is free over the
time asked for, then whether the free parts lie together as required.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.placement import derived
from tenure.placement.answers import FunnelStep
from tenure.placement.axes import UNITS, axes, has, wants
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.fleet import FleetMachine
from tenure.placement.question import Question
from tenure.placement.remains import Remains

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
    every, machines = question.fleet.machines, derived.in_service(question.fleet)
    out = _out_of_service(every) if len(machines) < len(every) else ""
    steps = [FunnelStep(IN_SERVICE, "operator", "service", len(every), len(machines), role=role.name, hint=out)]
    for c in question.demand.constraints:
        before, machines = len(machines), [m for m in machines if c.permits(m.name, m.hardware_class)]
        said: Any = {"role": role.name, "policy": c.policy, "hint": c.hint}
        steps.append(FunnelStep(c.id, c.imposed_by, "constraint", before, len(machines), **said))
    whole = Candidates(question.permitted(), question.whole())
    steps += [*_by_axes(question, role, whole, CAPACITY), _by_fit(question, role, whole, CAPACITY)]
    free = Candidates(whole.machines, question.free(whole.machines, start_ms))
    steps += [*_by_axes(question, role, free, FREE), _by_fit(question, role, free, FREE)]
    return Funnel(role, tuple(steps), tuple(free.machines))


def _out_of_service(machines: Iterable[FleetMachine]) -> str:
    """Why machines take nothing new, as far as anybody said."""
    why = Counter(machine.unschedulable_because for machine in machines if not machine.schedulable)
    return "; ".join(f"{count} out of service: {because}" for because, count in why.items() if because)


class Candidates:
    """Machines that are left, of those of which it is known what is free, and one of each sort of them: what is asked
    of them is asked once a sort."""

    def __init__(self, machines: Sequence[FleetMachine], free: Remains) -> None:
        those = free.on(machines)
        self.machines, self.ones, self._sorts = machines, those.ones, those.sorts

    def cut(self, good: Mapping[int, bool]) -> tuple[int, int]:
        """Leaves machines of good sorts: how many there were, and how many are left."""
        before = len(self.machines)
        if not all(good.values()):
            sorts = self._sorts
            self.machines = [machine for machine in self.machines if good[sorts[machine.name]]]
            self.ones = {sort: one for sort, one in self.ones.items() if good[sort]}
        return before, len(self.machines)


def _by_axes(question: Question, role: Role, candidates: Candidates, stage: str) -> Iterator[FunnelStep]:
    """Enough of everything, axis by axis."""
    for axis in axes(role):
        need, amounts = wants(role, axis), {sort: has(one, role, axis) for sort, one in candidates.ones.items()}
        before, after = candidates.cut({sort: amount >= need for sort, amount in amounts.items()})
        yield FunnelStep(
            constraint=axis,
            imposed_by=question.demand.imposed_by,
            stage=stage,
            before=before,
            after=after,
            needed=need,
            available=max(amounts.values(), default=0),
            unit=UNITS.get(axis, "devices"),
            role=role.name,
        )


def _by_fit(question: Question, role: Role, candidates: Candidates, stage: str) -> FunnelStep:
    """Enough of everything where it also lies together as required."""
    ones = candidates.ones
    parts = [_largest_part(one, role) for one in ones.values()] if role.cores else []
    before, after = candidates.cut({sort: question.inside.place(one, role) is not None for sort, one in ones.items()})
    return FunnelStep(
        constraint=fit_name(role),
        imposed_by=question.demand.imposed_by,
        stage=stage,
        before=before,
        after=after,
        needed=role.cores if role.cores else None,
        available=max(parts, default=0) if role.cores else None,
        unit="cores" if role.cores else "",
        role=role.name,
    )


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
