"""The simulated site: what is free, what is drawn, and where the next job goes. The placement core decides.

Whole devices, gangs included, go through `placement.gangs`; where a trace has shares of devices or names models, single
members go through `placement.packing`. Power is counted beside, by the same budgets as the door's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tenure.cli.simulate.traces import Job
from tenure.placement import Budget, Fleet, FleetMachine
from tenure.placement.gangs import FreeCounts, LevelTree, choose
from tenure.placement.gangs.tree import Rows
from tenure.placement.packing import BoolColumn, Demand, FleetState, Packer, Placement
from tenure.placement.packing import Fleet as PackedFleet

NONE = -1


@dataclass(slots=True)
class Placed:
    """A job that runs: members by machine row, what it draws, and what giving it back needs."""

    job: Job
    rows: Rows
    members: Rows
    draw_mw: int
    start_ms: int = 0
    end_ms: int | None = None
    packed: tuple[Placement, ...] = ()


@dataclass(slots=True)
class Power:
    """Watts drawn, and to be cooled, of each budget beside its limit; int64 [budgets]."""

    budgets: tuple[Budget, ...]
    above: Rows  # [sorts of budget, machines]: the budget over each machine, or NONE
    rows: list[Rows]
    limit: Rows
    used: Rows
    device_mw: Rows
    core_mw: Rows

    @classmethod
    def of(cls, fleet: Fleet) -> Power:
        """Budgets of power and cooling that full machines could exceed, with the rows of their domains."""
        budgets = tuple(b for b in fleet.budgets if b.name in ("power", "cooling"))
        levels = tuple(dict.fromkeys((b.name, b.level) for b in budgets))
        number_of = {(b.name, b.level, b.domain): number for number, b in enumerate(budgets)}
        above = np.array(
            [[number_of.get((*level, m.domain(level[1]) or ""), NONE) for m in fleet.machines] for level in levels],
            dtype=np.int64,
        ).reshape(len(levels), len(fleet.machines))
        rows: list[list[int]] = [[] for _ in budgets]
        for row, number in ((row, n) for level in above.tolist() for row, n in enumerate(level) if n != NONE):
            rows[number].append(row)
        return cls(
            budgets,
            above,
            [np.array(own, dtype=np.int64) for own in rows],
            np.array([b.limit - b.base for b in budgets], dtype=np.int64),
            np.zeros(len(budgets), dtype=np.int64),
            np.array([max((d.power.rated_mw or 0 for d in m.devices), default=0) for m in fleet.machines]),
            np.array([m.core_power.rated_mw or 0 for m in fleet.machines]),
        )

    def member(self, job: Job) -> Rows:
        """What one member of a job draws on each machine, in mW."""
        device = self.device_mw * (job.gpus * job.gpu_milli) // 1000
        total: Rows = device + self.core_mw * job.cpu_milli // 1000
        return total

    def by_budget(self, draws: Rows, rows: Rows, members: Rows) -> Rows:
        """What members on these machines draw of each budget."""
        total = np.zeros(len(self.budgets), dtype=np.int64)
        drawn = draws[rows] * members
        for level in self.above:
            own = level[rows]
            np.add.at(total, own[own != NONE], drawn[own != NONE])
        return total


@dataclass(slots=True)
class Site:
    """One fleet in one run. `why` says what stopped the last job that did not start."""

    fleet: Fleet
    power: Power
    counts: FreeCounts
    capacity: Rows
    packer: Packer | None
    out: BoolColumn  # [machines]: failed
    draw_mw: int = 0
    why: str = ""
    used: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # thousandths of GPUs a machine

    @classmethod
    def of(cls, fleet: Fleet, *, shares: bool) -> Site:
        """An empty site. `shares`: the trace has shares of devices or names models."""
        capacity = np.array([_capacity(machine) for machine in fleet.machines], dtype=np.int64)
        packer = None
        if shares:
            rows = [
                (m.name, int(c[1]), int(c[2]), int(c[0]), _model(m))
                for m, c in zip(fleet.machines, capacity, strict=True)
            ]
            packer = Packer(FleetState(PackedFleet.of(rows)))
        return cls(
            fleet=fleet,
            power=Power.of(fleet),
            counts=FreeCounts(LevelTree.of_fleet(fleet), capacity),
            capacity=capacity,
            packer=packer,
            out=np.zeros(len(fleet.machines), dtype=np.bool_),
            used=np.zeros(len(fleet.machines), dtype=np.int64),
        )

    def arrived(self, job: Job) -> None:
        """Let the packer learn what usually comes."""
        if self.packer is not None:
            self.packer.arrived(_demand(job))

    def ever_fits(self, job: Job) -> bool:
        """Whether the empty site could carry the job, power apart."""
        if job.must and _level(self, job.must) is None:
            return False
        could = self.capacity.copy()
        if job.models:
            named = np.array([_model(m) in job.models for m in self.fleet.machines])
            could[~named] = 0
        empty = FreeCounts(self.counts.tree, could)
        return choose(empty, _need(job), job.members, widest=_level(self, job.must)) is not None

    def start(self, job: Job) -> Placed | None:
        """Place all members, or none and say why."""
        self.why = ""
        placed = self._pack(job) if self.packer is not None else self._gang(job)
        if placed is not None:
            np.add.at(self.used, placed.rows, placed.members * job.gpus * job.gpu_milli)
            self.draw_mw += placed.draw_mw
        return placed

    def end(self, placed: Placed) -> None:
        """Take a job away."""
        job = placed.job
        np.add.at(self.used, placed.rows, -placed.members * job.gpus * job.gpu_milli)
        self.draw_mw -= placed.draw_mw
        self.power.used -= self.power.by_budget(self.power.member(job), placed.rows, placed.members)
        if self.packer is not None:
            for placement in placed.packed:
                self.packer.free(placement)
        else:
            self.counts.give(_need(job), placed.rows, placed.members)

    def fail(self, rows: Rows) -> None:
        """These machines are gone; what ran there must have been ended before."""
        fresh = rows[~self.out[rows]]
        self.out[fresh] = True
        for row in fresh.tolist():
            free = tuple(int(amount) for amount in self.counts.free[row])
            if any(free):
                self.counts.take(free, np.array([row]), np.array([1]))

    def _gang(self, job: Job) -> Placed | None:
        need, draws = _need(job), self.power.member(job)
        phantoms: list[tuple[Rows, Rows]] = []
        try:
            for _ in range(len(self.power.budgets) + 1):
                found = choose(
                    self.counts, need, job.members, narrowest=_level(self, job.prefer), widest=_level(self, job.must)
                )
                if found is None:
                    self.why = self.why or ("devices:gpu" if job.gpus else "cores")
                    return None
                taken = self.power.by_budget(draws, found.rows, found.members)
                over = np.flatnonzero(self.power.used + taken > self.power.limit)
                if len(over) == 0:
                    break
                self._cap(int(over[0]), need, draws, phantoms)
            else:
                return None
        finally:
            for rows, members in phantoms:
                self.counts.give(need, rows, members)
        self.counts.take(need, found.rows, found.members)
        self.power.used += taken
        return Placed(job, found.rows, found.members, int((draws[found.rows] * found.members).sum()))

    def _cap(self, budget: int, need: tuple[int, ...], draws: Rows, phantoms: list[tuple[Rows, Rows]]) -> None:
        """Leave only as many places in a budget's domain as it can power, by holding the rest for a moment."""
        self.why = self.power.budgets[budget].id
        rows = self.power.rows[budget]
        each = max(1, int(draws[rows].max()))
        room = max(0, int(self.power.limit[budget] - self.power.used[budget]) // each)
        places = self.counts.places(need)[rows]
        kept = np.minimum(places, np.maximum(0, room - (np.cumsum(places) - places)))
        held = places - kept
        some = held > 0
        if some.any():
            self.counts.take(need, rows[some], held[some])
            phantoms.append((rows[some], held[some]))

    def _pack(self, job: Job) -> Placed | None:
        assert self.packer is not None
        demand, draws = _demand(job), self.power.member(job)
        among = ~self.out
        done: list[Placement] = []
        used = self.power.used.copy()
        for _ in range(job.members):
            allowed = among.copy()
            for number, rows in enumerate(self.power.rows):
                allowed[rows] &= used[number] + draws[rows] <= self.power.limit[number]
            placement = self.packer.choose(demand, allowed)
            if placement is None:
                self.why = self._why_unpacked(demand, among)
                for one in reversed(done):
                    self.packer.free(one)
                return None
            self.packer.allocate(placement)
            done.append(placement)
            one_row = np.array([placement.machine])
            used += self.power.by_budget(draws, one_row, np.ones(1, dtype=np.int64))
        self.power.used = used
        rows, members = np.unique(np.array([one.machine for one in done]), return_counts=True)
        return Placed(job, rows, members, int((draws[rows] * members).sum()), packed=tuple(done))

    def _why_unpacked(self, demand: Demand, among: BoolColumn) -> str:
        assert self.packer is not None
        found = self.packer.choose(demand, among)
        if found is None:
            return "devices:gpu" if demand.device_count else "cores"
        names = [b.id for b, rows in zip(self.power.budgets, self.power.rows, strict=True) if found.machine in rows]
        return names[0] if names else "devices:gpu"


def _capacity(machine: FleetMachine) -> tuple[int, int, int]:
    """(GPUs, thousandths of cores, bytes) for sale."""
    devices = sum(1 for milli in machine.sellable_devices().values() if milli)
    return devices, len(machine.sellable_cores()) * 1000, sum(machine.sellable_memory().values())


def _model(machine: FleetMachine) -> str:
    return machine.devices[0].model if machine.devices else ""


def _need(job: Job) -> tuple[int, int, int]:
    return job.gpus, job.cpu_milli, job.memory_bytes


def _demand(job: Job) -> Demand:
    return Demand(job.cpu_milli, job.memory_bytes, job.gpus, job.gpu_milli, job.models)


def _level(site: Site, level: str) -> str | None:
    """A level that the fleet knows; None where the job names none, or one that nothing here belongs to."""
    return level if level in site.counts.tree.names else None


def shares_of(jobs: Sequence[Job]) -> bool:
    """Whether a trace has shares of devices or names models."""
    return any(job.models or (job.gpus and job.gpu_milli < 1000) for job in jobs)
