"""The simulated engine keeps the protocol: once, repeatable, remembered; and says everywhere that it is simulated."""

import os
from pathlib import Path

import pytest
from tests.engines.filling import no_room

from tenure.engines import (
    EndReason,
    Engine,
    Phase,
    RunConflict,
    RunNotFound,
    RunSpec,
    RunUnreadable,
    SimulatedEngine,
)
from tenure.engines.simulated import ARGV


def a_run(run_id: str = "run-1", **more: object) -> RunSpec:
    return RunSpec(run_id=run_id, namespace="default", name="gang", argv=ARGV, **more)  # type: ignore[arg-type]


def test_it_keeps_the_engine_protocol(tmp_path: Path) -> None:
    assert isinstance(SimulatedEngine(tmp_path), Engine)


def test_a_run_is_a_record_and_starting_again_adopts_it(tmp_path: Path) -> None:
    first = SimulatedEngine(tmp_path).start(a_run())
    again = SimulatedEngine(tmp_path).start(a_run())
    assert first == again == SimulatedEngine(tmp_path).resume("run-1")
    assert again.phase is Phase.RUNNING
    assert again.work.process is None


def test_another_spec_under_the_same_id_is_a_conflict(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path)
    engine.start(a_run())
    with pytest.raises(RunConflict):
        engine.start(a_run(end_ms=1))


def test_an_end_that_has_passed_ends_it_by_itself(tmp_path: Path) -> None:
    state = SimulatedEngine(tmp_path).start(a_run(end_ms=1))
    assert (state.phase, state.reason) == (Phase.ENDED, EndReason.TERM_OVER)


def test_stopping_can_be_repeated_and_only_what_ended_is_forgotten(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path)
    engine.start(a_run())
    with pytest.raises(RunConflict):
        engine.forget("run-1")
    assert engine.stop("run-1") == engine.stop("run-1")
    engine.forget("run-1")
    assert not engine.runs()


@pytest.mark.parametrize("call", ["state", "resume", "stop", "logs", "read_back", "forget"])
def test_what_was_never_started_is_not_found(tmp_path: Path, call: str) -> None:
    with pytest.raises(RunNotFound):
        getattr(SimulatedEngine(tmp_path), call)("nobody")


def test_everything_it_says_says_that_nothing_runs(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path)
    state = engine.start(a_run())
    assert "simulated" in state.message
    assert all("simulated" in line.text for line in engine.logs("run-1"))
    assert engine.read_back("run-1").mechanism == "simulated"
    assert not engine.read_back("run-1").threads
    assert not any(ability.granted for ability in engine.observe().abilities)


def test_a_damaged_record_is_reported_beside_the_others_and_can_be_ended(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path)
    engine.start(a_run("hurt"))
    engine.start(a_run("whole"))
    record = next((tmp_path / "simulated").glob("hurt*"))
    record.write_text(record.read_text()[:20])
    assert {run.run_id: run.phase for run in engine.runs()} == {"hurt": Phase.UNREADABLE, "whole": Phase.RUNNING}
    assert str(record) in engine.state("hurt").message
    with pytest.raises(RunUnreadable):
        engine.resume("hurt")
    assert engine.stop("hurt").phase is Phase.ENDED
    engine.forget("hurt")
    assert [run.run_id for run in engine.runs()] == ["whole"]


def test_a_start_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path)
    with no_room(os.getpid(), 10), pytest.raises(OSError, match="too large"):
        engine.start(a_run())
    assert list((tmp_path / "simulated").iterdir()) == []
    assert engine.start(a_run()).phase is Phase.RUNNING
