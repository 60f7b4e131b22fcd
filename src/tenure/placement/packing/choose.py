"""The packer: chooses the machine where a demand costs least, and keeps its scores current.

Scores are kept for every class and machine. Whatever changes a machine rescores that machine alone; prices are renewed
in epochs, a small part of one at each decision, and each distinct state is valued once. So a decision costs the same on
any fleet but for one pass over a row of scores.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tenure.placement.packing.columns import FleetState, Placement
from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, BoolColumn, ClassTable, Demand, FloatColumn, IntColumn
from tenure.placement.packing.losses import Losses, Pricing, ShapeTable, Slots
from tenure.placement.packing.mix import LEVELS, Mix
from tenure.placement.packing.power import Watts
from tenure.placement.packing.prices import States
from tenure.placement.packing.renewal import Renewed, renewed, slices
from tenure.placement.packing.steps import Work
from tenure.placement.packing.value import cpu_prices
from tenure.placement.packing.weights import PowerPrice, Weights

EPOCH_SHARE = 0.02
"""Prices are renewed each time so much of the fleet's capacity has been asked for; more often at the start."""

EARLY_EPOCH = 0.3
"""At the start prices are renewed when the number of arrivals has grown by this share."""

PRICING_SLICES = 56
BATCH = 4
"""An epoch is thought of in slices: so many until its prices are in force, then as many states rescored in each."""

WIDE_BATCH = 1024


