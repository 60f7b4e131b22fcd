"""A run whose own record is damaged: it is reported, nothing else suffers, what it was given is not guessed."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engines.builders import a_run, shell
from tests.engines.contract_commands import NEVER
from tests.engines.waiting import eventually

from tenure.engines import EndReason, LocalEngine, Phase, RunState, RunUnreadable
from tenure.engines.local import control, procfs
from tenure.engines.runstate import ProcessId


def cut_off(path: Path) -> None:
    """What older versions left of a record where the disk ran full in the middle of it."""
    path.write_bytes(path.read_bytes()[:100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def orphaned(engine: LocalEngine) -> RunState:
    """A run whose supervisor is gone."""
    run = engine.start(a_run())
    assert run.supervisor is not None
    os.kill(run.supervisor.pid, signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase is Phase.UNSUPERVISED, "its supervisor is gone")
    return run


def record_of(engine: LocalEngine, run: RunState) -> Path:
    return engine.runs_path / run.run_id / "state.json"


@pytest.mark.parametrize("damage", [cut_off, emptied])
def test_it_is_reported_with_its_processes_and_what_to_do_and_all_others_as_ever(
    engine: LocalEngine, damage: Callable[[Path], None]
) -> None:
    hurt, other = orphaned(engine), engine.start(a_run())
    damage(record_of(engine, hurt))
    found = {run.run_id: run for run in engine.runs()}
    assert found[other.run_id].phase is Phase.RUNNING
    assert found[hurt.run_id].phase is Phase.UNREADABLE
    assert not found[hurt.run_id].final, "it may well go on"
    assert hurt.work.process in found[hurt.run_id].processes
    for part in ("RunUnreadable", "state.json", "next:", "tenure end"):
        assert part in found[hurt.run_id].message
    assert engine.adopt() == [], "nothing is guessed"
    assert engine.observe().runs == 2


@pytest.mark.parametrize("call", ["resume", "read_back"])
def test_what_needs_the_record_is_refused_by_a_code_with_the_path(engine: LocalEngine, call: str) -> None:
    hurt = orphaned(engine)
    cut_off(record_of(engine, hurt))
    with pytest.raises(RunUnreadable) as refused:
        getattr(engine, call)(hurt.run_id)
    assert (refused.value.code, refused.value.field) == ("RunUnreadable", str(record_of(engine, hurt)))
    assert "backup" in refused.value.next_step


def test_a_living_supervisor_writes_the_record_anew(engine: LocalEngine) -> None:
    run = engine.start(a_run())
    whole = json.loads(record_of(engine, run).read_bytes())
    cut_off(record_of(engine, run))
    [mended] = engine.adopt()
    assert mended == engine.state(run.run_id)
    assert (mended.phase, mended.work.process) == (Phase.RUNNING, run.work.process)
    anew = json.loads(record_of(engine, run).read_bytes())
    assert anew | {"clock_step_ms": whole["clock_step_ms"]} == whole


def test_put_back_the_record_is_good_again(engine: LocalEngine) -> None:
    hurt = orphaned(engine)
    whole = record_of(engine, hurt).read_bytes()
    cut_off(record_of(engine, hurt))
    record_of(engine, hurt).write_bytes(whole)
    [adopted] = engine.adopt()
    assert (adopted.phase, adopted.work.process) == (Phase.RUNNING, hurt.work.process)


@pytest.mark.parametrize("supervised", [True, False])
def test_it_can_be_ended_and_forgotten(engine: LocalEngine, supervised: bool) -> None:
    hurt = engine.start(a_run()) if supervised else orphaned(engine)
    cut_off(record_of(engine, hurt))
    state = engine.stop(hurt.run_id)
    known = EndReason.STOPPED if supervised else EndReason.RECORD_DAMAGED
    assert (state.phase, state.reason, state.processes) == (Phase.ENDED, known, ())
    assert supervised or "state.json.damaged" in state.message
    engine.forget(hurt.run_id)
    assert list(engine.runs()) == []


def test_ended_without_its_supervisor_its_work_still_gets_its_grace(engine: LocalEngine) -> None:
    goodbye = engine.home.parent / "goodbye"
    run = engine.start(shell(f"trap 'echo bye > {goodbye}; exit' TERM; echo up; while :; do sleep 0.05; done"))
    eventually(lambda: bool(list(engine.logs(run.run_id))), "it heeds the signal")
    assert run.supervisor is not None
    os.kill(run.supervisor.pid, signal.SIGKILL)
    cut_off(record_of(engine, run))
    engine.stop(run.run_id)
    assert goodbye.read_text() == "bye\n"


def test_without_its_spec_either_it_is_ended_and_left_as_an_empty_claim(engine: LocalEngine) -> None:
    hurt = orphaned(engine)
    cut_off(engine.runs_path / hurt.run_id / "spec.json")
    cut_off(record_of(engine, hurt))
    assert engine.state(hurt.run_id).phase is Phase.UNREADABLE
    state = engine.stop(hurt.run_id)
    assert (state.final, state.processes) == (True, ())
    engine.forget(hurt.run_id)


@pytest.mark.parametrize("records", [("spec.json",), ("spec.json", "state.json")])
def test_without_its_spec_its_living_supervisor_ends_it_at_the_first_word(
    engine: LocalEngine, records: tuple[str, ...]
) -> None:
    run = engine.start(a_run())
    for record in records:
        cut_off(engine.runs_path / run.run_id / record)
    state = engine.stop(run.run_id)
    assert (state.final, state.processes) == (True, ())
    assert is_gone(run.supervisor)
    engine.forget(run.run_id)
    assert list(engine.runs()) == []


def test_without_its_spec_a_record_that_says_how_and_when_it_ended_stands(engine: LocalEngine) -> None:
    run = engine.start(shell("exit 0", restart=NEVER))
    eventually(lambda: engine.state(run.run_id).final, "it has ended by itself")
    before = engine.state(run.run_id)
    cut_off(engine.runs_path / run.run_id / "spec.json")
    state = engine.stop(run.run_id)
    assert (state.phase, state.reason, state.ended_ms) == (Phase.ENDED, EndReason.COMPLETED, before.ended_ms)
    assert state.work.last_exit == before.work.last_exit
    assert engine.stop(run.run_id) == state


def test_without_its_spec_and_its_supervisor_nobody_says_that_it_was_never_started(engine: LocalEngine) -> None:
    hurt = orphaned(engine)
    cut_off(engine.runs_path / hurt.run_id / "spec.json")
    state = engine.stop(hurt.run_id)
    assert (state.phase, state.reason) == (Phase.ENDED, EndReason.RECORD_DAMAGED)
    assert "spec.json" in state.message


def test_without_its_spec_a_supervisor_that_hangs_is_killed_by_what_the_record_says_it_is(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control.ask, "__defaults__", (0.2,))
    run = engine.start(a_run())
    assert run.supervisor is not None
    os.kill(run.supervisor.pid, signal.SIGSTOP)
    cut_off(engine.runs_path / run.run_id / "spec.json")
    state = engine.stop(run.run_id)
    assert (state.final, state.processes) == (True, ())
    assert is_gone(run.supervisor)
    engine.forget(run.run_id)


def test_twin_a_process_that_only_has_its_number_is_left_alone(engine: LocalEngine) -> None:
    hurt = orphaned(engine)
    other = engine.start(a_run())
    assert other.supervisor is not None
    whole = json.loads(record_of(engine, hurt).read_bytes())
    whole["supervisor"] |= {"pid": other.supervisor.pid}
    record_of(engine, hurt).write_text(json.dumps(whole))
    cut_off(engine.runs_path / hurt.run_id / "spec.json")
    assert engine.stop(hurt.run_id).processes == ()
    assert engine.state(other.run_id).phase is Phase.RUNNING
    assert not is_gone(other.supervisor)


def is_gone(process: ProcessId | None) -> bool:
    assert process is not None
    return procfs.start_ticks(process.pid) != process.start_ticks
