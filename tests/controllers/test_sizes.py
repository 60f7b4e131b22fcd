"""How many members it takes at the least and at the most, and what each number is worth: answers say which they carry,
and what the next one lacks."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rich.console import Console

from tenure.cli.answer import quote_card
from tenure.controllers.answering.explicit import limits_of_engine, wanted_of, with_wanted
from tenure.placement import Calendar, what_binds
from tenure.resources import Offer, Workload
from tenure.resources.kinds.answer import Answer, Size
from tenure.resources.problems import problems_of
from tests.controllers.fleets import demand_of, file_of, fleet, gang, planned, refused
from tests.controllers.planes import plane_on
from tests.controllers.test_limits_at_the_door import answer_to, gone

FOUR = [f"m-{n},r,8.00 EUR" for n in range(4)]
EACH = {"cores": 1, "devices": [{"class": "gpu", "count": 8}]}
SIZES = [{"members": 2, "value": 10}, {"members": 4, "value": 30}, {"members": 6, "value": 31}]


def sized(*sizes: tuple[int, int]) -> list[dict[str, int]]:
    return [{"members": members, "value": value} for members, value in sizes]


def test_as_many_members_as_fit_are_taken_between_the_least_and_the_most(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack,hourly_cost", *FOUR)
    assert len(planned(on, gang(6, membersMin=2)).claims) == 4
    assert len(planned(on, gang(3, membersMin=2)).claims) == 3
    assert refused(on, gang(6, membersMin=5)).binding.needed == 40


def test_only_sizes_with_a_value_will_do_and_the_greatest_value_that_fits_is_taken(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack,hourly_cost", *FOUR)
    assert len(planned(on, gang(1, sizes=SIZES)).claims) == 4
    assert len(planned(on, gang(1, sizes=sized((3, 9), (5, 10)))).claims) == 3
    assert len(planned(on, gang(1, sizes=sized((2, 10), (4, 5)))).claims) == 2
    assert refused(on, gang(1, sizes=sized((5, 1), (6, 2)))).binding.needed == 40


def test_of_several_roles_the_sizes_worth_most_together_are_taken(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack,hourly_cost", *FOUR)
    devices = EACH["devices"]
    body = {
        "training": {},
        "run": {"command": ["train"]},
        "resources": {
            "roles": [
                {"name": "actor", "devices": devices, "sizes": sized((1, 1), (3, 2))},
                {"name": "learner", "devices": devices, "sizes": sized((1, 1), (3, 9))},
            ]
        },
    }
    found = planned(on, type(gang()).model_validate(body))
    assert sorted(claim.role for claim in found.claims) == ["actor", *["learner"] * 3]


@pytest.mark.parametrize(
    ("resources", "path", "words"),
    [
        ({"members": 4, "membersMin": 5}, "spec.resources.membersMin", "5 is more than members, which is 4"),
        ({"membersMin": 2}, "spec.resources.membersMin", "2 is more than members, which is 1"),
        ({"members": 4, "membersMin": 0}, "spec.resources.membersMin", "greater than or equal to 1"),
        ({"sizes": []}, "spec.resources.sizes", "at least 1 item"),
        ({"sizes": sized((2, 1), (2, 3))}, "spec.resources.sizes", "named twice"),
        ({"sizes": sized((0, 1))}, "spec.resources.sizes[0].members", "greater than or equal to 1"),
        ({"sizes": sized((1, -1))}, "spec.resources.sizes[0].value", "greater than or equal to 0"),
        ({"members": 4, "sizes": sized((2, 1))}, "spec.resources.sizes", "the greatest of sizes is 2"),
        ({"members": 2, "membersMin": 1, "sizes": sized((2, 1))}, "spec.resources.sizes", "leave membersMin out"),
        ({"roles": [{"name": "w", "members": 1, "membersMin": 2}]}, "spec.resources.roles[0].membersMin", "2 is more"),
        ({"membersMin": 1, "roles": [{"name": "w"}]}, "spec.resources", "move membersMin into a role"),
    ],
)
def test_ranges_that_make_no_sense_are_refused_by_their_path(resources: dict[str, Any], path: str, words: str) -> None:
    content = {"metadata": {"name": "w"}, "spec": {"command": {}, "run": {"command": ["x"]}, "resources": resources}}
    with pytest.raises(ValidationError) as wrong:
        Workload.model_validate(content)
    (problem,) = problems_of(wrong.value, Workload, content, "workload")
    assert problem.path == path
    assert words in f"{problem.message}; {problem.next_step}"


def test_who_says_no_range_asks_the_question_that_he_always_asked_and_a_range_survives_the_wire() -> None:
    assert not {"membersMin", "sizes"} & gang(2).to_json()["resources"].keys()
    for spec in (gang(6, membersMin=2), gang(1, sizes=SIZES)):
        assert type(spec).model_validate(spec.to_json()) == spec


def test_this_machine_runs_one_member_of_what_may_be_one_and_refuses_what_may_not(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack,hourly_cost", *FOUR)
    one = gang(4, 1, membersMin=1)
    assert limits_of_engine(one, simulated=False) == ()
    apart = gang(4, 1, membersMin=1, topology={"must": [{"spread": "rack"}], "prefer": [{"share": "row"}]})
    demand = with_wanted(demand_of(on, gang(1, 1)), wanted_of(apart).alone, on)
    assert (demand.spread, demand.constraints) == (None, ()), "a lone member is apart from nobody"
    assert [(role.count, role.least) for role in demand.roles] == [(1, 1)]
    two = gang(4, 1, membersMin=2)
    assert [limit.id for limit in limits_of_engine(two, simulated=False)] == ["resources.members"]
    assert wanted_of(two).alone == wanted_of(two)


def test_what_binds_is_said_alone_and_nothing_where_it_fits(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack,hourly_cost", *FOUR)
    assert what_binds(on, Calendar(), demand_of(on, gang(4)), now_ms=0) is None
    binding = what_binds(on, Calendar(), demand_of(on, gang(5)), now_ms=0)
    assert binding == refused(on, gang(5)).binding


def size_of(said: Answer) -> Size:
    assert said.quotes, said
    chosen = said.quotes[0].chosen
    assert chosen is not None
    (size,) = chosen.sizes
    return size


def shown(said: Answer) -> str:
    console = Console(width=400)
    with console.capture() as caught:
        console.print(quote_card(said.quotes[0], now_ms=int(said.answered_at)))
    return caught.get()


async def test_through_the_door_the_offer_says_its_size_and_what_the_next_one_lacks(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack,hourly_cost,gpu_power,rated_power", *(f"{row},700W,6kW" for row in FOUR))
    async with plane_on(tmp_path / "home", running=True, fleet=made) as (_, user):
        said = await answer_to(user, "some", resources={"members": 6, "membersMin": 2, **EACH})
        assert (said.kind, said.quotes[0].meets_in_full) == ("Offers", True)
        size = size_of(said)
        assert (size.members, size.members_min, size.members_max, size.value) == (4, 2, 6, None)
        assert size.next_size is not None
        assert size.next_size.members == 5
        assert size.next_size.needs.message == "devices:gpu: 40 devices needed, 32 available, 32 in all"
        assert "4 of 2 to 6 members; for 5: devices:gpu: 40 devices needed" in shown(said)
        (offer,) = (await user.list(Offer, namespace="default")).items
        assert (len(offer.spec.hold.claims), str(offer.spec.price.hourly)) == (4, "32.00 EUR")
        assert offer.spec.chosen == said.quotes[0].chosen
        await gone(user, "some")
        worth = size_of(await answer_to(user, "worth", resources={"sizes": SIZES, **EACH}))
        assert (worth.members, worth.value) == (4, 30)
        assert worth.next_size is not None
        assert (worth.next_size.members, worth.next_size.value) == (6, 31)
        await gone(user, "worth")
        cheap = {"resources": {"members": 4, "membersMin": 1, **EACH}, "budget": {"hourlyMax": "17 EUR"}}
        within = await answer_to(user, "within", **cheap)
        assert within.kind == "Offers"
        limited = size_of(within)
        assert limited.members == 2
        assert limited.next_size is not None
        assert limited.next_size.needs.constraint == "budget.hourlyMax"
        assert "3 members take 24.00 EUR" in limited.next_size.needs.message
        await gone(user, "within")
        frugal = {"resources": {"members": 4, "membersMin": 1, **EACH}, "power": "12kW"}
        drawn = size_of(await answer_to(user, "frugal", **frugal))
        assert drawn.members == 2
        assert drawn.next_size is not None
        assert drawn.next_size.needs.constraint == "power"
        assert "3 members take 16950W" in drawn.next_size.needs.message


async def test_no_counter_offer_has_fewer_members_than_the_least(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack,hourly_cost", *FOUR)
    async with plane_on(tmp_path / "home", running=True, fleet=made) as (_, user):
        plain = await answer_to(user, "plain", resources={"members": 6, **EACH})
        assert [(r.axis, r.offered) for r in plain.quotes[0].relaxed] == [("less", "4")]
        for name, sizes in (("range", {"members": 6, "membersMin": 5}), ("sizes", {"sizes": sized((5, 1), (6, 2))})):
            said = await answer_to(user, name, resources={**sizes, **EACH})
            assert (said.kind, said.quotes) == ("Refusal", [])
        dear = {"resources": {"members": 4, "membersMin": 2, **EACH}, "budget": {"hourlyMax": "9 EUR"}}
        over = await answer_to(user, "dear", **dear)
        assert over.kind == "CounterOffers"
        assert [(r.axis, r.offered) for r in over.quotes[0].relaxed] == [("price", "16.00 EUR")]
