"""Rung: restore a limit. The kernel holds the work to less than the contract; the contract's limits are set again."""

import asyncio

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import After, Outcome, Reasoned, by_windows
from tenure.controllers.remedies.situation import Situation
from tenure.engines import SetsLimits
from tenure.resources import Contract

THROTTLED_SHARE_LEAST = 0.02


class RestoreLimits:
    """Costs nothing: the work gets what it was promised."""

    name = "restore-limits"
    cost = "none: the limits are those of the contract"
    heavy = False
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """Memory or quota differ from the contract's, or a quota that is no part of it throttles."""
        memory = next((fact for fact in situation.differing if fact.what == "memory"), None)
        if memory is not None:
            return Reasoned(f"memory limit {memory.found} instead of {memory.expected} ({memory.source})")
        throttled = next((c for c in situation.causes if c.code == "Throttled"), None)
        if throttled is not None and throttled.share >= THROTTLED_SHARE_LEAST:
            return Reasoned(f"throttled: {throttled.detail}")
        return None

    def success(self, after: After) -> Outcome:
        """By windows: what the limit held back is there again, or it was not what lacked."""
        return by_windows(after)

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """Set the contract's memory limit and lift any quota: whole cores carry none."""
        if not isinstance(plane.engine, SetsLimits):
            return "this engine cannot set limits"
        memory = int(contract.spec.hold.claims[0].memory)
        await asyncio.to_thread(
            plane.engine.set_limits, contract.spec.hold.id, memory_bytes=memory, cpu_quota_milli=None
        )
        return f"memory limit {contract.spec.hold.claims[0].memory}, no quota"
