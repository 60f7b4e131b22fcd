"""Blocks that few machines can give are dear to whoever could stand elsewhere.

A block is what a class of several devices takes of one machine: so many empty devices and so much CPU, on a model that
it allows. Demands for eight devices and nearly all CPU of a wide machine fit a few dozen machines and nothing else says
so: the machine loses little worth when a single task opens it, since single tasks fill it as well. So each kind of
block has a price, the probability that the demand bound to it exceeds the blocks left (demand normal, with the compound
Poisson's mean and variance), times a small share of its devices. What breaks a block pays it, unless it needs no less.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from tenure.placement.packing.demand import FloatColumn, IntColumn
from tenure.placement.packing.mix import Floats, Mix

DENIED = 0.02
"""What a denied block costs, as a share of its devices. Others fill those in the end, so little is lost but the time
until they do. Up to 0.5 as much is placed, give or take 0.1 points; less than 0.01 protects too little."""

KINDS = 24
"""Kinds of blocks considered at most, those with the most devices at stake first."""

UNLIKELY = 1e-3


@dataclass(frozen=True, slots=True)
class Blocks:
    """K kinds. devices, cpu_milli: int64 [K], what one block takes. price: float64 [models + 1, K], in devices a block
    broken; 0 where the model is not allowed, and in the last row, which stands for machines without devices."""

    devices: IntColumn
    cpu_milli: IntColumn
    price: Floats

    def cost(
        self,
        model: IntColumn,
        empties: IntColumn,
        cpu_free: IntColumn,
        opens: IntColumn,
        cpu: IntColumn,
        whole: IntColumn,
    ) -> FloatColumn:
        """[P]: what P ways to place cost, in devices; of several kinds broken the dearest counts.

        All int64 [P]: the machine's model, empty devices and CPU thousandths now; devices that the way opens; CPU
        thousandths and whole devices of the demand.
        """
        broken = self.held(empties, cpu_free) - self.held(empties - opens, cpu_free - cpu)
        return self.priced(broken, model, cpu, whole, np.arange(len(cpu)))

    def held(self, empties: IntColumn, cpu_free: IntColumn) -> Floats:
        """[..., K]: blocks of each kind that so many empty devices with so much CPU hold."""
        return np.minimum(self.in_devices(empties), self.in_cpu(cpu_free))

    def in_devices(self, empties: IntColumn) -> Floats:
        """[..., K]: blocks for which so many devices suffice."""
        # Quotients of integers far below 2**53, in floating point: exact when rounded down, and many times as fast.
        return np.floor(empties[..., None] / self.devices)

    def in_cpu(self, cpu_free: IntColumn) -> Floats:
        """[..., K]: blocks for which so much CPU suffices."""
        return np.floor(cpu_free[..., None] / self.cpu_milli)

    def priced(
        self, broken: Floats, model: IntColumn, cpu: IntColumn, whole: IntColumn, demand: IntColumn
    ) -> FloatColumn:
        """[P]: the price of the blocks [P, K] that P ways break, by demands [P] of which `cpu` and `whole` tell."""
        pays = (whole[:, None] < self.devices) | (cpu[:, None] < self.cpu_milli)
        price = (self.price[:, None] * pays).reshape(-1, len(self.devices))
        cost: FloatColumn = np.maximum.reduce(broken * price.take(model * len(whole) + demand, axis=0), axis=1)
        return cost


def block_prices(
    mix: Mix, expected: FloatColumn, model: IntColumn, empties: IntColumn, cpu_free: FloatColumn, count: IntColumn
) -> Generator[None, None, Blocks | None]:
    """From tasks expected a class and S states of machines: model, empty devices, CPUs free, how many machines.

    In steps; None where no block is likely to be short.
    """
    cpu_free_milli = (1000 * cpu_free).astype(np.int64)
    kinds: dict[tuple[int, float, bytes], int] = {}
    for place in np.flatnonzero(mix.devices > 1).tolist():
        kinds.setdefault((int(mix.devices[place]), float(mix.cpu[place]), mix.allows[:, place].tobytes()), place)
    priced: list[tuple[float, int, int, Floats]] = []
    for (devices, cpu, _), place in kinds.items():
        allows = mix.allows[:, place]
        cpu_milli = max(1, round(1000 * cpu))
        held = np.minimum(empties // devices, cpu_free_milli // cpu_milli)
        supply = float((held * count)[allows[model]].sum())
        bound = (mix.devices >= devices) & (mix.cpu >= cpu) & ~(mix.allows & ~allows[:, None]).any(axis=0)
        takes = np.maximum(1, mix.devices[bound] // devices)
        demand, variance = float(expected[bound] @ takes), float(expected[bound] @ takes**2)
        # half a block is the usual correction for a count taken as continuous
        short = 0.5 * (1 + erf((demand - supply + 0.5) / sqrt(2 * variance + 1e-6)))
        if short > UNLIKELY:
            row = np.append(allows * (DENIED * short * devices), 0.0)
            priced.append((short * devices * demand, devices, cpu_milli, row))
        yield
    if not priced:
        return None
    priced.sort(key=lambda kind: -kind[0])
    dearest = priced[:KINDS]
    return Blocks(
        devices=np.array([kind[1] for kind in dearest]),
        cpu_milli=np.array([kind[2] for kind in dearest]),
        price=np.stack([kind[3] for kind in dearest], axis=1),
    )
