"""A trial's way out: what it ran is gone before its hold is released, however it is left and whoever began it.

Its runs are found from the engine, not from memory: the control plane that began them may be dead.
"""

import asyncio
from contextlib import suppress

from tenure.controllers.plane import Plane
from tenure.engines import Engine, EngineFailure, Phase, RunNotFound, RunState, StopFailed
from tenure.ledger import release


def hold_of(run_id: str) -> str:
    """The hold that a run belongs to. One trial's hold carries several runs in turn, named HOLD.NUMBER."""
    return run_id.partition(".")[0]


def left_of(engine: Engine, hold_id: str) -> list[RunState]:
    """The runs under this hold of which something is still there."""
    return [run for run in _runs_of(engine, hold_id) if _may_run(run)]


def end_runs(engine: Engine, hold_id: str) -> None:
    """Return once nothing under this hold runs, and what ran is forgotten. Raises EngineFailure while something does,
    after all that can be stopped was; it can be repeated."""
    failures: list[EngineFailure] = []
    for run in _runs_of(engine, hold_id):
        try:
            _end(engine, run)
        except EngineFailure as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    left = left_of(engine, hold_id)
    if left:
        raise StopFailed(f"run {left[0].run_id}: {left[0].message or 'its processes are still there'}")


def _end(engine: Engine, run: RunState) -> None:
    with suppress(RunNotFound):  # it was stopped and forgotten in between, or its record is gone
        if _may_run(run):
            engine.stop(run.run_id)
        with suppress(OSError):  # a record that cannot be removed (the disk can only be read) keeps nobody's cores
            engine.forget(run.run_id)


def _runs_of(engine: Engine, hold_id: str) -> list[RunState]:
    return [run for run in engine.runs() if hold_of(run.run_id) == hold_id]


def _may_run(run: RunState) -> bool:
    """Whether something of it is there. One that nobody supervises, without a process, is an empty control group whose
    record is gone: there is nothing to stop, and nothing that could come back."""
    return bool(run.processes) or not (run.final or run.phase is Phase.UNSUPERVISED)


async def leave(plane: Plane, uid: str, hold_id: str, to_phase: str = "Withdrawn") -> None:
    """End what runs under a trial's hold, and release it; `uid` is that of its Offer. Raises EngineFailure."""
    await asyncio.to_thread(end_runs, plane.engine, hold_id)
    await plane.allocator.decide(
        lambda view, fleet, now_ms: release(  # noqa: ARG005 - the shape of a decision
            [r for r in view.live() if r.uid == uid], to_phase, to_phase
        )
    )
