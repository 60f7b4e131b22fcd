"""Rung: clear the contracted cores. Strayed threads are pinned again; intruders are moved to the system's cores."""

import asyncio
import os
from contextlib import suppress

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import Reasoned
from tenure.controllers.remedies.situation import Intruder, Situation
from tenure.engines import MovesRuns
from tenure.resources import Contract


class Repin:
    """Costs the workload nothing. The allocation is dedicated, so nobody else has a claim to its cores."""

    name = "repin"
    cost = "none: the work is not touched, intruders run on the system's cores"
    heavy = False
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """Somebody else uses the cores, or the work's own threads run elsewhere."""
        strayed = [fact for fact in situation.differing if fact.what == "cpus"]
        if strayed:
            return Reasoned(f"pinning differs: {strayed[0].found} instead of {strayed[0].expected}")
        if not situation.intruders:
            return None
        worst = situation.intruders[0]
        return Reasoned(
            f"process {worst.pid} ({worst.name}) used {worst.cpu_share:.0%} of the contracted core"
            + (f", and {len(situation.intruders) - 1} more" if len(situation.intruders) > 1 else "")
        )

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:
        """Pin the run again, then move each intruder; returns what was done."""
        topology = await plane.topology(contract.spec.machine)
        cpus = topology.cpus_of(contract.spec.hold.claims[0].cores)
        if isinstance(plane.engine, MovesRuns):
            await asyncio.to_thread(plane.engine.move_to, contract.spec.hold.id, cpus)
        moved = [i for i in situation.intruders if move_away(i, set(cpus), set(plane.system_cpus))]
        refused = len(situation.intruders) - len(moved)
        said = f"pinned to {', '.join(map(str, cpus))}"
        if moved:
            said += "; moved away: " + ", ".join(f"{i.name} ({i.pid})" for i in moved)
        if refused:
            said += f"; {refused} process(es) could not be moved, they belong to somebody else"
        return said


def move_away(intruder: Intruder, contracted: set[int], system: set[int]) -> bool:
    """Take the contracted CPUs from every thread of the intruder. False when it is gone or the system forbids it."""
    done = False
    with suppress(OSError):
        for thread in map(int, os.listdir(f"/proc/{intruder.pid}/task")):
            with suppress(ProcessLookupError):
                left = os.sched_getaffinity(thread) - contracted
                os.sched_setaffinity(thread, left or system)
                done = True
    return done
