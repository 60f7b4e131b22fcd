"""What is measured before its contract is in service is watched as it will be then: the engine is asked, and kernel and
journals are read.

What a look finds here is thrown away. What it costs is not: it takes the system's core, which the workload's tap needs
as well, and windows that were measured without it would promise more than a contract that is watched can keep. In
service a look also judges, signs and writes down through the door, which costs three times as much again (daemon CPU on
two cores, windows of a second: 30 ms a second for these looks at their pace, 130 in service). So here it is looked four
times as often.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tenure.controllers.contract.judging import PROBER, TAP
from tenure.controllers.plane import Plane
from tenure.controllers.probing import look_ms
from tenure.engines import EngineFailure
from tenure.measurement.intruders import ran
from tenure.measurement.journal_reader import read_journal
from tenure.measurement.kernel import read_facts
from tenure.measurement.procfs import read_processes

LOOKS_FOR_ONE = 4


def pace_ms(windows_ms: Iterable[int]) -> int:
    """How long to wait between two looks at what has windows so long."""
    return look_ms(windows_ms) // LOOKS_FOR_ONE


class Watching:
    """Looks at a run for as long as the block lasts."""

    def __init__(self, plane: Plane, run_id: str, window_ms: int) -> None:
        self._plane = plane
        self._run_id = run_id
        self._pace_seconds = pace_ms([window_ms]) / 1000
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch(), name=f"watch {self._run_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(look_at, self._plane, self._run_id)
            await asyncio.sleep(self._pace_seconds)


def look_at(plane: Plane, run_id: str) -> None:
    """Read what a look at a contract's run reads. What may be wrong with the run, whoever measures it finds out."""
    with suppress(EngineFailure, OSError):
        state = plane.engine.state(run_id)
        plane.engine.read_back(run_id)
        processes = read_processes()
        ran(processes)
        if state.work.process is not None:
            read_facts(state.work.process.pid, plane.clock.monotonic_ns(), processes=processes)
        for journal in (TAP, PROBER):
            read_journal(plane.home / "runs" / run_id / journal)
