"""Rung: clear the contracted cores. Strayed threads are pinned again; intruders are moved to the system's cores."""

import asyncio

from tenure.controllers.contract.reserve import cores_now
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import After, Outcome, Reasoned, by_windows
from tenure.controllers.remedies.situation import Situation
from tenure.engines import ClearsCpus, MovesRuns
from tenure.resources import Contract

INIT = 1
"""The system's first process: what it starts inherits its CPUs, so it is never moved."""


class Repin:
    """Costs the workload nothing. The allocation is dedicated, so nobody else has a claim to its cores."""

    name = "repin"
    cost = "none: the work is not touched, intruders run on the system's cores until the contract ends"
    heavy = False
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """Somebody else uses the cores, or the work's own threads run elsewhere."""
        strayed = [fact for fact in situation.differing if fact.what == "cpus"]
        if strayed:
            return Reasoned(f"pinning differs: {strayed[0].found} instead of {strayed[0].expected}")
        movable = [intruder for intruder in situation.intruders if intruder.pid != INIT]
        if not movable:
            return None
        worst = movable[0]
        return Reasoned(
            f"process {worst.pid} ({worst.name}) used {worst.cpu_share:.0%} of the contracted core"
            + (f", and {len(movable) - 1} more" if len(movable) > 1 else "")
        )

    def success(self, after: After) -> Outcome:
        """By windows: what the intruders took is there again, or it was not what lacked."""
        return by_windows(after)

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:
        """Pin the run again, then move each intruder; returns what was done."""
        topology = await plane.topology(contract.spec.machine)
        cpus = topology.cpus_of(cores_now(contract))
        if isinstance(plane.engine, MovesRuns):
            await asyncio.to_thread(plane.engine.move_to, contract.spec.hold.id, cpus)
        away: tuple[int, ...] = ()
        if isinstance(plane.engine, ClearsCpus) and situation.intruders:
            named = [(intruder.pid, intruder.start_ticks) for intruder in situation.intruders]
            away = await asyncio.to_thread(
                plane.engine.clear_cpus, contract.spec.hold.id, named, sorted(plane.system_cpus)
            )
        moved = [intruder for intruder in situation.intruders if intruder.pid in away]
        refused = len(situation.intruders) - len(moved)
        said = f"pinned to {', '.join(map(str, cpus))}"
        if moved:
            said += "; moved away: " + ", ".join(f"{i.name} ({i.pid})" for i in moved)
        if refused:
            said += f"; {refused} process(es) could not be moved, they belong to somebody else or are gone"
        return said
