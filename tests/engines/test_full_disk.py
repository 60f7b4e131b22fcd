"""A disk that takes no more: what cannot be recorded is refused, what time or the kernel decides happens all the same,
and is recorded once there is room."""

import os
import resource
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from tests.chaos.disks import filled, small_disk
from tests.engines.builders import a_run, python, shell
from tests.engines.contract_commands import SERVER
from tests.engines.filling import no_room
from tests.engines.waiting import eventually

from tenure.engines import (
    EndReason,
    HealthCheck,
    LocalEngine,
    Phase,
    Restart,
    RestartPolicy,
    RunNotRecorded,
    RunState,
    Sidecar,
)
from tenure.engines.local import examine, procfs
from tenure.engines.local.folder import RunFolder, read_json

SLEEPS = ("sleep", "1000")
NEVER = Restart(policy=RestartPolicy.NEVER)


def soon(ms: int) -> int:
    return time.time_ns() // 1_000_000 + ms


def keeper(state: RunState) -> int:
    assert state.supervisor is not None
    return state.supervisor.pid


def keepers(engine: LocalEngine, run_id: str) -> list[int]:
    """The run's supervisors, whether or not they could record that they are."""
    folder = os.fsencode(engine.runs_path / run_id)
    return [pid for pid in procfs.pids() if folder in _arguments(pid)]


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def leftovers(engine: LocalEngine, run_id: str) -> list[str]:
    return [path.name for path in (engine.runs_path / run_id).rglob("*.new")]


def work_is_gone(engine: LocalEngine, run_id: str) -> bool:
    return not examine.members_anywhere(engine.group, run_id)


@pytest.mark.parametrize("bytes_left", [0, 200], ids=["at once", "in the middle of a record"])
def test_the_end_of_the_term_is_kept_though_it_cannot_be_recorded(engine: LocalEngine, bytes_left: int) -> None:
    run = engine.start(a_run())
    engine.set_end(run.run_id, soon(1_500))
    with no_room(keeper(run), bytes_left):
        eventually(lambda: work_is_gone(engine, run.run_id), "the work has ended at its end")
        assert alive(keeper(run)), "its supervisor waits for room"
        assert not engine.state(run.run_id).final, "nothing says what is not recorded"
        assert leftovers(engine, run.run_id) == []
    eventually(lambda: engine.state(run.run_id).final, "the end is recorded once there is room")
    assert engine.state(run.run_id).reason is EndReason.TERM_OVER


def test_a_stop_that_cannot_be_recorded_is_refused_and_changes_nothing(engine: LocalEngine) -> None:
    run = engine.start(a_run(end_ms=soon(3_600_000), restart=Restart(backoff_ms=1)))
    opened = len(os.listdir("/proc/self/fd"))
    with no_room(keeper(run)):
        with pytest.raises(RunNotRecorded):
            engine.stop(run.run_id)
        with pytest.raises(RunNotRecorded):
            engine.set_end(run.run_id, soon(0))
    assert len(os.listdir("/proc/self/fd")) == opened, "a refusal leaves no descriptor open"
    assert leftovers(engine, run.run_id) == []
    assert engine.restart(run.run_id).phase is not Phase.STOPPING, "it takes other requests"
    eventually(lambda: engine.state(run.run_id).work.process not in (None, run.work.process), "and restarts its work")
    engine.set_end(run.run_id, soon(0))
    eventually(lambda: engine.state(run.run_id).final, "and keeps the end of its term")
    assert engine.state(run.run_id).reason is EndReason.TERM_OVER


def test_twin_a_stop_that_can_be_recorded_ends_it(engine: LocalEngine) -> None:
    run = engine.start(a_run())
    with no_room(keeper(run), 1 << 20):
        assert engine.stop(run.run_id).reason is EndReason.STOPPED


def test_the_end_of_the_term_comes_though_a_stop_was_refused(engine: LocalEngine) -> None:
    run = engine.start(a_run())
    engine.set_end(run.run_id, soon(2_000))
    with no_room(keeper(run)):
        with pytest.raises(RunNotRecorded):
            engine.stop(run.run_id)
        eventually(lambda: work_is_gone(engine, run.run_id), "the work has ended at its end")


