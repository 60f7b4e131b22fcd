"""Work in a thread that is never left halfway: whoever is cancelled meanwhile sees its end first."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: Callable[[], T]) -> T:
    """What `work` returns or raises. A thread cannot be stopped: a cancellation waits for it, and is raised after it.

    Else a run that was being started when nobody wanted it any more would be started behind the back of whoever then
    looks that nothing runs.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        if not task.cancelled():
            task.exception()  # read here, for nobody else will
        raise asyncio.CancelledError
    return task.result()
