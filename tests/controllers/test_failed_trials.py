"""A trial that failed, in whatever way, was not made: its user is told, its hold is released, and it is made again."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from tenure.client import Conflict
from tenure.controllers.answering.measured import RunShape
from tenure.controllers.answering.trial_wish import TrialStep
from tenure.controllers.measuring import MeasurementFailedError
from tenure.controllers.trialling.running import RunningTrial, TrialFailedError
from tenure.controllers.workload.trial import Trials
from tenure.controllers.workload.wish import key_of
from tenure.engines import EngineFailure
from tenure.promises import Load
from tenure.resources import Workload, condition_of
from tests.controllers.planes import command, plane_on


class Ledger:
    """Counts what is released."""

    def __init__(self) -> None:
        self.decided = 0

    async def decide(self, decide: Any) -> None:
        self.decided += 1


def failing(error: Exception, ledger: Ledger) -> RunningTrial:
    """A trial that fails at its first step."""
    trial = trial_of((TrialStep(RunShape(1, 1), Load(10**6, 40, 16)),), ledger)

    async def run() -> None:
        raise error

    trial._run = run  # type: ignore[method-assign]
    return trial


def trial_of(steps: Sequence[TrialStep], ledger: Ledger) -> RunningTrial:
    """One that would measure these."""
    measurements = SimpleNamespace(drop=lambda _: None)
    plane: Any = SimpleNamespace(allocator=ledger, measurements=measurements, engine=SimpleNamespace(runs=list))
    known: Any = SimpleNamespace(subject="a model")
    offer: Any = SimpleNamespace(uid="u", name="t", spec=SimpleNamespace(hold=SimpleNamespace(id="h")))
    wish: Any = SimpleNamespace(steps=steps)
    return RunningTrial(plane, offer, known, wish)


FAILURES = [OSError("the disk is full"), EngineFailure("no cgroup"), MeasurementFailedError("no request")]


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
async def test_whatever_fails_fails_the_trial_and_releases_its_hold(error: Exception) -> None:
    ledger = Ledger()
    trial = failing(error, ledger)
    trial.begin()
    with pytest.raises(TrialFailedError, match=str(error)):
        await trial.finish()
    assert ledger.decided == 1


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
async def test_a_trial_that_failed_before_it_was_abandoned_is_released_too(error: Exception) -> None:
    ledger = Ledger()
    trial = failing(error, ledger)
    trial.begin()
    while not trial.done:
        await asyncio.sleep(0)
    await trial.abandon()
    assert ledger.decided == 1


@pytest.mark.parametrize("measured", [0, 1, 2])
async def test_one_whose_time_passes_was_made_once_all_is_measured_that_its_need_lacked(measured: int) -> None:
    """A slow machine has no time for the heavier load, which is measured ahead of needs to come."""
    shape, load, ledger = RunShape(1, 1), Load(10**6, 40, 16), Ledger()
    steps = [TrialStep(shape, load), TrialStep(shape, Load(2 * 10**6, 40, 16), ahead=True)]
    trial = trial_of(steps, ledger)
    began = asyncio.Event()

    async def run() -> None:
        for step in steps[:measured]:
            trial._lacking.discard(step)
        began.set()
        await asyncio.Event().wait()

    trial._run = run  # type: ignore[method-assign]
    trial.begin()
    await began.wait()
    await trial.abandon()
    if measured == 0:
        with pytest.raises(TrialFailedError, match="its time passed"):
            await trial.finish()
    else:
        await trial.finish()


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
async def test_one_that_fails_while_it_measures_ahead_was_made_and_why_it_failed_is_logged(error: Exception) -> None:
    """A server that dies under twice the load says nothing against what was measured under the load asked."""
    shape, ledger = RunShape(1, 1), Ledger()
    needed = TrialStep(shape, Load(10**6, 40, 16))
    trial = trial_of([needed, TrialStep(shape, Load(2 * 10**6, 40, 16), ahead=True)], ledger)

    async def run() -> None:
        trial._lacking.discard(needed)
        raise error

    trial._run = run  # type: ignore[method-assign]
    trial.begin()
    with capture_logs() as told:
        await trial.finish()
    assert ledger.decided == 1
    assert [str(error) in one["because"] for one in told] == [True]


class Finished:
    """A trial that is over; `errors` are raised by the looks at it, one each."""

    done = True

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def finish(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


async def test_a_trial_that_failed_was_not_made(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, user):
        need = await user.create(command("need"))
        trials = Trials(plane)
        trials.running[key_of(need)] = Finished(TrialFailedError("1/1: the disk is full"))  # type: ignore[assignment]
        await trials.look(need)
        assert not trials.was_made(need)
        found = await user.get(Workload, "need", namespace="default")
        said = condition_of(found.status.conditions, "Measured") if found.status else None
        assert said is not None
        assert (said.status, said.reason) == ("False", "TrialFailed")


async def test_a_trial_whose_hold_could_not_be_released_is_looked_at_again(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, user):
        need = await user.create(command("need"))
        trials = Trials(plane)
        trials.running[key_of(need)] = Finished(Conflict("others committed"))  # type: ignore[assignment]
        with pytest.raises(Conflict):
            await trials.look(need)
        assert not trials.was_made(need)
        await trials.look(need)
        assert trials.was_made(need)
        assert trials.running == {}
