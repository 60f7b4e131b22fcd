"""A refusal's conflicting set, against the oracle: together its constraints exclude every plan, and each is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from tests.placement.builders import GIB, demand, hold, machine
from tests.placement.examples import TIER, thorough
from tests.placement.oracle import earliest
from tests.placement.strategies import questions

from tenure.placement import (
    Calendar,
    Constraint,
    Demand,
    DeviceRequest,
    Fleet,
    Level,
    Plan,
    Refusal,
    Role,
    Spread,
    Start,
    exact,
    plan,
)

pytestmark = TIER
HORIZON = 16
Question = tuple[Fleet, Calendar, Demand]


def without(question: Question, name: str) -> Question:
    """The question without one constraint; the start and the members are left to ``fits``."""
    fleet, calendar, asked = question
    if name == "schedulable":
        return replace(fleet, machines=tuple(replace(m, schedulable=True) for m in fleet.machines)), calendar, asked
    if name == "holds":
        return fleet, Calendar(margin_ms=calendar.margin_ms), asked
    if name in {budget.id for budget in fleet.budgets}:
        return replace(fleet, budgets=tuple(b for b in fleet.budgets if b.id != name)), calendar, asked
    if name in {constraint.id for constraint in asked.constraints}:
        asked = replace(asked, constraints=tuple(c for c in asked.constraints if c.id != name))
    elif name.startswith("level:"):
        levels = tuple(level for level in asked.required_levels if f"level:{level}" != name)
        asked = replace(asked, required_level=None, required_also=levels)
    elif name == "link":
        asked = replace(asked, link_bytes_per_s_min=None)
    elif name.startswith("spread:"):
        asked = replace(asked, spread=None)
    else:
        asked = replace(asked, roles=tuple(bare(role, name) for role in asked.roles))
    return fleet, calendar, asked


def bare(role: Role, name: str) -> Role:
    if name == "cores":
        return replace(role, cores=0)
    if name == "memory":
        return replace(role, memory_bytes=0)
    if name == "topology":
        return replace(role, requires=frozenset(), numa_distance_max=None)
    assert name.startswith("devices:"), name
    return replace(role, devices=tuple(r for r in role.devices if f"devices:{r.device_class}" != name))


def every(question: Question) -> list[str]:
    """All constraints that a question has, by name."""
    fleet, _, asked = question
    names = ["schedulable", "holds", "cores", "memory", "topology", "start", "members"]
    names += [budget.id for budget in fleet.budgets] + [constraint.id for constraint in asked.constraints]
    names += [f"devices:{request.device_class}" for role in asked.roles for request in role.devices]
    names += [f"level:{level}" for level in asked.required_levels]
    names += ["link"] if asked.link_bytes_per_s_min is not None else []
    return names + ([f"spread:{asked.spread.level}"] if asked.spread is not None else [])


def fits(question: Question, kept: set[str]) -> bool:
    """Whether the question fits under these of its constraints alone."""
    for name in dict.fromkeys(every(question)):
        if name not in kept | {"start", "members"}:
            question = without(question, name)
    fleet, calendar, asked = question
    start = asked.start_at(0)
    if "start" not in kept:
        if asked.until_ms is not None:
            # A later start before a fixed end is a shorter run: the shortest that would have done.
            asked = replace(asked, until_ms=None, duration_ms=max(1, asked.until_ms - start.latest_ms))
        start = Start(start.earliest_ms, HORIZON)
    if "members" in kept:
        return earliest(fleet, calendar, asked, start) is not None
    # Not together: each of them by itself.
    alone = [replace(asked, roles=(replace(role, count=1, count_min=None, values=()),)) for role in asked.roles]
    return all(earliest(fleet, calendar, one, start) is not None for one in alone)


@thorough
@given(questions())
def test_a_conflicting_set_excludes_every_plan_and_without_any_one_of_it_there_is_one(question: Question) -> None:
    answer = plan(*question, now_ms=0)
    if isinstance(answer, Plan):
        return
    kept = {conflict.constraint for conflict in answer.conflict}
    assert kept <= set(every(question))
    assert not fits(question, kept)
    for name in kept:
        assert fits(question, kept - {name}), name


def conflict(fleet: Fleet, asked: Demand, *holds: object) -> list[str]:
    answer = plan(fleet, Calendar.of(holds), asked, now_ms=0)  # type: ignore[arg-type]
    assert isinstance(answer, Refusal)
    return [one.constraint for one in answer.conflict]


TAKEN = hold(cores=(0, 1), end=50)


@pytest.mark.parametrize(
    "when",
    [
        {"start": Start(0, 10), "duration_ms": 5},
        {"until_ms": 20},
        {"duration_ms": 5},
    ],
)
def test_where_waiting_would_do_the_time_asked_for_is_part_of_the_conflict(when: dict[str, Any]) -> None:
    asked = demand(cores=1, **when)
    assert conflict(Fleet.of([machine()]), asked, TAKEN) == ["holds", "cores", "start"]


def test_where_waiting_is_of_no_use_the_time_is_no_part_of_it() -> None:
    assert conflict(Fleet.of([machine()]), demand(cores=3, duration_ms=5), TAKEN) == ["cores"]


def test_an_end_before_the_first_start_conflicts_with_itself() -> None:
    asked = demand(cores=1, start=Start(30, 40), until_ms=20)
    assert conflict(Fleet.of([machine()]), asked) == ["start"]


def test_where_each_member_alone_has_a_place_their_number_is_part_of_the_conflict() -> None:
    site = Fleet.of([machine("a"), machine("b")], levels=(Level("rack"),))
    assert conflict(site, demand(count=5, cores=1)) == ["cores", "members"]
    assert conflict(site, demand(count=3, cores=1, spread=Spread("machine"))) == ["spread:machine", "members"]
    assert conflict(site, demand(count=2, cores=3)) == ["cores"]


def test_a_rule_that_alone_excludes_everything_stands_alone() -> None:
    law = Constraint("residency", "law", frozenset(), policy=True)
    assert conflict(Fleet.of([machine()]), demand(count=2, cores=1, constraints=(law,)), TAKEN) == ["residency"]


def test_of_a_crowd_no_member_is_placed_to_tell_why_it_does_not_fit() -> None:
    """Ten million are answered as two are; placing them one by one would take minutes."""
    site = Fleet.of([machine("a"), machine("b")], levels=(Level("rack"),))
    many = 10**7
    assert conflict(site, demand(count=many, cores=1, gib=1)) == ["cores", "members"]
    assert conflict(site, demand(count=many, cores=3)) == ["cores"]
    assert conflict(site, demand(count=many, cores=1, spread=Spread("machine"))) == ["cores", "members"]
    unknown = DeviceRequest("gpu", models=frozenset({"H900"}))
    assert conflict(site, demand(count=many, cores=1, role={"devices": (unknown,)})) == ["devices:gpu"]
    apart = demand(cores=1)
    roles = tuple(replace(apart.roles[0], name=name, count=many) for name in "ab")
    assert conflict(site, replace(apart, roles=roles)) == ["cores", "members"]
    law = Constraint("residency", "law", frozenset(), policy=True)
    wish = Constraint("spec.site", "workload", frozenset())
    assert conflict(site, demand(count=many, cores=1, constraints=(wish, law))) == ["residency"]


def test_what_may_be_needed_is_not_left_out_where_the_search_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is too little memory. The devices are enough, which is found by the exact search alone: three of the five
    first, and not three of the four."""
    fleet = Fleet.of(machine(f"n{gpus}", gib=8, gpus=gpus) for gpus in (4, 5))
    sizes = (("a", 1, 3), ("b", 3, 2))
    roles = tuple(Role(n, count, 0, 5 * GIB, (DeviceRequest("gpu", gpus),)) for n, count, gpus in sizes)
    for steps_max in (exact.STEPS_MAX, 0):
        monkeypatch.setattr(exact, "STEPS_MAX", steps_max)
        refusal = plan(fleet, Calendar(), Demand("gang", roles, duration_ms=5), now_ms=0)
        assert isinstance(refusal, Refusal)
        assert refusal.proved
        assert [one.constraint for one in refusal.conflict] == ["memory", "members"]
