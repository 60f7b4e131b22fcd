"""One trial: each shape is started on the trial's own cores, measured under each load, stopped, and stored.

It runs beside the reconcilers as one task. What it started is stopped when it ends, however it ends; and every run
carries an end of its own, so that even a control plane that dies leaves nothing behind for long.
"""

import asyncio
from collections.abc import Sequence

import structlog

from tenure.controllers.answering.answer import Knowledge
from tenure.controllers.answering.trial_wish import TrialStep, TrialWish
from tenure.controllers.measuring import MeasurementFailedError, Windows
from tenure.controllers.plane import Plane
from tenure.controllers.probing import with_probes
from tenure.controllers.serving import Served, Serving, ServingError
from tenure.controllers.trialling.book import answered, remember
from tenure.controllers.trialling.leaving import leave
from tenure.controllers.trialling.neighbours import Neighbours
from tenure.controllers.trialling.watching import Watching
from tenure.measurement import Endpoint, TrialPlan, saturating
from tenure.measurement.store import SATURATION
from tenure.resources import Offer

START_MS_MAX = 20_000
LOOK_SECONDS = 0.1
log = structlog.get_logger("tenure.controllers")


class TrialFailedError(RuntimeError):
    """The trial could not be made; the message says what failed."""


class RunningTrial:
    """One trial in flight."""

    def __init__(self, plane: Plane, offer: Offer, known: Knowledge, wish: TrialWish) -> None:
        self.offer = offer
        self._plane = plane
        self._known = known
        assert known.subject is not None, "only what can be served is trialled"
        self._subject = known.subject
        self._wish = wish
        self._task: asyncio.Task[None] | None = None
        self._at = "starting"
        self._abandoned = False
        self._lacking = {step for step in wish.steps if not step.ahead}
        """What its need cannot be answered without, and was not measured yet."""

    def begin(self) -> None:
        """Start measuring in the background."""
        self._task = asyncio.create_task(self._run(), name=f"trial {self.offer.name}")

    @property
    def done(self) -> bool:
        """Whether `finish` will not wait."""
        return self._task is not None and self._task.done()

    def progress(self) -> str:
        """How far it is, in words."""
        job = self._plane.measurements.jobs.get(self._job)
        if job is None or not job.total_ms:
            return self._at
        return f"{self._at}, {job.elapsed_ms / 1000:.0f} of {job.total_ms / 1000:.0f} s, {job.finished} requests"

    async def finish(self) -> None:
        """Release the hold. Raises TrialFailedError when the trial did not succeed, whatever went wrong, and
        EngineFailure while something of it still runs. One that has measured what its need lacks did: what fails, or is
        ended, while it measures for needs to come is only told."""
        assert self._task is not None
        await asyncio.wait({self._task})
        try:
            failure = self._failure(self._task)
            if failure is None:
                return
            if self._lacking:
                raise failure
            log.warning("what a trial measured ahead failed", trial=self.offer.name, because=str(failure))
        finally:
            await self._leave()

    def _failure(self, task: asyncio.Task[None]) -> TrialFailedError | None:
        """Why a task that is over came to no end of its own."""
        if task.cancelled():
            said = "its hold was deleted, or its time passed, before it was done"
            return TrialFailedError(f"{self._at}: {said}")
        error = task.exception()
        if error is None or isinstance(error, TrialFailedError):
            return error
        expected = isinstance(error, ServingError | MeasurementFailedError)
        failure = TrialFailedError(f"{self._at}: {error if expected else f'{type(error).__name__}: {error}'}")
        failure.__cause__ = error
        return failure

    async def abandon(self) -> None:
        """Stop it, whatever it is doing, and release the hold once what it ran is gone. Several may want that at once.

        Raises EngineFailure while something of it still runs; then its hold stays, and this is to be repeated.
        """
        if self._task is not None:
            if not self._abandoned:  # what it does to end is not disturbed a second time
                self._abandoned = True
                self._plane.measurements.drop(self._job)
                self._task.cancel()
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.exception()  # nobody waits for why it failed
        await self._leave()

    @property
    def _job(self) -> str:
        return f"trial/{self.offer.uid}"

    async def _leave(self) -> None:
        await leave(self._plane, self.offer.uid, self.offer.spec.hold.id)

    async def _run(self) -> None:
        wanted = list(self._wish.steps)
        total = len(wanted)
        for number, shape in enumerate(dict.fromkeys(step.shape for step in wanted)):
            of_shape = [step for step in wanted if step.shape == shape]
            async with Serving(
                self._plane,
                run_id=f"{self.offer.spec.hold.id}.{number}",
                claim=self.offer.spec.hold.claims[0],
                subject=self._subject,
                shape=shape,
                end_ms=int(self.offer.spec.expires_at),
            ) as served:
                await served.wait_healthy(START_MS_MAX)
                await self._measure(served, of_shape, wanted, total)

    async def _measure(
        self, served: Served, steps: Sequence[TrialStep], wanted: Sequence[TrialStep], total: int
    ) -> None:
        busy = self._known.neighbours == "busy"
        async with (
            Neighbours(self._plane, self.offer.spec.hold, busy=busy),
            Watching(self._plane, served.run_id, self._wish.window_ms),
        ):
            for step in steps:
                number = wanted.index(step) + 1
                how = "never without work" if step.saturated else f"at {step.load.arrivals_per_second:g} requests/s"
                self._at = f"{number}/{total}: {step.shape} {how}"
                plan = TrialPlan(
                    load=with_probes(step.load, self._wish.window_ms),
                    window_ms=self._wish.window_ms,
                    windows=self._wish.windows,
                    in_flight=saturating(step.shape.slots) if step.saturated else None,
                )
                windows = await self._measured(served.endpoint, plan)
                remember(
                    self._plane,
                    self._subject,
                    step.shape,
                    answered(windows, step.load, plan.window_ms) if step.saturated else step.load,
                    plan.window_ms,
                    windows,
                    neighbours=self._known.neighbours,
                    origin=SATURATION if step.saturated else "trial",
                )
                self._lacking.discard(step)

    async def _measured(self, endpoint: Endpoint, plan: TrialPlan) -> Windows:
        measurements = self._plane.measurements
        job = measurements.start(self._job, endpoint, plan, self._plane.clock.now_ms())
        while not job.done:
            await asyncio.wait({job.task}, timeout=LOOK_SECONDS)
        return measurements.take(self._job)
