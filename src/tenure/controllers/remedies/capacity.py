"""Rung: add reserved capacity. The run may use the cores of its reserve as well, without a restart.

It helps against a core that gives less than it did: taken by a process that cannot be kept away, by the hypervisor, or
slower than it was measured. The kernel then runs the work's threads where there is time for them. It does not make more
threads of the work, so it does not help against more load than was declared, which is not owed either.
"""

import asyncio

from tenure.controllers.contract.reserve import ADD_CAPACITY, cores_now
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import After, Outcome, Reasoned, by_windows
from tenure.controllers.remedies.situation import Situation
from tenure.engines import MovesRuns
from tenure.promises import Metric
from tenure.resources import Contract

BROKEN_LEAST = 2
"""A single window is no trend, and the reserve is there once."""
CPU_SHARE_LEAST = 0.10
"""Of the time. Every thread waits for its CPU now and then; that is not what breaks a promise."""
CPU_CAUSES = ("WaitedForCpu", "Stolen", "Throttled")


class AddCapacity:
    """Costs the reserve: it is no longer held back against what may come. Its price is paid in any case."""

    name = ADD_CAPACITY
    cost = "the reserve: while it is in use nothing is held back against the next trouble; its price is paid anyway"
    heavy = False
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """The budget burns, cores are held back, and what lacks is the CPU, as the kernel says or as slow answers do.

        Work that got no CPU answers nobody, as stuck work does. Restarted without CPU it would answer nobody either.
        """
        if not situation.spare or situation.healthy is False or situation.broken < BROKEN_LEAST:
            return None
        lacks = next((c.detail for c in situation.causes if c.code in CPU_CAUSES and c.share >= CPU_SHARE_LEAST), None)
        if lacks is None and situation.intruders:
            worst = situation.intruders[0]
            lacks = f"process {worst.pid} ({worst.name}) used {worst.cpu_share:.0%} of its core"
        if lacks is None and (situation.stuck or situation.breaking == Metric.AVAILABILITY):
            return None  # requests that fail although there is CPU do not need more of it
        broken = f"{situation.breaking} was broken in {situation.broken} of its newest windows"
        return Reasoned(broken + (f"; {lacks}" if lacks else ""))

    def success(self, after: After) -> Outcome:
        """By windows. Where they say no, the reserve is given back: see `undo`."""
        return by_windows(after)

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """Let the run use what `cores_now` says, which counts the reserve since this step is in the status."""
        if not isinstance(plane.engine, MovesRuns):
            return "this engine cannot give a run more cores"
        topology = await plane.topology(contract.spec.machine)
        cores = cores_now(contract)
        await asyncio.to_thread(plane.engine.move_to, contract.spec.hold.id, topology.cpus_of(cores))
        return f"it may use cores {', '.join(map(str, cores))}"

    async def undo(self, plane: Plane, contract: Contract) -> None:
        """It did not help: back to the work's own cores, before the status says that the reserve is held again."""
        if isinstance(plane.engine, MovesRuns):
            topology = await plane.topology(contract.spec.machine)
            own = topology.cpus_of(contract.spec.hold.claims[0].cores)
            await asyncio.to_thread(plane.engine.move_to, contract.spec.hold.id, own)
