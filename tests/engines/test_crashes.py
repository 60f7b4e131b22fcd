"""Started exactly once, whoever dies when: starters, supervisors and children killed between any two of their steps."""

import json
import os
import pickle
import shutil
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.engines.builders import a_run, shell
from tests.engines.crashing import starter_that_dies, supervisor_that_dies
from tests.engines.waiting import eventually

from tenure.engines import (
    EndReason,
    LocalEngine,
    Phase,
    Restart,
    RestartPolicy,
    RunConflict,
    RunNotFound,
    RunSpec,
)
from tenure.engines.local import control, examine
from tenure.engines.local.folder import RunFolder, write_json
from tenure.engines.local.translate import spec_record

MECHANISMS = ("best", "affinity")
# Every seventh step by default, every single one in the slow tier.
STRIDES = [7, pytest.param(1, marks=pytest.mark.slow)]


def counted(home: Path, **changes: Any) -> tuple[RunSpec, Path]:
    """A run that adds a line to a file each time its command starts."""
    tally = home.parent / "tally"
    return shell(f"echo started >> {tally}; while :; do sleep 1000; done", **changes), tally


def starts(tally: Path) -> int:
    return len(tally.read_text().splitlines()) if tally.exists() else 0


def kill_supervisor(engine: LocalEngine, run_id: str) -> None:
    supervisor = engine.state(run_id).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    eventually(lambda: engine.state(run_id).phase in (Phase.UNSUPERVISED, Phase.LOST), "the death is seen")


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("enforcement", MECHANISMS)
def test_a_starter_killed_between_any_two_steps_never_doubles_the_run(
    engine: LocalEngine, enforcement: str, stride: int
) -> None:
    dies, at = True, 0
    while dies:
        at += stride
        spec, tally = counted(engine.home, enforcement=enforcement)
        dies = starter_that_dies(at, pickle.dumps((engine.home, spec)))
        state = engine.start(spec)
        assert state.phase is Phase.RUNNING
        eventually(partial(begun, tally), "the command has begun")
        engine.stop(spec.run_id, grace_ms=0)
        assert starts(tally) == 1, f"killed at step {at}"
        tally.unlink()
        engine.forget(spec.run_id)
    assert at > 10


def begun(tally: Path) -> bool:
    return starts(tally) >= 1


def adopted_and_begun(engine: LocalEngine, tally: Path) -> bool:
    return engine.adopt() is not None and begun(tally)


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("children", [False, True], ids=["supervisor", "supervisor-or-child"])
@pytest.mark.parametrize("enforcement", MECHANISMS)
def test_a_supervisor_killed_between_any_two_steps_is_followed_by_one_that_finishes(
    engine: LocalEngine, enforcement: str, children: bool, stride: int
) -> None:
    at, started_by_the_first = 0, False
    while not started_by_the_first:
        at += stride
        spec, tally = counted(engine.home, enforcement=enforcement)
        folder = RunFolder(str(engine.runs_path / spec.run_id))
        folder.make()
        write_json(folder.spec, spec_record(spec, engine.group, folder.work))
        supervisor_that_dies(at, folder.path, children=children)
        started_by_the_first = engine.state(spec.run_id).phase is Phase.RUNNING
        if engine.state(spec.run_id).reason is not EndReason.START_FAILED:  # the child died and its parent said so
            assert engine.start(spec).phase in (Phase.RUNNING, Phase.BACKING_OFF)
            # The first supervisor may die only now: whoever cares for the engine adopts now and then.
            eventually(partial(adopted_and_begun, engine, tally), "the command has begun")
        engine.stop(spec.run_id, grace_ms=0)
        assert starts(tally) <= 1, f"killed at step {at}"
        tally.unlink(missing_ok=True)
        engine.forget(spec.run_id)
    assert at > 10


@pytest.mark.parametrize("enforcement", MECHANISMS)
def test_a_killed_supervisor_leaves_its_command_running_and_the_next_takes_it_over(
    engine: LocalEngine, enforcement: str
) -> None:
    spec, tally = counted(engine.home, enforcement=enforcement)
    before = engine.start(spec)
    kill_supervisor(engine, spec.run_id)
    orphaned = engine.state(spec.run_id)
    assert (orphaned.phase, orphaned.reason) == (Phase.UNSUPERVISED, EndReason.SUPERVISOR_DIED)
    assert before.work.process in orphaned.processes
    [adopted] = engine.adopt()
    assert (adopted.phase, adopted.takeovers) == (Phase.RUNNING, 1)
    assert adopted.work.process == before.work.process
    assert engine.adopt() == []
    assert starts(tally) == 1
    assert engine.stop(spec.run_id).processes == ()


