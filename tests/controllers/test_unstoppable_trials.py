"""A trial that cannot be stopped: its Workload says so until it is gone; what does not need its hold goes on."""

from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.kernel import Wait
from tenure.controllers.workload.trial import STOP_AGAIN_MS
from tenure.engines import StopFailed
from tenure.resources import Condition, Workload, condition_of
from tests.controllers.trialled import Trialled, taken_away, trialled

ANOTHER_NEED: dict[str, Any] = {"spec": {"term": {"duration": "2h"}}}
THE_NEED: dict[str, Any] = {"spec": {"term": {"duration": "1h"}}}


def stuck(at: Trialled) -> pytest.MonkeyPatch:
    """Nothing can be stopped from now on, until what is returned is undone."""
    patch = pytest.MonkeyPatch()

    def failing(run_id: str, grace_ms: int | None = None) -> Any:
        raise StopFailed(f"run {run_id}: a process in state D")

    patch.setattr(at.plane.engine, "stop", failing)
    return patch


async def released(at: Trialled) -> Condition | None:
    """What the Workload says of the hold of its trial."""
    found = await at.user.get(Workload, "need", namespace="default")
    return condition_of(found.status.conditions, "Released") if found.status else None


def waits(said: Condition | None) -> bool:
    if said is None or "state D" not in said.message:
        return False
    return (said.status, said.reason) == ("False", "WaitingForRelease")


async def test_a_workload_says_that_what_was_measured_for_another_need_still_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        first = await at.begun()
        runs = await at.running()
        patch = stuck(at)
        await at.edit(ANOTHER_NEED)
        assert await at.look() == Wait(STOP_AGAIN_MS)
        assert waits(await released(at))
        assert (await at.running(), [record.uid for record in await at.holds()]) == (runs, [first.uid])
        patch.undo()
        await at.look()
        assert at.trial().offer.uid != first.uid
        assert await released(at) is None, "nothing waits any more"


async def test_a_workload_says_that_what_a_finished_trial_ran_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await at.running()
        await at.done(monkeypatch)
        patch = stuck(at)
        assert await at.look() == Wait(STOP_AGAIN_MS)
        said = await released(at)
        assert waits(said)
        await at.look()
        assert await released(at) == said, "it is not taken back and said again at every look"
        patch.undo()
        await at.look()
        assert (await released(at), await at.holds(), at.trials.running) == (None, [], {})


async def test_a_contract_is_followed_although_a_trial_beside_it_cannot_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch, cores=3) as at:
        contract = await at.contracted()
        at.evidence = False
        await at.edit(ANOTHER_NEED)
        await at.look()
        await at.running()
        patch = stuck(at)
        await at.edit(THE_NEED)
        assert await at.look() == Wait(STOP_AGAIN_MS)
        found = await at.user.get(Workload, "need", namespace="default")
        assert found.status is not None
        assert (found.status.phase, found.status.contract) == ("Contracted", contract.name)
        assert waits(await released(at))
        patch.undo()
        assert await at.look() is None
        assert (await released(at), await at.holds(), at.trials.running) == (None, [], {})


async def test_stopping_is_tried_again_until_it_succeeds_although_nothing_is_left_of_the_workload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        await at.running()
        patch = stuck(at)
        await at.user.delete(Workload, "need", namespace="default")
        assert await at.look() == Wait(STOP_AGAIN_MS)
        assert [record.uid for record in await at.holds()] == [offer.uid]
        patch.undo()
        assert await at.look() is None
        assert (await at.running(), await at.holds(), at.trials.running) == ([], [], {})


async def test_a_workload_says_that_what_ran_under_an_offer_taken_away_by_force_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        await at.running()
        patch = stuck(at)
        await taken_away(at, offer)
        assert await at.look_at(offer) is None
        assert await at.look() == Wait(STOP_AGAIN_MS)
        assert waits(await released(at))
        patch.undo()
        await at.look()
        assert (await at.running(), await released(at), at.trials.running) == ([], None, {})


async def test_a_trial_that_cannot_be_stopped_keeps_no_other_from_being_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        runs = await at.running()
        monkeypatch.setattr(at.trials, "running", {"another": Broken(at.trial()), **at.trials.running})
        await at.trials.close()
        assert (runs != [], await at.running(), at.trials.running) == (True, [], {})


class Broken:
    """A trial that fails, in a way that nobody foresaw, when it is to be stopped."""

    def __init__(self, like: Any) -> None:
        self.offer = like.offer

    async def abandon(self) -> None:
        raise RuntimeError("nobody foresaw it")
