"""The recount judges claims by itself: budgets too, and claims on what is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.placement.builders import demand, hold, machine

import tenure.placement.audit
import tenure.placement.audit_demand
from tenure.placement import (
    Budget,
    Calendar,
    Claim,
    Constraint,
    Demand,
    DeviceClaim,
    Fleet,
    Level,
    Plan,
    PowerFacts,
    Role,
    Spread,
    overbookings,
    plan,
)
from tenure.placement.audit_demand import unmet


def test_it_takes_nothing_from_what_it_judges() -> None:
    values = {f"tenure.placement.{name}" for name in ("demand", "fleet", "holds", "values")}
    for judge in (tenure.placement.audit, tenure.placement.audit_demand):
        text = Path(str(judge.__file__)).read_text()
        own = {line.split()[1] for line in text.splitlines() if line.startswith("from tenure.")}
        assert own <= values


def test_a_device_that_is_not_there_is_overbooked_and_draws_nothing() -> None:
    box = machine("m1", gpus=1)
    powered = replace(box, devices=tuple(replace(d, power=PowerFacts(700)) for d in box.devices))
    fleet = Fleet.of([powered], budgets=(Budget("power", "site", "here", 1000),))
    (found,) = overbookings(fleet, [hold(devices={"gpu9": 1000}), hold("other", devices={"gpu0": 1000})])
    assert (found.where, found.axis, found.capacity) == ("m1", "device:gpu9", 0)


def test_shares_of_a_device_draw_in_proportion_rounded_up() -> None:
    box = machine("m1", gpus=1)
    powered = replace(box, devices=tuple(replace(d, power=PowerFacts(700, capped_mw=301)) for d in box.devices))
    halves = [hold(name, devices={"gpu0": 500}) for name in ("a", "b")]
    for rating, drawn in (("rated", 700), ("capped", 302), ("measured", 302)):
        budget = Budget("power", "site", "here", drawn, rating=rating)  # type: ignore[arg-type]
        assert overbookings(Fleet.of([powered], budgets=(budget,)), halves) == ()
        tight = replace(budget, limit=drawn - 1)
        assert [one.used for one in overbookings(Fleet.of([powered], budgets=(tight,)), halves)] == [drawn]


PLACES = {"a": ("r0", "nvl0"), "b": ("r0", "nvl1"), "c": ("r1", "nvl1")}
SITE = Fleet.of(
    [
        machine(name, nodes=2, cores=2, caches=2, gpus=4, place=(("nvlink", nvlink), ("rack", rack)))
        for name, (rack, nvlink) in PLACES.items()
    ],
    levels=(Level("nvlink", 900), Level("rack", 50), Level("site", 10)),
)


def member(on: str, cores: tuple[int, ...] = (), gpus: tuple[int, ...] = (), role: str = "member") -> Claim:
    return Claim(on, cores, devices=tuple(DeviceClaim(f"gpu{n}", 1000) for n in gpus), role=role)


def asked(count: int = 2, **more: Any) -> Demand:
    return demand(count=count, gpus=1, **more)


@pytest.mark.parametrize(
    ("wanted", "claims", "broken"),
    [
        (asked(), [member("a", gpus=(0,)), member("c", gpus=(0,))], []),
        (asked(required_level="rack"), [member("a", gpus=(0,)), member("b", gpus=(0,))], []),
        (asked(required_level="rack"), [member("a", gpus=(0,)), member("c", gpus=(0,))], ["topology:rack"]),
        (asked(required_level="row"), [member("a", gpus=(0,)), member("b", gpus=(0,))], ["topology:row"]),
        (
            asked(required_level="rack", required_also=("nvlink",)),
            [member("a", gpus=(0,)), member("b", gpus=(0,))],
            ["topology:nvlink"],
        ),
        (asked(link_bytes_per_s_min=50), [member("a", gpus=(0,)), member("b", gpus=(0,))], []),
        (asked(link_bytes_per_s_min=51), [member("a", gpus=(0,)), member("b", gpus=(0,))], ["linkBandwidth"]),
        (asked(link_bytes_per_s_min=51), [member("b", gpus=(0,)), member("c", gpus=(0,))], []),
        (asked(spread=Spread("rack", 1)), [member("a", gpus=(0,)), member("b", gpus=(0,))], ["spread:rack"]),
        (asked(spread=Spread("rack", 2)), [member("a", gpus=(0,)), member("b", gpus=(0,))], []),
        (asked(), [member("a", gpus=(0,))], ["count"]),
        (asked(1), [member("a", gpus=(0, 1))], ["devices"]),
        (asked(1), [member("gone", gpus=(0,))], ["machine"]),
        (
            asked(1, constraints=(Constraint("residency", "law", frozenset({"b"})),)),
            [member("a", gpus=(0,))],
            ["residency"],
        ),
    ],
)
def test_members_that_do_not_lie_as_was_asked_are_named(wanted: Demand, claims: list[Claim], broken: list[str]) -> None:
    assert [one.requirement for one in unmet(SITE, wanted, claims)] == broken


@pytest.mark.parametrize(
    ("inside", "cores", "gpus", "broken"),
    [
        ({"requires": frozenset({"numa"})}, (0, 2), (0, 2), []),
        ({"requires": frozenset({"numa"})}, (0, 4), (0, 2), ["numa"]),
        ({"requires": frozenset({"numa"})}, (0, 2), (0, 4), ["numa"]),
        ({"requires": frozenset({"l3"})}, (0, 1), (0, 4), []),
        ({"requires": frozenset({"l3"})}, (0, 2), (0, 1), ["l3"]),
        ({"requires": frozenset({"pcie"})}, (0, 4), (0, 1), []),
        ({"requires": frozenset({"pcie"})}, (0, 1), (1, 2), ["pcie"]),
        ({"numa_distance_max": 10}, (0, 1), (0, 4), ["numaDistance"]),
        ({"numa_distance_max": 20}, (0, 1), (0, 4), []),
    ],
)
def test_a_member_that_does_not_lie_together_inside_its_machine_is_named(
    inside: dict[str, Any], cores: tuple[int, ...], gpus: tuple[int, ...], broken: list[str]
) -> None:
    role = replace(Role(cores=2, devices=demand(gpus=2).roles[0].devices), **inside)
    assert [one.requirement for one in unmet(SITE, Demand("d", (role,)), [member("a", cores, gpus)])] == broken


def test_what_is_planned_is_what_was_asked() -> None:
    wanted = asked(2, required_level="nvlink", spread=Spread("rack", 1))
    answer = plan(SITE, Calendar(), wanted, now_ms=0)
    assert isinstance(answer, Plan)
    assert unmet(SITE, wanted, answer.claims) == ()