def test_output_written_while_nobody_supervised_is_not_lost(engine: LocalEngine) -> None:
    spec = shell("trap 'echo still here' USR1; echo up; while :; do sleep 0.01; done")
    process = engine.start(spec).work.process
    assert process is not None
    eventually(lambda: [line.text for line in engine.logs(spec.run_id)] == ["up"], "it is up")
    kill_supervisor(engine, spec.run_id)
    os.kill(process.pid, signal.SIGUSR1)
    engine.adopt()
    eventually(lambda: [line.text for line in engine.logs(spec.run_id)] == ["up", "still here"], "the line has arrived")


def test_the_end_of_a_command_taken_over_is_seen_though_not_how_it_ended(engine: LocalEngine) -> None:
    spec = a_run(restart=Restart(policy=RestartPolicy.NEVER))
    process = engine.start(spec).work.process
    assert process is not None
    kill_supervisor(engine, spec.run_id)
    engine.adopt()
    os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: engine.state(spec.run_id).final, "the end is seen")
    state = engine.state(spec.run_id)
    assert state.reason is EndReason.FAILED
    assert state.work.last_exit is not None
    assert not state.work.last_exit.known


def test_a_command_that_ended_unseen_is_restarted_by_its_policy(engine: LocalEngine) -> None:
    spec, tally = counted(engine.home, restart=Restart(policy=RestartPolicy.ALWAYS, backoff_ms=1))
    process = engine.start(spec).work.process
    assert process is not None
    eventually(lambda: starts(tally) == 1, "the command has begun")
    kill_supervisor(engine, spec.run_id)
    for member in engine.state(spec.run_id).processes:
        os.kill(member.pid, signal.SIGKILL)
    eventually(lambda: engine.state(spec.run_id).processes == (), "the command is gone")
    lost = engine.state(spec.run_id)
    assert (lost.phase, lost.reason) == (Phase.LOST, EndReason.SUPERVISOR_DIED)
    engine.adopt()
    eventually(lambda: starts(tally) == 2, "the command was started again")
    assert engine.state(spec.run_id).work.restarts == 1


def test_stop_works_though_the_supervisor_is_dead(engine: LocalEngine) -> None:
    spec = a_run()
    engine.start(spec)
    kill_supervisor(engine, spec.run_id)
    state = engine.stop(spec.run_id)
    assert (state.phase, state.processes) == (Phase.ENDED, ())


def test_stop_works_though_the_supervisor_hangs(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.ask, "__defaults__", (0.2,))
    spec = a_run()
    supervisor = engine.start(spec).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGSTOP)
    state = engine.stop(spec.run_id)
    assert (state.phase, state.processes) == (Phase.ENDED, ())
    assert state.takeovers, "by another one; by a third, where the machine is slow to let the second answer"


def test_a_stop_interrupted_by_the_supervisors_death_is_finished_by_the_next(engine: LocalEngine) -> None:
    spec = shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done", stop_grace_ms=300)
    engine.start(spec)
    eventually(lambda: bool(list(engine.logs(spec.run_id))), "it ignores the signal")
    engine._ask(engine._known(spec.run_id), {"op": "stop"})
    kill_supervisor(engine, spec.run_id)
    engine.adopt()
    eventually(lambda: engine.state(spec.run_id).final, "the stop is finished")
    assert engine.state(spec.run_id).reason is EndReason.STOPPED


def test_a_supervisor_told_to_go_ends_its_command_and_comes_back_with_the_next_start(engine: LocalEngine) -> None:
    spec, tally = counted(engine.home, restart=Restart(backoff_ms=1))
    supervisor = engine.start(spec).supervisor
    assert supervisor is not None
    eventually(lambda: starts(tally) == 1, "the command has begun")
    os.kill(supervisor.pid, signal.SIGTERM)
    eventually(lambda: engine.state(spec.run_id).phase is Phase.LOST, "the supervisor is gone")
    assert engine.state(spec.run_id).processes == ()
    engine.start(spec)
    eventually(lambda: starts(tally) == 2, "the command was started again")


