"""Many calls of the host at once, but never more than it takes well together."""

import asyncio
from collections.abc import Awaitable, Iterable

TOGETHER = 32
"""Requests in flight: the host makes those that arrive together durable in one write."""


async def side_by_side(calls: Iterable[Awaitable[None]]) -> None:
    """Await all of them. The first that fails ends the others, and is raised in an ExceptionGroup."""
    turn = asyncio.Semaphore(TOGETHER)

    async def one(call: Awaitable[None]) -> None:
        async with turn:
            await call

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(one(call))
