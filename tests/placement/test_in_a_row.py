"""Members that stand on one machine are placed in a row: what a machine like it took serves again, and nothing else
comes of it than one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.placement.builders import demand, hold, machine

from tenure.placement import Budget, Calendar, Demand, Draw, Fleet, Level, Plan, PowerFacts, Spread, plan
from tenure.placement.fill import Fill
from tenure.placement.holds import Claim

SHARE, WATTS = ({"draws": (Draw(budget, 1),)} for budget in ("licence", "power"))
ONES = [
    pytest.param(demand(count=150, gpus=1, milli=50), id="shares of devices"),
    pytest.param(demand(count=500), id="members that take nothing"),
    pytest.param(demand(count=50, cores=1, gib=1), id="cores and memory"),
    pytest.param(demand(count=100, gpus=1, milli=50, spread=Spread("rack", 30)), id="a spread"),
    pytest.param(demand(count=100, gpus=1, milli=50, role=SHARE), id="a budget that binds in some racks"),
    pytest.param(demand(count=20, gpus=1, cores=1, role=WATTS), id="watts that differ by device"),
]


def racks(wanted: Demand) -> tuple[Fleet, Calendar]:
    """Two machines a rack; two GPUs of one NUMA node draw more than those of the other."""
    drawn = {draw.budget for role in wanted.roles for draw in role.draws}
    plain = machine("m", nodes=2, cores=4, gpus=2)
    devices = tuple(replace(d, power=PowerFacts(rated_mw=300 + 200 * (d.numa_node or 0))) for d in plain.devices)
    machines = [replace(plain, name=f"n{n}", devices=devices, place=(("rack", f"r{n // 2}"),)) for n in range(8)]
    limits = {"licence": 25, "power": 2600}
    budgets = [Budget(name, "rack", f"r{n}", limits[name] + n) for name in sorted(drawn) for n in range(4)]
    fleet = Fleet.of(machines, levels=(Level("rack"),), budgets=tuple(budgets))
    return fleet, Calendar.of([hold(on="n3", devices={"gpu1": 300}, cores=(0,))])


@pytest.mark.parametrize("wanted", ONES)
def test_the_plan_is_the_same_as_one_by_one(monkeypatch: pytest.MonkeyPatch, wanted: Demand) -> None:
    fleet, calendar = racks(wanted)
    in_a_row = plan(fleet, calendar, wanted, now_ms=0)
    assert isinstance(in_a_row, Plan)
    monkeypatch.setattr(Fill, "take_all", lambda *_: False)
    assert plan(fleet, calendar, wanted, now_ms=0) == in_a_row


def test_none_is_placed_by_itself_where_no_budget_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Claim] = []
    monkeypatch.setattr(Fill, "take", lambda _, claim: taken.append(claim))
    wanted = demand(count=150, gpus=1, milli=50)
    fleet, calendar = racks(wanted)
    answer = plan(fleet, calendar, wanted, now_ms=0)
    assert isinstance(answer, Plan)
    assert len(answer.claims) == 150
    assert taken == []