class Packer:
    """Opportunity-cost placement over one fleet state.

    `arrived` tells it of demand, `choose` proposes and changes nothing, `allocate` and `free` change the state.
    Deterministic: no clock, no randomness; ties go to the first machine.
    """

    def __init__(
        self,
        state: FleetState,
        *,
        classes: ClassTable | None = None,
        watts: Watts | None = None,
        weights: Weights | None = None,
    ) -> None:
        fleet = state.fleet
        self.state = state
        self.classes = ClassTable(models=fleet.models) if classes is None else classes
        self._watts, self._weights = watts, weights or Weights()
        self._shapes = ShapeTable(fleet.widest)
        self._demand_price: FloatColumn = np.zeros(0)
        self._cpu_prices = cpu_prices(float(fleet.cpu_milli.sum()) / 1000 / max(1, int(fleet.devices.sum())))
        self._losses: Losses = np.empty((0, len(fleet)), dtype=np.float32)
        self._slots: Slots = np.empty((0, len(fleet)), dtype=np.int8)
        self._pricing: Pricing | None = None
        self._epoch = 0
        self._scored_in: IntColumn = np.zeros(len(fleet), dtype=np.int64)
        self._work: Iterator[None] = iter(())
        self._waiting: list[IntColumn] = []
        self._touched: set[int] = set()
        self._arrivals = 0
        self._epoch_due = 0.0
        self._steps = 0
        random = np.random.default_rng(0)
        self._hash = random.integers(1, 2**62, size=fleet.widest + 4, dtype=np.int64) | 1
        for index in range(len(self.classes)):
            self._take_in(index)

    def arrived(self, demand: Demand) -> int:
        """Learn that a demand has arrived, and do this decision's part of the pricing. Its class."""
        index = self._class(demand)
        self.classes.arrivals[index] += 1
        self._arrivals += 1
        if self._arrivals >= self._epoch_due:
            self.settle()
            self._work = self._epoch_in_parts()
            if self._pricing is None:
                self.settle()
        next(self._work, None)
        self._rescore()
        return index

    def choose(self, demand: Demand, among: BoolColumn | None = None) -> Placement | None:
        """The machine, of all or of those in the mask [N], where the demand costs least; None where none fits."""
        index = self._class(demand)
        self._rescore()
        row = self._losses[index]
        if among is not None:
            row = np.where(among, row, np.inf)
        machine = int(row.argmin())
        if row[machine] == np.inf:
            return None
        if demand.shares_device:
            return Placement(machine, (int(self._slots[index, machine]),), demand)
        return Placement(machine, self.state.slots_for(machine, demand), demand)

    def costs(self, demand: Demand) -> Losses:
        """[N]: what the demand costs on each machine, in devices; inf where it does not fit. A copy."""
        index = self._class(demand)  # a new class may make the table longer
        self._rescore()
        row: Losses = self._losses[index].copy()
        return row

    def allocate(self, placement: Placement) -> None:
        """Take it. Raises ValueError, changing nothing, where it no longer fits."""
        self.state.allocate(placement.machine, placement.slots, placement.demand)
        self.touched(placement.machine)

    def free(self, placement: Placement) -> None:
        """Give it back: state and scores are as if it had never been."""
        self.state.free(placement)
        self.touched(placement.machine)

    def settle(self) -> None:
        """Finish the epoch in hand, so that every kept score is by the prices in force."""
        for _ in self._work:
            pass
        self._rescore()

    def touched(self, machine: int) -> None:
        """A machine's state has changed: it is rescored before scores are read or prices change."""
        if self._pricing is not None and machine not in self._touched:
            self._touched.add(machine)
            self._waiting.append(np.array([machine]))
            self._scored_in[machine] = self._epoch

    def fresh(self, machine: int) -> tuple[Losses, Slots]:
        """[classes]: scores of one machine computed anew by the prices in force, without keeping them."""
        losses, slots = self._evaluate(np.array([machine]))
        return losses[:, 0], slots[:, 0]

    def _class(self, demand: Demand) -> int:
        count = len(self.classes)
        index = self.classes.intern(demand)
        if index == count:
            self._take_in(index)
        return index

    def _take_in(self, index: int) -> None:
        """A new class: a row of scores, each distinct state valued once."""
        self._shapes.add(self.classes, index)
        self._demand_price = np.append(self._demand_price, 0.0)
        if index >= len(self._losses):
            more = max(16, len(self._losses))
            width = len(self.state.fleet)
            self._losses = np.concatenate([self._losses, np.full((more, width), np.inf, dtype=np.float32)])
            self._slots = np.concatenate([self._slots, np.zeros((more, width), dtype=np.int8)])
        if self._pricing is None:
            return
        self._pricing.add(self.classes, index)
        first, group = self._distinct()
        able = np.flatnonzero(self.state.fits_class(self.classes, index)[first])
        losses, slots = np.full(len(first), np.inf, dtype=np.float32), np.zeros(len(first), dtype=np.int8)
        for start in range(0, len(able), WIDE_BATCH):
            some = able[start : start + WIDE_BATCH]
            (losses[some],), (slots[some],) = self._evaluate(first[some], index)
        self._losses[index], self._slots[index] = losses[group], slots[group]

    def _evaluate(self, machines: IntColumn, index: int | None = None) -> tuple[Losses, Slots]:
        """[classes, B] of all classes, or [1, B] of one."""
        pricing, classes, state = self._pricing, self.classes, self.state
        assert pricing is not None
        if index is None:
            chosen, shapes, of_class = slice(0, len(classes)), self._shapes.all(), self._shapes.of_class
        else:
            chosen, shapes = slice(index, index + 1), self._shapes.only(classes, index)
            of_class = np.zeros(1, dtype=np.int64)
        losses, slots = pricing.shape_losses(state, machines, shapes)
        by_class = losses.T[of_class] + pricing.charge[chosen][:, state.fleet.model[machines]]
        by_class[classes.memory_bytes[chosen, None] > state.memory_free[machines]] = np.inf
        return by_class.astype(np.float32), slots.T[of_class]

    def _rescore(self) -> None:
        """Score what waits for it: machines that have changed, and states that the sweep has come to."""
        waiting, self._waiting = self._waiting, []
        self._touched.clear()
        for start in range(0, len(waiting), WIDE_BATCH):
            alike = waiting[start : start + WIDE_BATCH]
            heads = np.array([machines[0] for machines in alike])
            losses, slots = self._evaluate(heads)
            every = heads
            if any(len(machines) > 1 for machines in alike):
                every = np.concatenate(alike)
                place = np.repeat(np.arange(len(alike)), [len(machines) for machines in alike])
                losses, slots = losses[:, place], slots[:, place]
            count = len(self.classes)
            self._losses[:count, every], self._slots[:count, every] = losses, slots

    def _distinct(self) -> tuple[IntColumn, IntColumn]:
        """First machine of each distinct state, and the state of each machine. States are told apart by 64-bit hash."""
        state, fleet = self.state, self.state.fleet
        columns = np.concatenate(
            [
                state.device_free,
                np.stack([state.cpu_free, state.memory_free, fleet.cpu_milli, fleet.model], axis=1),
            ],
            axis=1,
        )
        with np.errstate(over="ignore"):
            hashed = (columns * self._hash).sum(axis=1)
        _, first, group = np.unique(hashed, return_index=True, return_inverse=True)
        return first, group

    def _epoch_in_parts(self) -> Iterator[None]:
        """One epoch, a part a decision: new prices, their steps spread evenly, then every distinct state rescored.

        A decision stands for ``pace`` slices, and prices come into force in the slice in which they always would, so
        that choices do not depend on how the steps are spread. There are as many as there were in the epoch before,
        more or less. The first decision has the fleet to look at and takes none.
        """
        first, group = self._distinct()
        pace = self._schedule(len(first))
        mix, states, idle = Mix.seen(self.classes), self._states(first, group), self._idle()
        prices = self._demand_price[mix.ids]
        work = Work(renewed(mix, states, idle, prices, self._cpu_prices, self.state.fleet.widest))
        priced = slices(mix)
        waits = -(-priced // pace) - 1
        for _ in range(waits):
            yield
            work.take(-(-self._steps // waits))
        self._install(mix, float(idle.sum()), work.finish())
        self._steps = work.taken
        if priced % pace == 0:
            yield
        for done, _ in enumerate(self._sweep(), start=priced + 1):
            if done % pace == 0:
                yield

    def _schedule(self, states: int) -> int:
        """Sets when the next epoch is due. How many slices each decision does until then, for so many states."""
        arrivals = self.classes.arrivals[: len(self.classes)]
        mean = float(self.classes.device_milli[: len(self.classes)] @ arrivals) / max(1, int(arrivals.sum()))
        usual = EPOCH_SHARE * self.state.fleet.device_milli / max(mean, 1.0)
        length = max(1.0, min(usual, EARLY_EPOCH * self._arrivals))
        self._epoch_due = self._arrivals + length
        return int(np.ceil((PRICING_SLICES + states / BATCH) / length))

    def _install(self, mix: Mix, idle_devices: float, made: Renewed) -> None:
        """Put new prices into force. ``idle_devices``: as many as there were when the epoch began."""
        state, fleet = self.state, self.state.fleet
        self._demand_price[mix.ids] = made.demand
        free_share = idle_devices / max(1e-9, fleet.device_milli / WHOLE_DEVICE_MILLI)
        spare_cpu = float(state.cpu_free.sum()) / 1000 - mix.expected_cpu(idle_devices)
        never_asked = max(0.0, spare_cpu) / max(1.0, float(fleet.cpu_milli.sum()) / 1000)
        power = None
        if self._watts is not None:
            power = PowerPrice.now(self._watts, state, self._weights.at(free_share), never_asked)
        self._rescore()  # what has changed under the old prices keeps its scores by them until the sweep comes to it
        self._pricing = Pricing(made.tables, made.scarce, made.blocks, power, self.classes)
        self._epoch += 1

    def _idle(self) -> FloatColumn:
        """[models]: devices' worth that is free."""
        fleet = self.state.fleet
        free = self.state.device_free.sum(axis=1)
        free_milli = np.bincount(fleet.model, weights=free, minlength=len(fleet.models) + 1)
        idle: FloatColumn = free_milli[:-1].astype(np.float64) / WHOLE_DEVICE_MILLI
        return idle

    def _states(self, first: IntColumn, group: IntColumn) -> States:
        """Those of machines with devices, of the distinct states that `_distinct` found."""
        state, fleet = self.state, self.state.fleet
        kept = fleet.model[first] < len(fleet.models)
        some = first[kept]
        return States(
            levels=state.device_free[some] * LEVELS // WHOLE_DEVICE_MILLI,
            cpu_free=state.cpu_free[some] / 1000,
            model=fleet.model[some],
            count=np.bincount(group, minlength=len(first))[kept],
        )

    def _sweep(self) -> Iterator[None]:
        """Rescore each distinct state once. A machine that changes meanwhile is rescored by its own change."""
        first, group = self._distinct()
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=len(first)))
        epoch = self._epoch
        yield
        for start in range(0, len(first), BATCH):
            for place in range(start, min(start + BATCH, len(first))):
                alike = order[ends[place - 1] if place else 0 : ends[place]]
                stale = alike[self._scored_in[alike] < epoch]
                if len(stale):
                    self._waiting.append(stale)
                    self._scored_in[stale] = epoch
            yield
