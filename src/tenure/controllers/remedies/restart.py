"""Rung: restart a stuck process. Open requests are lost, so it comes after everything that costs less."""

import asyncio

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import After, Outcome, Reasoned, by_windows
from tenure.controllers.remedies.situation import Situation
from tenure.engines import RestartsRuns
from tenure.resources import Contract


class Restart:
    """Costs the open requests and the time to load the model."""

    name = "restart"
    cost = "open requests are lost, and the time to load the model"
    heavy = False
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """It does not answer its health check, or requests are open and no token comes."""
        if situation.healthy is False:
            return Reasoned("it does not answer its health check")
        if situation.stuck:
            return Reasoned("requests are open and no token came for a window")
        return None

    def success(self, after: After) -> Outcome:
        """By windows: it answers again, and in time."""
        return by_windows(after)

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """Restart in place; allocation, ports and the tap stay."""
        if not isinstance(plane.engine, RestartsRuns):
            return "this engine cannot restart in place"
        await asyncio.to_thread(plane.engine.restart, contract.spec.hold.id, 500)
        return "restarted in place"
