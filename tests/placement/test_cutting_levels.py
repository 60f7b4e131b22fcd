"""Levels that cut through each other (rails of two across racks of three): what is required is shared all the same."""

from __future__ import annotations

import pytest
from tests.placement.builders import demand, machine, told

from tenure.placement import Calendar, Demand, Fleet, Level, Plan, Refusal, plan

FAST, SLOW = 400, 100


def fleet(*, rail: int | None = FAST, rack: int | None = SLOW, place: str = "012012") -> Fleet:
    """Racks of three machines: R0 of m0 to m2, R1 of m3 to m5. A rail is a digit of ``place``; ``-`` names none."""
    boxes = [
        machine(f"m{n}", cores=1, place=((("rail", f"L{at}"),) if at != "-" else ()) + (("rack", f"R{n // 3}"),))
        for n, at in enumerate(place)
    ]
    return Fleet.of(boxes, levels=(Level("rail", rail), Level("rack", rack)))


def planned(site: Fleet, asked: Demand) -> Plan:
    answer = plan(site, Calendar(), asked, now_ms=0)
    assert isinstance(answer, Plan)
    return answer


def refused(site: Fleet, asked: Demand) -> Refusal:
    answer = plan(site, Calendar(), asked, now_ms=0)
    assert isinstance(answer, Refusal)
    assert answer.proved
    return answer


def shared(site: Fleet, answer: Plan, level: str) -> bool:
    domains = {site.machine(claim.machine).domain(level) for claim in answer.claims}
    return len(domains) == 1 and None not in domains


@pytest.mark.parametrize(("level", "count"), [("rack", 2), ("rack", 3), ("rail", 2)])
def test_a_required_level_is_shared_although_a_narrower_one_cuts_through_it(level: str, count: int) -> None:
    site = fleet()
    assert shared(site, planned(site, demand(count=count, cores=1, required_level=level)), level)


def test_a_narrower_level_inside_the_required_one_is_still_taken_first() -> None:
    site = fleet(place="010122")
    answer = planned(site, demand(count=2, cores=1, required_level="rack"))
    assert shared(site, answer, "rail")
    assert shared(site, answer, "rack")


def test_a_bandwidth_that_only_the_wider_level_carries_is_kept() -> None:
    site = fleet(rail=SLOW, rack=FAST)
    assert shared(site, planned(site, demand(count=2, cores=1, link_bytes_per_s_min=FAST)), "rack")


def test_a_bandwidth_that_only_the_narrower_level_carries_is_kept() -> None:
    site = fleet()
    assert shared(site, planned(site, demand(count=2, cores=1, link_bytes_per_s_min=FAST)), "rail")
    assert refused(site, demand(count=3, cores=1, link_bytes_per_s_min=FAST)).binding.constraint == "link"


def test_of_two_levels_that_carry_a_bandwidth_either_will_do() -> None:
    site, fast = fleet(rail=FAST, rack=FAST), {"link_bytes_per_s_min": FAST}
    assert shared(site, planned(site, demand(count=2, cores=1, preferred_level="rack", **fast)), "rack")
    assert shared(site, planned(site, demand(count=3, cores=1, **fast)), "rack")
    long = fleet(rail=FAST, rack=FAST, place="000001")
    assert shared(long, planned(long, demand(count=5, cores=1, preferred_level="rack", **fast)), "rail")


def test_several_required_levels_are_all_shared() -> None:
    site = fleet(place="010122")
    both = {"required_level": "rail", "required_also": ("rack",)}
    answer = planned(site, demand(count=2, cores=1, **both))
    assert shared(site, answer, "rail")
    assert shared(site, answer, "rack")
    none = refused(fleet(), demand(count=2, cores=1, **both))
    assert none.reason == "LevelUnfit"
    assert none.binding.constraint == "level:rail+rack"
    assert {c.constraint for c in none.conflict} >= {"level:rail", "level:rack"}


def test_a_level_that_the_fleet_does_not_know_is_named() -> None:
    asked = demand(count=2, cores=1, required_level="rail", required_also=("row",))
    assert refused(fleet(), asked).binding.constraint == "level:row"


def test_a_machine_that_names_no_domain_of_a_required_level_carries_no_member() -> None:
    site = fleet(place="--0011")
    names = {claim.machine for claim in planned(site, demand(count=1, cores=1, required_level="rail")).claims}
    assert names <= {"m2", "m3", "m4", "m5"}


def test_a_preferred_level_is_met_only_where_it_is_shared() -> None:
    site = fleet(place="000111")
    assert told(planned(site, demand(count=2, cores=1, preferred_level="rack"))) == {"level:rack": True}
    taken = demand(count=2, cores=1, required_level="rail", preferred_level="rack")
    assert told(planned(fleet(), taken)) == {"level:rack": False}
