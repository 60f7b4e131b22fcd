"""Blocks of devices and CPU that few machines can give: priced when they will be short, spared by who needs less."""

from __future__ import annotations

import numpy as np
import pytest
from tests.placement.packing.fleets import cpu_only, fleet, whole

from tenure.placement.packing import Demand, FleetState, Packer, blocks
from tenure.placement.packing.blocks import Blocks, block_prices
from tenure.placement.packing.demand import ClassTable
from tenure.placement.packing.mix import Mix
from tenure.placement.packing.steps import Work

WIDE = whole(4, 40)
"""Only a machine with as much CPU can serve it."""


def seen(*arrivals: tuple[Demand, int]) -> Mix:
    classes = ClassTable(models=("A", "B"))
    for demand, count in arrivals:
        classes.arrivals[classes.intern(demand)] += count
    return Mix.seen(classes)


def priced(mix: Mix, expected: list[float], supply: int) -> Blocks | None:
    """With so many machines of 4 empty devices and 48 CPUs of model A, and ever so many with 16 CPUs."""
    machines = (np.array([0, 0]), np.array([4, 4]), np.array([48.0, 16.0]), np.array([supply, 1000]))
    return Work(block_prices(mix, np.array(expected), *machines)).finish()


def test_a_block_is_dear_when_more_will_ask_for_it_than_are_left_and_free_when_enough_are() -> None:
    mix = seen((WIDE, 1), (whole(), 9))
    short = priced(mix, [6.0, 54.0], supply=2)
    assert short is not None
    assert (short.devices.tolist(), short.cpu_milli.tolist()) == ([4], [40_000])
    assert short.price[0, 0] == pytest.approx(blocks.DENIED * 4, rel=0.1)
    assert short.price[-1, 0] == 0, "machines without devices hold no blocks"
    assert priced(mix, [6.0, 54.0], supply=100) is None


def test_blocks_on_models_that_the_demand_may_not_use_neither_count_nor_cost() -> None:
    bound = whole(4, 40, "B")
    found = priced(seen((bound, 1), (whole(), 9)), [1.0, 9.0], supply=100)
    assert found is not None, "none of those left is of its model"
    assert found.price[0, 0] == 0
    assert found.price[1, 0] > 0


def test_who_breaks_a_block_pays_and_who_needs_no_less_does_not() -> None:
    found = Blocks(devices=np.array([4]), cpu_milli=np.array([40_000]), price=np.array([[0.08], [0.0]]))

    def cost(demand: Demand, empties: int = 4, cpu_free: int = 48_000) -> float:
        opens, whole_count = demand.device_count, demand.device_count
        ways = (0, empties, cpu_free, opens, demand.cpu_milli, whole_count)
        return float(found.cost(*(np.array([value]) for value in ways))[0])

    assert cost(whole()) == 0.08
    assert cost(cpu_only(20)) == 0.08, "CPU that the block needs is as good as a device"
    assert cost(cpu_only(2)) == 0
    assert cost(WIDE) == 0
    assert cost(whole(), empties=3) == 0, "nothing is left to break"


def cost_of_a_single_task_on_a_wide_machine() -> float:
    """After a stream of wide demands that only the two machines first in the fleet can serve."""
    machines = fleet(*[(48, 4, "A")] * 2, *[(20, 4, "A")] * 6, memory_gib=640)
    packer = Packer(FleetState(machines))
    for _ in range(12):
        packer.arrived(WIDE)
        packer.arrived(whole(1, 5))
    packer.settle()
    placement = packer.choose(whole(1, 5))
    assert placement is not None
    assert machines.names[placement.machine] not in ("m0", "m1")
    return float(packer.costs(whole(1, 5))[0])


def test_the_packer_charges_a_single_task_for_the_wide_machine_it_would_break(monkeypatch: pytest.MonkeyPatch) -> None:
    charged = cost_of_a_single_task_on_a_wide_machine()
    monkeypatch.setattr(blocks, "DENIED", 0.0)
    assert charged - cost_of_a_single_task_on_a_wide_machine() == pytest.approx(0.02 * 4, rel=0.1)