def test_after_a_reboot_the_run_is_said_to_be_lost_and_start_resumes_it(engine: LocalEngine) -> None:
    spec, tally = counted(engine.home)
    engine.start(spec)
    eventually(lambda: starts(tally) == 1, "the command has begun")
    kill_supervisor(engine, spec.run_id)
    _as_if_rebooted(engine, spec.run_id)
    lost = engine.state(spec.run_id)
    assert (lost.phase, lost.reason, lost.final) == (Phase.LOST, EndReason.REBOOT, True)
    assert engine.adopt() == []
    resumed = engine.start(spec)
    assert (resumed.phase, resumed.reboots) == (Phase.RUNNING, 1)
    eventually(lambda: starts(tally) == 2, "the command was started anew")


def test_after_a_reboot_a_run_resumes_from_its_own_record_whatever_would_be_asked_by_now(engine: LocalEngine) -> None:
    spec, tally = counted(engine.home, env={"TOKEN": "before"}, ports={"http": 0})
    ports = engine.start(spec).ports
    eventually(lambda: starts(tally) == 1, "the command has begun")
    kill_supervisor(engine, spec.run_id)
    _as_if_rebooted(engine, spec.run_id)
    with pytest.raises(RunConflict):  # a Secret was rotated, a flag of the catalog has changed
        engine.start(replace(spec, env={"TOKEN": "after"}))
    resumed = engine.resume(spec.run_id)
    assert (resumed.phase, resumed.reboots, resumed.ports) == (Phase.RUNNING, 1, ports)
    eventually(lambda: starts(tally) == 2, "the command was started anew")


def test_a_claim_that_says_nothing_cannot_be_resumed(engine: LocalEngine) -> None:
    (engine.runs_path / "empty").mkdir(parents=True)
    with pytest.raises(RunNotFound):
        engine.resume("empty")


def test_a_run_lost_to_a_reboot_can_be_ended_honestly(engine: LocalEngine) -> None:
    spec = a_run()
    engine.start(spec)
    kill_supervisor(engine, spec.run_id)
    _as_if_rebooted(engine, spec.run_id)
    state = engine.stop(spec.run_id)
    assert (state.phase, state.reason) == (Phase.ENDED, EndReason.REBOOT)


def _as_if_rebooted(engine: LocalEngine, run_id: str) -> None:
    """What a reboot leaves: the folder with another boot's ids, and none of the processes."""
    examine.clean(engine.group, run_id)
    folder = engine.runs_path / run_id
    boot = engine.state(run_id).work.process
    assert boot is not None
    for path in (folder / "state.json", folder / "commands" / "work"):
        path.write_text(path.read_text().replace(boot.boot_id, "00000000-0000-0000-0000-000000000000"))


def test_a_recycled_process_number_is_not_taken_for_the_run(engine: LocalEngine) -> None:
    spec = a_run()
    engine.start(spec)
    state = (engine.runs_path / spec.run_id / "state.json").read_text()
    kill_supervisor(engine, spec.run_id)
    examine.clean(engine.group, spec.run_id)
    supervisor = engine.state(spec.run_id)
    assert supervisor.phase is Phase.LOST
    # The same numbers, another start time: this very test's process stands in for the recycled one.
    record = json.loads(state)
    record["supervisor"].update(pid=os.getpid(), start_ticks=1)
    write_json(str(engine.runs_path / spec.run_id / "state.json"), record)
    assert engine.state(spec.run_id).phase is Phase.LOST


@pytest.mark.parametrize("enforcement", MECHANISMS)
def test_processes_whose_folder_is_gone_are_listed_and_cleaned_up(engine: LocalEngine, enforcement: str) -> None:
    spec = a_run(enforcement=enforcement)
    engine.start(spec)
    kill_supervisor(engine, spec.run_id)
    shutil.rmtree(engine.runs_path / spec.run_id)
    [stray] = engine.runs()
    assert (stray.run_id, stray.phase) == (spec.run_id, Phase.UNSUPERVISED)
    assert stray.processes
    engine.adopt()
    assert list(engine.runs()) == []


def test_an_empty_or_half_made_folder_is_a_claim_that_start_completes(engine: LocalEngine) -> None:
    spec = a_run()
    (engine.runs_path / spec.run_id).mkdir(parents=True)
    state = engine.state(spec.run_id)
    assert (state.phase, state.reason) == (Phase.LOST, EndReason.NEVER_STARTED)
    assert engine.start(spec).phase is Phase.RUNNING
    other = replace(spec, run_id=spec.run_id + "-b")
    (engine.runs_path / other.run_id).mkdir()
    assert engine.stop(other.run_id).final
    engine.forget(other.run_id)
