"""A workload says how far apart its members stand; it is offered and promised so, or refused by that name."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tenure.controllers.answering.choices import Choice
from tenure.controllers.answering.ground import Ground
from tenure.controllers.answering.policy import POLICY
from tenure.controllers.answering.reserve import naming_reserve, with_reserve, without_reserve
from tenure.placement import Calendar, Plan, Refusal, Spread, plan
from tenure.resources import Offer, Workload
from tenure.resources.problems import problems_of
from tests.controllers.fleets import decided, demand_of, file_of, fleet, gang, machines_of, planned, refused
from tests.controllers.planes import plane_on
from tests.controllers.test_limits_at_the_door import answer_to

RACKS = [f"m-{n},r-{n // 2}" for n in range(6)]
APART = {"must": [{"spread": "rack"}]}
EACH = {"cores": 1, "devices": [{"class": "gpu", "count": 2}]}


def test_at_most_so_many_members_stand_in_one_domain(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", *RACKS)
    assert len({m[-1] for m in machines_of(planned(on, gang(3, 1)))}) == 1
    racks = [on.machine(claim.machine).domain("rack") for claim in planned(on, gang(3, 1, topology=APART)).claims]
    assert sorted(map(str, racks)) == ["r-0", "r-1", "r-2"]
    two = {"must": [{"spread": "rack", "membersMax": 2}]}
    planned(on, gang(6, 1, topology=two))
    no = refused(on, gang(7, 1, topology=two))
    assert (no.binding.constraint, no.binding.needed, no.binding.available) == ("spread:rack", 4, 3)


def test_machines_of_which_nobody_said_where_they_stand_are_no_candidates(tmp_path: Path) -> None:
    no = refused(fleet(tmp_path, "rack", "m-0,", "m-1,"), gang(2, 1, topology=APART))
    assert no.binding.constraint == "topology.spread.rack"
    assert "in which rack they stand" in no.binding.hint


def test_members_share_one_level_and_are_spread_over_another(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", *RACKS)
    rules = {"must": [{"share": "rack"}, {"spread": "machine"}]}
    assert len(machines_of(planned(on, gang(2, 1, topology=rules)))) == 2
    assert isinstance(decided(on, gang(3, 1, topology=rules)), Refusal)


@pytest.mark.parametrize(
    ("rules", "path", "words"),
    [
        ({"must": [{"spread": "rack", "share": "row"}]}, "spec.topology.must[0]", "exactly one of share, spread"),
        ({"prefer": [{}]}, "spec.topology.prefer[0]", "exactly one of share, spread"),
        ({"must": [{"share": "rack", "membersMax": 2}]}, "spec.topology.must[0]", "membersMax goes with spread"),
        ({"must": [{"spread": "rack", "membersMax": 0}]}, "spec.topology.must[0].membersMax", "greater than"),
        ({"must": [{"spread": "numaNode"}]}, "spec.topology.must[0].spread", "'machine'"),
        ({"must": [{"spread": "rack"}], "prefer": [{"spread": "row"}]}, "spec.topology", "over one level"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_path(rules: dict[str, Any], path: str, words: str) -> None:
    content = {"metadata": {"name": "w"}, "spec": {"command": {}, "run": {"command": ["x"]}, "topology": rules}}
    with pytest.raises(ValidationError) as wrong:
        Workload.model_validate(content)
    (problem,) = problems_of(wrong.value, Workload, content, "workload")
    assert problem.path == path
    assert words in problem.message


def test_who_spreads_nothing_asks_the_question_that_he_always_asked() -> None:
    assert gang(topology={"must": [{"share": "rack"}]}).to_json()["topology"]["must"] == [{"share": "rack"}]


def test_a_reserve_keeps_the_spread_and_is_named_where_it_lacks_a_domain(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", *RACKS)
    choice = with_reserve(Choice(demand_of(on, gang(2, 1, topology=APART)), None), on)
    found = plan(on, Calendar(), choice.demand, now_ms=0)
    assert isinstance(found, Plan)
    assert len({on.machine(claim.machine).domain("rack") for claim in found.claims}) == 3
    full = with_reserve(Choice(demand_of(on, gang(3, 1, topology=APART)), None), on)
    no = plan(on, Calendar(), full.demand, now_ms=0)
    assert isinstance(no, Refusal)
    named = naming_reserve(no, full.demand, Ground(on, Calendar(), 0, 0, POLICY))
    assert (named.binding.constraint, named.binding.imposed_by) == ("reserve", "class guaranteed")
    lesser = without_reserve(full)
    assert lesser is not None
    assert lesser.demand.spread == Spread("rack")


def test_a_lone_member_s_reserve_stands_in_another_domain_of_its_spread(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", *RACKS)
    assert with_reserve(Choice(demand_of(on, gang(1, 1)), None), on).demand.spread == Spread("machine")
    apart = with_reserve(Choice(demand_of(on, gang(1, 1, topology=APART)), None), on)
    assert apart.demand.spread == Spread("rack")
    lesser = without_reserve(apart)
    assert lesser is not None
    assert lesser.demand.spread is None


async def test_through_the_door_it_is_promised_refused_by_name_or_preferred(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack", *RACKS)
    async with plane_on(tmp_path / "home", running=True, fleet=made) as (_, user):
        said = await answer_to(user, "fits", resources={"members": 3, **EACH}, topology=APART)
        assert said.kind == "Offers"
        hard = {promise.what: promise.value for promise in said.quotes[0].promises.hard}
        assert hard["spread"] == "at most 1 in one rack"
        claims = (await user.list(Offer, namespace="default")).items[0].spec.hold.claims
        assert len({int(claim.machine[-1]) // 2 for claim in claims}) == 3
        many = await answer_to(user, "many", resources={"members": 4, **EACH}, topology=APART)
        assert many.refusal is not None
        last = many.refusal.funnel[-1]
        assert (last.constraint, last.remaining, last.detail) == ("spread:rack", 0, "together")
        assert "allow more there, or fewer members" in (many.refusal.binding.next_step or "")
        assert [(r.axis, r.offered) for r in many.quotes[0].relaxed] == [("less", "3")]
        wished = {"prefer": [{"spread": "rack"}]}
        unmet = await answer_to(user, "wish", resources={"members": 4, **EACH}, topology=wished)
        assert unmet.kind == "Offers"
        assert unmet.quotes[0].chosen is not None
        (told,) = unmet.quotes[0].chosen.unmet
        assert (told.preference, told.asked) == ("spread:rack", "at most 1 in one rack")
        offer = await user.get(Offer, unmet.quotes[0].offer or "", namespace="default")
        assert offer.spec.chosen == unmet.quotes[0].chosen
        met = await answer_to(user, "met", resources={"members": 2, **EACH}, topology=wished)
        hard = {promise.what: promise.value for promise in met.quotes[0].promises.hard}
        assert hard["spread"] == "at most 1 in one rack, as preferred"
