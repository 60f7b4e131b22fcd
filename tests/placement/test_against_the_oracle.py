"""Against an oracle that tries everything: plans are feasible, refusals truly infeasible, counter-offers minimal."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from tests.placement.examples import TIER, thorough
from tests.placement.oracle import earliest, feasible, together
from tests.placement.strategies import overdrawn, questions

from tenure.placement import (
    Alternative,
    Calendar,
    Demand,
    Fleet,
    Plan,
    Refusal,
    Role,
    Start,
    Step,
    fewer_members,
    overbookings,
    plan,
    relaxations,
)
from tenure.placement.audit_demand import unmet

HORIZON = 16
pytestmark = TIER

Question = tuple[Fleet, Calendar, Demand]


def worth_more(demand: Demand, answer: Plan) -> list[Demand]:
    """The demand at each choice of sizes of its roles that is worth more than what was planned."""
    planned = Counter(claim.role for claim in answer.claims)
    worth = sum(dict(role.values)[planned[role.name]] for role in demand.roles if role.values)
    options = [role.values or ((role.count_min or role.count, 0.0),) for role in demand.roles]
    return [
        replace(demand, roles=tuple(map(of_size, demand.roles, (size for size, _ in chosen))))
        for chosen in product(*options)
        if sum(value for _, value in chosen) > worth
    ]


def most_used(fleet: Fleet, calendar: Calendar) -> dict[tuple[str, str], int]:
    """By what is overbooked, the most that is used of it."""
    over = overbookings(fleet, calendar.holds.values(), margin_ms=calendar.margin_ms)
    most: dict[tuple[str, str], int] = {}
    for one in over:
        most[one.where, one.axis] = max(most.get((one.where, one.axis), 0), one.used)
    return most


def of_size(role: Role, size: int) -> Role:
    return replace(role, count=size, count_min=None, values=())


@thorough
@given(st.one_of(questions(), overdrawn()))
def test_a_plan_exists_exactly_where_one_is_given_and_it_is_the_earliest(question: Question) -> None:
    fleet, calendar, demand = question
    answer = plan(fleet, calendar, demand, now_ms=0)
    assert demand.start is not None
    first = earliest(fleet, calendar, demand, demand.start)
    if isinstance(answer, Plan):
        assert answer.start_ms == first
        assert together(fleet, demand, answer.claims)
        assert unmet(fleet, demand, answer.claims) == ()
        assert not any(feasible(fleet, calendar, dearer, first) for dearer in worth_more(demand, answer))
        role = demand.roles[0]
        if role.count_min is not None and len(answer.claims) < role.count:
            larger = replace(demand, roles=(replace(role, count_min=len(answer.claims) + 1),))
            assert not feasible(fleet, calendar, larger, answer.start_ms)
        before = most_used(fleet, calendar)
        after = most_used(fleet, calendar.with_holds(answer.hold("new")))
        assert all(used <= before.get(key, 0) for key, used in after.items())
    else:
        assert answer.proved
        assert first is None


@thorough
@given(st.one_of(questions(), overdrawn()))
def test_a_refusal_is_explained_by_a_minimal_set_and_by_when_it_frees(question: Question) -> None:
    fleet, calendar, demand = question
    answer = plan(fleet, calendar, demand, now_ms=0)
    if isinstance(answer, Plan):
        return
    assert demand.start is not None
    later = earliest(fleet, calendar, demand, Start(demand.start.earliest_ms, HORIZON))
    assert answer.earliest_ms == later
    for before, after in zip(answer.funnel, answer.funnel[1:], strict=False):
        assert before.after == after.before
    assert answer.funnel[-1].after == 0
    assert answer.binding.available < answer.binding.needed or answer.binding.constraint.startswith("topology:")
    assert json.loads(json.dumps(answer.to_json())) == answer.to_json()


def smaller(demand: Demand, axis: str) -> Demand:
    """The demand with half of one thing."""
    changed = [
        replace(role, cores=role.cores // 2) if axis == "load" else replace(role, memory_bytes=role.memory_bytes // 2)
        for role in demand.roles
    ]
    return replace(demand, id=f"{demand.id}-{axis}", roles=tuple(changed))


@thorough
@given(questions(), st.permutations(["load", "memory"]))
def test_counter_offers_are_feasible_and_none_gives_up_more_than_it_must(question: Question, axes: list[str]) -> None:
    fleet, calendar, demand = question
    assert demand.start is not None
    demand = replace(demand, group=demand.group or "own", until_ms=None, duration_ms=demand.duration_ms or 2)
    if isinstance(plan(fleet, calendar, demand, now_ms=0), Plan):
        return
    one, both = [smaller(demand, axis) for axis in axes], smaller(smaller(demand, axes[0]), axes[1])
    alternatives = [Alternative(smaller_, (Step(axis, 1),)) for smaller_, axis in zip(one, axes, strict=True)]
    alternatives.append(Alternative(both, tuple(Step(axis, 1) for axis in axes)))
    found = relaxations(fleet, calendar, demand, alternatives, now_ms=0, horizon_ms=HORIZON)
    for offer in found:
        assert feasible(fleet, calendar, offer.alternative.demand, offer.plan.start_ms)
        assert unmet(fleet, offer.alternative.demand, offer.plan.claims) == ()
        assert 1 <= len(offer.steps) <= 2
    held = calendar.with_holds(*(offer.plan.hold(f"offer{n}") for n, offer in enumerate(found)))
    assert overbookings(fleet, held.holds.values(), margin_ms=calendar.margin_ms) == ()
    expected = {}
    for alternative in [Alternative(demand), *alternatives]:
        latest = HORIZON if len(alternative.steps) < 2 else demand.start.latest_ms
        start = earliest(fleet, calendar, alternative.demand, Start(demand.start.earliest_ms, latest))
        if start is not None:
            give = {step.axis: 1 for step in alternative.steps} | {"later": max(0, start - demand.start.latest_ms)}
            expected[tuple(sorted((axis, amount) for axis, amount in give.items() if amount))] = give
    minimal = {
        key
        for key, give in expected.items()
        if not any(
            other != key and all(amount <= give.get(axis, 0) for axis, amount in than.items())
            for other, than in expected.items()
        )
    }
    assert {tuple(sorted((s.axis, s.amount) for s in offer.steps)) for offer in found} == minimal


@thorough
@given(questions())
def test_the_smaller_gang_that_is_offered_fits_and_no_larger_one_would(question: Question) -> None:
    fleet, calendar, demand = question
    assert demand.start is not None
    role = demand.roles[0]
    if len(demand.roles) > 1 or isinstance(plan(fleet, calendar, demand, now_ms=0), Plan):
        return
    sizes = range(role.least - 1, 0, -1)
    gangs = [replace(demand, roles=(replace(role, count=n, count_min=None, values=()),)) for n in sizes]
    fitting = [one for one in gangs if earliest(fleet, calendar, one, demand.start) is not None]
    found = fewer_members(fleet, calendar, demand, now_ms=0)
    assert (found.demand.roles[0].count if found else 0) == (fitting[0].roles[0].count if fitting else 0)
    if found is not None:
        offers = relaxations(fleet, calendar, demand, [found], now_ms=0, horizon_ms=HORIZON)
        own = [offer for offer in offers if offer.axes == ("less",)]
        assert [len(offer.plan.claims) for offer in own] == [found.demand.roles[0].count]
        held = calendar.with_holds(own[0].plan.hold("less"))
        assert overbookings(fleet, held.holds.values(), margin_ms=calendar.margin_ms) == ()


@thorough
@given(questions(), st.integers(0, 3))
def test_the_same_question_gives_the_same_bytes(question: Question, seed: int) -> None:
    fleet, calendar, demand = question
    one, other = (plan(fleet, calendar, demand, now_ms=0, seed=seed) for _ in range(2))
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())
    assert isinstance(one, Plan | Refusal)
