"""Demands, their classes, and watts."""

from __future__ import annotations

import numpy as np
import pytest
from tests.placement.packing.fleets import fleet, share, whole

from tenure.placement.packing import ClassTable, Demand, FleetState, Watts


@pytest.mark.parametrize(
    ("count", "milli"),
    [(2, 500), (1, 0), (1, 1001), (-1, 1000)],
)
def test_a_demand_that_no_machine_could_mean_is_refused(count: int, milli: int) -> None:
    with pytest.raises(ValueError):
        Demand(1000, 1, count, milli)


def test_equal_demands_are_one_class_and_columns_grow() -> None:
    classes = ClassTable(models=("A", "B"))
    ids = [classes.intern(share(milli)) for milli in range(1, 60)]
    assert ids == list(range(59))
    assert classes.intern(share(7)) == 6
    assert classes.device_milli[:59].tolist() == list(range(1, 60))


def test_a_class_may_use_only_its_models() -> None:
    classes = ClassTable(models=("A", "B"))
    assert classes.allows[classes.intern(share(500, 1, "B"))].tolist() == [False, True, False]
    assert classes.allows[classes.intern(share(500))].tolist() == [True, True, False]


def test_watts_of_a_touched_device_are_its_rated_watts() -> None:
    state = FleetState(fleet((64, 2, "T4")))
    watts = Watts.published(("T4",))
    assert watts.machine(state, 0) == 2 * 10 + 2 * 15
    state.allocate(0, (1,), share(100, 33))
    assert watts.machine(state, 0) == 10 + 70 + 2 * 120


def test_watts_added_are_the_difference_of_watts() -> None:
    state = FleetState(fleet((64, 4, "V100M16")))
    watts = Watts.published(state.fleet.models)
    before = watts.machine(state, 0)
    demand = whole(2, 40)
    devices, packages = watts.added(state, np.array([0]), np.array([demand.cpu_milli]), np.array([2]))
    state.allocate(0, (0, 1), demand)
    assert watts.machine(state, 0) - before == devices[0] + packages[0]