def test_a_change_of_health_does_not_take_the_supervisor_with_it(engine: LocalEngine) -> None:
    health = HealthCheck("http", "/health", starting_interval_ms=50)
    spec = python(f"import time; time.sleep(0.7)\n{SERVER}", ports={"http": 0}, health=health)
    run = engine.start(a_run((*spec.argv, "{port.http}"), ports={"http": 0}, health=health))
    with no_room(keeper(run)):
        eventually(lambda: _connects(run.ports["http"]), "the server is up")
        time.sleep(0.2)  # and was asked for its health, which is news
        assert alive(keeper(run))
        assert engine.state(run.run_id).phase is Phase.RUNNING
    eventually(lambda: engine.state(run.run_id).healthy is True, "what was owed is recorded once there is room")


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_end_of_the_work_itself_is_recorded_once_there_is_room(engine: LocalEngine) -> None:
    go = engine.home.parent / "go"
    run = engine.start(shell(f"while [ ! -e {go} ]; do sleep 0.1; done; exit 3", restart=NEVER))
    with no_room(keeper(run)):
        go.touch()
        eventually(lambda: work_is_gone(engine, run.run_id), "the command has ended")
        with pytest.raises(RunNotRecorded):
            engine.stop(run.run_id)
        assert alive(keeper(run))
    eventually(lambda: engine.state(run.run_id).final, "the end is recorded")
    state = engine.state(run.run_id)
    assert state.reason is EndReason.FAILED
    assert state.work.last_exit is not None
    assert state.work.last_exit.code == 3


def only_process_but(engine: LocalEngine, run: RunState, *others: int) -> int | None:
    """The one process of the run, where it is none of these."""
    found = examine.members_anywhere(engine.group, run.run_id)
    return found[0] if len(found) == 1 and found[0] not in others else None


@pytest.mark.parametrize("how", ["it dies", "it is asked for"])
def test_work_comes_back_on_a_full_disk_and_that_is_recorded_once_there_is_room(engine: LocalEngine, how: str) -> None:
    run = engine.start(a_run(SLEEPS, restart=Restart(backoff_ms=1, restarts_max=2)))
    assert run.work.process is not None
    before = run.work.process.pid
    with no_room(keeper(run)):
        os.kill(before, signal.SIGKILL) if how == "it dies" else engine.restart(run.run_id)
        eventually(lambda: only_process_but(engine, run, before) is not None, "its work is back")
        after = only_process_but(engine, run, before)
        assert not engine.state(run.run_id).final
    eventually(
        lambda: (newest := engine.state(run.run_id).work.process) is not None and newest.pid == after, "it is said"
    )
    assert engine.state(run.run_id).work.restarts == 1
    identity = RunFolder(str(engine.runs_path / run.run_id)).command("work")
    eventually(lambda: (read_json(identity) or {}).get("pid") == after, "who it is is recorded")
    os.kill(keeper(run), signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase is Phase.UNSUPERVISED, "its supervisor is gone")
    engine.adopt()
    assert only_process_but(engine, run, before) == after, "the next supervisor takes it over"


