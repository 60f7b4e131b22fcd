"""Something asynchronous kept open in a thread of its own, beside a test that blocks."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")
START_SECONDS_MAX = 30


@contextmanager
def in_thread(opened: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """What `opened` yields, open for as long as the block lasts. Raises what kept it from opening, or from closing."""
    ready, stop = threading.Event(), threading.Event()
    found: list[T] = []
    failed: list[BaseException] = []

    async def keep_open() -> None:
        async with opened() as value:
            found.append(value)
            ready.set()
            await asyncio.to_thread(stop.wait)

    def body() -> None:
        try:
            asyncio.run(keep_open())
        except BaseException as error:
            failed.append(error)
            ready.set()

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    try:
        assert ready.wait(START_SECONDS_MAX), "it did not open"
        if not failed:
            yield found[0]
    finally:
        stop.set()
        thread.join(START_SECONDS_MAX)
    if failed:
        raise failed[0]
