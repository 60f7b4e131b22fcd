"""Budgets are sums over domains: they refuse by name though devices idle, and the report says which one binds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.placement.builders import demand, hold, machine

from tenure.placement import (
    Budget,
    Calendar,
    Draw,
    Fleet,
    Level,
    MemoryNode,
    Plan,
    PowerFacts,
    Refusal,
    capacity,
    exact,
    plan,
)
from tenure.placement.audit import overbookings
from tenure.placement.budgets import budgets_left

KW = 1_000_000


def rack(number: int, *, machines: int = 2, gpus: int = 4) -> list[Any]:
    def box(name: str) -> Any:
        plain = machine(name, gpus=gpus, cores=8, place=(("rack", f"rack-{number}"),))
        devices = tuple(replace(d, power=PowerFacts(rated_mw=KW, capped_mw=KW // 2)) for d in plain.devices)
        return replace(plain, devices=devices)

    return [box(f"r{number}-m{n}") for n in range(machines)]


def fleet(*budgets: Budget) -> Fleet:
    return Fleet.of([*rack(7), *rack(8)], levels=(Level("rack"),), budgets=budgets)


def fill(site: Fleet, **wanted: Any) -> tuple[Calendar, int]:
    calendar, placed = Calendar(), 0
    while isinstance(answer := plan(site, calendar, demand(**wanted), now_ms=0), Plan):
        calendar = calendar.with_holds(answer.hold(f"h{placed}"))
        placed += 1
    return calendar, placed


def test_a_refusal_by_a_budget_names_it_though_devices_idle() -> None:
    site = fleet(Budget("power", "rack", "rack-7", 3 * KW, unit="mW"), Budget("power", "rack", "rack-8", 2 * KW))
    calendar, placed = fill(site, gpus=1)
    assert placed == 5
    refusal = plan(site, calendar, demand(gpus=1), now_ms=0)
    assert isinstance(refusal, Refusal)
    binding = refusal.binding
    assert (refusal.reason, binding.constraint) == ("BudgetExceeded", "power:rack-7")
    assert (binding.needed, binding.available, binding.capacity) == (KW, 0, 3 * KW)
    assert {c.constraint for c in refusal.conflict} >= {"power:rack-7", "power:rack-8"}


def test_a_budget_that_was_lowered_below_its_holds_does_not_hide_the_one_in_the_way() -> None:
    calendar = Calendar().with_holds(hold(on="r8-m0", devices={"gpu0": 1000}))
    lowered = Budget("power", "rack", "rack-8", KW // 2)
    site = Fleet.of(
        [*rack(7, machines=1, gpus=2), *rack(8, machines=1)],
        levels=(Level("rack"),),
        budgets=(lowered, Budget("power", "rack", "rack-7", KW // 2)),
    )
    refusal = plan(site, calendar, demand(gpus=1), now_ms=0)
    assert isinstance(refusal, Refusal)
    assert (refusal.binding.constraint, refusal.binding.needed) == ("power:rack-7", KW)


def test_a_budget_is_named_where_the_members_fit_by_counting_and_no_places_were_found_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two members fit on each machine, but not as one alone would lie; the search for that ends before it is done."""
    monkeypatch.setattr(exact, "STEPS_MAX", 3)
    memory = tuple(MemoryNode(node, size) for node, size in enumerate((2, 5, 4)))
    machines = [replace(machine(f"n{n}"), memory=memory) for n in range(4)]
    wanted = demand(count=8, role={"memory_bytes": 5, "draws": (Draw("licence", 1), Draw("seat", 1))})
    licence = Budget("licence", "site", "here", 7)
    refusal = plan(Fleet.of(machines, budgets=(licence,)), Calendar(), wanted, now_ms=0)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.binding.constraint) == ("BudgetExceeded", "licence:here")
    assert (refusal.binding.needed, refusal.binding.available) == (8, 7)
    both = (licence, Budget("seat", "site", "here", 6))
    refusal = plan(Fleet.of(machines, budgets=both), Calendar(), wanted, now_ms=0)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "MembersDoNotFitTogether"


def test_admission_is_atomic_over_all_budgets_of_all_levels() -> None:
    site = fleet(
        Budget("power", "rack", "rack-7", 8 * KW),
        Budget("power", "site", "here", 5 * KW),
        Budget("licence:x", "site", "here", 3),
    )
    gang = {"gpus": 1, "count": 4}
    assert isinstance(plan(site, Calendar(), demand(**gang), now_ms=0), Plan)
    licensed = demand(**gang, role={"draws": (Draw("licence:x", 1),)})
    refusal = plan(site, Calendar(), licensed, now_ms=0)
    assert isinstance(refusal, Refusal)
    assert (refusal.binding.constraint, refusal.binding.needed, refusal.binding.available) == ("licence:x:here", 4, 3)


def test_the_funnel_ends_where_the_refusal_does() -> None:
    """A member that each machine could carry and no licence covers: the last cut is the budget's."""
    site = fleet(Budget("licence:x", "site", "here", 1))
    refusal = plan(site, Calendar(), demand(gpus=1, role={"draws": (Draw("licence:x", 2),)}), now_ms=0)
    assert isinstance(refusal, Refusal)
    last = refusal.funnel[-1]
    assert (last.constraint, last.stage, last.before, last.after) == ("licence:x:here", "together", 4, 0)
    assert (last.needed, last.available) == (2, 1)


def test_a_capped_budget_charges_the_cap() -> None:
    assert fill(fleet(Budget("power", "site", "here", 4 * KW)), gpus=1)[1] == 4
    assert fill(fleet(Budget("power", "site", "here", 4 * KW, rating="capped")), gpus=1)[1] == 8


