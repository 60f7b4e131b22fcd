"""Limits of money and power cut what may be smaller, in answers of every kind, and preferences yield to them."""

from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.answering import chosen
from tenure.controllers.answering.answer import Answered, Knowledge, answer
from tenure.controllers.answering.costs import rated_watts_of
from tenure.controllers.answering.explicit import wanted_of
from tenure.controllers.answering.ground import Ground
from tenure.controllers.answering.limits import limit_constraints
from tenure.controllers.answering.need import need_of
from tenure.controllers.answering.policy import POLICY
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.power import is_rated
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile
from tenure.ledger.convert import RESERVE
from tenure.placement import Calendar, Claim, DeviceClaim, Hold
from tenure.resources.kinds.workload import WorkloadSpec
from tests.controllers.builders import spec as inference
from tests.controllers.fleets import demand_of, file_of, gang, machines_of, planned
from tests.placement.builders import told

HOUR_MS = 3_600_000
GPUS = [{"class": "gpu", "count": 8}]


def said(made: FleetFile, spec: WorkloadSpec, *holds: Hold) -> Answered:
    machines = {machine.name: machine for machine in as_observed(made, 0)}
    need = need_of(spec, 0)
    known = Knowledge(
        need=need,
        capabilities=(),
        shapes_measured=0,
        trial=None,
        constraints=limit_constraints(need.limits, machines),
        machines=machines,
        memory_of=lambda _: 0,
        cores=spec.resources.cores if spec.resources is not None else 1,
        wanted=wanted_of(spec),
        simulated=True,
    )
    return answer(known, fleet_of(made.site, list(machines.values()), made.profiles), Calendar.of(holds), "g", 0)


def asked(spec: WorkloadSpec, **more: Any) -> WorkloadSpec:
    return type(spec).model_validate({**spec.to_json(), "term": {"duration": "1h"}, **more})


def in_roles(*roles: dict[str, Any], hourly: str) -> WorkloadSpec:
    return asked(gang(), resources={"roles": list(roles)}, budget={"hourlyMax": hourly})


def role(name: str, **sizes: Any) -> dict[str, Any]:
    return {"name": name, "devices": GPUS, **sizes}


def carried(found: Answered, place: int = 0) -> list[str]:
    return sorted(claim.role for claim in found.planned[place].plan.claims)


def busy(made: FleetFile, machine: str, cores: int, end_ms: int = 10 * HOUR_MS) -> Hold:
    return Hold(f"busy-{machine}", "", made.site.name, 0, end_ms, (Claim(machine, cores=tuple(range(cores))),))


@pytest.mark.parametrize(("columns", "cells"), [("gpu_power,rated_power", ",6kW"), ("gpu_power,rated_power", "700W,")])
def test_the_power_of_a_simulated_machine_is_known_where_all_that_it_places_is_rated(
    tmp_path: Path, columns: str, cells: str
) -> None:
    made = file_of(tmp_path, columns, f"m-0,{cells}")
    (machine,) = as_observed(made, 0)
    on = fleet_of(made.site, [machine], made.profiles)
    watts = rated_watts_of(planned(on, gang(1)), on)
    assert is_rated(machine) == (watts.power is not None) == ("6kW" in cells)
    assert machine.status is not None
    inside = machine.status.model_copy(update={"virtual": "kvm"})
    assert not is_rated(machine.model_copy(update={"status": inside}))


@pytest.mark.parametrize(
    ("hourly", "actors", "learners"), [("32 EUR", 3, 1), ("40 EUR", 3, 2), ("16 EUR", 1, 1), ("9 EUR", 1, 1)]
)
def test_of_several_roles_each_in_turn_has_as_many_members_as_the_limit_allows(
    tmp_path: Path, hourly: str, actors: int, learners: int
) -> None:
    made = file_of(tmp_path, "hourly_cost", *(f"m-{n},8.00 EUR" for n in range(6)))
    both = in_roles(role("a", members=3, membersMin=1), role("l", members=3, membersMin=1), hourly=hourly)
    found = said(made, both)
    assert carried(found) == ["a"] * actors + ["l"] * learners
    assert found.answer.kind == ("Offers" if hourly != "9 EUR" else "CounterOffers")


def test_sizes_with_values_of_several_roles_are_cut_too(tmp_path: Path) -> None:
    made = file_of(tmp_path, "hourly_cost", *(f"m-{n},8.00 EUR" for n in range(6)))
    sizes = [{"members": 1, "value": 1}, {"members": 3, "value": 5}]
    both = in_roles(role("a", sizes=sizes), role("l", sizes=sizes), hourly="39 EUR")
    assert carried(said(made, both)) == ["a", "a", "a", "l"]


def test_a_later_offer_lies_within_the_limits_where_fewer_members_do(tmp_path: Path) -> None:
    made = file_of(tmp_path, "hourly_cost", *(f"m-{n},8.00 EUR" for n in range(8)))
    wanted = asked(gang(8, membersMin=2), budget={"hourlyMax": "24 EUR"})
    found = said(made, wanted, *(busy(made, f"m-{n}", 8, HOUR_MS) for n in range(8)))
    assert found.answer.kind == "CounterOffers"
    assert [one.axis for one in found.answer.quotes[0].relaxed] == ["later"]
    assert (len(found.planned[0].plan.claims), found.planned[0].plan.start_ms) == (3, HOUR_MS)


