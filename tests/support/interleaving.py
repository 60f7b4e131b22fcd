"""Two users of one host, call by call: each waits before every call until the test lets it through."""

import asyncio
from collections.abc import Coroutine
from typing import Any

TURNS_MAX = 200


class Gate:
    """The host as one user of it reaches it. `let` lets one call through, and runs it up to its next call.

    While it is open nothing waits.
    """

    def __init__(self, host: Any, *, open: bool = False) -> None:
        self._host = host
        self.open = open
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Task[Any] | None = None
        self.next = ""
        """The call that waits, such as `replace_status Site`."""

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._host, verb)

        async def call(first: Any, *rest: Any, **options: Any) -> Any:
            if self.open:
                return await method(first, *rest, **options)
            kind = first.__name__ if isinstance(first, type) else type(first).__name__
            self.next = f"{verb} {kind}"
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
            return await method(first, *rest, **options)

        return call

    async def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` up to its first call."""
        self._task = asyncio.get_running_loop().create_task(work)
        await self._settled()
        return self._task

    @property
    def done(self) -> bool:
        return self._task is None or self._task.done()

    async def let(self) -> None:
        """Let the call that waits through."""
        waiting, self._waiting = self._waiting, None
        assert waiting is not None, "nothing waits"
        waiting.set_result(None)
        await self._settled()

    async def until(self, call: str) -> None:
        """Let calls through until `call` waits."""
        for _ in range(TURNS_MAX):
            if self.next == call and not self.done:
                return
            await self.let()
        raise AssertionError(f"{call} never came")

    async def finish(self) -> Any:
        """Let every call through, to the end; what came of it is returned or raised."""
        while not self.done:
            await self.let()
        assert self._task is not None, "it was started"
        return await self._task

    async def _settled(self) -> None:
        for _ in range(TURNS_MAX):
            if self.done or self._waiting is not None:
                return
            await asyncio.sleep(0)
        raise AssertionError("it neither calls nor ends")
