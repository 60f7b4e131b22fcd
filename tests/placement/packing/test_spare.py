"""CPU to spare: demands with devices leave it to idle devices, demands for CPU alone use up the least of it first."""

from __future__ import annotations

import numpy as np
import pytest
from tests.placement.packing.fleets import cpu_only, fleet, share, whole

from tenure.placement.packing import Demand, FleetState, Packer, Watts
from tenure.placement.packing.demand import ClassTable
from tenure.placement.packing.mix import Mix
from tenure.placement.packing.spare import LEFT, TAKEN, WANTED, Spare


def cost(demand: Demand, cpu_free: int, idle: float, per_device: float = 8.0) -> float:
    """Of a way to place on a machine with so many free CPUs and so many idle devices."""
    ways = (cpu_free * 1000, round(idle * 1000), demand.cpu_milli, demand.total_device_milli)
    return float(Spare(per_device).cost(*(np.array([value]) for value in ways))[0])


def test_cpus_a_device_are_the_mean_over_what_arrived_with_devices() -> None:
    classes = ClassTable(models=("A",))
    for demand, count in ((whole(1, 10), 2), (whole(2, 4), 1), (cpu_only(64), 7)):
        classes.arrivals[classes.intern(demand)] += count
    assert Spare.seen(Mix.seen(classes)).cpu_per_device == pytest.approx((2 * 10 + 4) / 4)


def test_cpus_still_to_come_count_those_of_cpu_alone() -> None:
    classes = ClassTable(models=("A",))
    for demand, count in ((whole(1, 10), 3), (cpu_only(6), 1)):
        classes.arrivals[classes.intern(demand)] += count
    assert Mix.seen(classes).expected_cpu(idle_devices=30) == pytest.approx(10 * (3 * 10 + 6))


@pytest.mark.parametrize(("alone", "packages_count"), [(1, True), (400, False)])
def test_a_package_counts_while_cpu_will_be_left_over_and_not_where_all_will_wake(
    alone: int, packages_count: bool
) -> None:
    """Two machines alike but that one has a package half full: where CPU runs out, it is as good to wake another."""
    state = FleetState(fleet((64, 4, "T4"), (64, 4, "T4")))
    classes = ClassTable(models=state.fleet.models)
    classes.arrivals[classes.intern(cpu_only(4))] += alone
    packer = Packer(state, classes=classes, watts=Watts.published(state.fleet.models))
    state.allocate(1, (), cpu_only(8))
    packer.arrived(whole(1, 4))
    packer.settle()
    costs = packer.costs(whole(1, 4))
    assert (costs[0] - costs[1] > 1e-3) == packages_count


def test_nothing_seen_yet_costs_nothing_but_what_cpu_alone_leaves() -> None:
    nothing = Mix.seen(ClassTable(models=("A",)))
    assert Spare.seen(nothing).cpu_per_device == 0


def test_a_demand_with_devices_pays_for_cpu_that_idle_devices_may_want_and_not_for_what_is_beyond() -> None:
    wanted = WANTED * 8
    tight, ample = cost(whole(1, 10), cpu_free=20, idle=4), cost(whole(1, 10), cpu_free=200, idle=4)
    assert tight == pytest.approx(TAKEN * 10), "every CPU is one that the idle devices may want"
    assert ample == pytest.approx(TAKEN * wanted), "what the device taken might have wanted is all that is gone"
    assert cost(whole(1, 20), cpu_free=20, idle=1) == pytest.approx(TAKEN * wanted)
    assert cost(whole(1, 2), cpu_free=200, idle=4) == ample, "however little it takes"


def test_heavy_demands_gain_most_by_going_where_cpu_is_plentiful() -> None:
    def gain(demand: Demand) -> float:
        return cost(demand, cpu_free=20, idle=4) - cost(demand, cpu_free=200, idle=4)

    assert gain(whole(1, 20)) > gain(whole(1, 10)) > gain(share(500, 1))


def test_cpu_alone_goes_where_least_is_left() -> None:
    assert cost(cpu_only(4), cpu_free=8, idle=2) == pytest.approx(LEFT * 4)
    assert cost(cpu_only(4), cpu_free=8, idle=2) < cost(cpu_only(4), cpu_free=96, idle=2)


def test_the_packer_keeps_a_large_spare_whole() -> None:
    state = FleetState(fleet((96, 2, "T4"), (16, 2, "T4")))
    packer = Packer(state)
    small = whole(1, 2)
    packer.arrived(small)
    packer.settle()
    chosen = packer.choose(cpu_only(2))
    assert chosen is not None
    assert chosen.machine == 1
