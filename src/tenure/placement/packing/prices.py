"""Demand is finite: every class has a price that moves until the fleet's expected use of it meets what is expected to
arrive.

Expected use follows from the tables by one backward pass. The price moves by a share of t log(use / demand), the step
of iterative proportional fitting: use is proportional to exp(-price / t), so a full step would settle a class alone.
Larger steps or momentum overshoot, because classes compete for the same leftovers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tenure.placement.packing.demand import FloatColumn, IntColumn
from tenure.placement.packing.mix import LEVELS, Floats, Sizes
from tenure.placement.packing.value import SLICE_LEVELS, TEMPERATURE, Tables

STEP = 0.5
DOUBT = 0.5
"""Tasks added to use and demand alike, so that a class seen once does not throw the prices about."""

ENCOURAGEMENT = 0.8
"""How far a price may fall below zero, as a share of what the frequency of the size costs in the tables, -t log(a)."""


@dataclass(frozen=True, slots=True)
class States:
    """Distinct states of machines that have devices: levels [S, slots], cpu_free [S] in CPUs, model [S], how many."""

    levels: IntColumn
    cpu_free: FloatColumn
    model: IntColumn
    count: IntColumn


def expected_use(tables: Tables, states: States) -> Iterator[FloatColumn | None]:
    """Tasks of each class of the mix that the states are expected to take; in slices, the use at last."""
    mix = tables.mix
    models, prices = mix.allows.shape[0], len(tables.prices)
    worth, empties, started = tables.worth(states.levels, states.model, states.cpu_free)
    best = worth.argmin(axis=1)
    yield None
    mass = np.zeros((LEVELS + 1, models, prices))
    for slot in range(started.shape[1]):
        used = np.flatnonzero(started[:, slot])
        np.add.at(mass, (started[used, slot], states.model[used], best[used]), states.count[used])
    opened = np.zeros_like(tables.empty)
    np.add.at(opened, (empties, states.model, best), states.count)
    wide = _open_empties(tables, opened, mass)
    yield None
    sizes = mix.single.sizes
    flow = np.zeros((len(sizes), models, prices))
    counts = np.searchsorted(sizes, np.arange(LEVELS + 1), side="right").tolist()
    for level in range(LEVELS, 0, -1):
        count = counts[level]
        if not count:
            break
        rest = level - sizes[:count]
        taken = (mass[level] / tables.partition[level]) * tables.partition[rest]
        flow[:count] += taken
        # each size leads to another level, so no two write to the same row
        mass[rest] += taken * tables.single[:count]
        if level % SLICE_LEVELS == 0:
            yield None
    use = np.zeros(len(mix.ids))
    _spread(tables, mix.single, flow, use)
    _spread(tables, mix.wide, wide, use)
    yield use


def _open_empties(tables: Tables, opened: Floats, mass: Floats) -> Floats:
    """Walk empties down to none: adds opened devices to mass[LEVELS]; returns the flow into each wide size."""
    wide = np.zeros_like(tables.wide_log)
    for count in range(opened.shape[0] - 1, 0, -1):
        here = opened[count]
        if not here.any():
            continue
        one = here * np.exp((tables.empty[count - 1] + tables.device[LEVELS] - tables.empty[count]) / TEMPERATURE)
        mass[LEVELS] += one
        opened[count - 1] += one
        for place, size in enumerate(tables.mix.wide.sizes.tolist()):
            if size <= count:
                way = here * np.exp((tables.empty[count - size] + size - tables.empty[count]) / TEMPERATURE)
                wide[place] += way
                opened[count - size] += way * np.exp(tables.wide_log[place])
    return wide


def _spread(tables: Tables, sizes: Sizes, flow: Floats, use: FloatColumn) -> None:
    """From flow into sizes to use of their classes."""
    if len(sizes.classes):
        members = tables.members[:, sizes.classes]
        use[sizes.classes] = np.einsum("cgk,gck->c", flow[sizes.place], members)


def moved(tables: Tables, price: FloatColumn, use: FloatColumn, demand: FloatColumn) -> FloatColumn:
    """Prices of the mix's classes after one step, in devices."""
    mix = tables.mix
    step = STEP * TEMPERATURE * np.log((use + DOUBT) / (demand + DOUBT))
    lowest = ENCOURAGEMENT * TEMPERATURE * np.log(mix.size_frequency)
    return np.clip(price + step, lowest, mix.devices)
