"""What the packer promises: it takes what fits, keeps exact books, and its kept scores are those computed anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.packing.fleets import MIXED, cpu_only, demands, fits, fleet, share, whole

from tenure.placement.packing import Demand, FleetState, Packer, Placement, Watts
from tenure.placement.packing.steps import Work

histories = st.lists(st.tuples(demands, st.booleans()), min_size=1, max_size=40)


def played(history: list[tuple[Demand, bool]]) -> tuple[Packer, list[Placement]]:
    """Each demand arrives and is placed where it may; a true flag frees the oldest placement afterwards."""
    packer = Packer(FleetState(MIXED), watts=Watts.published(MIXED.models))
    held: list[Placement] = []
    for demand, frees in history:
        packer.arrived(demand)
        placement = packer.choose(demand)
        if placement is not None:
            packer.allocate(placement)
            held.append(placement)
        if frees and held:
            packer.free(held.pop(0))
    return packer, held


@settings(max_examples=20, deadline=None)
@given(histories)
def test_kept_scores_equal_scores_computed_anew(history: list[tuple[Demand, bool]]) -> None:
    packer, _ = played(history)
    packer.settle()
    for machine in range(len(MIXED)):
        losses, slots = packer.fresh(machine)
        kept = [packer.costs(demand)[machine] for demand in packer.classes.demands]
        np.testing.assert_allclose(kept, losses, rtol=0, atol=1e-6)
        assert slots.shape == losses.shape


@settings(max_examples=20, deadline=None)
@given(histories, demands)
def test_it_never_refuses_what_fits_nor_takes_what_does_not(history: list[tuple[Demand, bool]], demand: Demand) -> None:
    packer, _ = played(history)
    able = [machine for machine in range(len(MIXED)) if fits(packer.state, machine, demand)]
    placement = packer.choose(demand)
    assert (placement is not None) == bool(able)
    if placement is not None:
        assert placement.machine in able
        packer.allocate(placement)
    costs = packer.costs(demand)
    assert np.isfinite(costs).tolist() == [fits(packer.state, machine, demand) for machine in range(len(MIXED))]


@settings(max_examples=20, deadline=None)
@given(histories)
def test_nothing_exceeds_capacity_and_freeing_all_restores_the_empty_fleet(history: list[tuple[Demand, bool]]) -> None:
    packer, held = played(history)
    state, empty = packer.state, FleetState(MIXED)
    assert (state.cpu_free >= 0).all()
    assert (state.memory_free >= 0).all()
    assert ((state.device_free >= 0) & (state.device_free <= empty.device_free)).all()
    for placement in held:
        packer.free(placement)
    np.testing.assert_array_equal(state.cpu_free, empty.cpu_free)
    np.testing.assert_array_equal(state.memory_free, empty.memory_free)
    np.testing.assert_array_equal(state.device_free, empty.device_free)
    assert state.placed_device_milli == 0


@settings(max_examples=20, deadline=None)
@given(histories, demands)
def test_placing_and_freeing_leaves_every_score_as_it_was(history: list[tuple[Demand, bool]], demand: Demand) -> None:
    packer, _ = played(history)
    packer.choose(demand)
    packer.settle()
    before = [packer.costs(known) for known in packer.classes.demands]
    placement = packer.choose(demand)
    if placement is not None:
        packer.allocate(placement)
        packer.free(placement)
    np.testing.assert_array_equal(before, [packer.costs(known) for known in packer.classes.demands])


@settings(max_examples=10, deadline=None)
@given(histories)
def test_the_same_calls_make_the_same_choices(history: list[tuple[Demand, bool]]) -> None:
    assert played(history)[1] == played(history)[1]


STREAM = [share(470, 3), whole(1, 4), share(810, 2), cpu_only(6), whole(2, 9), share(125, 1), share(330, 1, "B")] * 25


def streamed() -> list[Placement | None]:
    """Where a fleet takes demands, large enough for epochs of several decisions."""
    packer = Packer(FleetState(fleet(*[(48, 8, "A")] * 30, *[(96, 8, "B")] * 10)))
    placements: list[Placement | None] = []
    for demand in STREAM:
        packer.arrived(demand)
        placement = packer.choose(demand)
        if placement is not None:
            packer.allocate(placement)
        placements.append(placement)
    return placements


@pytest.mark.parametrize("steps", [1, 10_000])
def test_choices_do_not_depend_on_how_the_steps_of_pricing_are_spread(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, take = streamed(), Work.take
    monkeypatch.setattr(Work, "take", lambda work, _: take(work, steps))
    assert streamed() == usual


def test_no_decision_waits_for_more_than_its_part_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[tuple[int, int]] = []
    take, finish = Work.take, Work.finish

    def taking(work: Work[object], steps: int) -> None:
        work.part = steps  # type: ignore[attr-defined]
        take(work, steps)

    def finishing(work: Work[object]) -> object:
        before = work.taken
        made = finish(work)
        parts.append((work.taken - before, getattr(work, "part", work.taken)))
        return made

    monkeypatch.setattr(Work, "take", taking)
    monkeypatch.setattr(Work, "finish", finishing)
    streamed()
    every, _ = parts[0]
    assert all(left <= part for left, part in parts[10:]), "what is left at the end is no more than a part"
    assert parts[-1][1] < every / 3


def test_it_chooses_only_among_the_machines_it_is_given() -> None:
    packer = Packer(FleetState(MIXED))
    demand = share(500)
    packer.arrived(demand)
    only = np.zeros(len(MIXED), dtype=bool)
    only[2] = True
    placement = packer.choose(demand, only)
    assert placement is not None
    assert placement.machine == 2
    assert packer.choose(demand, np.zeros(len(MIXED), dtype=bool)) is None


def test_a_remainder_that_completes_a_device_is_preferred() -> None:
    packer = Packer(FleetState(fleet((16, 2, "A"), (16, 2, "A"))))
    for _ in range(10):
        packer.arrived(share(700))
        packer.arrived(share(300))
    packer.allocate(Placement(1, (0,), share(700)))
    placement = packer.choose(share(300))
    assert placement is not None
    assert (placement.machine, placement.slots) == (1, (0,))


def test_what_may_stand_elsewhere_leaves_a_scarce_model_to_those_who_may_not() -> None:
    packer = Packer(FleetState(fleet((16, 2, "A"), (16, 2, "B"))))
    for _ in range(10):
        packer.arrived(whole(1, 1, "A"))
        packer.arrived(whole(1, 1))
    placement = packer.choose(whole(1, 1))
    assert placement is not None
    assert placement.machine == 1


def test_of_machines_worth_the_same_the_one_that_adds_fewest_watts_is_taken() -> None:
    two = fleet((16, 2, "V100M16"), (16, 2, "T4"))
    packer = Packer(FleetState(two), watts=Watts.published(two.models))
    packer.arrived(whole(1))
    placement = packer.choose(whole(1))
    assert placement is not None
    assert placement.machine == 1


def test_taking_what_is_not_there_changes_nothing() -> None:
    state = FleetState(fleet((4, 1, "A")))
    with pytest.raises(ValueError, match="not enough"):
        state.allocate(0, (0,), whole(1, 5))
    np.testing.assert_array_equal(state.device_free, [[1000]])
    assert state.cpu_free.tolist() == [4000]


def test_a_fleet_without_devices_takes_cpu_only_work() -> None:
    packer = Packer(FleetState(fleet((4, 0, ""), (8, 0, ""))))
    packer.arrived(cpu_only(6))
    placement = packer.choose(cpu_only(6))
    assert placement is not None
    assert placement.machine == 1
    assert packer.choose(whole(1)) is None
