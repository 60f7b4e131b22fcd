"""What is preferred beside a level: a link, a spread, a distance, what is shared inside a machine. It is kept where all
members fit so at the same start, and is told with its figures where it is not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.placement.builders import demand, hold, machine, told
from tests.placement.examples import TIER, thorough
from tests.placement.oracle import feasible
from tests.placement.strategies import questions

from tenure.placement import (
    Calendar,
    Demand,
    Fleet,
    FleetMachine,
    Free,
    Level,
    Plan,
    Preference,
    Refusal,
    Role,
    Spread,
    Start,
    overbookings,
    plan,
)
from tenure.placement.audit_demand import unmet
from tenure.placement.inside import place_inside
from tenure.placement.preferences import preferences

pytestmark = TIER
FAST, SLOW = 50, 10


def box(name: str, **place: str) -> FleetMachine:
    return machine(name, cores=4, place=tuple(place.items()))


# Racks hold more than rails do, and only rails are fast: what is asked for nothing goes into one rack.
RAILS = Fleet.of(
    [
        box(name, rack=rack, rail=rail)
        for name, rack, rail in [("a", "r0", "l0"), ("b", "r0", "l1"), ("c", "r1", "l1"), ("d", "r1", "l2")]
    ],
    levels=(Level("rack", SLOW), Level("rail", FAST)),
)
# On the fuller machine two cores are left on either node; on the other one node is whole.
NODES = Fleet.of([machine(name, nodes=2, cores=4) for name in ("full", "idle")])
TAKEN = Calendar.of([hold(on="full", cores=(0, 1, 4, 5))])


def placed(fleet: Fleet, wanted: Demand, calendar: Calendar | None = None) -> Plan:
    found = plan(fleet, calendar or Calendar(), wanted, now_ms=0)
    assert isinstance(found, Plan), found
    return found


def on(found: Plan) -> set[str]:
    return {claim.machine for claim in found.claims}


def gang(count: int = 2, **more: Any) -> Demand:
    return demand(count=count, cores=4, **more)


def member(**role: Any) -> Demand:
    return demand(cores=4, role=role)


def test_a_link_that_is_preferred_is_taken_where_it_is_there() -> None:
    assert on(placed(RAILS, gang())) in ({"a", "b"}, {"c", "d"})
    linked = placed(RAILS, gang(preferred_link_bytes_per_s_min=FAST))
    assert on(linked) == {"b", "c"}
    assert linked.preferences == (Preference("linkBandwidth", True, FAST, FAST),)


def test_a_link_that_cannot_be_had_is_told_with_what_there_is() -> None:
    found = placed(RAILS, gang(3, preferred_link_bytes_per_s_min=SLOW))
    assert found.preferences == (Preference("linkBandwidth", False, SLOW, None),), "nobody says what a site carries"
    slow = placed(RAILS, gang(required_level="rack", preferred_link_bytes_per_s_min=FAST))
    assert slow.preferences == (Preference("linkBandwidth", False, FAST, SLOW),)


def test_several_levels_may_be_preferred_and_each_is_told() -> None:
    pairs = [("a", "r0", "l0"), ("b", "r1", "l0"), ("c", "r2", "l1"), ("d", "r2", "l1")]
    levels = (Level("rail"), Level("rack"))
    fleet = Fleet.of([box(name, rack=rack, rail=rail) for name, rack, rail in pairs], levels=levels)
    assert on(placed(fleet, gang(preferred_level="rail"))) == {"a", "b"}
    both = placed(fleet, gang(preferred_level="rail", preferred_also=("rack",)))
    assert (on(both), told(both)) == ({"c", "d"}, {"level:rail": True, "level:rack": True})
    busy = Calendar.of([hold(on="d", cores=(0, 1, 2, 3))])
    one = placed(fleet, gang(preferred_level="rail", preferred_also=("rack",)), busy)
    assert one.preferences == (Preference("level:rail", True, 1, 1), Preference("level:rack", False, 1, 2))


def test_who_prefers_a_wide_level_keeps_the_narrower_one() -> None:
    rows = [("a", "w0", 4), ("b", "w0", 4), ("big", "w1", 8)]
    boxes = [machine(name, cores=cores, place=(("row", row),)) for name, row, cores in rows]
    fleet = Fleet.of(boxes, levels=(Level("row"),))
    for wish in (None, "row", "site"):
        assert on(placed(fleet, gang(preferred_level=wish))) == {"big"}


@pytest.mark.parametrize("count", [1, 2])
def test_who_stands_on_one_machine_goes_to_one_that_is_part_of_the_level(count: int) -> None:
    fleet = Fleet.of([machine("a", cores=8), machine("b", cores=8, place=(("rack", "r"),))], levels=(Level("rack"),))
    assert on(placed(fleet, gang(count))) == {"a"}
    wished = gang(count, preferred_level="rack")
    assert on(placed(fleet, wished)) == {"b"}
    busy = placed(fleet, wished, Calendar.of([hold(on="b", cores=tuple(range(8)))]))
    assert busy.preferences == (Preference("level:rack", False, 1, None),)


def test_a_lone_member_has_no_link_to_miss() -> None:
    assert told(placed(RAILS, gang(1, preferred_link_bytes_per_s_min=9**9))) == {"linkBandwidth": True}


def test_more_may_be_preferred_than_is_required() -> None:
    wanted = gang(link_bytes_per_s_min=SLOW, preferred_link_bytes_per_s_min=FAST)
    assert on(placed(RAILS, wanted)) == {"b", "c"}
    near = member(numa_distance_max=20, preferred_numa_distance_max=10)
    assert on(placed(NODES, near, TAKEN)) == {"idle"}


def test_what_the_requirement_implies_is_kept_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("tenure.placement.preferred.Search")
    wanted = gang(link_bytes_per_s_min=FAST, preferred_link_bytes_per_s_min=SLOW)
    assert told(placed(RAILS, wanted)) == {"linkBandwidth": True}
    near = member(numa_distance_max=10, preferred_numa_distance_max=20)
    assert told(placed(NODES, near, TAKEN)) == {"member:numaDistance": True}


@pytest.mark.parametrize(
    ("role", "kept"),
    [
        ({"preferred_numa_distance_max": 10}, Preference("numaDistance", True, 10, 10, "member")),
        ({"prefers": frozenset({"numa"})}, Preference("numa", True, 1, 1, "member")),
        ({"prefers": frozenset({"l3"})}, Preference("l3", True, 1, 1, "member")),
    ],
)
def test_a_member_goes_to_a_machine_on_which_it_lies_as_is_preferred(role: dict[str, Any], kept: Preference) -> None:
    assert on(placed(NODES, member(), TAKEN)) == {"full"}
    found = placed(NODES, member(**role), TAKEN)
    assert on(found) == {"idle"}
    assert found.preferences == (kept,)


def test_a_switch_is_sought_on_another_machine_too() -> None:
    fleet = Fleet.of([machine(name, cores=2, gpus=4) for name in ("full", "idle")])
    taken = Calendar.of([hold(on="full", devices={"gpu0": 1000, "gpu2": 1000})])
    pair = demand(gpus=2)
    assert on(placed(fleet, pair, taken)) == {"full"}
    wished = placed(fleet, demand(gpus=2, role={"prefers": frozenset({"pcie"})}), taken)
    assert (on(wished), told(wished)) == ({"idle"}, {"member:pcie": True})


def test_what_no_machine_keeps_is_told_with_what_was_found() -> None:
    far = demand(cores=6, role={"preferred_numa_distance_max": 10, "prefers": frozenset({"numa", "l3"})})
    assert placed(NODES, far).preferences == (
        Preference("numaDistance", False, 10, 20, "member"),
        Preference("numa", False, 1, 2, "member"),
        Preference("l3", False, 1, 2, "member"),
    )


def test_each_role_prefers_for_itself() -> None:
    near, any_ = Role("near", 1, cores=4, preferred_numa_distance_max=10), Role("any", 1, cores=4)
    found = placed(NODES, Demand("d", (any_, near)), TAKEN)
    assert told(found) == {"near:numaDistance": True}


def test_a_cache_that_is_not_known_to_be_shared_is_not_kept_and_sought_elsewhere() -> None:
    unknown = machine("a", cores=4)
    unknown = replace(unknown, cores=tuple(replace(core, l3=-1) for core in unknown.cores))
    wish = member(prefers=frozenset({"l3"}))
    assert placed(Fleet.of([unknown]), wish).preferences == (Preference("l3", False, 1, None, "member"),)
    both = Fleet.of([unknown, machine("b", cores=4)])
    assert (on(placed(both, member())), on(placed(both, wish))) == ({"a"}, {"b"})


@pytest.mark.parametrize(
    "wish", [{"preferred_numa_distance_max": 10}, {"prefers": frozenset({"numa"})}, {"prefers": frozenset({"l3"})}]
)
def test_a_role_that_can_keep_it_does_so_beside_one_that_never_can(wish: dict[str, Any]) -> None:
    both = Demand("d", (Role("small", 1, cores=4, **wish), Role("large", 1, cores=6, **wish)))
    three = Fleet.of([*NODES.machines, machine("third", nodes=2, cores=4)])
    assert {one.role: one.kept for one in placed(three, both, TAKEN).preferences} == {"small": True, "large": False}


def test_a_preference_waits_for_nothing_and_costs_no_member() -> None:
    busy = Calendar.of([hold(end=100, on="c", cores=(0, 1, 2, 3))])
    wanted = gang(start=Start(0, 1000), duration_ms=10, preferred_link_bytes_per_s_min=FAST)
    assert placed(RAILS, wanted, busy).start_ms == 0
    elastic = gang(4, role={"count_min": 2}, preferred_link_bytes_per_s_min=FAST)
    assert len(placed(RAILS, elastic).claims) == 4


def test_preferences_that_can_be_kept_together_are() -> None:
    wanted = gang(preferred_link_bytes_per_s_min=FAST, preferred_spread=Spread("rack"))
    assert (on(placed(RAILS, wanted)), set(told(placed(RAILS, wanted)).values())) == ({"b", "c"}, {True})


def test_what_was_found_keeps_what_it_keeps() -> None:
    wanted = gang(preferred_level="rack", preferred_link_bytes_per_s_min=FAST, preferred_spread=Spread("machine"))
    assert told(placed(RAILS, wanted)) == {"level:rack": True, "linkBandwidth": False, "spread:machine": True}


def test_of_two_that_exclude_each_other_the_link_comes_before_the_spread() -> None:
    rack = [box(name, rack="r0", rail=rail) for name, rail in [("a", "l0"), ("b", "l0"), ("c", "l0"), ("d", "l1")]]
    rail = [box(name, rack=f"r{name}", rail="l2") for name in "efgh"]
    fleet = Fleet.of([*rack, *rail], levels=RAILS.levels)
    wishes: dict[str, Any] = {"preferred_link_bytes_per_s_min": FAST, "preferred_spread": Spread("rail", 2)}
    assert on(placed(fleet, gang(4))) == {"a", "b", "c", "d"}, "which keeps neither"
    for one, wish in wishes.items():
        assert all(told(placed(fleet, gang(4, **{one: wish}))).values())
    assert told(placed(fleet, gang(4, **wishes))) == {"linkBandwidth": True, "spread:rail": False}


def test_of_many_machines_unlike_each_other_the_emptiest_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    far = [hold(name, on=name, cores=(0, 1, 4, 5)) for name in ("a", "b", "c")]
    unlike = [machine(name, nodes=2, cores=4) for name in ("a", "b", "c", "idle")]
    near, taken = member(preferred_numa_distance_max=10), Calendar.of(far)
    monkeypatch.setattr("tenure.placement.preferred.SORTS_SOUGHT_MAX", 2)
    assert told(placed(Fleet.of(unlike), near, taken)) == {"member:numaDistance": True}
    (missed,) = placed(Fleet.of(unlike[:3]), near, taken).preferences
    assert (missed.kept, missed.found, missed.sought) == (False, 20, False)
    monkeypatch.setattr("tenure.placement.preferred.SORTS_SOUGHT_MAX", 1)
    (missed,) = placed(Fleet.of(unlike), near, taken).preferences
    assert (missed.kept, missed.sought) == (False, False)
    assert placed(Fleet.of(unlike[:1]), near, taken).preferences[0].sought


def test_of_a_large_gang_s_preferences_the_first_are_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.placement.preferences.MEMBERS_SOUGHT_MAX", 3)
    wishes: dict[str, Any] = {"preferred_link_bytes_per_s_min": 2 * FAST, "preferred_spread": Spread("rack")}
    found = placed(RAILS, gang(**wishes)).preferences
    assert [(one.what, one.kept, one.sought) for one in found] == [
        ("linkBandwidth", False, True),
        ("spread:rack", False, False),
    ]
    assert told(placed(RAILS, gang(preferred_spread=Spread("rack")))) == {"spread:rack": True}


def test_a_cache_that_no_machine_has_is_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("tenure.placement.inside.device_choices")
    assert place_inside(Free.whole(machine(nodes=2, cores=4)), Role(cores=5, requires=frozenset({"l3"}))) is None


def test_a_link_that_falls_short_is_not_given_away_for_a_spread() -> None:
    boxes = [box(f"m{n}", rack=f"r{n // 3}", row="w0") for n in range(9)]
    fleet = Fleet.of(boxes, levels=(Level("rack", SLOW), Level("row")))
    found = placed(fleet, gang(3, preferred_link_bytes_per_s_min=FAST, preferred_spread=Spread("rack")))
    assert found.preferences == (Preference("linkBandwidth", False, FAST, SLOW), Preference("spread:rack", False, 1, 3))


def test_a_spread_that_falls_short_is_not_given_away_for_a_distance() -> None:
    far = [("a", "r0", "l0"), ("b", "r0", "l0"), ("c", "r1", "l0")]
    boxes = [machine(name, nodes=2, cores=4, place=(("rail", rail), ("rack", rack))) for name, rack, rail in far]
    near = [machine(f"n{n}", cores=6, place=(("rail", f"l{n}"), ("rack", "r1"))) for n in range(1, 4)]
    fleet = Fleet.of([*boxes, *near], levels=(Level("rail"), Level("rack")))
    wanted = demand(count=3, cores=6, preferred_spread=Spread("rack"), role={"preferred_numa_distance_max": 10})
    assert [(one.what, one.found) for one in placed(fleet, wanted).preferences] == [
        ("spread:rack", 2),
        ("numaDistance", 20),
    ]
    assert told(placed(fleet, replace(wanted, preferred_spread=None))) == {"member:numaDistance": True}


@thorough
@given(
    questions(),
    st.sampled_from(
        [
            {"preferred_level": "rack"},
            {"preferred_also": ("rail",)},
            {"preferred_link_bytes_per_s_min": 15},
            {"preferred_link_bytes_per_s_min": 25},
            {"preferred_numa_distance_max": 10},
            {"preferred_spread": Spread("rack")},
            {"prefers": frozenset({"numa"})},
            {"prefers": frozenset({"pcie"})},
            {"prefers": frozenset({"l3"})},
        ]
    ),
)
def test_one_preference_is_kept_exactly_where_the_same_members_can_keep_it_at_that_start(
    question: tuple[Fleet, Calendar, Demand], wish: dict[str, Any]
) -> None:
    fleet, calendar, asked = question
    asked = replace(asked, preferred_level=None, spread=None if "preferred_spread" in wish else asked.spread)
    plain = plan(fleet, calendar, asked, now_ms=0)
    wished = plan(fleet, calendar, wishing(asked, wish), now_ms=0)
    if isinstance(plain, Refusal) or isinstance(wished, Refusal):
        assert plain == wished
        return
    sizes = at_the_same_start(plain, wished)
    assert not unmet(fleet, asked, wished.claims)
    held = [h for h in calendar.holds.values() if not (asked.group and h.group == asked.group)]
    before = {(one.where, one.axis) for one in overbookings(fleet, held, margin_ms=calendar.margin_ms)}
    after = overbookings(fleet, [*held, wished.hold("wished")], margin_ms=calendar.margin_ms)
    assert {(one.where, one.axis) for one in after} <= before

    strict = requiring(replace(asked, roles=tuple(of(role, sizes[role.name]) for role in asked.roles)), wish)
    kept = all(told(wished).values())
    assert kept == (not unmet(fleet, strict, wished.claims)), "the recount says the same"
    assert kept == feasible(fleet, calendar, strict, wished.start_ms)
    if not kept:
        assert wished.claims == plain.claims


WISHES: list[dict[str, Any]] = [
    {"preferred_link_bytes_per_s_min": 15},
    {"preferred_spread": Spread("rack")},
    {"preferred_numa_distance_max": 10},
    {"prefers": frozenset({"pcie"})},
]


@thorough
@given(questions())
def test_of_several_all_are_kept_that_can_be_beside_those_that_are(question: tuple[Fleet, Calendar, Demand]) -> None:
    fleet, calendar, asked = question
    asked = replace(asked, preferred_level=None, spread=None)
    every = asked
    for wish in WISHES:
        every = wishing(every, wish)
    plain, wished = plan(fleet, calendar, asked, now_ms=0), plan(fleet, calendar, every, now_ms=0)
    if isinstance(plain, Refusal) or isinstance(wished, Refusal):
        assert plain == wished
        return
    sizes = at_the_same_start(plain, wished)
    sized = replace(asked, roles=tuple(of(role, sizes[role.name]) for role in asked.roles))
    had = dict(zip(wished.preferences, preferences(fleet, every, plain.claims), strict=True))
    assert all(one.kept or not before.kept for one, before in had.items())
    first, before = next(iter(had.items()))
    assert (first.found or 0) >= min(before.found or 0, before.asked), "nothing comes before the link"
    assert not unmet(fleet, with_figures(sized, [one for one in had if one.kept]), wished.claims)
    for place, one in enumerate(had):
        if not one.kept:
            beside = [other for n, other in enumerate(had) if other.kept or n < place]
            strict = with_figures(sized, [*beside, replace(one, kept=True)])
            assert not feasible(fleet, calendar, strict, wished.start_ms)


def with_figures(asked: Demand, preferred: list[Preference]) -> Demand:
    """The demand that requires what is kept, and of the rest as much as there is."""
    for one in preferred:
        figure = one.asked if one.kept else one.found
        if figure is None:
            continue
        if one.what == "linkBandwidth":
            asked = replace(asked, link_bytes_per_s_min=max(asked.link_bytes_per_s_min or 0, figure))
        elif one.what == "spread:rack":
            asked = replace(asked, spread=Spread("rack", figure))
        elif one.what == "numaDistance":
            roles = (
                replace(r, numa_distance_max=min(r.numa_distance_max or figure, figure)) if r.name == one.role else r
                for r in asked.roles
            )
            asked = replace(asked, roles=tuple(roles))
        elif one.kept:
            roles = (replace(r, requires=r.requires | {one.what}) if r.name == one.role else r for r in asked.roles)
            asked = replace(asked, roles=tuple(roles))
    return asked


def of(role: Role, count: int) -> Role:
    return replace(role, count=count, count_min=None, values=())


def wishing(asked: Demand, wish: dict[str, Any]) -> Demand:
    """The demand that prefers it, each role what is inside a machine."""
    if wish.keys() & {"prefers", "preferred_numa_distance_max"}:
        return replace(asked, roles=tuple(replace(role, **wish) for role in asked.roles))
    return replace(asked, **wish)


def at_the_same_start(plain: Plan, wished: Plan) -> Counter[str]:
    """The members of each role, as many in both: what is preferred delays nothing and costs no member."""
    assert (wished.start_ms, wished.end_ms) == (plain.start_ms, plain.end_ms)
    sizes = Counter(claim.role for claim in wished.claims)
    assert sizes == Counter(claim.role for claim in plain.claims)
    return sizes


def requiring(asked: Demand, wish: dict[str, Any]) -> Demand:
    """The demand that requires it beside what it requires."""
    own = dict(wish)
    if "prefers" in own:
        return replace(asked, roles=tuple(replace(r, requires=r.requires | own["prefers"]) for r in asked.roles))
    if "preferred_numa_distance_max" in own:
        least = own["preferred_numa_distance_max"]
        return replace(asked, roles=tuple(replace(r, numa_distance_max=least) for r in asked.roles))
    if own.keys() & {"preferred_level", "preferred_also"}:
        levels = [own["preferred_level"]] if "preferred_level" in own else own["preferred_also"]
        return replace(asked, required_also=(*asked.required_also, *levels))
    if "preferred_spread" in own:
        return replace(asked, spread=own["preferred_spread"])
    return replace(
        asked, link_bytes_per_s_min=max(asked.link_bytes_per_s_min or 0, own["preferred_link_bytes_per_s_min"])
    )
