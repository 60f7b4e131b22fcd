"""Scarce models: tasks that could go elsewhere pay for standing where others must.

For a set S of models that some classes are bound to, the price of one device in S is the probability that the demand
bound to S exceeds what is left of S, demand taken as normal with the compound Poisson's mean and variance. A class not
bound to S pays it times what it takes; of several sets the dearest counts.
"""

from __future__ import annotations

from collections.abc import Generator
from math import erf, sqrt

import numpy as np

from tenure.placement.packing.demand import FloatColumn
from tenure.placement.packing.mix import Floats, Mix

MODELS = 62
"""A set of models is a 64-bit mask. A fleet of more models is packed without these prices."""

SETS = 256
"""Sets considered at most, the most demanded first: unions of two grow as the square of the distinct sets."""


def scarcity_prices(
    mix: Mix, expected: FloatColumn, idle_devices: FloatColumn
) -> Generator[None, None, dict[int, Floats]]:
    """By set S (bit mask of models): a column of prices a device [models], 0 outside S. Idle devices are by model.

    In steps.
    """
    if mix.allows.shape[0] > MODELS:
        return {}
    bits = 1 << np.arange(mix.allows.shape[0], dtype=np.int64)
    masks = bits @ mix.allows
    everything = int(bits.sum())
    bound = sorted({int(mask) for mask in masks} - {everything, 0})
    unions = {first | second for first in bound for second in bound} - {everything}
    prices: dict[int, Floats] = {}
    sets = sorted(unions, key=lambda mask: (-float(expected[(masks & ~mask) == 0].sum()), mask))[:SETS]
    for mask in sets:
        members = (masks & ~mask) == 0
        demand = float(expected[members] @ mix.devices[members])
        variance = float(expected[members] @ mix.devices[members] ** 2)
        inside = (bits & mask) > 0
        left = float(idle_devices[inside].sum())
        short = 0.5 * (1 + erf((demand - left) / sqrt(2 * variance + 1e-6)))
        if short > 1e-4:
            prices[mask] = np.where(inside, short, 0.0)
        yield
    return prices


def charged(prices: dict[int, Floats], allowed: int, models: int) -> Floats:
    """[models]: what one device costs a class that may use the models of mask `allowed`."""
    cost = np.zeros(models)
    for mask, price in prices.items():
        if allowed & ~mask:
            cost = np.maximum(cost, price)
    return cost