def test_work_that_came_back_unrecorded_does_not_run_twice_when_its_supervisor_dies_then(engine: LocalEngine) -> None:
    run = engine.start(a_run(SLEEPS, restart=Restart(backoff_ms=1)))
    assert run.work.process is not None
    before = run.work.process.pid
    resource.prlimit(keeper(run), resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    os.kill(before, signal.SIGKILL)
    eventually(lambda: only_process_but(engine, run, before) is not None, "its work is back")
    unknown = only_process_but(engine, run, before)
    assert unknown is not None
    os.kill(keeper(run), signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase is Phase.UNSUPERVISED, "its supervisor is gone")
    engine.adopt()
    eventually(lambda: only_process_but(engine, run, before, unknown) is not None, "one of it runs, in its place")


def test_who_came_back_on_a_full_disk_is_recorded_with_the_first_request_that_finds_room(engine: LocalEngine) -> None:
    run = engine.start(a_run(SLEEPS, restart=Restart(backoff_ms=1)))
    assert run.work.process is not None
    before = run.work.process.pid
    with no_room(keeper(run)):
        os.kill(before, signal.SIGKILL)
        eventually(lambda: only_process_but(engine, run, before) is not None, "its work is back")
        after = only_process_but(engine, run, before)
    engine.set_end(run.run_id, soon(3_600_000))
    os.kill(keeper(run), signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase is Phase.UNSUPERVISED, "its supervisor is gone")
    engine.adopt()
    assert only_process_but(engine, run, before) == after, "the next supervisor takes it over"


def processes_of(engine: LocalEngine, run_id: str, command: str) -> set[int]:
    """Those started as this command of the run, whatever any record says."""
    named = f"TENURE_RUN_COMMAND={command}".encode()
    return {pid for pid in examine.members_anywhere(engine.group, run_id) if procfs.environment_has(pid, named)}


@pytest.mark.parametrize("enforcement", ["best", "affinity"])
def test_a_sidecar_that_came_back_unrecorded_does_not_run_twice_and_the_one_beside_it_goes_on(
    engine: LocalEngine, enforcement: Literal["best", "affinity"]
) -> None:
    again = Restart(policy=RestartPolicy.ALWAYS, backoff_ms=1)
    sidecars = (Sidecar("tap", SLEEPS, restart=again), Sidecar("prober", SLEEPS, restart=again))
    run = engine.start(a_run(sidecars=sidecars, enforcement=enforcement))
    (before,), prober = processes_of(engine, run.run_id, "tap"), processes_of(engine, run.run_id, "prober")
    resource.prlimit(keeper(run), resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    os.kill(before, signal.SIGKILL)
    eventually(lambda: bool(processes_of(engine, run.run_id, "tap") - {before}), "the tap is back")
    unknown = processes_of(engine, run.run_id, "tap")
    os.kill(keeper(run), signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase is Phase.UNSUPERVISED, "its supervisor is gone")
    engine.adopt()
    eventually(lambda: bool(processes_of(engine, run.run_id, "tap") - unknown), "a tap is started anew")
    assert len(processes_of(engine, run.run_id, "tap")) == 1, "in the place of the unknown one"
    assert processes_of(engine, run.run_id, "prober") == prober, "who is known goes on"


def test_a_supervisor_that_dies_on_a_full_disk_is_followed_by_one_that_keeps_the_end(engine: LocalEngine) -> None:
    run = engine.start(a_run())
    engine.set_end(run.run_id, soon(6_000))
    os.kill(keeper(run), signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase is Phase.UNSUPERVISED, "its supervisor is gone")
    with no_room(os.getpid()):  # inherited by the supervisor
        engine.adopt()
        with pytest.raises(RunNotRecorded):
            engine.stop(run.run_id)
        eventually(lambda: work_is_gone(engine, run.run_id), "the work has ended at its end")
    for pid in keepers(engine, run.run_id):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: engine.state(run.run_id).phase is Phase.ENDED, "the end is recorded once there is room")
    assert engine.state(run.run_id).reason is EndReason.TERM_OVER


def test_an_end_that_passed_while_nobody_was_there_starts_nothing_again(engine: LocalEngine) -> None:
    tally = engine.home.parent / "tally"
    script = f"echo started >> {tally}; while :; do sleep 1000; done"
    run = engine.start(shell(script, end_ms=soon(1_000), restart=Restart(backoff_ms=1)))
    eventually(tally.exists, "the command has begun")
    os.kill(keeper(run), signal.SIGKILL)
    examine.clean(engine.group, run.run_id)
    eventually(lambda: soon(0) > run.end_ms, "its end passes")  # type: ignore[operator]
    engine.adopt()
    eventually(lambda: engine.state(run.run_id).final, "it is over")
    assert engine.state(run.run_id).reason is EndReason.TERM_OVER
    assert tally.read_text() == "started\n"


def test_a_start_that_cannot_be_recorded_is_refused_and_leaves_nothing(engine: LocalEngine) -> None:
    spec = a_run()
    with no_room(os.getpid()), pytest.raises(RunNotRecorded) as refused:
        engine.start(spec)
    assert refused.value.next_step
    assert engine.start(spec).phase is Phase.RUNNING


def test_on_a_disk_that_is_really_full_the_term_ends_and_the_rest_waits(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", mebibytes=1) as disk:
        engine = LocalEngine(disk / "home")
        run = engine.start(a_run())
        try:
            engine.set_end(run.run_id, soon(2_000))
            with filled(disk):
                with pytest.raises(RunNotRecorded):
                    engine.stop(run.run_id)
                eventually(lambda: work_is_gone(engine, run.run_id), "the work has ended at its end")
                assert leftovers(engine, run.run_id) == []
            eventually(lambda: engine.state(run.run_id).final, "the end is recorded once there is room")
            assert engine.state(run.run_id).reason is EndReason.TERM_OVER
        finally:
            examine.clean(engine.group, run.run_id)
