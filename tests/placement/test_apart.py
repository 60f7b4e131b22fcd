"""Members kept apart: as required, or as preferred, which delays nothing, costs no member and breaks no requirement."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.placement.builders import demand, hold, machine, told
from tests.placement.examples import TIER, thorough
from tests.placement.strategies import questions

from tenure.placement import (
    Calendar,
    Demand,
    Fleet,
    Level,
    PlacementError,
    Plan,
    Refusal,
    Spread,
    Start,
    overbookings,
    plan,
)
from tenure.placement.audit_demand import unmet

pytestmark = TIER
NOTHING = Calendar()


def racks(*machines_each: int, cores: int = 4) -> Fleet:
    """Racks of so many machines of four cores each."""
    return Fleet.of(
        [
            machine(f"r{rack}-{n}", cores=cores, place=(("rack", f"r{rack}"),))
            for rack, many in enumerate(machines_each)
            for n in range(many)
        ],
        levels=(Level("rack"),),
    )


def placed(fleet: Fleet, wanted: Demand, calendar: Calendar = NOTHING) -> Plan:
    found = plan(fleet, calendar, wanted, now_ms=0)
    assert isinstance(found, Plan), found
    return found


def by_rack(fleet: Fleet, found: Plan) -> list[int]:
    return sorted(Counter(fleet.machine(claim.machine).domain("rack") for claim in found.claims).values())


PREFERRED = Spread("rack", 1)


def test_what_is_preferred_is_kept_where_it_fits() -> None:
    fleet = racks(2, 2, 2)
    gang = demand(count=3, cores=1)
    assert by_rack(fleet, placed(fleet, gang)) == [3]
    apart = placed(fleet, replace(gang, preferred_spread=PREFERRED))
    assert by_rack(fleet, apart) == [1, 1, 1]
    assert told(apart) == {"spread:rack": True}
    two = placed(fleet, replace(gang, preferred_spread=Spread("rack", 2)))
    assert by_rack(fleet, two) == [1, 2]


def test_what_cannot_be_kept_is_left_and_said() -> None:
    fleet = racks(2, 2)
    found = placed(fleet, demand(count=3, cores=1, preferred_spread=PREFERRED))
    assert by_rack(fleet, found) == [3]
    assert told(found) == {"spread:rack": False}


def test_a_preference_delays_nothing() -> None:
    fleet = racks(1, 1)
    busy = Calendar.of([hold(end=100, on="r1-0", cores=(0, 1, 2, 3))])
    wanted = demand(count=2, cores=1, start=Start(0, 1000), duration_ms=10, preferred_spread=PREFERRED)
    assert placed(fleet, wanted, busy).start_ms == 0
    required = replace(wanted, spread=PREFERRED, preferred_spread=None)
    assert placed(fleet, required, busy).start_ms == 100


def test_a_preference_costs_no_member() -> None:
    fleet = racks(1, 1)
    elastic = demand(count=6, cores=1, role={"count_min": 2}, preferred_spread=PREFERRED)
    assert len(placed(fleet, elastic).claims) == 6
    assert len(placed(fleet, replace(elastic, preferred_spread=None, spread=PREFERRED)).claims) == 2


def test_a_preference_breaks_no_spread_that_is_required() -> None:
    fleet = racks(2, 1)
    wanted = demand(count=3, cores=1, spread=Spread("machine"), preferred_spread=Spread("rack", 2))
    found = placed(fleet, wanted)
    assert len({claim.machine for claim in found.claims}) == 3


def test_a_preference_costs_no_other_one() -> None:
    fleet = racks(2, 2)
    wanted = demand(count=2, cores=1, preferred_level="rack", preferred_spread=Spread("rack"))
    found = placed(fleet, wanted)
    assert by_rack(fleet, found) == [2]
    assert told(found) == {"level:rack": True, "spread:rack": False}
    together = placed(fleet, replace(wanted, preferred_spread=Spread("machine")))
    assert by_rack(fleet, together) == [2]
    assert told(together) == {"level:rack": True, "spread:machine": True}


def test_what_is_kept_anyway_is_not_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = racks(1, 1, 1, cores=1)
    gang = demand(count=2, cores=1)
    plain = placed(fleet, gang)
    monkeypatch.delattr("tenure.placement.preferred.Search")
    assert placed(fleet, replace(gang, preferred_spread=PREFERRED)).claims == plain.claims


def test_a_refusal_names_the_spread_as_the_last_cut_with_its_domains() -> None:
    found = plan(racks(2, 2), NOTHING, demand(count=3, cores=1, spread=PREFERRED), now_ms=0)
    assert isinstance(found, Refusal)
    last = found.funnel[-1]
    assert (last.constraint, last.before, last.after, last.unit) == ("spread:rack", 4, 0, "domains")
    assert (found.binding.constraint, found.binding.needed, found.binding.available) == ("spread:rack", 3, 2)
    assert "at most 1 in one rack" in found.binding.hint


@thorough
@given(questions(), st.sampled_from([Spread("machine"), Spread("rack"), Spread("rack", 2)]))
def test_a_preference_changes_nothing_but_where_members_stand(
    question: tuple[Fleet, Calendar, Demand], preferred: Spread
) -> None:
    fleet, calendar, asked = question
    plain = plan(fleet, calendar, asked, now_ms=0)
    wished = plan(fleet, calendar, replace(asked, preferred_spread=preferred), now_ms=0)
    if isinstance(plain, Refusal) or isinstance(wished, Refusal):
        assert plain == wished
        return
    assert (wished.start_ms, wished.end_ms) == (plain.start_ms, plain.end_ms)
    assert Counter(claim.role for claim in wished.claims) == Counter(claim.role for claim in plain.claims)
    assert not unmet(fleet, asked, wished.claims)
    held = [h for h in calendar.holds.values() if not (asked.group and h.group == asked.group)]
    assert not overbookings(fleet, [*held, wished.hold("wished")], margin_ms=calendar.margin_ms)
    if not told(wished)[f"spread:{preferred.level}"]:
        assert wished.claims == plain.claims


@pytest.mark.parametrize("name", ["spread", "preferred_spread"])
def test_a_domain_may_have_at_least_one(name: str) -> None:
    with pytest.raises(PlacementError, match="at least one member"):
        demand(**{name: Spread("rack", 0)})
