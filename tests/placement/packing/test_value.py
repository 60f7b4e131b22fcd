"""The worth of a leftover, its derivative, and the prices that follow from them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.placement.packing.fleets import cpu_only, share, whole

from tenure.placement.packing import ClassTable, Demand
from tenure.placement.packing.mix import LEVELS, Mix
from tenure.placement.packing.prices import States, expected_use
from tenure.placement.packing.scarcity import charged, scarcity_prices
from tenure.placement.packing.steps import Work
from tenure.placement.packing.value import TEMPERATURE, Tables, cpu_prices, tables

PRICES = cpu_prices(8.0)


def mix_of(*counted: tuple[Demand, int], models: tuple[str, ...] = ("A", "B")) -> Mix:
    classes = ClassTable(models=models)
    for demand, count in counted:
        classes.arrivals[classes.intern(demand)] += count
    return Mix.seen(classes)


def tables_of(mix: Mix, price: np.ndarray | None = None) -> Tables:
    return Work(tables(mix, np.zeros(len(mix.ids)) if price is None else price, PRICES, 4)).finish()


def test_worth_is_the_log_partition_over_all_fillings_in_every_order() -> None:
    mix = mix_of((share(300, 2), 3), (share(500, 1), 5), (cpu_only(4), 2))
    found = tables_of(mix)
    for price_place in (0, 9):
        price = PRICES[price_place]
        weights = {
            round(milli * LEVELS / 1000): frequency * math.exp((milli / 1000 - price * cpu) / TEMPERATURE)
            for milli, cpu, frequency in ((300, 2, 0.3), (500, 1, 0.5))
        }

        def partition(left: int, weights: dict[int, float] = weights) -> float:
            return 1 + sum(w * partition(left - size) for size, w in weights.items() if size <= left)

        for left in (20, 30, 59, 80, LEVELS):
            worth = TEMPERATURE * math.log(partition(left))
            assert found.device[left, 0, price_place] == pytest.approx(worth, abs=1e-9)


def test_expected_use_is_minus_the_derivative_of_worth_by_price() -> None:
    mix = mix_of((share(300, 2), 3), (share(470, 3, "A"), 4), (whole(1, 6), 5), (whole(2, 9), 2), (cpu_only(4), 2))
    price = np.array([0.01, 0.0, 0.02, 0.05])
    states = States(
        levels=np.array([[100, 100, 53, 0], [100, 100, 100, 100], [70, 30, 0, 0]]),
        cpu_free=np.array([14.0, 40.0, 3.0]),
        model=np.array([0, 1, 0]),
        count=np.array([2, 1, 3]),
    )

    def worth(at: np.ndarray) -> float:
        each = tables_of(mix, at).worth(states.levels, states.model, states.cpu_free)
        return float(each.min(axis=1) @ states.count)

    use = Work(expected_use(tables_of(mix, price), states)).finish()
    for place in range(len(price)):
        step = np.zeros(len(price))
        step[place] = 1e-6
        assert use[place] == pytest.approx(-(worth(price + step) - worth(price - step)) / 2e-6, rel=1e-4, abs=1e-6)


def test_more_room_is_never_worth_less() -> None:
    found = tables_of(mix_of((share(330, 2), 3), (share(810, 1), 5), (whole(1, 4), 9), (whole(4, 4), 1)))
    assert (np.diff(found.device, axis=0) >= -1e-12).all()
    assert (np.diff(found.empty, axis=0) >= -1e-12).all()


def test_a_model_is_worth_what_it_would_be_if_there_were_no_other() -> None:
    shares = ((share(330, 2), 3), (share(810, 1), 5), (whole(2, 4), 2))
    mix = mix_of(*shares, (whole(1, 4, "C"), 9), (share(500, 2, "A", "B"), 4), models=("A", "B", "C"))
    every = tables_of(mix)
    for place in range(3):
        alone = tables_of(replace(mix, allows=mix.allows[[place]]))
        for name in ("device", "empty", "partition", "single", "wide_log", "members"):
            axis = 0 if name == "members" else 1
            ours = getattr(every, name).take([place], axis=axis)
            np.testing.assert_array_equal(ours, getattr(alone, name), err_msg=name)


def test_a_model_is_dear_when_more_is_bound_to_it_than_is_left() -> None:
    mix = mix_of((whole(1, 1, "A"), 5), (whole(1, 1), 5))
    prices = Work(scarcity_prices(mix, np.array([20.0, 20.0]), np.array([10.0, 100.0]))).finish()
    free_to_roam, bound = charged(prices, 0b11, 2), charged(prices, 0b01, 2)
    assert free_to_roam[0] > 0.95
    assert free_to_roam[1] == 0
    assert bound.tolist() == [0, 0]
    assert not Work(scarcity_prices(mix, np.array([2.0, 20.0]), np.array([50.0, 100.0]))).finish()


def test_machines_of_sixteen_devices_do_not_overflow() -> None:
    mix = mix_of((whole(16, 1), 2), (whole(1, 1), 3))
    found = Work(tables(mix, np.zeros(2), PRICES, 16)).finish()
    assert np.isfinite(found.empty).all()
    assert found.empty[16, 0, 0] == pytest.approx(16, abs=0.5)