def test_a_lesser_offer_lies_within_the_limits_where_fewer_members_do(tmp_path: Path) -> None:
    made = file_of(tmp_path, "hourly_cost", *(f"m-{n},8.00 EUR" for n in range(4)))
    found = said(made, with_reserve(members=3, membersMin=2, devices=GPUS, budget={"hourlyMax": "17 EUR"}))
    assert [[one.axis for one in quote.relaxed] for quote in found.answer.quotes] == [["price"], ["isolation"]]
    assert carried(found, 1) == ["member", "member"]


def with_reserve(budget: Any = None, **resources: Any) -> WorkloadSpec:
    kept = {"objectives": {"availability": 0.9}, "resources": {"cores": 1, **resources}, "term": {"duration": "1h"}}
    return inference(**kept, budget=budget)


def test_the_reserve_of_what_comes_to_one_member_stands_on_another_machine(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack", "m-0,r", "m-1,r")
    each = {"cores": 4, "members": 4, "membersMin": 1}
    found = said(made, with_reserve(**each), busy(made, "m-1", 4))
    assert carried(found) == ["member", "member", RESERVE]
    lone = said(made, with_reserve(**each), busy(made, "m-1", 2), busy(made, "m-0", 2))
    assert carried(lone) == ["member", RESERVE]
    assert len(machines_of(lone.planned[0].plan)) == 2


ONE_OR_MORE = {"members": 4, "membersMin": 1}
RATHER_ONE = {"sizes": [{"members": 1, "value": 9}, {"members": 4, "value": 1}]}


@pytest.mark.parametrize("sizes", [ONE_OR_MORE, RATHER_ONE])
def test_where_a_lone_member_s_reserve_has_no_other_machine_it_is_refused_or_waits(
    tmp_path: Path, sizes: dict[str, Any]
) -> None:
    made = file_of(tmp_path, "rack", "m-0,r", "m-1,r")
    found = said(made, with_reserve(cores=4, **sizes), busy(made, "m-1", 8))
    assert found.answer.kind == "CounterOffers"
    assert found.answer.refusal is not None
    assert found.answer.refusal.binding.constraint == RESERVE
    later = next(one for one in found.planned if one.plan.start_ms > 0)
    assert (later.plan.start_ms, len(machines_of(later.plan))) == (10 * HOUR_MS, 2)


def test_where_a_lone_member_s_reserve_has_no_other_machine_more_members_may_still_fit_in_time(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack", "m-0,r", "m-1,r")
    wanted = with_reserve(cores=2, **ONE_OR_MORE)
    patient = asked(wanted, term={"duration": "1h", "startBy": "1970-01-01T02:00:00Z"})
    found = said(made, patient, busy(made, "m-1", 8), busy(made, "m-0", 4, HOUR_MS))
    assert found.answer.kind == "Offers"
    assert (found.planned[0].plan.start_ms, carried(found)) == (HOUR_MS, ["member"] * 3 + [RESERVE])


WISH = {"prefer": [{"spread": "rack"}]}


def test_a_preferred_spread_yields_to_limits_and_is_said_to_be_unmet(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack,hourly_cost", "m-0,r-0,8.00 EUR", "m-1,r-0,8.00 EUR", "m-2,r-1,80.00 EUR")
    wish = asked(gang(2, topology=WISH), budget={"hourlyMax": "20 EUR"})
    found = said(made, wish)
    assert found.answer.kind == "Offers"
    assert machines_of(found.planned[0].plan) == {"m-0", "m-1"}
    assert found.answer.quotes[0].chosen is not None
    assert [one.preference for one in found.answer.quotes[0].chosen.unmet] == ["spread:rack"]
    rich = said(made, asked(wish, budget={"hourlyMax": "90 EUR"}))
    assert "m-2" in machines_of(rich.planned[0].plan)


CHEAP = ["m-0,l-0,r-1,f-0,8.00 EUR", "m-1,l-0,r-2,f-1,8.00 EUR", "m-2,l-1,r-3,f-2,8.00 EUR", "m-3,l-2,r-4,f-2,8.00 EUR"]
DEAR = ["d-0,l-3,r-0,f-3,80.00 EUR", "d-1,l-4,r-0,f-4,80.00 EUR"]


@pytest.mark.parametrize("sizes", [{}, {"membersMin": 1}])
def test_a_preferred_level_yields_to_limits_and_costs_no_member(tmp_path: Path, sizes: dict[str, int]) -> None:
    made = file_of(tmp_path, "rail,rack,feed,hourly_cost", *CHEAP, *DEAR)
    wish = asked(gang(2, topology={"prefer": [{"share": "rack"}]}, **sizes), budget={"hourlyMax": "20 EUR"})
    found = said(made, wish)
    assert found.answer.kind == "Offers"
    assert machines_of(found.planned[0].plan) == {"m-0", "m-1"}
    assert told(found.planned[0].plan) == {"level:rack": False}
    rich = said(made, asked(wish, budget={"hourlyMax": "200 EUR"}))
    assert machines_of(rich.planned[0].plan) == {"d-0", "d-1"}


def test_what_the_next_size_costs_is_told_without_what_is_preferred(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rail,rack,feed,hourly_cost", *CHEAP, *DEAR)
    wish = gang(2, topology={"prefer": [{"share": "rack"}]}, membersMin=1)
    found = said(made, asked(wish, budget={"hourlyMax": "12 EUR"})).answer.quotes[0]
    assert found.chosen is not None
    (size,) = found.chosen.sizes
    assert size.next_size is not None
    assert "2 members take 16.00 EUR" in size.next_size.needs.message


def test_a_preferred_level_is_sought_within_the_limits_too(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rail,rack,feed,hourly_cost", *CHEAP, *DEAR)
    wishes = {"prefer": [{"share": "rack"}, {"share": "feed"}]}
    found = said(made, asked(gang(2, topology=wishes), budget={"hourlyMax": "20 EUR"}))
    assert found.answer.kind == "Offers"
    assert machines_of(found.planned[0].plan) == {"m-2", "m-3"}
    assert told(found.planned[0].plan) == {"level:rack": False, "level:feed": True}


def test_within_limits_no_more_is_sought_than_there_is_time_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.placement.preferences.MEMBERS_SOUGHT_MAX", 2)
    made = file_of(tmp_path, "rail,rack,feed,hourly_cost", *CHEAP, *DEAR)
    wishes = {"prefer": [{"share": "rack"}, {"share": "feed"}]}
    found = said(made, asked(gang(2, topology=wishes), budget={"hourlyMax": "20 EUR"})).answer.quotes[0]
    assert found.chosen is not None
    assert [one.found for one in found.chosen.unmet] == ["2", "2; to answer in time it was not sought everywhere"]


def test_a_preferred_spread_is_kept_by_as_many_as_lie_within_the_limits(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack,hourly_cost", *(f"m-{n},r-{n // 2},8.00 EUR" for n in range(6)))
    found = said(made, asked(gang(3, membersMin=1, topology=WISH), budget={"hourlyMax": "17 EUR"}))
    assert len(found.planned[0].plan.claims) == 2
    assert told(found.planned[0].plan) == {"spread:rack": True}


def test_of_two_preferences_the_one_that_costs_too_much_yields_and_the_other_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheap = [f"m-{n},r-0,2,8.00 EUR" for n in range(3)]
    made = file_of(tmp_path, "rack,numa_nodes,hourly_cost", *cheap, "m-3,r-1,2,80.00 EUR")
    # On m-0 two GPUs of either node are left: enough for a member, and not near each other.
    halves = tuple(DeviceClaim(f"gpu-{n}", 1000) for n in (0, 1, 4, 5))
    taken = Hold("half", "", made.site.name, 0, 10 * HOUR_MS, (Claim("m-0", devices=halves),))
    wishes = {"prefer": [{"spread": "rack", "membersMax": 2}, {"numaDistanceMax": 10}]}
    wanted = asked(gang(3, 4, topology=wishes), budget={"hourlyMax": "30 EUR"})
    found = said(made, wanted, taken)
    assert machines_of(said(made, asked(wanted, topology=None), taken).planned[0].plan) == {"m-0", "m-1"}
    assert found.answer.kind == "Offers"
    assert machines_of(found.planned[0].plan) == {"m-1", "m-2"}
    assert told(found.planned[0].plan) == {"spread:rack": False, "member:numaDistance": True}
    monkeypatch.setattr("tenure.placement.preferred.SORTS_SOUGHT_MAX", 1)
    cut = said(made, wanted, taken).planned[0].plan.preferences
    assert [(one.kept, one.sought) for one in cut] == [(False, True), (False, False)]


def test_what_decided_is_reckoned_for_what_is_shown_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = file_of(tmp_path, "hourly_cost", *(f"m-{n},8.00 EUR" for n in range(4)))
    calls = []
    real = chosen.chosen_of

    def counted(*args: Any, **more: Any) -> Any:
        calls.append(args[0])
        return real(*args, **more)

    monkeypatch.setattr("tenure.controllers.answering.answer.chosen_of", counted)
    found = said(made, with_reserve(members=3, membersMin=2, devices=GPUS, budget={"hourlyMax": "9 EUR"}))
    assert calls == [one.plan for one in found.planned]


def test_an_engine_of_one_member_counts_it_whatever_its_role_is_called(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack", "m-0,r")
    wanted = wanted_of(in_roles(role("w", members=4, membersMin=1), hourly="9 EUR"))
    found = said(made, gang(1)).planned[0].plan
    assert [claim.role for claim in found.claims] == ["member"]
    on = fleet_of(made.site, as_observed(made, 0), made.profiles)
    ground = Ground(on, Calendar(), 0, 0, POLICY)
    told = chosen.chosen_of(found, demand_of(on, gang(1)), wanted, ground, lambda _: [], several=False)
    assert told is not None
    assert [(size.role, size.members) for size in told.sizes] == [("w", 1)]
