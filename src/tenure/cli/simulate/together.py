"""Members placed one by one by the packer, and yet together: in one domain of the narrowest level that carries them.

The same order as `placement.gangs.choose`: levels from the preferred (or the machine) to the one that must be, in each
the fullest domain that fits first. The packer chooses among the machines of that domain alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.power import NO_LIMIT, Power
from tenure.placement.gangs import LevelTree
from tenure.placement.gangs.tree import NOWHERE, Rows
from tenure.placement.packing import BoolColumn, Demand, FleetState, Packer, Placement


def demand_of(job: Job) -> Demand:
    """One member, as the packer knows it."""
    return Demand(job.cpu_milli, job.memory_bytes, job.gpus, job.gpu_milli, job.models)


def places(state: FleetState, demand: Demand) -> Rows:
    """Members that each machine could take now: int64 [machines]."""
    fleet = state.fleet
    room = np.full(len(fleet), NO_LIMIT, dtype=np.int64)
    if demand.shares_device:
        room = (state.device_free // demand.device_milli).sum(axis=1)
    elif demand.device_count:
        room = (state.device_free == 1000).sum(axis=1) // demand.device_count
    if demand.cpu_milli:
        room = np.minimum(room, state.cpu_free // demand.cpu_milli)
    if demand.memory_bytes:
        room = np.minimum(room, state.memory_free // demand.memory_bytes)
    if demand.models:
        named = np.array([model in demand.models for model in (*fleet.models, "")])
        room = np.where(named[fleet.model], room, 0)
    return room


def domains(tree: LevelTree, room: Rows, members: int, first: int, last: int) -> Iterator[BoolColumn]:
    """The machines of each domain whose places carry so many members, in the order in which they are tried."""
    if members == 1:  # alone it lies in one domain of every level, wherever it is: the whole choice is open
        if (anywhere := (tree.domains[last] != NOWHERE) & (room > 0)).any():
            yield anywhere
        return
    for level in range(min(first, last), last + 1):
        sums = tree.sums(level, room)
        fitting = np.flatnonzero(sums >= members)
        for domain in fitting[np.argsort(sums[fitting], kind="stable")].tolist():
            yield tree.domains[level] == domain


def place_all(packer: Packer, power: Power, job: Job, room: Rows) -> tuple[tuple[Placement, ...], Rows] | None:
    """All members, at most so many a machine, taken from the packer, and what is drawn of each budget then; or none,
    and nothing taken."""
    demand, draws = demand_of(job), power.member(job)
    done: list[Placement] = []
    used, left = power.used.copy(), room.copy()
    for _ in range(job.members):
        placement = packer.choose(demand, (left > 0) & power.bears(draws, used))
        if placement is None:
            for one in reversed(done):
                packer.free(one)
            return None
        packer.allocate(placement)
        done.append(placement)
        left[placement.machine] -= 1
        used += power.by_budget(draws, np.array([placement.machine]), np.ones(1, dtype=np.int64))
    return tuple(done), used
