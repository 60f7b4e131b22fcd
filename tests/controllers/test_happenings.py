"""What a run goes through is stated: before it is begun again, and once for each thing that its supervisor did."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tenure.client import Unreachable
from tenure.controllers.contract import active
from tenure.controllers.contract.happenings import state_adoption, state_restarts, state_resumption
from tenure.controllers.contract.progress import ProgressBook
from tenure.controllers.contract.stating import subject_of
from tenure.engines import EndReason, ExitState, Phase, RunState
from tenure.engines.runstate import CommandState, ProcessId
from tenure.evidence import NotWrittenError, contract_source
from tenure.quantities import Instant
from tests.controllers.test_judging import AT_MS, Service
from tests.controllers.watched import Watched
from tests.support.memory_host import MemoryHost

WORK = CommandState("work", None, 0, 1000, None)
RUN = RunState(
    run_id="r-1",
    namespace="default",
    name="c",
    phase=Phase.RUNNING,
    reason=None,
    message="",
    work=WORK,
    sidecars=(),
    supervisor=ProcessId(10, 20, "boot-1"),
    ports={},
    healthy=True,
    healthy_since_ms=None,
    first_healthy_ms=None,
    claimed_ms=None,
    ended_ms=None,
    end_ms=None,
    cpus=(),
    memory_bytes=None,
    confinement=None,
)
LOST = replace(RUN, phase=Phase.LOST, reason=EndReason.REBOOT, message="the machine rebooted", reboots=1)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def notices(service: Service) -> list[dict[str, Any]]:
    log = service.plane.log
    found = [log.statement(place) for place in log.places(contract_source(service.contract.uid))]
    return [dict(statement.body) for statement in found if statement.predicate == "notice"]


async def test_a_lost_run_is_stated_to_be_begun_again_once_for_each_loss(service: Service) -> None:
    for lost in (LOST, LOST, replace(LOST, supervisor=ProcessId(10, 20, "boot-2"), reboots=2)):
        await state_resumption(service.plane, service.contract, lost)
    assert [(body["what"], body["reboots"]) for body in notices(service)] == [
        ("RebootResumed", 1),
        ("RebootResumed", 2),
    ]


async def test_what_cannot_be_stated_is_not_begun_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    async def cannot_say(*about: Any) -> None:
        said.append(about[-1])

    def full(*_: object) -> None:
        raise NotWrittenError("no space left")

    class Engine:
        def resume(self, _run_id: str) -> None:
            raise AssertionError("begun again unstated")

    monkeypatch.setattr(active, "_cannot_say", cannot_say)
    monkeypatch.setattr("tenure.controllers.contract.happenings.state", full)
    plane = cast(Any, service.plane)
    plane.engine = Engine()
    await active._resume(plane, service.contract, LOST)
    assert "not started again: no space left" in said[0]


async def test_each_restart_is_stated_once_it_is_there_with_how_the_command_ended(service: Service) -> None:
    ended = ExitState(at_ms=2000, known=True, signal=9)
    planned = replace(RUN, work=replace(WORK, restarts=1, last_exit=ended))
    there = ProcessId(11, 30, "boot-1")
    once = replace(RUN, work=replace(WORK, process=there, restarts=1, started_ms=3000, last_exit=ended))
    again = replace(RUN, work=replace(WORK, process=there, restarts=2, started_ms=5000, last_exit=ended))
    for seen in (RUN, planned, once, once, again):
        await state_restarts(service.plane, service.contract, seen)
    assert [(body["what"], body["restarts"]) for body in notices(service)] == [
        ("CommandRestarted", 1),
        ("CommandRestarted", 2),
    ]
    assert notices(service)[0]["ended"] == {"at": "1970-01-01T00:00:02Z", "code": None, "signal": 9}


async def test_a_supervisor_that_was_replaced_is_stated(service: Service) -> None:
    for seen in (RUN, replace(RUN, takeovers=1), replace(RUN, takeovers=1)):
        await state_restarts(service.plane, service.contract, seen)
    assert notices(service) == [{"what": "SupervisorReplaced", "run": "r-1", "takeovers": 1}]


def events(service: Service) -> list[str]:
    objects = cast(Any, service.plane.client).objects
    return [found["message"] for (kind, *_), found in objects.items() if kind == "Event"]


def started_again(service: Service, after_ms: int) -> None:
    """Another control plane begins to look, so long after the one before last said something."""
    service.clock.advance(after_ms)
    service.plane.began_ms = service.clock.now_ms()


async def test_a_run_that_went_on_unwatched_is_stated_once_for_each_start_of_a_control_plane(service: Service) -> None:
    plane = cast(Any, service.plane)
    plane.client = MemoryHost()
    for after_ms in (60_000, 3_600_000):
        started_again(service, after_ms)
        for _ in range(2):
            await state_adoption(service.plane, service.contract, RUN)
            service.clock.advance(1000)
    assert notices(service) == [
        {"what": "Adopted", "run": "r-1", "began": "2027-01-15T08:01:00Z", "lastWatched": "2027-01-15T08:00:00Z"},
        {"what": "Adopted", "run": "r-1", "began": "2027-01-15T09:01:02Z", "lastWatched": "2027-01-15T08:01:00Z"},
    ]
    assert len(events(service)) == 2
    assert "nobody watched it between 2027-01-15T08:00:00Z and 2027-01-15T08:01:00Z" in events(service)[0]


async def test_what_was_last_looked_at_later_than_it_was_stated_was_watched_until_then(service: Service) -> None:
    cast(Any, service.plane).client = MemoryHost()
    assert service.contract.status is not None
    seen = service.contract.status.model_copy(update={"observed_at": Instant(AT_MS + 40_000)})
    started_again(service, 60_000)
    await state_adoption(service.plane, service.contract.model_copy(update={"status": seen}), RUN)
    assert [body["lastWatched"] for body in notices(service)] == ["2027-01-15T08:00:40Z"]


async def test_twin_what_was_signed_since_this_control_plane_began_is_not_adopted(service: Service) -> None:
    cast(Any, service.plane).client = MemoryHost()
    started_again(service, 0)
    await state_adoption(service.plane, service.contract, RUN)
    assert (notices(service), events(service)) == ([], [])


class Met(Watched):
    """A contract whose run is as a test says at the look of a control plane, and goes on once it is begun again."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.run = RUN

        async def nothing(*_: object) -> None: ...

        for name in ("_say", "follow_progress", "give_notice"):
            monkeypatch.setattr(active, name, nothing)
        monkeypatch.setattr(active, "compare", lambda *_: [])

    def state(self, _run_id: str) -> RunState:
        return self.run

    def resume(self, _run_id: str) -> None:
        self.run = replace(RUN, supervisor=ProcessId(12, 40, "boot-2"))

    def read_back(self, _run_id: str) -> None: ...

    async def watch(self) -> None:
        await active.watch(self.plane, self.looks, ProgressBook(), self.now())


