"""Which of several machines that would all do: weighed scores decide, the same way each time."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import pairwise

from tests.placement.builders import Trait, demand, hold, machine

from tenure.placement import (
    AddedWatts,
    Calendar,
    Choice,
    Demand,
    Fleet,
    Fragmentation,
    Plan,
    PowerFacts,
    plan,
)
from tenure.placement.worth import milestone


def where(fleet: Fleet, calendar: Calendar, wanted: Demand, choice: Choice | None) -> str:
    answer = plan(fleet, calendar, wanted, now_ms=0, choice=choice)
    assert isinstance(answer, Plan)
    return answer.claims[0].machine


def test_the_cheaper_or_younger_machine_is_taken() -> None:
    fleet = Fleet.of([machine("dear", traits=(("hourlyCost", 9.0),)), machine("fair", traits=(("hourlyCost", 2.0),))])
    assert where(fleet, Calendar(), demand(cores=1), None) == "dear"
    assert where(fleet, Calendar(), demand(cores=1), Choice(((Trait("hourlyCost"), 1.0),))) == "fair"


def test_a_weight_may_depend_on_how_full_the_fleet_is() -> None:
    hungry = machine("a", cores=4, core_power=PowerFacts(rated_mw=9_000), traits=(("age", 1.0),))
    frugal = machine("b", cores=4, core_power=PowerFacts(rated_mw=2_000), traits=(("age", 5.0),))
    fleet = Fleet.of([hungry, frugal])
    choice = Choice(((AddedWatts(), lambda taken: 0.0 if taken < 0.2 else 1.0), (Trait("age"), 0.1)))
    assert where(fleet, Calendar(), demand(cores=1), choice) == "a"
    busy = Calendar.of([hold("h", on="a", cores=(0, 1)), hold("g", on="b", cores=(0, 1))])
    assert where(fleet, busy, demand(cores=1, duration_ms=10), choice) == "b"


def placed(choice: Choice | None, seed: int) -> int:
    """GPU thousandths placed of a random stream of shares and whole devices until 130 % was asked for."""
    machines = [machine(f"m{n:02d}", cores=24, gib=512, gpus=4) for n in range(12)]
    fleet = Fleet.of(machines)
    draw = random.Random(seed)
    calendar, asked, total = Calendar(), 0, 0
    while asked < 1.3 * 48_000:
        gpus, milli = draw.choice([(1, 300), (1, 450), (1, 810), (1, 1000), (2, 1000), (4, 1000)])
        asked += gpus * milli
        wanted = replace(demand(f"d{asked}", cores=1, gpus=gpus, milli=milli))
        answer = plan(fleet, calendar, wanted, now_ms=0, choice=choice)
        if isinstance(answer, Plan):
            calendar = calendar.with_holds(answer.hold(f"h{asked}"))
            total += gpus * milli
    return total


def test_opportunity_cost_places_no_less_than_filling_up_and_is_replayed_to_the_byte() -> None:
    choice = Choice(((Fragmentation(), 1.0),))
    ours = sum(placed(choice, seed) for seed in range(2))
    assert ours >= sum(placed(None, seed) for seed in range(2))
    fleet = Fleet.of([machine(f"m{n}", gpus=4) for n in range(4)])
    calendar = Calendar.of([hold("h", on="m2", devices={"gpu0": 300})])
    one, other = (
        json.dumps(plan(fleet, calendar, demand(gpus=1, milli=400), now_ms=0, choice=choice).to_json())
        for _ in range(2)
    )
    assert one == other


def test_what_is_kept_between_questions_changes_no_answer() -> None:
    """A fleet that has answered hundreds of questions answers like one that was never asked."""
    choice = Choice(((Fragmentation(), 1.0),))
    machines = [machine(f"m{n:02d}", cores=24, gib=512, gpus=4) for n in range(12)]
    machines.append(machine("z-idle", cores=24, gib=512, gpus=4, schedulable=False))
    asked = Fleet.of(machines)
    draw = random.Random(5)
    calendar = Calendar()
    for number in range(120):
        gpus, milli = draw.choice([(0, 1000), (1, 300), (1, 450), (1, 810), (1, 1000), (2, 1000)])
        wanted = demand(f"d{number}", cores=draw.randint(1, 5), gpus=gpus, milli=milli)
        answer = plan(asked, calendar, wanted, now_ms=number, choice=choice)
        assert answer == plan(Fleet.of(machines), calendar, wanted, now_ms=number, choice=choice)
        if isinstance(answer, Plan):
            calendar = calendar.with_holds(answer.hold(f"h{number:03d}"))
        if calendar.holds and draw.random() < 0.4:
            calendar = calendar.without(draw.choice(sorted(calendar.holds)))


def test_prices_are_made_anew_at_milestones_only() -> None:
    at = [milestone(count, devices=10_000) for count in range(1200)]
    assert at[:6] == [0, 1, 2, 3, 4, 5]
    assert all(place <= count < place * 1.31 + 4 for count, place in enumerate(at))
    assert max(after - before for before, after in pairwise(sorted(set(at)))) == 200
