"""A trial's way out: all of it that runs is ended and forgotten; what is empty, and nobody's, keeps no hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.trialling.leaving import end_runs
from tenure.engines import Phase, ProcessId, RunState, SimulatedEngine, StopFailed
from tenure.engines.local.translate import unknown_run
from tenure.quantities import SystemClock
from tests.controllers.trialled import run_on_the_core

A_PROCESS = ProcessId(pid=4711, start_ticks=1, boot_id="b")
HOUR_MS = 3_600_000


class Machine(SimulatedEngine):
    """Runs that are recorded, and what is left of others (`strays`); those in `stuck` cannot be stopped."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.strays: list[RunState] = []
        self.stuck: set[str] = set()

    def runs(self) -> Sequence[RunState]:
        return [*super().runs(), *self.strays]

    def stop(self, run_id: str, grace_ms: int | None = None) -> RunState:
        if run_id in self.stuck:
            raise StopFailed(f"run {run_id}: a process in state D")
        return super().stop(run_id, grace_ms)

    def run(self, *run_ids: str, end_ms: int | None = None) -> None:
        """Start them; one whose `end_ms` has passed has ended by itself."""
        for run_id in run_ids:
            self.start(run_on_the_core(run_id, end_ms or SystemClock().now_ms() + HOUR_MS))

    def left(self) -> list[str]:
        return [run.run_id for run in self.runs()]


def without_a_record(run_id: str, *processes: ProcessId) -> RunState:
    """As the engine tells of a control group, or of processes, whose run folder is gone."""
    return unknown_run(run_id, processes, "its record is gone", Phase.UNSUPERVISED)


def test_an_empty_control_group_whose_record_is_gone_keeps_no_hold(tmp_path: Path) -> None:
    """It stays where the work left a group of its own inside; nothing will ever run in it again."""
    engine = Machine(tmp_path)
    engine.run("h.1")
    engine.strays = [without_a_record("h.0")]
    end_runs(engine, "h")
    assert engine.left() == ["h.0"]


def test_processes_whose_record_is_gone_keep_the_hold(tmp_path: Path) -> None:
    engine = Machine(tmp_path)
    engine.strays = [without_a_record("h.0", A_PROCESS)]
    with pytest.raises(StopFailed, match="its record is gone"):
        end_runs(engine, "h")


def test_what_can_be_stopped_is_stopped_although_something_else_cannot_be(tmp_path: Path) -> None:
    engine = Machine(tmp_path)
    engine.run("h.0", "h.1", "h.2")
    engine.stuck = {"h.0"}
    with pytest.raises(StopFailed, match="state D"):
        end_runs(engine, "h")
    assert engine.left() == ["h.0"]
    engine.stuck = set()
    end_runs(engine, "h")
    assert engine.left() == []


def test_a_run_that_ended_by_itself_is_forgotten_and_those_of_other_holds_are_not(tmp_path: Path) -> None:
    engine = Machine(tmp_path)
    engine.run("h.0", "other.0", end_ms=1)
    end_runs(engine, "h")
    assert engine.left() == ["other.0"]


def test_a_record_that_cannot_be_removed_keeps_no_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(run_id: str) -> Any:
        raise OSError(30, "Read-only file system", run_id)

    engine = Machine(tmp_path)
    engine.run("h.0")
    monkeypatch.setattr(engine, "forget", read_only)
    end_runs(engine, "h")
    assert [run.final for run in engine.runs()] == [True]