def test_the_base_load_counts() -> None:
    assert fill(fleet(Budget("power", "site", "here", 4 * KW, base=3 * KW)), gpus=1)[1] == 1


def test_an_uplink_is_drawn_only_by_who_crosses_it() -> None:
    uplink = Budget("uplink", "rack", "rack-7", 100, crossing=True)
    wide = {"gpus": 4, "role": {"draws": (Draw("uplink", 60),)}}
    inside = plan(fleet(uplink), Calendar(), demand(count=2, **wide), now_ms=0)
    assert isinstance(inside, Plan)
    assert inside.draws == ()
    refusal = plan(fleet(uplink), Calendar(), demand(count=4, **wide), now_ms=0)
    assert isinstance(refusal, Refusal)
    assert refusal.binding.constraint == "uplink:rack-7"


def test_unknown_power_is_said_not_invented() -> None:
    site = Fleet.of([machine(gpus=1)], budgets=(Budget("power", "site", "here", KW),))
    answer = plan(site, Calendar(), demand(gpus=1), now_ms=0)
    assert isinstance(answer, Plan)
    assert answer.unknown_draws == ("power:here",)


class TestCapacity:
    def test_full_power_over_a_fifth_of_the_floor_is_power_bound(self) -> None:
        site = fleet(
            Budget("power", "site", "here", 4 * KW, unit="mW"),
            Budget("rackUnits", "site", "here", 80, base=16, unit="U"),
        )
        calendar, placed = fill(site, gpus=1)
        assert placed == 4
        report = capacity(site, calendar, "here", at_ms=0)
        shares = {limit.kind: round(limit.share, 2) for limit in report.limits}
        assert shares == {"power": 1.0, "rackUnits": 0.2, "devices:gpu": 0.25}
        assert report.binding is not None
        assert (report.binding.kind, report.members) == ("power", 0)
        assert (report.one_more, report.unlocks, report.next_limit) == (KW, 12, "devices:gpu")

    def test_idle_power_over_taken_devices_is_device_bound(self) -> None:
        site = fleet(Budget("power", "site", "here", 100 * KW))
        calendar, _ = fill(site, gpus=1)
        report = capacity(site, calendar, "here", at_ms=0)
        assert report.binding is not None
        assert (report.members, report.binding.kind, report.binding.share) == (0, "devices:gpu", 1.0)
        assert (report.one_more, report.unlocks) == (1, 1)

    def test_the_fullest_racks_are_shown_first(self) -> None:
        site = fleet(Budget("power", "rack", "rack-7", 4 * KW), Budget("power", "rack", "rack-8", 2 * KW))
        calendar, _ = fill(site, gpus=1, required_level="rack", count=2)
        report = capacity(site, calendar, "here", at_ms=0)
        assert report.limits[0].domains == (("power:rack-7", 4 * KW, 4 * KW), ("power:rack-8", 2 * KW, 2 * KW))
        assert report.to_json()["limits"][0]["share"] == 1.0


def test_a_gang_that_budgets_cannot_carry_is_refused_with_proof() -> None:
    """Sixteen members over two racks that power three each: counted, not searched."""
    machines = [
        machine(f"{rack}-{n}", cores=8, gpus=2, place=(("rack", rack),), core_power=PowerFacts(rated_mw=KW))
        for rack in ("rack-7", "rack-8")
        for n in range(4)
    ]
    site = Fleet.of(
        machines,
        levels=(Level("rack"),),
        budgets=tuple(Budget("power", "rack", r, 12 * KW) for r in ("rack-7", "rack-8")),
    )
    answer = plan(site, Calendar(), demand(cores=4, count=16), now_ms=0)
    assert isinstance(answer, Refusal)
    assert answer.proved
    assert isinstance(plan(site, Calendar(), demand(cores=4, count=6), now_ms=0), Plan)


def test_what_a_retired_machine_holds_still_takes_its_seat_and_stops_no_plan() -> None:
    held = hold("h", on="retired", cores=(0,))
    held = replace(held, claims=(replace(held.claims[0], draws=(Draw("licence", 1),)),))
    left = Fleet.of([machine("m", cores=8)], budgets=(Budget("licence", "site", "here", 2),))
    calendar = Calendar().with_holds(held)
    wanted = demand(cores=1, role={"draws": (Draw("licence", 1),)})
    answer = plan(left, calendar, wanted, now_ms=0)
    assert isinstance(answer, Plan)
    refusal = plan(left, calendar.with_holds(answer.hold("mine")), wanted, now_ms=0)
    assert isinstance(refusal, Refusal)
    assert refusal.binding.constraint == "licence:here"


def test_what_crosses_to_a_machine_that_is_retired_crosses_still() -> None:
    uplink = Budget("network", "rack", "r0", 100, crossing=True)
    left = Fleet.of([machine("ma", place=(("rack", "r0"),))], levels=(Level("rack"),), budgets=(uplink,))
    here, there = hold(on="ma", cores=(0,)).claims[0], hold(on="mb", cores=(1,)).claims[0]
    drawing = replace(here, draws=(Draw("network", 80),))
    gang = replace(hold(on="ma"), claims=(drawing, there))
    assert budgets_left(left, Calendar().with_holds(gang), 0, 10) == {uplink.id: 20}
    twice = [gang, replace(gang, id="i", claims=(replace(drawing, cores=(1,)), there))]
    assert [one.axis for one in overbookings(left, twice, margin_ms=0) if one.where == "budget"] == [uplink.id]
    same = replace(gang, claims=(drawing, replace(there, cores=())))
    assert budgets_left(left, Calendar().with_holds(same), 0, 10) == {uplink.id: 100}, "a second name of the same host"
