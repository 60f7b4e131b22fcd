"""What a site still carries: the most members that fit, whatever each machine draws, and what one more lacks."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import hold, machine

from tenure.placement import (
    Budget,
    Calendar,
    Demand,
    Device,
    DeviceRequest,
    Draw,
    Fleet,
    FleetMachine,
    Level,
    Plan,
    PowerFacts,
    Role,
    capacity,
    plan,
)

CORE = Role(cores=1)


def box(name: str, milliwatts: int, *, cores: int = 1, rack: str = "r0") -> FleetMachine:
    return machine(name, cores=cores, core_power=PowerFacts(milliwatts), place=(("rack", rack),))


def test_machines_that_draw_least_are_counted_first_whatever_their_order() -> None:
    fleet = Fleet.of([box("a", 700), box("b", 300), box("c", 300)], budgets=(Budget("power", "site", "here", 700),))
    report = capacity(fleet, Calendar(), "here", at_ms=0, member=CORE)
    assert report.members == 2
    assert report.one_more == 600


def test_what_is_left_of_a_limit_counts_towards_one_more() -> None:
    fleet = Fleet.of([box("a", 300, cores=3)], budgets=(Budget("power", "site", "here", 350),))
    report = capacity(fleet, Calendar(), "here", at_ms=0, member=CORE)
    assert report.members == 1
    assert report.one_more == 250


def test_one_more_looks_for_a_machine_that_is_free() -> None:
    fleet = Fleet.of([box("a", 100), box("b", 400)], budgets=(Budget("power", "site", "here", 350),))
    taken = Calendar().with_holds(hold(on="a", cores=(0,)))
    report = capacity(fleet, taken, "here", at_ms=0, member=CORE)
    assert report.members == 0
    assert report.one_more == 150


def test_hardware_that_is_left_over_counts_towards_one_more() -> None:
    report = capacity(Fleet.of([box("a", 0, cores=5)]), Calendar(), "here", at_ms=0, member=Role(cores=3))
    assert (report.members, report.one_more) == (1, 1)


def test_what_each_takes_is_told_of_machines_with_a_place_left() -> None:
    """The frugal machine is full: one more draws 400 mW, be there ever so much power."""
    fleet = Fleet.of([box("a", 100), box("b", 400), box("c", 400)], budgets=(Budget("power", "site", "here", 100),))
    taken = Calendar().with_holds(hold(on="a", cores=(0,)))
    report = capacity(fleet, taken, "here", at_ms=0, member=CORE)
    assert (report.members, report.one_more, report.each) == (0, 400, 400)


def test_without_a_unit_it_is_one_gpu_and_where_there_is_none_one_core() -> None:
    card = Device("nic0", "nic", model="x", numa_node=0)
    bare = capacity(Fleet.of([machine("a", cores=3, devices=(card,))]), Calendar(), "here", at_ms=0)
    assert (bare.member, bare.members) == (CORE, 3)
    whole = capacity(Fleet.of([machine("a", gpus=2)]), Calendar(), "here", at_ms=0)
    assert (whole.member, whole.members) == (Role(devices=(DeviceRequest("gpu"),)), 2)


def test_an_uplink_is_not_charged_to_units_that_stand_alone() -> None:
    uplink = Budget("network", "rack", "a", 5, crossing=True)
    site = Fleet((machine(cores=4, place=(("rack", "a"),)),), (Level("rack"),), (uplink,))
    member = Role(cores=1, draws=(Draw("network", 10),))
    assert isinstance(plan(site, Calendar(), Demand("d", (member,)), now_ms=0), Plan)
    report = capacity(site, Calendar(), "here", at_ms=0, member=member)
    assert (report.members, report.binding and report.binding.kind) == (4, "cores")


def test_a_device_counts_as_often_as_it_can_be_shared() -> None:
    share = Role(devices=(DeviceRequest("gpu", milli=400),))
    fleet = Fleet.of([machine("a", gpus=2), machine("b", gpus=2)])
    taken = Calendar().with_holds(hold(on="a", devices={"gpu0": 500}))
    report = capacity(fleet, taken, "here", at_ms=0, member=share)
    assert report.members == 1 + 2 + 2 + 2
    assert report.one_more == 1


Site = tuple[list[FleetMachine], dict[str, int], int]


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Up to four machines in two racks, watts by rack and site, and licences of which each member takes as many."""
    boxes = [
        box(f"m{n}", draw(st.integers(0, 7)), cores=draw(st.integers(1, 3)), rack=draw(st.sampled_from(["r0", "r1"])))
        for n in range(draw(st.integers(1, 4)))
    ]
    limits = {domain: draw(st.integers(0, 30)) for domain in draw(st.sets(st.sampled_from(["r0", "r1", "here"])))}
    return boxes, limits, draw(st.integers(0, 9))


def most(site: Site, *, watts: int | None = 0, licences: bool = True) -> int:
    """Every way to fill the machines; ``watts`` more in each domain, or None for watts that do not count."""
    boxes, limits, held = site
    best = 0
    for counts in product(*(range(len(one.cores) + 1) for one in boxes)):
        fits = sum(counts) <= held or not licences
        for domain, limit in limits.items():
            inside = [n for n, one in enumerate(boxes) if domain in (one.domain("rack"), one.site)]
            drawn = {n: counts[n] * (boxes[n].core_power.rated_mw or 0) for n in inside}
            # What draws nothing is bound by nothing.
            fits &= watts is None or not sum(drawn.values()) or sum(drawn.values()) <= limit + watts
        if fits:
            best = max(best, sum(counts))
    return best


@settings(max_examples=100, deadline=None)
@given(sites())
def test_no_choice_of_machines_carries_more_and_none_needs_less_for_one_more(site: Site) -> None:
    boxes, limits, held = site
    budgets = [Budget("power", "site" if d == "here" else "rack", d, limit) for d, limit in sorted(limits.items())]
    licence = Budget("licence", "site", "here", held)
    fleet = Fleet.of(boxes, levels=(Level("rack"),), budgets=(*budgets, licence))
    report = capacity(fleet, Calendar(), "here", at_ms=0, member=Role(cores=1, draws=(Draw("licence", 1),)))
    assert report.members == most(site)
    without = {limit.kind: limit.members_without for limit in report.limits}
    assert without["licence"] == most(site, licences=False)
    assert without.get("power", most(site, watts=None)) == most(site, watts=None)
    if report.binding is not None and report.binding.kind == "power":
        assert report.one_more is not None
        assert most(site, watts=report.one_more) > report.members
        assert most(site, watts=report.one_more - 1) == report.members
