"""Demand is finite: every class has a price that moves until the fleet's expected use of it meets what is expected to
arrive.

Expected use follows from the tables by one backward pass. The price moves by a share of t log(use / demand), the step
of iterative proportional fitting: use is proportional to exp(-price / t), so a full step would settle a class alone.
Larger steps or momentum overshoot, because classes compete for the same leftovers.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from tenure.placement.packing.demand import FloatColumn, IntColumn
from tenure.placement.packing.mix import LEVELS, Floats, Sizes
from tenure.placement.packing.value import TEMPERATURE, Tables

STEP = 0.5
DOUBT = 0.5
"""Tasks added to use and demand alike, so that a class seen once does not throw the prices about."""

STEP_LEVELS, STEP_STATES = 5, 256
"""Levels walked, and states valued, that are one step of the work."""

ENCOURAGEMENT = 0.8
"""How far a price may fall below zero, as a share of what the frequency of the size costs in the tables, -t log(a)."""


@dataclass(frozen=True, slots=True)
class States:
    """Distinct states of machines that have devices: levels [S, slots], cpu_free [S] in CPUs, model [S], how many."""

    levels: IntColumn
    cpu_free: FloatColumn
    model: IntColumn
    count: IntColumn


def expected_use(tables: Tables, states: States) -> Generator[None, None, FloatColumn]:
    """Tasks of each class of the mix that the states are expected to take, in steps."""
    mix = tables.mix
    models, prices = mix.allows.shape[0], len(tables.prices)
    best = np.zeros(len(states.model), dtype=np.int64)
    for start in range(0, len(best), STEP_STATES):
        some = slice(start, start + STEP_STATES)
        best[some] = tables.worth(states.levels[some], states.model[some], states.cpu_free[some]).argmin(axis=1)
        yield
    lane = states.model * prices + best
    whole = states.levels == LEVELS
    owner, slot = ((states.levels > 0) & ~whole).nonzero()
    level = states.levels[owner, slot]
    mass = _sums(level * (models * prices) + lane[owner], states.count[owner], tables.partition)
    empties = np.count_nonzero(whole, axis=1)
    opened = _sums(empties * (models * prices) + lane, states.count, tables.empty)
    yield
    wide = _open_empties(tables, opened, mass)
    yield
    flow = yield from _descend(tables, mass)
    use = np.zeros(len(mix.ids))
    _spread(tables, mix.single, flow, use)
    _spread(tables, mix.wide, wide, use)
    return use


def _sums(at: IntColumn, weights: IntColumn, like: Floats) -> Floats:
    """Weights added up by their places in an array shaped like another."""
    return np.bincount(at, weights=weights, minlength=like.size).reshape(like.shape).astype(np.float64, copy=False)


def _descend(tables: Tables, mass: Floats) -> Generator[None, None, Floats]:
    """Walk started devices down to nothing: the flow into each single-device size.

    What stands at a model and a price never leaves them, and few of those are any state's best: only their lanes are
    walked.
    """
    sizes, shape = tables.mix.single.sizes, tables.single.shape
    width = shape[1] * shape[2]
    lanes = np.flatnonzero(mass.any(axis=0))
    mass, partition, single = (
        table.reshape(len(table), width).take(lanes, axis=1) for table in (mass, tables.partition, tables.single)
    )
    flow = np.zeros((len(sizes), len(lanes)))
    counts = np.searchsorted(sizes, np.arange(LEVELS + 1), side="right").tolist()
    for level in range(LEVELS, 0, -1):
        count = counts[level]
        if not count:
            break
        rest = level - sizes[:count]
        taken = (mass[level] / partition[level]) * partition.take(rest, axis=0)
        flow[:count] += taken
        # each size leads to another level, so no two write to the same row
        mass[rest] += taken * single[:count]
        if level % STEP_LEVELS == 0:
            yield
    every = np.zeros((len(sizes), width))
    every[:, lanes] = flow
    return every.reshape(shape)


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
