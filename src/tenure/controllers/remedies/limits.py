"""Rung: restore a limit. The kernel holds the work to other than the contract; the contract's limits are set again."""

import asyncio

from tenure.controllers.contract.readback import MEMORY, MEMORY_NODES
from tenure.controllers.contract.reserve import claim_now
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import After, Outcome, Reasoned, by_windows
from tenure.controllers.remedies.situation import Situation
from tenure.controllers.serving import place_of
from tenure.engines import MovesRuns, SetsLimits
from tenure.resources import Contract
from tenure.resources.kinds.standing import ReadBackFact
from tenure.topology import format_cpu_list

THROTTLED_SHARE_LEAST = 0.02


class RestoreLimits:
    """Costs nothing: the work gets what it was promised."""

    name = "restore-limits"
    cost = "none: the limits are those of the contract"
    heavy = False
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """Memory, its nodes or quota differ from the contract's, or a quota that is no part of it throttles."""
        memory = next((fact for fact in situation.differing if fact.what == MEMORY), None)
        if memory is not None:
            return Reasoned(f"memory limit {memory.found} instead of {memory.expected} ({memory.source})")
        nodes = _nodes(situation)
        if nodes is not None:
            return Reasoned(f"memory nodes {nodes.found} instead of {nodes.expected} ({nodes.source})")
        throttled = next((c for c in situation.causes if c.code == "Throttled"), None)
        if throttled is not None and throttled.share >= THROTTLED_SHARE_LEAST:
            return Reasoned(f"throttled: {throttled.detail}")
        return None

    def success(self, after: After) -> Outcome:
        """By windows: what the limit held back is there again, or it was not what lacked."""
        return by_windows(after)

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:
        """Set the contract's memory limit and lift any quota, since whole cores carry none; bind its memory to the
        contract's nodes again where it is bound to others."""
        if not isinstance(plane.engine, SetsLimits):
            return "this engine cannot set limits"
        claim = contract.spec.hold.claims[0]
        await asyncio.to_thread(
            plane.engine.set_limits, contract.spec.hold.id, memory_bytes=int(claim.memory), cpu_quota_milli=None
        )
        said = f"memory limit {claim.memory}, no quota"
        if _nodes(situation) is None or not isinstance(plane.engine, MovesRuns):
            return said
        place = place_of(claim_now(contract), await plane.topology(contract.spec.machine), ())
        await asyncio.to_thread(plane.engine.move_to, contract.spec.hold.id, place.cpus, place.memory_nodes)
        return f"{said}, memory on nodes {format_cpu_list(place.memory_nodes)}"


def _nodes(situation: Situation) -> ReadBackFact | None:
    return next((fact for fact in situation.differing if fact.what == MEMORY_NODES), None)
