"""The packer: chooses the machine where a demand costs least, and keeps its scores current.

Scores are kept for every class and machine. Whatever changes a machine rescores that machine alone; prices are renewed
in small slices, so many a decision, and each distinct state is valued once. So a decision costs the same on any fleet
but for one pass over a row of scores.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from tenure.placement.packing.blocks import block_prices
from tenure.placement.packing.columns import FleetState, Placement
from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, BoolColumn, ClassTable, Demand, FloatColumn, IntColumn
from tenure.placement.packing.losses import Losses, Pricing, ShapeTable, Slots
from tenure.placement.packing.mix import LEVELS, Mix
from tenure.placement.packing.power import Watts
from tenure.placement.packing.prices import States, expected_use, moved
from tenure.placement.packing.scarcity import scarcity_prices
from tenure.placement.packing.value import Tables, cpu_prices, tables
from tenure.placement.packing.weights import PowerPrice, Weights

ROUNDS = 3
EPOCH_SHARE = 0.02
"""Prices are renewed each time so much of the fleet's capacity has been asked for; more often at the start."""

EARLY_EPOCH = 0.3
"""At the start prices are renewed when the number of arrivals has grown by this share."""

BATCH = 4
WIDE_BATCH = 1024
PRICING_SLICES = 56


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
        self._pace = 1
        random = np.random.default_rng(0)
        self._hash = random.integers(1, 2**62, size=fleet.widest + 4, dtype=np.int64) | 1
        for index in range(len(self.classes)):
            self._take_in(index)

    def arrived(self, demand: Demand) -> int:
        """Learn that a demand has arrived, and do this decision's part of the pricing. Its class."""
        index = self._class(demand)
        self.classes.arrivals[index] += 1
        self._arrivals += 1
        if self._pricing is None:
            for _ in self._renew():
                pass
            self._schedule()
        elif self._arrivals >= self._epoch_due:
            self.settle()
            self._work = self._renew()
            self._schedule()
        for _ in range(self._pace):
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
        """Finish the pricing in hand, so that every kept score is by the prices in force."""
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

    def _schedule(self) -> None:
        """When the next epoch is due, and how many slices of work each decision does until then."""
        arrivals = self.classes.arrivals[: len(self.classes)]
        mean = float(self.classes.device_milli[: len(self.classes)] @ arrivals) / max(1, int(arrivals.sum()))
        usual = EPOCH_SHARE * self.state.fleet.device_milli / max(mean, 1.0)
        length = max(1.0, min(usual, EARLY_EPOCH * self._arrivals))
        self._epoch_due = self._arrivals + length
        self._pace = int(np.ceil((PRICING_SLICES + len(self._distinct()[0]) / BATCH) / length))

    def _renew(self) -> Iterator[None]:
        """One epoch in slices: settle demand prices, install the new pricing, rescore every distinct state."""
        mix = Mix.seen(self.classes)
        state, fleet = self.state, self.state.fleet
        free_milli = np.bincount(fleet.model, weights=state.device_free.sum(axis=1), minlength=len(fleet.models) + 1)
        idle: FloatColumn = free_milli[:-1].astype(np.float64) / WHOLE_DEVICE_MILLI
        expected = mix.expected(float(idle.sum()))
        free_share = float(idle.sum()) / max(1e-9, fleet.device_milli / WHOLE_DEVICE_MILLI)
        states = self._states()
        yield
        price = self._demand_price[mix.ids]
        for _ in range(ROUNDS):
            table = yield from self._tables(mix, price)
            for use in expected_use(table, states):
                if use is None:
                    yield
                else:
                    price = moved(table, price, use, expected)
        table = yield from self._tables(mix, price)
        self._demand_price[mix.ids] = price
        scarce = scarcity_prices(mix, expected, idle)
        empties = np.count_nonzero(states.levels == LEVELS, axis=1)
        blocks = block_prices(mix, expected, states.model, empties, states.cpu_free, states.count)
        spare_cpu = float(state.cpu_free.sum()) / 1000 - mix.expected_cpu(float(idle.sum()))
        never_asked = max(0.0, spare_cpu) / max(1.0, float(fleet.cpu_milli.sum()) / 1000)
        power = None
        if self._watts is not None:
            power = PowerPrice.now(self._watts, state, self._weights.at(free_share), never_asked)
        self._rescore()  # what has changed under the old prices keeps its scores by them until the sweep comes to it
        self._pricing = Pricing(table, scarce, blocks, power, self.classes)
        self._epoch += 1
        yield
        yield from self._sweep()

    def _tables(self, mix: Mix, price: FloatColumn) -> Generator[None, None, Tables]:
        for table in tables(mix, price, self._cpu_prices, self.state.fleet.widest):
            if table is not None:
                return table
            yield
        raise AssertionError("the tables come last")

    def _states(self) -> States:
        first, group = self._distinct()
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
