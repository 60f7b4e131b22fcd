"""The published protocol (FGD, ATC 2023): shuffle, inflate by clones, try each task once, watch the curves.

Times are ignored and nothing leaves. Equal scores go to the machine that comes first in one random order per seed, so
the fleet's rows are put in that order and every policy breaks ties by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns, thread_time_ns
from typing import Protocol

import numpy as np

from tenure.placement.packing import BoolColumn, ClassTable, Demand, Fleet, FleetState, FloatColumn, IntColumn, Watts

TUNE = 1.3
LEVELS = np.arange(0, 131)


class Policy(Protocol):
    """Chooses a machine for each arriving class and is told what was taken."""

    def choose(self, index: int) -> tuple[int, tuple[int, ...]] | None:
        """Machine row and device slots for class `index`, or None where none fits."""

    def touched(self, machine: int) -> None:
        """The machine's state has changed."""


PolicyMaker = Callable[[FleetState, ClassTable, IntColumn, int], Policy]
"""From state, classes of the list, how often each occurs in the list before inflation, and seed."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """One seed's inputs: fleet in random order, classes of the list, the class of each arriving task."""

    fleet: Fleet
    classes: ClassTable
    counts: IntColumn
    order: IntColumn


@dataclass(frozen=True, slots=True)
class Curves:
    """Means over the events at each arrival level 0..130 (percent of capacity); NaN where there was no event.

    allocated_pct, requested_pct: of device capacity. power_watts: by the published model. cpu_only_pct: CPU-only tasks
    placed, of those that arrived. decision_ns, decision_cpu_ns: one entry an arrival, by the wall clock and, where
    asked for, by the processor time of the deciding thread: what the wall clock reads where nothing else runs.
    """

    allocated_pct: FloatColumn
    requested_pct: FloatColumn
    power_watts: FloatColumn
    cpu_only_pct: FloatColumn
    decision_ns: IntColumn
    decision_cpu_ns: IntColumn


def in_order(fleet: Fleet, rows: IntColumn) -> Fleet:
    """The same machines in this order."""
    return Fleet(
        names=tuple(fleet.names[row] for row in rows),
        cpu_milli=fleet.cpu_milli[rows],
        memory_bytes=fleet.memory_bytes[rows],
        devices=fleet.devices[rows],
        model=fleet.model[rows],
        models=fleet.models,
    )


def arrivals(fleet: Fleet, tasks: list[Demand], seed: int) -> Arrivals:
    """Shuffle by seed, then clone uniformly drawn tasks until 1.3 x capacity is asked for, or trim to that."""
    random = np.random.default_rng(seed)
    shuffled = in_order(fleet, random.permutation(len(fleet)))
    classes = ClassTable(models=fleet.models)
    listed = np.array([classes.intern(task) for task in tasks], dtype=np.int64)
    counts = np.bincount(listed, minlength=len(classes))
    asks = classes.device_milli
    target = TUNE * fleet.device_milli
    order = listed[random.permutation(len(listed))]
    while asks[order].sum() < target:
        order = np.concatenate([order, listed[random.integers(len(listed), size=4096)]])
    end = int(np.searchsorted(np.cumsum(asks[order]), target)) + 1
    return Arrivals(fleet=shuffled, classes=classes, counts=counts, order=order[:end])


def replay(inputs: Arrivals, make: PolicyMaker, watts: Watts, seed: int, *, processor_time: bool = False) -> Curves:
    """Run one policy over one seed's arrivals. Reading processor time costs a system call a decision or two."""
    processor_ns = thread_time_ns if processor_time else int
    state = FleetState(inputs.fleet)
    policy = make(state, inputs.classes, inputs.counts, seed)
    demands = inputs.classes.demands
    events = len(inputs.order)
    placed = np.zeros(events)
    power = np.zeros(events)
    kept: BoolColumn = np.zeros(events, dtype=np.bool_)
    spent, processor = np.zeros(events, dtype=np.int64), np.zeros(events, dtype=np.int64)
    draw = watts.fleet(state)
    for event, index in enumerate(inputs.order.tolist()):
        start, start_cpu = perf_counter_ns(), processor_ns()
        choice = policy.choose(index)
        if choice is not None:
            machine, slots = choice
            before = watts.machine(state, machine)
            state.allocate(machine, slots, demands[index])
            policy.touched(machine)
            spent[event], processor[event] = perf_counter_ns() - start, processor_ns() - start_cpu
            draw += watts.machine(state, machine) - before
            kept[event] = True
        else:
            spent[event], processor[event] = perf_counter_ns() - start, processor_ns() - start_cpu
        placed[event] = state.placed_device_milli
        power[event] = draw
    return _curves(inputs, placed, power, kept, spent, processor)


def _curves(
    inputs: Arrivals,
    placed: FloatColumn,
    power: FloatColumn,
    kept: BoolColumn,
    spent: IntColumn,
    processor: IntColumn,
) -> Curves:
    capacity = inputs.fleet.device_milli
    asked = np.cumsum(inputs.classes.device_milli[inputs.order]) / capacity * 100
    level = np.rint(asked).astype(np.int64)
    cpu_only = inputs.classes.device_milli[inputs.order] == 0
    events = np.bincount(level, minlength=len(LEVELS))[: len(LEVELS)]

    def mean(values: FloatColumn) -> FloatColumn:
        sums = np.bincount(level, weights=values, minlength=len(LEVELS))[: len(LEVELS)]
        means: FloatColumn = np.divide(sums, events, out=np.full(len(LEVELS), np.nan), where=events > 0)
        return means

    return Curves(
        allocated_pct=mean(placed / capacity * 100),
        requested_pct=mean(asked),
        power_watts=mean(power),
        cpu_only_pct=mean(100 * np.cumsum(kept & cpu_only) / np.maximum(1, np.cumsum(cpu_only))),
        decision_ns=spent,
        decision_cpu_ns=processor,
    )
