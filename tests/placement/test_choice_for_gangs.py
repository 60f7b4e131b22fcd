"""Which domain, and which machines in it, a gang takes: scores decide below the levels, and never whether it fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.placement.builders import Trait, demand, hold, machine
from tests.placement.examples import TIER, thorough
from tests.placement.strategies import fleets, questions

from tenure.placement import (
    AddedWatts,
    Calendar,
    Choice,
    Constraint,
    Demand,
    Fleet,
    Fragmentation,
    Level,
    Locality,
    Plan,
    PowerFacts,
    Refusal,
    SpreadOut,
    overbookings,
    plan,
)

pytestmark = TIER
CHEAP = Choice(((Trait("hourlyCost"), 1.0),))


def racks(prices: dict[str, float]) -> Fleet:
    """Racks of two machines of four cores each, at this hourly cost."""
    return Fleet.of(
        [
            machine(f"{rack}-{n}", cores=4, place=(("rack", rack),), traits=(("hourlyCost", price),))
            for rack, price in prices.items()
            for n in range(2)
        ],
        levels=(Level("rack"),),
    )


def placed(fleet: Fleet, wanted: Demand, choice: Choice | None, calendar: Calendar | None = None) -> Plan:
    answer = plan(fleet, calendar or Calendar(), wanted, now_ms=0, choice=choice)
    assert isinstance(answer, Plan)
    return answer


def test_of_racks_that_carry_a_gang_the_one_that_costs_least_is_taken() -> None:
    fleet = racks({"r0": 5.0, "r1": 2.0, "r2": 9.0})
    gang = demand(count=4, cores=2)
    assert placed(fleet, gang, None).domain == "r0"
    assert placed(fleet, gang, CHEAP).domain == "r1"


def test_the_cheaper_rack_is_passed_over_where_the_gang_does_not_fit() -> None:
    fleet = racks({"r0": 5.0, "r1": 2.0})
    busy = Calendar.of([hold("h", on="r1-0", cores=(0, 1, 2, 3))])
    assert placed(fleet, demand(count=4, cores=2), CHEAP, busy).domain == "r0"


def test_a_narrower_level_stands_above_any_score() -> None:
    together = machine("dear", cores=8, place=(("rack", "r0"),), traits=(("hourlyCost", 99.0),))
    apart = [machine(f"fair-{n}", cores=4, place=(("rack", "r1"),), traits=(("hourlyCost", 1.0),)) for n in range(2)]
    fleet = Fleet.of([together, *apart], levels=(Level("rack"),))
    assert {claim.machine for claim in placed(fleet, demand(count=4, cores=2), CHEAP).claims} == {"dear"}


def test_inside_a_domain_scores_decide_among_machines_that_serve_equally() -> None:
    prices = [3.0, 1.0, 2.0, 4.0]
    fleet = Fleet.of([machine(f"m{n}", cores=4, traits=(("hourlyCost", price),)) for n, price in enumerate(prices)])
    gang = demand(count=2, cores=4)
    assert {claim.machine for claim in placed(fleet, gang, None).claims} == {"m0", "m1"}
    assert {claim.machine for claim in placed(fleet, gang, CHEAP).claims} == {"m1", "m2"}


def test_fewest_machines_come_before_scores_unless_the_choice_says_otherwise() -> None:
    small = [machine(f"s{n}", cores=2, traits=(("hourlyCost", 1.0),)) for n in range(4)]
    large = [machine(f"l{n}", cores=4, traits=(("hourlyCost", 9.0),)) for n in range(2)]
    fleet, gang = Fleet.of([*small, *large]), demand(count=4, cores=2)
    assert {claim.machine for claim in placed(fleet, gang, CHEAP).claims} == {"l0", "l1"}
    assert {claim.machine for claim in placed(fleet, gang, replace(CHEAP, fewest_machines=False)).claims} == {
        "s0",
        "s1",
        "s2",
        "s3",
    }


def test_members_of_a_gang_are_spread_over_failure_domains() -> None:
    places = {f"m{n}": (("rack", "r"), ("feed", f"f{n // 2}")) for n in range(4)}
    boxes = [machine(name, cores=4, place=place) for name, place in places.items()]
    fleet, gang = Fleet.of(boxes, levels=(Level("rack"), Level("feed"))), demand(count=2, cores=4)
    choice = Choice(((SpreadOut("feed"), 1.0), (Trait("age"), 1.0)))
    feeds = Counter(fleet.machine(claim.machine).domain("feed") for claim in placed(fleet, gang, choice).claims)
    assert feeds == {"f0": 1, "f1": 1}
    close = Choice(((Locality(), 1.0),))
    assert len({fleet.machine(claim.machine).domain("feed") for claim in placed(fleet, gang, close).claims}) == 1


def test_weights_of_a_gang_may_depend_on_how_full_the_whole_fleet_is() -> None:
    watts = {"r0": 9_000, "r1": 2_000}
    boxes = [
        machine(f"{rack}-{n}", cores=4, place=(("rack", rack),), core_power=PowerFacts(mw), traits=(("age", mw),))
        for rack, mw in watts.items()
        for n in range(2)
    ]
    fleet = Fleet.of([*boxes, machine("other", cores=16)], levels=(Level("rack"),))
    choice = Choice(((AddedWatts(), lambda taken: 1.0 if taken > 0.4 else 0.0), (Trait("age"), -0.001)))
    gang = demand(count=2, cores=4, constraints=(Constraint("racks", "user", frozenset(m.name for m in boxes)),))
    assert placed(fleet, gang, choice).domain == "r0"
    busy = Calendar.of([hold("h", on="other", cores=tuple(range(16)))])
    assert placed(fleet, gang, choice, busy).domain == "r1"


SCORES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                AddedWatts(),
                Fragmentation(),
                Locality(),
                SpreadOut("rack"),
                SpreadOut("machine", frozenset({"h0", "g0"})),
                Trait("age"),
            ]
        ),
        st.sampled_from([1.0, 0.3, -0.5, lambda taken: 1 - taken]),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    return Choice(tuple(draw(SCORES)), draw(st.booleans()))


@thorough
@given(questions(), choices())
def test_no_score_changes_what_fits_nor_when(question: tuple[Fleet, Calendar, Demand], choice: Choice) -> None:
    fleet, calendar, wanted = question
    plain = plan(fleet, calendar, wanted, now_ms=0)
    chosen = plan(fleet, calendar, wanted, now_ms=0, choice=choice)
    if isinstance(plain, Refusal):
        assert chosen == plain
    else:
        assert isinstance(chosen, Plan)
        assert chosen.start_ms == plain.start_ms
        assert Counter(claim.role for claim in chosen.claims) == Counter(claim.role for claim in plain.claims)
        held = calendar.with_holds(chosen.hold("new"))
        assert overbookings(fleet, held.holds.values(), margin_ms=calendar.margin_ms) == ()
    assert (
        plan(
            Fleet.of(fleet.machines, levels=fleet.levels, budgets=fleet.budgets),
            calendar,
            wanted,
            now_ms=0,
            choice=choice,
        )
        == chosen
    )


@thorough
@given(fleets(), st.integers(2, 3), st.integers(1, 2), st.data())
def test_of_the_domains_of_the_narrowest_level_none_is_cheaper_than_the_one_taken(
    fleet: Fleet, count: int, cores: int, data: st.DataObject
) -> None:
    """Each domain is tried by itself, and what its plan costs is added up here: watts, and an age."""
    ages = {box.name: float(data.draw(st.integers(0, 5))) for box in fleet.machines}
    aged = Fleet(
        tuple(replace(m, traits=(("age", ages[m.name]),)) for m in fleet.machines), fleet.levels, fleet.budgets
    )
    choice = Choice(((AddedWatts(), 1000.0), (Trait("age"), 0.5)))
    gang = demand(count=count, cores=cores)
    answer = plan(aged, Calendar(), gang, now_ms=0, choice=choice)
    if isinstance(answer, Refusal):
        return

    def cost(one: Plan) -> float:
        boxes = [aged.machine(claim.machine) for claim in one.claims]
        return sum(cores * (box.core_power.rated_mw or 0) + 0.5 * ages[box.name] for box in boxes)

    domains = {(box.site, box.domain(answer.level)) for box in aged.machines if box.domain(answer.level)}
    for site, domain in domains:
        inside = frozenset(m.name for m in aged.machines if (m.site, m.domain(answer.level)) == (site, domain))
        alone = replace(gang, constraints=(Constraint("inside", "test", inside),))
        other = plan(aged, Calendar(), alone, now_ms=0, choice=choice)
        if isinstance(other, Plan):
            assert cost(answer) <= cost(other) + 1e-6
