"""The peer FGD counts losses as the published programme does, to the last bit: a score of 50 or 49 decides ties."""

from __future__ import annotations

import numpy as np
from benchmarks.peers import Fgd
from tests.placement.packing.fleets import cpu_only, fleet, share, whole

from tenure.placement.packing import ClassTable, Demand, FleetState

MACHINES = fleet((96, 8, "A"), (64, 2, "B"))
WEIGHTS = {share(470, 8): 37, whole(8, 60): 23, cpu_only(12): 19, share(810, 6, "B"): 11, whole(1, 9, "A", "C"): 7}
"""Demands and how many of a list ask for them. Nineteen in twenty are reached by the last alone, so all are targets."""


def peer(state: FleetState) -> Fgd:
    classes = ClassTable(models=MACHINES.models)
    for demand in WEIGHTS:
        classes.intern(demand)
    return Fgd(state, classes, np.array(list(WEIGHTS.values())))


def loss(model: str, cpu: int, left: list[int]) -> float:
    """As published: one target after another, each to the sum of its kind, and those sums in their order."""
    every, idle = float(sum(WEIGHTS.values())), sum(left)
    kinds = {"lack both": 0.0, "lack device": 0.0, "lack cpu": 0.0, "no device": 0.0, "and no cpu": 0.0, "barred": 0.0}
    ranked = sorted(WEIGHTS.items(), key=lambda item: -item[1])
    for demand, weight in ranked:
        frequency = weight / every / (every / every)
        enough, milli = cpu >= demand.cpu_milli, demand.device_milli
        if not demand.device_count:
            kinds["no device" if enough else "and no cpu"] += frequency * idle
        elif demand.models and model not in demand.models:
            kinds["barred"] += frequency * idle
        elif sum(one >= milli for one in left) < demand.device_count:
            kinds["lack device" if enough else "lack both"] += frequency * idle
        elif not enough:
            kinds["lack cpu"] += frequency * idle
        else:
            kinds["lack device"] += frequency * sum(one for one in left if one < milli)
    total = 0.0
    for amount in kinds.values():
        total += amount
    return total


def test_losses_are_added_up_in_the_published_order() -> None:
    fgd, random = peer(FleetState(MACHINES)), np.random.default_rng(5)
    for row, (model, devices) in enumerate((("A", 8), ("B", 2))):
        cpu = random.integers(0, 97, 200) * 1000
        left = np.zeros((200, 8), dtype=np.int64)
        left[:, :devices] = random.choice([0, 190, 530, 700, 1000], (200, devices))
        found = fgd.fragmentation(row, cpu, left)
        assert found.tolist() == [loss(model, int(c), one.tolist()) for c, one in zip(cpu, left, strict=True)]
        alone = fgd.fragmentation(row, cpu[:1], left[:1])
        assert alone[0] == found[0], "whatever else is asked at once"


def test_what_spoils_no_target_scores_fifty() -> None:
    state = FleetState(MACHINES)
    for slot, milli in enumerate((470, 470, 810, 470)):
        state.allocate(0, (slot,), Demand(1000, 0, 1, milli))
    assert peer(state).machine(0)[0][2] == 50, "twelve CPUs of the 92 that are left, and no target needs more than 80"
