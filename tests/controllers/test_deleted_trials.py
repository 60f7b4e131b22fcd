"""A trial whose Offer or Workload is deleted, or whose control plane died, is over before its hold is released."""

import asyncio
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.client import NotFound
from tenure.controllers.answering.measured import RunShape
from tenure.controllers.serving import Serving
from tenure.controllers.workload.trial import AFTER_FAILURE_MS
from tenure.engines import StopFailed
from tenure.promises import Load
from tenure.resources import Offer, Site, Workload, condition_of
from tenure.resources.kinds.allocation import Claim
from tenure.runtimes import Launch
from tests.controllers.builders import NOW_MS
from tests.controllers.trialled import Trialled, taken_away, trialled
from tests.topology.builders import a_machine


async def gone(at: Trialled, offer: Offer) -> bool:
    try:
        await at.user.get(Offer, offer.name, namespace="default")
    except NotFound:
        return True
    return False


def noting(at: Trialled, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is stopped and what is committed, in that order."""
    done: list[str] = []
    stop, decide = at.plane.engine.stop, at.plane.allocator.decide

    def stopping(run_id: str, grace_ms: int | None = None) -> Any:
        done.append("stopped")
        return stop(run_id, grace_ms)

    async def deciding(wanted: Any) -> Any:
        commit = await decide(wanted)
        if commit.refused is None:
            done.append("released")
        return commit

    monkeypatch.setattr(at.plane.engine, "stop", stopping)
    monkeypatch.setattr(at.plane.allocator, "decide", deciding)
    return done


async def test_a_deleted_trial_is_released_once_and_after_what_it_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        assert await at.running() == [f"{offer.spec.hold.id}.0"]
        done = noting(at, monkeypatch)
        await at.user.delete(Offer, offer.name, namespace="default")
        await at.look_at(offer)
        await at.look_at(offer)
        assert done == ["stopped", "released"]
        assert (await at.running(), await at.holds(), await gone(at, offer)) == ([], [], True)


async def test_its_user_is_told_that_a_deleted_trial_was_not_made_and_after_a_rest_another_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        await at.user.delete(Offer, offer.name, namespace="default")
        await at.look_at(offer)
        await at.look()
        found = await at.user.get(Workload, "need", namespace="default")
        said = condition_of(found.status.conditions, "Measured") if found.status else None
        assert said is not None
        assert (said.status, said.reason) == ("False", "TrialFailed")
        rest = await at.look()
        assert rest is not None
        assert (0 < rest.ms <= AFTER_FAILURE_MS, at.trials.running) == (True, {}), "whatever wakes it meanwhile"
        monkeypatch.setattr(at.plane.clock, "monotonic_ns", lambda: time.monotonic_ns() + rest.ms * 1_000_000)
        await at.look()
        assert at.trial().offer.uid != offer.uid


async def test_what_cannot_be_stopped_keeps_its_hold_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        await at.running()
        stop = at.plane.engine.stop

        def failing(run_id: str, grace_ms: int | None = None) -> Any:
            raise StopFailed(f"run {run_id}: a process in state D")

        monkeypatch.setattr(at.plane.engine, "stop", failing)
        await at.user.delete(Offer, offer.name, namespace="default")
        assert await at.look_at(offer) is not None
        left = await at.user.get(Offer, offer.name, namespace="default")
        said = condition_of(left.status.conditions, "Released") if left.status else None
        assert said is not None
        assert (said.reason, "state D" in said.message) == ("WaitingForRelease", True)
        assert [record.uid for record in await at.holds()] == [offer.uid]

        monkeypatch.setattr(at.plane.engine, "stop", stop)
        await at.look_at(offer)
        assert (await at.running(), await at.holds(), await gone(at, offer)) == ([], [], True)


async def test_a_trial_ends_with_its_workload_although_nothing_is_left_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted in the background, a Workload is gone at once: there is no deletionTimestamp to be seen."""
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await at.running()
        done = noting(at, monkeypatch)
        await at.user.delete(Workload, "need", namespace="default")
        with pytest.raises(NotFound):
            await at.user.get(Workload, "need", namespace="default")
        await at.look()
        assert done == ["stopped", "released"]
        assert (await at.running(), at.trials.running) == ([], {})


async def test_an_offer_that_was_taken_away_by_force_takes_its_trial_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        await at.running()
        await taken_away(at, offer)
        await at.look_at(offer)
        assert await at.running() == []


async def test_nothing_is_measured_under_an_offer_that_was_deleted_before_it_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        replace_status = at.plane.client.replace_status

        async def too_late(obj: Any) -> Any:
            if isinstance(obj, Site):
                monkeypatch.setattr(at.plane.client, "replace_status", replace_status)
                (offer,) = (await at.user.list(Offer)).items
                await taken_away(at, offer)
            return await replace_status(obj)

        monkeypatch.setattr(at.plane.client, "replace_status", too_late)
        with pytest.raises(ValueError, match="not enough values"):
            await at.begun()
        assert await at.running() == []
        await at.look()
        assert [record.uid for record in await at.holds()] == [at.trial().offer.uid]


async def test_what_a_dead_control_plane_measured_is_stopped_and_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        await at.running()
        at.killed()
        assert await at.running() == [f"{offer.spec.hold.id}.0"]
        done = noting(at, monkeypatch)
        await at.trials.end_left()
        assert done == ["stopped", "released"]
        assert (await at.running(), await at.holds()) == ([], [])


async def test_a_trial_that_nobody_knows_is_withdrawn_and_one_in_flight_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        offer = await at.begun()
        runs = await at.running()
        await at.look_at(offer)
        assert (await at.running(), len(await at.holds())) == (runs, 1)
        at.killed()
        await at.look_at(offer)
        assert (await at.running(), await at.holds()) == ([], [])


async def test_a_run_that_was_being_started_when_its_trial_was_given_up_is_stopped_too() -> None:
    may_start, done = threading.Event(), list[str]()

    def start(_: Any) -> Any:
        may_start.wait(30)
        done.append("started")
        return SimpleNamespace(ports={"tap": 1})

    topology = a_machine()

    async def topology_of(_: str) -> Any:
        return topology

    engine = SimpleNamespace(start=start, stop=lambda _: done.append("stopped"), forget=lambda _: None)
    plane: Any = SimpleNamespace(engine=engine, machine="m", system_cpus=(0,), topology=topology_of)
    launch = Launch(("server",), ports={"http": 0}, health_port="http", endpoint_port="http")
    subject: Any = SimpleNamespace(
        model=SimpleNamespace(name="m"), load=Load(1_000_000, 40, 3), launch=lambda *_: launch
    )
    claim = Claim(machine="m", cores=[1], memory=1 << 30)
    serving = Serving(plane, run_id="r", claim=claim, subject=subject, shape=RunShape(1, 1), end_ms=NOW_MS)
    entering = asyncio.create_task(serving.__aenter__())
    await asyncio.sleep(0)
    entering.cancel()
    await asyncio.wait({entering}, timeout=0.01)
    assert not entering.done(), "the thread goes on, so whoever waits for its end does too"
    may_start.set()
    await asyncio.wait({entering})
    assert entering.cancelled()
    assert done == ["started", "stopped"]
