"""A gang for which a fleet is large enough is refused by the constraint that leaves too little of it."""

from __future__ import annotations

import pytest
from tests.placement.builders import demand, machine

from tenure.placement import Calendar, Constraint, Fleet, Refusal, plan

FLEET = Fleet.of(machine(f"m{n}", gpus=8, hardware_class="new" if n < 3 else "old") for n in range(4))
HALF = Constraint("topology.row", "workload", frozenset({"m0", "m1"}), hint="name its row")
LAW = Constraint("residency", "law", frozenset({"m0", "m1"}), policy=True)
NEW = Constraint("hardware", "user", hardware_classes=frozenset({"new"}))


def refused(count: int, *constraints: Constraint) -> Refusal:
    answer = plan(FLEET, Calendar(), demand(count=count, gpus=8, constraints=constraints), now_ms=0)
    assert isinstance(answer, Refusal)
    return answer


@pytest.mark.parametrize(
    ("constraints", "reason", "named"),
    [((NEW, HALF), "ConstraintExcludes", HALF), ((LAW, NEW), "PolicyForbids", LAW)],
    ids=["the one at which too little is left", "law"],
)
def test_what_leaves_too_little_of_a_large_enough_fleet_is_named(
    constraints: tuple[Constraint, ...], reason: str, named: Constraint
) -> None:
    answer = refused(3, *constraints)
    binding = answer.binding
    assert (answer.reason, binding.constraint, binding.imposed_by) == (reason, named.id, named.imposed_by)
    assert (binding.needed, binding.available, binding.unit, binding.hint) == (24, 16, "devices", named.hint)
    assert (answer.funnel[-1].constraint, answer.funnel[-1].after) == (named.id, 0)


def test_a_gang_that_is_larger_than_the_fleet_is_too_large_whatever_is_excluded() -> None:
    assert (refused(5, HALF).reason, refused(5, HALF).binding.constraint) == ("GangTooLarge", "devices:gpu")
