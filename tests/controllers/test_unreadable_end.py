"""A term that ends over a damaged run record: it ends, nothing is left, and nobody claims to know how it ended."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tenure.controllers.contract import ending
from tenure.controllers.contract.deadline import COMPLETED_IN_TIME, seen_of
from tenure.controllers.contract.stating import stated
from tenure.engines import EndReason, LocalEngine, Phase, RunSpec, RunState, RunUnreadable
from tenure.engines.local import examine
from tenure.promises import Work
from tenure.quantities import format_instant
from tenure.resources import condition_of
from tests.controllers.test_judging import AT_MS
from tests.controllers.watched import Watched

pytestmark = pytest.mark.anyio
BY_MS = AT_MS + 60_000
FOREVER = ("sh", "-c", "while :; do sleep 1000; done")


class Ending(Watched):
    """A contract with a deadline over a real run, whose supervisor is gone."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, promises={"completeBy": format_instant(BY_MS)})
        self.engine = LocalEngine(home)
        self.plane.engine = self.engine

        async def nothing(*_: object) -> None: ...

        self.plane.measurements = SimpleNamespace(jobs={}, drop=lambda _: None)  # type: ignore[assignment]
        self.plane.allocator = SimpleNamespace(decide=nothing)  # type: ignore[assignment]
        self.run_id = self.contract.spec.hold.id
        run = self.engine.start(RunSpec(run_id=self.run_id, namespace="default", name="job", argv=FOREVER))
        assert run.supervisor is not None
        os.kill(run.supervisor.pid, signal.SIGKILL)

    def damage(self, *records: str) -> None:
        for record in records:
            path = self.engine.runs_path / self.run_id / record
            path.write_bytes(path.read_bytes()[:20])
        assert self.engine.state(self.run_id).phase is Phase.UNREADABLE

    async def end(self) -> None:
        """As it goes once its term is over."""
        self.clock.advance(600_000)
        assert not await ending.was_done_before(self.plane, self.now())
        await ending.end(self.plane, self.now(), "EndedByTerm")


@pytest.fixture
def over(tmp_path: Path) -> Iterator[Ending]:
    found = Ending(tmp_path)
    yield found
    examine.clean(found.engine.group, found.run_id)


@pytest.mark.parametrize("records", [("state.json",), ("spec.json", "state.json"), ("spec.json",)])
async def test_whether_it_was_done_in_time_is_unknown_and_it_is_settled(over: Ending, records: tuple[str, ...]) -> None:
    over.damage(*records)
    await over.end()
    found = over.now()
    assert found.status is not None
    said = condition_of(found.status.conditions, COMPLETED_IN_TIME)
    assert said is not None
    assert (said.status, said.reason, found.status.verdict) == ("Unknown", "EndUnknown", "Unverifiable")
    assert stated(over.plane, found, "ending", "settled") is not None
    assert over.engine.state(over.run_id).processes == ()


async def test_twin_with_a_whole_record_it_is_known_to_be_broken_off(over: Ending) -> None:
    await over.end()
    found = over.now()
    assert found.status is not None
    said = condition_of(found.status.conditions, COMPLETED_IN_TIME)
    assert said is not None
    assert (said.status, said.reason) == ("False", "DeadlineMissed")


async def test_a_stop_that_cannot_read_what_it_would_close_is_said_and_tried_again(
    over: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RunUnreadable("state.json is no record", field="state.json")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(over.engine, "stop", refuse)
        await over.end()
    found = over.now()
    assert found.status is not None
    said = condition_of(found.status.conditions, "Released")
    assert said is not None
    assert (said.status, said.reason) == ("False", "WaitingForRelease")
    assert "state.json" in said.message
    assert stated(over.plane, found, "ending", "settled") is None
    await over.end()
    assert stated(over.plane, found, "ending", "settled") is not None


@pytest.mark.parametrize("reason", [EndReason.RECORD_DAMAGED, EndReason.NEVER_STARTED])
@pytest.mark.parametrize(("because", "work"), [("EndedByTerm", Work.UNKNOWN), ("EndedByUser", Work.WITHDRAWN)])
def test_what_nobody_recorded_is_no_end_of_the_work(reason: EndReason, because: str, work: Work) -> None:
    run = cast(RunState, SimpleNamespace(reason=reason, work=SimpleNamespace(last_exit=None)))
    assert seen_of(run, 9, because).how is work
