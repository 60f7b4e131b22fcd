"""A watt counts by how long the device it wakes would have slept on: the dear sleep longest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.placement.packing.fleets import fleet, share, whole

from tenure.placement.packing import ClassTable, FleetState, Packer, Watts, Weights
from tenure.placement.packing.weights import PowerPrice, sleeps_on


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 5000)), min_size=1, max_size=8))
def test_over_all_that_sleep_a_watt_counts_once_in_the_mean(models: list[tuple[int, int]]) -> None:
    added, asleep = (np.array(column, dtype=float) for column in zip(*models, strict=True))
    if asleep.sum():
        assert float(sleeps_on(added, asleep) @ asleep / asleep.sum()) == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 5000)), min_size=2, max_size=8))
def test_the_dearer_sleeps_the_longer_and_equal_watts_equally_long(models: list[tuple[int, int]]) -> None:
    added, asleep = (np.array(column, dtype=float) for column in zip(*models, strict=True))
    counts = sleeps_on(added, asleep)
    for one, dear in enumerate(added):
        for other, cheap in enumerate(added):
            assert counts[one] > counts[other] if dear > cheap else counts[one] <= counts[other]


def test_of_one_model_alone_a_watt_counts_once() -> None:
    assert sleeps_on(np.array([60.0, 0.0]), np.array([7.0, 0.0]))[0] == 1


def test_where_nothing_sleeps_nothing_can_be_saved() -> None:
    assert sleeps_on(np.array([60.0, 350.0]), np.zeros(2)).tolist() == [0, 0]


def test_a_device_in_use_sleeps_no_more() -> None:
    state = FleetState(fleet((64, 4, "T4"), (64, 4, "G3")))
    watts = Watts.published(state.fleet.models)
    t4 = state.fleet.models.index("T4")
    before = PowerPrice.now(watts, state, 1e-4, 0).device[t4]
    state.allocate(0, (0,), share(100))
    after = PowerPrice.now(watts, state, 1e-4, 0).device[t4]
    assert (before, after) == (pytest.approx(1e-4 * 4 / 8), pytest.approx(1e-4 * 3 / 7))


def test_a_dear_device_is_left_asleep_while_a_cheap_one_sleeps() -> None:
    state = FleetState(fleet((64, 4, "G3"), (64, 4, "T4")))
    classes = ClassTable(models=state.fleet.models)
    packer = Packer(state, classes=classes, watts=Watts.published(state.fleet.models))
    for machine in (1, 1, 1, 1, 0):
        packer.arrived(whole(1, 4))
        placement = packer.choose(whole(1, 4))
        assert placement is not None
        assert placement.machine == machine
        packer.allocate(placement)


def test_watts_weigh_more_as_the_fleet_fills_and_hardly_anything_once_four_fifths_are_taken() -> None:
    weights = Weights(watt=1.0, watt_filled=3.0, watt_late=0.5, late_below=0.2)
    assert [weights.at(free) for free in (1.0, 0.6, 0.2, 0.0)] == pytest.approx([1.0, 2.0, 0.5, 0.5])
    assert weights.at(0.2 + 1e-9) == pytest.approx(3.0)
