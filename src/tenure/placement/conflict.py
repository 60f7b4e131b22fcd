"""A minimal conflicting set by deletion: leave out one constraint after another and keep out what is not needed.

Constraints that other people impose are left out last, so that of several minimal sets the one is found that names the
law, not the wish. The time asked for and the number of members are tried last of all: they belong to a conflict only
where waiting, or fewer members, would resolve what is left of it. Cost: one search a constraint; of budgets, of which
there may be hundreds, halves are left out at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from tenure.placement import derived
from tenure.placement.answers import Conflict, Silent
from tenure.placement.axes import axes
from tenure.placement.calendar import Calendar
from tenure.placement.demand import Constraint, Demand, Role, Start
from tenure.placement.question import Question
from tenure.placement.search import Search
from tenure.placement.values import FOREVER_MS

CROWD_MIN = 1_000
"""Fewer members are placed in a moment, whatever comes of it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One constraint and the question without it. Budgets are dropped together, by their ids; ``last`` are tried last.

    With ``apart`` what is dropped is that the members belong together: each is then asked for by itself.
    """

    conflict: Conflict
    drop: Callable[[Question], Question]
    budget: str = ""
    last: bool = False
    apart: bool = False


def minimal_conflict(question: Question, *, proved: bool = True) -> tuple[Conflict, ...]:
    """Constraints that cannot be met together, none of which is superfluous, in the order in which they are stated.

    ``proved``: it is known that there is no plan. Then a constraint is left out only where it is known, too, that there
    is none without it; so what is named cannot be met together, and where a search gave up one may be superfluous.
    """
    question = replace(question, sure=proved)
    items = _items(question)
    kept = list(items)
    if _is_crowd(question):
        # Its members by the piece are never placed: each search would take as long as there are members.
        alone = [item for item in items if not item.apart and item.conflict.constraint not in ("holds", "start")]
        if _fits(question, items, alone):
            return tuple(item.conflict for item in items if item.apart or item.conflict.constraint == "cores")
        # Not even one of each has a place, so that is the conflict, and most of all a rule by which nobody has.
        ours = {constraint.id for constraint in question.demand.constraints}
        imposed = [item for item in items if item.conflict.constraint in ours]
        kept = alone if _fits(question, items, imposed) else imposed
    parts = list(reversed(_parts(kept)))
    parts.sort(key=lambda part: part[0].last)
    for part in parts:
        kept = _without_needless(question, items, kept, part)
    return tuple(item.conflict for item in kept)


def _is_crowd(question: Question) -> bool:
    """Whether so many are asked for that even all the cores there are, in service or not, would not be enough."""
    roles = question.demand.roles
    if sum(role.least for role in roles) <= CROWD_MIN:
        return False
    return sum(role.least * role.cores for role in roles) > sum(len(one.cores) for one in question.fleet.machines)


def _parts(items: list[Item]) -> list[list[Item]]:
    """Items one by one, but budgets, which stand side by side, all at once."""
    parts: list[list[Item]] = []
    for is_budget, grouped in groupby(items, lambda item: bool(item.budget)):
        run = list(grouped)
        parts += [run] if is_budget else [[item] for item in run]
    return parts


def _without_needless(question: Question, items: list[Item], kept: list[Item], part: list[Item]) -> list[Item]:
    """What is kept when each of a part is left out in turn, the last first, if it still does not fit without it.

    If it does not fit without all of them, it fits without none of them: one search then decides for all.
    """
    names = {id(item) for item in part}
    fewer = [item for item in kept if id(item) not in names]
    if not _fits(question, items, fewer):
        return fewer
    if len(part) == 1:
        return kept
    half = len(part) // 2
    kept = _without_needless(question, items, kept, part[half:])
    return _without_needless(question, items, kept, part[:half])


def _fits(question: Question, items: list[Item], kept: list[Item]) -> bool:
    names = {id(item) for item in kept}
    gone = [item for item in items if id(item) not in names]
    budgets = {item.budget for item in gone if item.budget}
    if budgets:
        fleet = question.fleet
        left = (budget for budget in fleet.budgets if budget.id not in budgets)
        question = replace(question, fleet=fleet.with_budgets(left))
    for item in gone:
        question = item.drop(question)
    asked = _alone(question) if any(item.apart for item in gone) else [question]
    return all(_starts(one) for one in asked)


def _starts(question: Question) -> bool:
    search = Search(question, Silent())
    found = search.start(question.demand.start_at(question.now_ms).latest_ms) is not None
    return found or (question.sure and not search.proved)


def _alone(question: Question) -> list[Question]:
    """One member of each role, each by itself."""
    ones = [replace(role, count=1, count_min=None, values=()) for role in question.demand.roles]
    return [replace(question, demand=replace(question.demand, roles=(one,))) for one in ones]


def _items(question: Question) -> list[Item]:
    """Every constraint of the question: policy first, wishes last."""
    demand, fleet = question.demand, question.fleet
    who = demand.imposed_by
    policy = [_imposed(c) for c in demand.constraints if c.policy]
    other = [_imposed(c) for c in demand.constraints if not c.policy]
    items = policy
    if len(derived.in_service(fleet)) < len(fleet.machines):
        items.append(Item(Conflict("schedulable", "operator"), _all_in_service))
    items += [Item(Conflict(b.id, b.imposed_by or f"budget {b.id}"), _as_it_is, b.id) for b in fleet.budgets]
    items += other
    held = question.in_the_way(demand.start_at(question.now_ms).earliest_ms)
    if question.calendar.holds:
        items.append(Item(Conflict("holds", ", ".join(held) or "calendar"), _empty_calendar))
    items += [Item(Conflict(axis, who), _without_axis(axis)) for axis in _all_axes(demand)]
    if any(role.requires or role.numa_distance_max is not None for role in demand.roles):
        items.append(Item(Conflict("topology", who), _anywhere_inside))
    items += [Item(Conflict(f"level:{level}", who), _without_level(level)) for level in demand.required_levels]
    if demand.link_bytes_per_s_min is not None:
        items.append(Item(Conflict("link", who), _without(link_bytes_per_s_min=None)))
    if demand.spread is not None:
        items.append(Item(Conflict(f"spread:{demand.spread.level}", who), _without(spread=None)))
    items.append(Item(Conflict("start", who), _at_any_time, last=True))
    if sum(role.least for role in demand.roles) > 1:
        items.append(Item(Conflict("members", who), _as_it_is, last=True, apart=True))
    return items


def _all_axes(demand: Demand) -> list[str]:
    return list(dict.fromkeys(axis for role in demand.roles for axis in axes(role)))


def _imposed(constraint: Constraint) -> Item:
    def drop(question: Question) -> Question:
        left = tuple(c for c in question.demand.constraints if c is not constraint)
        return replace(question, demand=replace(question.demand, constraints=left))

    return Item(Conflict(constraint.id, constraint.imposed_by, constraint.policy), drop)


def _without(**fields: Any) -> Callable[[Question], Question]:
    def drop(question: Question) -> Question:
        return replace(question, demand=replace(question.demand, **fields))

    return drop


def _without_level(level: str) -> Callable[[Question], Question]:
    def drop(question: Question) -> Question:
        left = tuple(one for one in question.demand.required_levels if one != level)
        return replace(question, demand=replace(question.demand, required_level=None, required_also=left))

    return drop


def _without_axis(axis: str) -> Callable[[Question], Question]:
    def bare(role: Role) -> Role:
        if axis == "cores":
            return replace(role, cores=0)
        if axis == "memory":
            return replace(role, memory_bytes=0)
        return replace(role, devices=tuple(r for r in role.devices if f"devices:{r.device_class}" != axis))

    def drop(question: Question) -> Question:
        roles = tuple(bare(role) for role in question.demand.roles)
        return replace(question, demand=replace(question.demand, roles=roles))

    return drop


def _as_it_is(question: Question) -> Question:
    return question


def _anywhere_inside(question: Question) -> Question:
    roles = tuple(replace(role, requires=frozenset(), numa_distance_max=None) for role in question.demand.roles)
    return replace(question, demand=replace(question.demand, roles=roles))


def _empty_calendar(question: Question) -> Question:
    return replace(question, calendar=Calendar(margin_ms=question.calendar.margin_ms))


def _at_any_time(question: Question) -> Question:
    """From the earliest start on, whenever there is room; with a fixed end, for as long as from the latest start."""
    demand, asked = question.demand, question.demand.start_at(question.now_ms)
    length_ms = demand.duration_ms if demand.until_ms is None else max(1, demand.until_ms - asked.latest_ms)
    start = Start(asked.earliest_ms, FOREVER_MS - 1)
    return replace(question, demand=replace(demand, start=start, duration_ms=length_ms, until_ms=None))


def _all_in_service(question: Question) -> Question:
    return replace(question, all_in_service=True)
