"""What each score says of machines: distances, and what fails together."""

from __future__ import annotations

from dataclasses import replace

from tests.placement.builders import demand, hold, machine

from tenure.placement import (
    Calendar,
    Choice,
    Claim,
    Demand,
    Fleet,
    FleetMachine,
    Level,
    Locality,
    Plan,
    Score,
    SpreadOut,
    plan,
)
from tenure.placement.question import Question
from tenure.placement.weighing import Weighing


def costs(score: Score, wanted: Demand, *machines: FleetMachine, calendar: Calendar | None = None) -> dict[str, float]:
    question = Question(Fleet.of(machines), calendar or Calendar(), wanted, now_ms=0)
    return dict(score.costs(question, question.free(machines, 0), wanted.roles[0]))


def cost_of(score: Score, fleet: Fleet, wanted: Demand, *names: str) -> float:
    """What members on these machines cost in all."""
    question = Question(fleet, Calendar(), wanted, now_ms=0)
    weighing = Weighing(question, Choice(((score, 1.0),)), question.free(fleet.machines, 0), 0)
    return weighing.of(wanted.roles, [Claim(name, role=wanted.roles[0].name) for name in names])


def test_locality_counts_numa_distance_beyond_local_in_acpi_units() -> None:
    near = machine("near", nodes=2, cores=2, numa_distances=((10, 21), (21, 10)))
    far = machine("far", nodes=2, cores=2, numa_distances=((10, 32), (32, 10)))
    assert costs(Locality(), demand(cores=2), near, far) == {"near": 0.0, "far": 0.0}
    assert costs(Locality(), demand(cores=3), near, far) == {"near": 11.0, "far": 22.0}


def test_locality_counts_pcie_switches_beyond_the_first() -> None:
    box = machine("box", nodes=1, gpus=4)
    assert costs(Locality(), demand(gpus=2), box) == {"box": 0.0}
    assert costs(Locality(), demand(gpus=3), box) == {"box": 1.0}
    assert costs(Locality(per_switch=3.0), demand(gpus=3), box) == {"box": 3.0}
    loose = replace(box, devices=tuple(replace(device, pcie_switch=None) for device in box.devices))
    assert costs(Locality(), demand(gpus=3), loose) == {"box": 2.0}  # an unknown switch is shared with nobody


def test_locality_counts_the_levels_that_members_go_up_to_share_a_domain() -> None:
    racks = {"a": "r0", "b": "r0", "c": "r1"}
    fleet = Fleet.of([machine(n, place=(("rack", r),)) for n, r in racks.items()], levels=(Level("rack"),))
    wanted = demand(count=3)
    assert cost_of(Locality(), fleet, wanted, "a", "a") == 0.0
    assert cost_of(Locality(), fleet, wanted, "a", "b") == 10.0
    assert cost_of(Locality(), fleet, wanted, "a", "c") == 20.0
    assert cost_of(Locality(), fleet, wanted, "a", "c", "b") == 40.0


def test_spreading_counts_members_that_the_domain_carries_already() -> None:
    racks = {"a": "r0", "b": "r0", "c": "r1"}
    boxes = [machine(n, cores=4, place=(("rack", r),)) for n, r in racks.items()]
    fleet = Fleet.of(boxes, levels=(Level("rack"),))
    assert cost_of(SpreadOut("rack"), fleet, demand(count=3), "a", "b", "b") == 3.0
    assert cost_of(SpreadOut("rack"), fleet, demand(count=3), "a", "b", "c") == 1.0
    assert cost_of(SpreadOut("machine"), fleet, demand(count=3), "a", "b", "c") == 0.0


def test_spreading_counts_holds_that_belong_together_and_have_not_ended() -> None:
    boxes = [machine(n, cores=4, place=(("rack", r),)) for n, r in {"a": "r0", "b": "r0", "c": "r1"}.items()]
    calendar = Calendar.of(
        [
            hold("one", on="a", cores=(0,)),
            hold("offer", on="b", cores=(1,), group="two"),
            hold("other offer", on="b", cores=(2,), group="two"),
            hold("stranger", on="c", cores=(0,)),
            hold("gone", on="c", cores=(1,), start=-9, end=-1),
        ]
    )
    score = SpreadOut("rack", frozenset({"one", "two", "gone"}))
    assert costs(score, demand(cores=1), *boxes, calendar=calendar) == {"a": 2.0, "b": 2.0, "c": 0.0}


def test_a_replica_keeps_away_from_the_rack_of_its_sisters() -> None:
    boxes = [machine(n, cores=4, place=(("rack", r),)) for n, r in {"a": "r0", "b": "r0", "c": "r1"}.items()]
    calendar = Calendar.of([hold("first", on="a", cores=(0,))])
    fleet = Fleet.of(boxes, levels=(Level("rack"),))
    for choice, taken in (None, "a"), (Choice(((SpreadOut("rack", frozenset({"first"})), 1.0),)), "c"):
        answer = plan(fleet, calendar, demand("second", cores=1), now_ms=0, choice=choice)
        assert isinstance(answer, Plan)
        assert answer.claims[0].machine == taken
