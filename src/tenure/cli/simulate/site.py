"""The simulated site: what is free, what is drawn, and where the next job goes. The placement core decides.

Whole devices, gangs included, go through `placement.gangs`; where a trace has shares of devices or names models,
members go one by one through `placement.packing`, in one domain at a time (`together`). Power is counted beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.power import Power
from tenure.cli.simulate.together import demand_of, domains, place_all, places
from tenure.placement import Fleet, FleetMachine
from tenure.placement.gangs import FreeCounts, GangChoice, LevelTree, choose
from tenure.placement.gangs.tree import Rows
from tenure.placement.packing import BoolColumn, FleetState, Packer, Placement
from tenure.placement.packing import Fleet as PackedFleet


@dataclass(slots=True)
class Placed:
    """A job that runs: members by machine row, what it draws, and what giving it back needs. `milli` are thousandths of
    GPUs by row where members are not alike."""

    job: Job
    rows: Rows
    members: Rows
    draw_mw: int
    start_ms: int = 0
    end_ms: int | None = None
    packed: tuple[Placement, ...] = ()
    milli: Rows | None = None

    @property
    def taken(self) -> Rows:
        """Thousandths of GPUs by row."""
        return self.members * self.job.gpus * self.job.gpu_milli if self.milli is None else self.milli


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
    twin: Site | None = None  # the same machines, always empty
    row_of: dict[str, int] = field(default_factory=dict)

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
            row_of={machine.name: row for row, machine in enumerate(fleet.machines)},
        )

    def arrived(self, job: Job) -> None:
        """Let the packer learn what usually comes."""
        if self.packer is not None:
            self.packer.arrived(demand_of(job))

    def never(self, job: Job) -> str | None:
        """What keeps a job from these machines though nothing else ran on them: the id of a budget, `devices:gpu` or
        `cores`. None where it fits. It is tried in earnest, on a twin that is empty."""
        if job.must and job.must not in self.counts.tree.names:
            return _scarce(job)
        if self.twin is None:
            self.twin = Site.of(self.fleet, shares=self.packer is not None)
            self.twin.fail(np.flatnonzero(self.out))
        twin = self.twin
        twin.arrived(job)  # a packer has no prices before the first
        placed = twin.start(job)
        if placed is None:
            return twin.why
        twin.end(placed)
        return None

    def start(self, job: Job) -> Placed | None:
        """Place all members, or none and say why."""
        self.why = ""
        placed = self._pack(job) if self.packer is not None else self._gang(job)
        if placed is not None:
            self.stand(placed)
        return placed

    def stand(self, placed: Placed) -> None:
        """Count what was placed."""
        np.add.at(self.used, placed.rows, placed.taken)
        self.draw_mw += placed.draw_mw

    def leave(self, placed: Placed) -> None:
        """Count it no more."""
        np.add.at(self.used, placed.rows, -placed.taken)
        self.draw_mw -= placed.draw_mw

    def end(self, placed: Placed) -> None:
        """Take a job away."""
        job = placed.job
        self.leave(placed)
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
        self.twin = None
        for row in fresh.tolist():
            free = tuple(int(amount) for amount in self.counts.free[row])
            if any(free):
                self.counts.take(free, np.array([row]), np.array([1]))

    def _gang(self, job: Job) -> Placed | None:
        need, draws = _need(job), self.power.member(job)
        found = self._choose(job)
        if found is None:
            self.why = _scarce(job)
            return None
        if self.power.breaks(self.power.by_budget(draws, found.rows, found.members)):
            found = self._choose_powered(job, draws)
            if found is None:
                self.why = self._what_binds(job, self.counts.places(need), draws)
                return None
        self.counts.take(need, found.rows, found.members)
        self.power.used += self.power.by_budget(draws, found.rows, found.members)
        return Placed(job, found.rows, found.members, int((draws[found.rows] * found.members).sum()))

    def _choose(self, job: Job) -> GangChoice | None:
        first, last = self._levels(job)
        names = self.counts.tree.names
        return choose(self.counts, _need(job), job.members, narrowest=names[first], widest=names[last])

    def _choose_powered(self, job: Job, draws: Rows) -> GangChoice | None:
        """Once more, in a domain that can power them, while all other places are held for a moment."""
        need = _need(job)
        room = self.counts.places(need).copy()
        kept = next(self._powered(job, room, draws), None)
        if kept is None:
            return None
        rows = np.flatnonzero(kept < room)
        held = (room - kept)[rows]
        self.counts.take(need, rows, held)
        try:
            return self._choose(job)
        finally:
            self.counts.give(need, rows, held)

    def _pack(self, job: Job) -> Placed | None:
        assert self.packer is not None
        draws = self.power.member(job)
        room = np.where(self.out, 0, places(self.packer.state, demand_of(job)))
        for kept in self._powered(job, room, draws):
            # What the packer would choose freely may draw too much for all; what is kept never does.
            freely = np.where(kept > 0, room, 0)
            done = place_all(self.packer, self.power, job, freely) or place_all(self.packer, self.power, job, kept)
            if done is not None:
                placements, self.power.used = done
                rows, members = np.unique(np.array([one.machine for one in placements]), return_counts=True)
                return Placed(job, rows, members, int((draws[rows] * members).sum()), packed=placements)
        self.why = self._what_binds(job, room, draws)
        return None

    def _powered(self, job: Job, room: Rows, draws: Rows) -> Iterator[Rows]:
        """For each domain that carries and powers all members, in the order in which they are tried: the places there
        that can be powered together; int64 [machines], none elsewhere."""
        if int(self.power.powered(draws, room)[0].sum()) < job.members:
            return
        tree, (first, last) = self.counts.tree, self._levels(job)
        for among in domains(tree, np.minimum(room, self.power.alone(draws)), job.members, first, last):
            kept, _ = self.power.powered(draws, np.where(among, room, 0))
            if int(kept.sum()) >= job.members:
                yield kept

    def _what_binds(self, job: Job, room: Rows, draws: Rows) -> str:
        """A budget where a domain has the places; else the places themselves."""
        among = next(domains(self.counts.tree, room, job.members, *self._levels(job)), None)
        bound = "" if among is None else self.power.binding(draws, np.where(among, room, 0))
        return bound or _scarce(job)

    def _levels(self, job: Job) -> tuple[int, int]:
        """From which level of the tree to which; a preference beyond what must be is none. Levels that nothing here
        belongs to are none, either."""
        names = self.counts.tree.names
        last = names.index(job.must) if job.must in names else len(names) - 1
        return min(last, names.index(job.prefer) if job.prefer in names else 0), last


def _capacity(machine: FleetMachine) -> tuple[int, int, int]:
    """(GPUs, thousandths of cores, bytes) for sale."""
    if not machine.schedulable:
        return 0, 0, 0
    sold, index = machine.sellable_devices(), machine.device_index
    devices = sum(1 for name, milli in sold.items() if milli and index[name].device_class == "gpu")
    return devices, len(machine.sellable_cores()) * 1000, sum(machine.sellable_memory().values())


def _model(machine: FleetMachine) -> str:
    return machine.devices[0].model if machine.devices else ""


def _need(job: Job) -> tuple[int, int, int]:
    return job.gpus, job.cpu_milli, job.memory_bytes


def _scarce(job: Job) -> str:
    return "devices:gpu" if job.gpus else "cores"


def shares_of(jobs: Sequence[Job]) -> bool:
    """Whether a trace has shares of devices or names models."""
    return any(job.models or (job.gpus and job.gpu_milli < 1000) for job in jobs)
