"""What a leftover is still worth: a smoothed packing recursion.

For one device with leftover r the worth is the log-partition over all ways to fill r with the classes seen,

    L(r) = t log(1 + sum_z a_z exp((v_z - p_z - k cpu_z + L(r - z)) / t)),

with a_z the class's frequency, v_z what it takes (its value), p_z the price of its scarcity as demand, k the price of a
CPU and t the temperature. This is the value of steering random arrivals where steering costs relative entropy (Todorov,
PNAS 2009), so exp(L / t) obeys a linear recursion. W(e), for e empty devices of one machine, is the same over "open one
for single-device classes" and "give n to a class of n". A machine is then worth

    V = min over k of (k x free CPU + W(e) + sum over its started devices of L(r)),

the Lagrangian bound: machines short of CPU value CPU, others do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tenure.placement.packing.demand import FloatColumn, IntColumn
from tenure.placement.packing.mix import LEVELS, Floats, Mix, Sizes

TEMPERATURE = 0.02
"""Devices. Small against a device, large against what the mix leaves uncertain; 0.015 to 0.03 serve alike."""

CPU_PRICES = 24
SLICE_LEVELS = 20


def cpu_prices(cpu_per_device: float) -> FloatColumn:
    """Devices per CPU: none, then geometric from 1/50 to 20 devices for a device's fair share of CPUs."""
    fair = 1 / max(cpu_per_device, 1e-3)
    return np.concatenate([[0.0], np.geomspace(0.02 * fair, 20 * fair, CPU_PRICES - 1)])


@dataclass(slots=True)
class Tables:
    """Worth in devices, by model and CPU price.

    device: [LEVELS + 1, models, prices] for one started device. empty: [widest + 1, models, prices] for so many empty
    ones. The rest is what expected use needs: `partition` = exp(device / t), the weights of each single-device size,
    the logarithms of those of each wide size (without their values), the weights of each class.
    """

    mix: Mix
    prices: FloatColumn
    discount: Floats
    weight: FloatColumn
    partition: Floats
    device: Floats
    empty: Floats
    single: Floats
    wide_log: Floats
    members: Floats = field(repr=False)

    def worth(self, levels: IntColumn, model: IntColumn, cpu_free: FloatColumn) -> tuple[Floats, IntColumn, IntColumn]:
        """Of B machines [B, prices] before the minimum; with their counts of empties and levels of started devices."""
        empties = np.count_nonzero(levels == LEVELS, axis=1)
        started = np.where(levels == LEVELS, 0, levels)
        worth = self.empty[empties, model] + self.prices * cpu_free[:, None]
        for slot in range(levels.shape[1]):
            used = np.flatnonzero(started[:, slot])
            if len(used):
                worth[used] += self.device[started[used, slot], model[used]]
        return worth, empties, started


def tables(mix: Mix, demand_price: FloatColumn, prices: FloatColumn, widest: int) -> Iterator[Tables | None]:
    """Compute tables in slices: yields None after each slice and the tables at last."""
    discount = np.exp(-prices * mix.cpu[:, None] / TEMPERATURE)
    # A wide class's value stays out of its weight and is added in logarithms: exp(16 / 0.02) would overflow.
    value = np.where(mix.devices > 1, 0.0, mix.devices)
    weight = mix.frequency * np.exp((value - demand_price) / TEMPERATURE)
    models = mix.allows.shape[0]
    members = (weight * mix.allows)[:, :, None] * discount
    single = _by_size(members, mix.single, models, len(prices))
    yield None
    partition = np.empty((LEVELS + 1, models, len(prices)))
    sizes = mix.single.sizes
    counts = np.searchsorted(sizes, np.arange(LEVELS + 1), side="right").tolist()
    for level in range(LEVELS + 1):
        count = counts[level]
        if count:
            partition[level] = 1 + np.einsum("sgk,sgk->gk", single[:count], partition[level - sizes[:count]])
        else:
            partition[level] = 1
        if level % SLICE_LEVELS == SLICE_LEVELS - 1:
            yield None
    device = TEMPERATURE * np.log(partition)
    wide_log = np.log(np.maximum(_by_size(members, mix.wide, models, len(prices)), 1e-300))
    yield None
    empty = np.zeros((widest + 1, models, len(prices)))
    for count in range(1, widest + 1):
        ways = [empty[count - 1] + device[LEVELS]]
        for place, wide in enumerate(mix.wide.sizes.tolist()):
            if wide <= count:
                ways.append(empty[count - wide] + wide + TEMPERATURE * wide_log[place])
        stacked = np.stack(ways)
        top = stacked.max(axis=0)
        empty[count] = top + TEMPERATURE * np.log(np.exp((stacked - top) / TEMPERATURE).sum(axis=0))
    yield Tables(mix, prices, discount, weight, partition, device, empty, single, wide_log, members)


def _by_size(members: Floats, sizes: Sizes, models: int, prices: int) -> Floats:
    """[sizes, models, prices]: weights summed over the classes of each size."""
    if not len(sizes.classes):
        return np.zeros((0, models, prices))
    summed: Floats = np.add.reduceat(members[:, sizes.classes], sizes.starts, axis=1)
    return np.ascontiguousarray(summed.transpose(1, 0, 2))