async def test_twin_a_run_that_was_lost_did_not_go_on_and_is_not_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Met(tmp_path, monkeypatch)
    service.run = LOST
    started_again(service, 60_000)
    for _ in range(3):
        service.clock.advance(1000)
        await service.watch()
    assert [body["what"] for body in notices(service)] == ["RebootResumed"]


async def test_twin_nor_is_it_where_the_control_plane_before_died_between_stating_and_beginning_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Met(tmp_path, monkeypatch)
    service.run = LOST
    await state_resumption(service.plane, service.contract, LOST)
    started_again(service, 60_000)
    for _ in range(3):
        await service.watch()
    assert [body["what"] for body in notices(service)] == ["RebootResumed"]


async def test_what_this_control_plane_states_before_its_first_look_does_not_shorten_what_nobody_watched(
    service: Service,
) -> None:
    """It gives up what is beyond its retention as it begins, without looking at a run."""
    cast(Any, service.plane).client = MemoryHost()
    service.clock.advance(30_000)
    await state_restarts(service.plane, service.contract, replace(RUN, takeovers=1))
    started_again(service, 60_000)
    source, subjects = contract_source(service.contract.uid), [subject_of(service.contract)]
    service.plane.log.retire(source, subjects=subjects, before_ms=0, at_ms=service.clock.now_ms())
    await state_adoption(service.plane, service.contract, RUN)
    assert notices(service)[-1]["lastWatched"] == "2027-01-15T08:00:30Z"


async def test_an_adoption_whose_event_the_host_did_not_take_is_said_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Met(tmp_path, monkeypatch)
    started_again(service, 60_000)

    async def away(*_: object) -> None:
        raise Unreachable("no answer came", sent=True)

    with monkeypatch.context() as without:
        without.setattr(service.host, "create", away)
        with pytest.raises(Unreachable):
            await service.watch()
    for _ in range(2):
        await service.watch()
    assert [body["what"] for body in notices(service)] == ["Adopted"]
    (said,) = (found for (kind, *_), found in service.host.objects.items() if kind == "Event")
    assert said["count"] == 1
