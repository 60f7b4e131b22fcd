"""The simulated engine keeps the protocol: once, repeatable, remembered; and says everywhere that it is simulated."""

from pathlib import Path

import pytest

from tenure.engines import EndReason, Engine, Phase, RunConflict, RunNotFound, RunSpec, SimulatedEngine
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
