"""Medium fleets against CP-SAT: what is planned fits there, what is refused and proved does not."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.placement.builders import GIB, machine

from tenure.placement import (
    Budget,
    Calendar,
    Demand,
    DeviceRequest,
    Draw,
    Fleet,
    Level,
    Plan,
    Role,
    overbookings,
    plan,
)

cp_model = pytest.importorskip("ortools.sat.python.cp_model", reason="the solver extra is not installed")


@st.composite
def medium(draw: st.DrawFn) -> tuple[Fleet, Demand]:
    """Up to 16 machines of one node in four racks, a power-like budget a rack, and a gang of up to three roles."""
    boxes = [
        machine(
            f"m{n:02d}",
            cores=draw(st.sampled_from([4, 8, 16])),
            gib=draw(st.sampled_from([8, 16, 32])),
            gpus=draw(st.sampled_from([0, 2, 4, 8])),
            place=(("rack", f"r{n % 4}"),),
        )
        for n in range(draw(st.integers(4, 16)))
    ]
    budgets = tuple(Budget("feed", "rack", f"r{n}", draw(st.integers(2, 30))) for n in range(4))
    roles = tuple(
        Role(
            f"role{n}",
            draw(st.integers(1, 8)),
            cores=draw(st.integers(0, 9)),
            memory_bytes=draw(st.integers(0, 20)) * GIB,
            devices=(DeviceRequest("gpu", draw(st.integers(1, 5))),) if draw(st.booleans()) else (),
            draws=(Draw("feed", draw(st.integers(0, 5))),),
        )
        for n in range(draw(st.integers(1, 3)))
    )
    level = draw(st.sampled_from([None, None, "rack"]))
    return Fleet.of(boxes, levels=(Level("rack"),), budgets=budgets), Demand("gang", roles, required_level=level)


def solvable(fleet: Fleet, demand: Demand) -> bool:
    """Whether any whole number of members a role and machine keeps every sum."""
    racks = [f"r{n}" for n in range(4)] if demand.required_level == "rack" else [""]
    return any(_solvable_in(fleet, demand, rack) for rack in racks)


def _solvable_in(fleet: Fleet, demand: Demand, rack: str) -> bool:
    model = cp_model.CpModel()
    boxes = [box for box in fleet.machines if not rack or box.domain("rack") == rack]
    count = {
        (role.name, box.name): model.new_int_var(0, role.count, f"{role.name}@{box.name}")
        for role in demand.roles
        for box in boxes
    }
    for role in demand.roles:
        model.add(sum(count[role.name, box.name] for box in boxes) == role.count)
    for box in boxes:
        own = [(count[role.name, box.name], role) for role in demand.roles]
        model.add(sum(n * role.cores for n, role in own) <= len(box.cores))
        model.add(sum(n * (role.memory_bytes // GIB) for n, role in own) <= box.memory[0].bytes // GIB)
        model.add(sum(n * sum(r.count for r in role.devices) for n, role in own) <= len(box.devices))
    for budget in fleet.budgets:
        inside = [box for box in boxes if box.domain("rack") == budget.domain]
        drawn = [count[role.name, box.name] * role.draws[0].amount for role in demand.roles for box in inside]
        model.add(sum(drawn) <= budget.limit)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    return solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(medium())
def test_plans_and_proved_refusals_agree_with_the_solver(question: tuple[Fleet, Demand]) -> None:
    fleet, demand = question
    answer = plan(fleet, Calendar(), demand, now_ms=0)
    if isinstance(answer, Plan):
        assert Counter(claim.role for claim in answer.claims) == {role.name: role.count for role in demand.roles}
        assert overbookings(fleet, [answer.hold("h")]) == ()
        assert solvable(fleet, demand)
    elif answer.proved:
        assert not solvable(fleet, demand)
