"""A Site declares by what a place is chosen among those that would do, by load where that matters; answers name it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tenure.controllers.answering.ground import Ground
from tenure.controllers.answering.policy import POLICY, policy_of
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile
from tenure.placement import Calendar, Choice, Fragmentation, Plan, Role
from tenure.placement.question import Question
from tenure.resources import Machine, Site
from tenure.resources.explain import explain
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.kinds.site import SiteSpec
from tenure.resources.problems import problems_of
from tenure.resources.registry import kind_named
from tests.controllers.fleets import demand_of, file_of, gang, machines_of, planned
from tests.controllers.planes import plane_on
from tests.controllers.test_limits_at_the_door import answer_to

ONE = {"cores": 1, "devices": [{"class": "gpu", "count": 1}]}
CHEAP = [{"score": "cost", "weight": 1}]


def ground(made: FleetFile, calendar: Calendar | None = None) -> Ground:
    observed = as_observed(made, 0)
    machines: dict[str, Machine] = {machine.name: machine for machine in observed}
    on = fleet_of(made.site, observed, made.profiles)
    return Ground(on, calendar or Calendar(), 0, 0, policy_of(made.site.spec, machines))


def where(on: Ground, **spec: Any) -> str:
    found = on.plan(demand_of(on.fleet, gang(1, 1, **spec)))
    assert isinstance(found, Plan)
    return found.claims[0].machine


@pytest.mark.parametrize("cheap", ["m-0", "m-1", "m-2"])
def test_the_cheapest_place_is_taken_where_the_site_weighs_cost(cheap: str, tmp_path: Path) -> None:
    rows = [f"m-{n},{'2' if cheap == f'm-{n}' else '9'}.00 EUR" for n in range(3)]
    assert where(ground(file_of(tmp_path, "hourly_cost", *rows, scores=CHEAP))) == cheap


def test_a_machine_that_nobody_priced_or_priced_otherwise_is_never_preferred_for_that(tmp_path: Path) -> None:
    rows = ["m-0,", "m-1,0.01 USD", "m-2,5.00 EUR", "m-3,7.00 EUR", "m-4,9.00 EUR"]
    on = ground(file_of(tmp_path, "hourly_cost", *rows, scores=CHEAP))
    assert where(on) == "m-2"
    pair = on.plan(demand_of(on.fleet, gang(2, 8)))
    assert isinstance(pair, Plan)
    assert machines_of(pair) == {"m-2", "m-3"}


def test_what_draws_least_is_taken_where_watts_are_weighed(tmp_path: Path) -> None:
    rows = ["m-0,700W,9kW", "m-1,300W,6kW", "m-2,700W,9kW"]
    scores = [{"score": "addedWatts", "weight": 1}]
    assert where(ground(file_of(tmp_path, "gpu_power,rated_power", *rows, scores=scores))) == "m-1"


def test_the_newest_machine_is_taken_where_age_is_weighed_and_one_of_unknown_age_counts_as_the_oldest(
    tmp_path: Path,
) -> None:
    made = file_of(tmp_path, "rack", "m-0,r", "m-1,r", "m-2,r", scores=[{"score": "age", "weight": 1}])
    since = ["2021-05-01T00:00:00Z", None, "2026-05-01T00:00:00Z"]
    aged = [
        machine.model_copy(
            update={"spec": MachineSpec.model_validate({**machine.spec.to_json(), "inServiceSince": at})}
        )
        for machine, at in zip(made.machines, since, strict=True)
    ]
    on = ground(replace(made, machines=tuple(aged)))
    assert where(on) == "m-2"
    free = {name: on.calendar.free_over(on.fleet.machine(name), 0, 1) for name in ("m-0", "m-1", "m-2")}
    (score, _), *_ = on.policy.choice.scores
    years = score.costs(Question(on.fleet, on.calendar, demand_of(on.fleet, gang(1, 1)), 0), free, Role())
    assert {name: round(figure, 2) for name, figure in years.items()} == {"m-0": 5.0, "m-1": 5.0, "m-2": 0.0}


def test_weights_follow_the_load(tmp_path: Path) -> None:
    scores = [
        {"score": "fragmentation", "weight": 1},
        {"score": "cost", "weight": 3, "byLoad": [{"takenMin": 0.25, "weight": 2}, {"takenMin": 0.5, "weight": 0}]},
    ]
    made = file_of(tmp_path, "hourly_cost", "m-0,2.00 EUR", "m-1,9.00 EUR", scores=scores)
    empty = ground(made)
    demand = demand_of(empty.fleet, gang(1, 1))
    held = [Calendar().with_holds(planned(empty.fleet, gang(1, gpus)).hold("h")) for gpus in (3, 4, 8)]
    by_load = [ground(made, calendar).weighed(demand, 0) for calendar in (Calendar(), *held)]
    assert [(taken, [(one.score, one.weight) for one in said]) for taken, said in by_load] == [
        (0, [("fragmentation", 1), ("cost", 3)]),
        (3 / 16, [("fragmentation", 1), ("cost", 3)]),
        (0.25, [("fragmentation", 1), ("cost", 2)]),
        (0.5, [("fragmentation", 1), ("cost", 0)]),
    ]


def test_nothing_declared_is_the_choice_that_it_always_was() -> None:
    assert policy_of(SiteSpec(), {}) is POLICY
    assert POLICY.choice == Choice(((Fragmentation(), 1.0),))


@pytest.mark.parametrize(
    ("score", "path", "words"),
    [
        ({"score": "beauty", "weight": 1}, "spec.scores[0].score", "'fragmentation'"),
        ({"score": "cost"}, "spec.scores[0].weight", "is required"),
        ({"score": "cost", "weight": -1}, "spec.scores[0].weight", "greater than or equal to 0"),
        ({"score": "spread", "weight": 1}, "spec.scores[0]", "level goes with score: spread"),
        ({"score": "cost", "weight": 1, "level": "rack"}, "spec.scores[0]", "level goes with score: spread"),
        (
            {"score": "cost", "weight": 1, "byLoad": [{"takenMin": 0.5, "weight": 1}, {"takenMin": 0.5, "weight": 2}]},
            "spec.scores[0].byLoad",
            "greater than the one before",
        ),
        (
            {"score": "cost", "weight": 1, "byLoad": [{"takenMin": 1.5, "weight": 1}]},
            "spec.scores[0].byLoad[0].takenMin",
            "strictly between 0 and 1",
        ),
    ],
)
def test_scores_that_make_no_sense_are_refused_by_their_path(score: dict[str, Any], path: str, words: str) -> None:
    content = {"metadata": {"name": "s"}, "spec": {"scores": [score]}}
    with pytest.raises(ValidationError) as wrong:
        Site.model_validate(content)
    (problem,) = problems_of(wrong.value, Site, content, "site")
    assert problem.path == path
    assert words in problem.message


def test_each_score_has_one_weight_a_level() -> None:
    spread = {"score": "spread", "weight": 1}
    SiteSpec.model_validate({"scores": [{**spread, "level": "rack"}, {**spread, "level": "feed"}]})
    with pytest.raises(ValidationError, match="spread:rack is named twice"):
        SiteSpec.model_validate({"scores": [{**spread, "level": "rack"}, {**spread, "level": "rack"}]})


def test_explain_documents_each_field() -> None:
    kind = kind_named("site")
    assert kind is not None
    said = explain(kind, "spec.scores")
    assert {field.name for field in said.fields} == {"score", "level", "weight", "byLoad"}
    assert "what those who come later lose" in next(f.description for f in said.fields if f.name == "score")


async def test_through_the_door_the_site_s_weights_choose_and_the_answer_names_them(tmp_path: Path) -> None:
    made = file_of(tmp_path, "hourly_cost", "m-0,9.00 EUR", "m-1,2.00 EUR", "m-2,9.00 EUR")
    async with plane_on(tmp_path / "home", running=True, fleet=made) as (plane, user):
        said = await answer_to(user, "first", resources=ONE)
        assert said.quotes[0].chosen is not None
        assert [(one.score, one.weight) for one in said.quotes[0].chosen.scores] == [("fragmentation", 1)]
        assert said.quotes[0].chosen.taken is None
        await user.patch(Site, plane.site, {"spec": {"scores": CHEAP}})
        cheap = (await answer_to(user, "cheap", resources=ONE)).quotes[0]
        assert cheap.chosen is not None
        assert (cheap.machine, [one.score for one in cheap.chosen.scores]) == ("m-1", ["cost"])
        later = {"score": "cost", "weight": 0, "byLoad": [{"takenMin": 0.9, "weight": 1}]}
        await user.patch(Site, plane.site, {"spec": {"scores": [later]}})
        idle = (await answer_to(user, "idle", resources=ONE)).quotes[0]
        assert idle.chosen is not None
        assert ([one.weight for one in idle.chosen.scores], idle.chosen.taken) == ([0], pytest.approx(2 / 24))
