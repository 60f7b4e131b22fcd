"""Prices anew, from the demand and the states that an epoch begins with.

In small steps of like cost, so that they can be spread evenly over the decisions of an epoch. What is made depends on
where it begins, never on how the steps were spread.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from tenure.placement.packing.blocks import Blocks, block_prices
from tenure.placement.packing.demand import FloatColumn
from tenure.placement.packing.mix import LEVELS, Floats, Mix
from tenure.placement.packing.prices import States, expected_use, moved
from tenure.placement.packing.scarcity import scarcity_prices
from tenure.placement.packing.value import Tables, tables

ROUNDS = 3

SLICE_LEVELS = 20
"""Levels of a recursion that count as one slice of an epoch."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """demand: a price for each class of the mix; the tables by those prices; what scarce models and blocks cost."""

    demand: FloatColumn
    tables: Tables
    scarce: dict[int, Floats]
    blocks: Blocks | None


def renewed(
    mix: Mix, states: States, idle: FloatColumn, demand: FloatColumn, cpu_prices: FloatColumn, widest: int
) -> Generator[None, None, Renewed]:
    """New prices. ``idle``: devices by model; ``demand``: the prices of the mix's classes so far."""
    expected = mix.expected(float(idle.sum()))
    table = yield from tables(mix, demand, cpu_prices, widest)
    for _ in range(ROUNDS):
        use = yield from expected_use(table, states)
        demand = moved(table, demand, use, expected)
        yield
        table = yield from tables(mix, demand, cpu_prices, widest)
    scarce = yield from scarcity_prices(mix, expected, idle)
    empties = np.count_nonzero(states.levels == LEVELS, axis=1)
    blocks = yield from block_prices(mix, expected, states.model, empties, states.cpu_free, states.count)
    return Renewed(demand, table, scarce, blocks)


def slices(mix: Mix) -> int:
    """Slices of an epoch after which new prices come into force. Tables are made ``ROUNDS + 1`` times, expected use
    ``ROUNDS`` times, and two slices are for what comes before and after; the smallest demand ends its recursion."""
    sizes = mix.single.sizes
    walked = LEVELS // SLICE_LEVELS - (int(sizes[0]) - 1) // SLICE_LEVELS if len(sizes) else 0
    return 2 + (ROUNDS + 1) * (2 + LEVELS // SLICE_LEVELS) + ROUNDS * (2 + walked)
