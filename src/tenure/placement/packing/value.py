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

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from tenure.placement.packing.demand import BoolColumn, FloatColumn, IntColumn
from tenure.placement.packing.mix import LEVELS, Floats, Mix, Sizes

TEMPERATURE = 0.02
"""Devices. Small against a device, large against what the mix leaves uncertain; 0.015 to 0.03 serve alike."""

CPU_PRICES = 24


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

    def worth(self, levels: IntColumn, model: IntColumn, cpu_free: FloatColumn) -> Floats:
        """Of B machines [B, prices] before the minimum."""
        whole = levels == LEVELS
        models, prices = self.device.shape[1:]
        worth: Floats = self.empty[np.count_nonzero(whole, axis=1), model] + self.prices * cpu_free[:, None]
        device = self.device.reshape(-1, prices)
        # A device with nothing left adds nothing, so it may stand for an empty one, which is counted already.
        started = np.where(whole, 0, levels) * models + model[:, None]
        for slot in range(levels.shape[1]):
            worth += device.take(started[:, slot], axis=0)
        return worth


def tables(mix: Mix, demand_price: FloatColumn, prices: FloatColumn, widest: int) -> Generator[None, None, Tables]:
    """The tables, in steps. Models that may serve the same classes are worth the same and are reckoned once."""
    discount = np.exp(-prices * mix.cpu[:, None] / TEMPERATURE)
    # A wide class's value stays out of its weight and is added in logarithms: exp(16 / 0.02) would overflow.
    value = np.where(mix.devices > 1, 0.0, mix.devices)
    weight = mix.frequency * np.exp((value - demand_price) / TEMPERATURE)
    first, alike = _alike(mix.allows)
    members = (weight * mix.allows[first])[:, :, None] * discount
    single = _by_size(members, mix.single, len(first), len(prices))
    yield
    partition = yield from _partition(single, mix.single.sizes)
    device = TEMPERATURE * np.log(partition)
    wide_log = np.log(np.maximum(_by_size(members, mix.wide, len(first), len(prices)), 1e-300))
    yield
    empty = _of_empties(device[LEVELS], wide_log, mix.wide.sizes.tolist(), widest)
    yield

    def every(of_sorts: Floats, axis: int = 1) -> Floats:
        return of_sorts.take(alike, axis=axis)

    return Tables(
        mix=mix,
        prices=prices,
        discount=discount,
        weight=weight,
        partition=every(partition),
        device=every(device),
        empty=every(empty),
        single=every(single),
        wide_log=every(wide_log),
        members=every(members, axis=0),
    )


def _alike(allows: BoolColumn) -> tuple[IntColumn, IntColumn]:
    """Of models that may serve the same classes [models, C] the first of each sort, and the sort of each model."""
    known: dict[bytes, int] = {}
    sort = np.array([known.setdefault(row.tobytes(), len(known)) for row in allows], dtype=np.int64)
    return np.unique(sort, return_index=True)[1], sort


def _partition(single: Floats, sizes: IntColumn) -> Generator[None, None, Floats]:
    """[LEVELS + 1, ...]: exp(L / t) of every leftover, from the weights of the sizes.

    A leftover leads to one that is less by the smallest size at least, so as many levels as that are reckoned at once.
    """
    nothing = LEVELS + 1
    partition = np.ones((LEVELS + 2, *single.shape[1:]))
    partition[nothing] = 0.0
    levels = np.arange(LEVELS + 1)
    rest = levels[:, None] - sizes
    rest[rest < 0] = nothing
    for start in range(int(sizes[0]), LEVELS + 1, int(sizes[0])) if len(sizes) else ():
        some = slice(start, min(start + int(sizes[0]), LEVELS + 1))
        partition[some] += np.einsum("sgk,lsgk->lgk", single, partition.take(rest[some], axis=0))
        yield
    return partition[:nothing]


def _of_empties(one: Floats, wide_log: Floats, wide_sizes: list[int], widest: int) -> Floats:
    """[widest + 1, ...]: worth of so many empty devices, where one that is opened is worth so much."""
    empty = np.zeros((widest + 1, *one.shape))
    for count in range(1, widest + 1):
        ways = [empty[count - 1] + one]
        for place, wide in enumerate(wide_sizes):
            if wide <= count:
                ways.append(empty[count - wide] + wide + TEMPERATURE * wide_log[place])
        stacked = np.stack(ways)
        top = stacked.max(axis=0)
        empty[count] = top + TEMPERATURE * np.log(np.exp((stacked - top) / TEMPERATURE).sum(axis=0))
    return empty


def _by_size(members: Floats, sizes: Sizes, models: int, prices: int) -> Floats:
    """[sizes, models, prices]: weights summed over the classes of each size."""
    if not len(sizes.classes):
        return np.zeros((0, models, prices))
    summed: Floats = np.add.reduceat(members[:, sizes.classes], sizes.starts, axis=1)
    return np.ascontiguousarray(summed.transpose(1, 0, 2))
