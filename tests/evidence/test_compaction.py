"""The log written anew while it is in use: samples go, statements and readers stay, a crash loses nothing."""

import os
import shutil
from pathlib import Path

import pytest

from tenure.evidence import EvidenceLog, LogReader, NotWrittenError, compaction
from tenure.evidence.retirement import read_plan
from tenure.quantities import VirtualClock
from tests.evidence.builders import AT_MS, SOURCE, a_log, a_ring, a_statement, a_window
from tests.evidence.test_retirement import MINUTE_MS, SUBJECT, filled, verified


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it is done."""


def retire(log: EvidenceLog, minutes: int) -> None:
    log.retire(SOURCE, subjects=[SUBJECT], before_ms=AT_MS + minutes * MINUTE_MS, at_ms=AT_MS + 10**9)


def size(folder: Path) -> int:
    return (folder / "evidence" / "log").stat().st_size


def test_samples_go_while_the_log_is_in_use(tmp_path: Path) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    before, root = size(tmp_path), log.root
    assert log.compact() == before - size(tmp_path) > 0
    assert log.root == root
    log.append_all([a_window(6, {"latencyMs": [6, 10, 20]})])
    report = verified(tmp_path, log)
    assert (report.ok, report.recomputed, report.retired) == (True, 3, 4)
    assert sum(1 for _ in log.verify(keys=a_ring(tmp_path).public_keys)) == 8
    log.close()
    assert a_log(tmp_path).size == 8


def test_once_it_is_done_nothing_is_left_to_do(tmp_path: Path) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    log.compact()
    assert read_plan(tmp_path / "evidence") == {}
    retire(log, 4)
    assert log.compact() == 0
    assert [path.name for path in (tmp_path / "evidence").iterdir() if "new" in path.name] == []


def test_not_more_often_than_asked(tmp_path: Path) -> None:
    clock = VirtualClock()
    log = a_log(tmp_path, clock=clock)
    log.append_all([a_window(number, {"latencyMs": [number, 1, 2]}) for number in range(3)])
    retire(log, 2)
    assert log.compact(every_ns=10**9) == 0
    clock.advance(1000)
    assert log.compact(every_ns=10**9) > 0


def test_what_is_stated_meanwhile_is_in_the_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    copy, done = compaction.Rewriting.copy, []

    def and_state(self: compaction.Rewriting, *what: object) -> None:
        copy(self, *what)  # type: ignore[arg-type]
        if not done:
            done.append(log.append_all([a_window(7, {"latencyMs": [7, 10, 20]})]))

    monkeypatch.setattr(compaction.Rewriting, "copy", and_state)
    assert log.compact() > 0
    log.close()
    report = verified(tmp_path, a_log(tmp_path))
    assert (report.ok, report.recomputed, report.retired) == (True, 3, 4)


def test_a_log_that_is_closed_meanwhile_is_left_to_its_next_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    copy, others = compaction.Rewriting.copy, []

    def and_change_hands(self: compaction.Rewriting, *what: object) -> None:
        copy(self, *what)  # type: ignore[arg-type]
        log.close()
        others.append(a_log(tmp_path))
        others[0].append_all([a_window(7, {"latencyMs": [7, 10, 20]})])

    monkeypatch.setattr(compaction.Rewriting, "copy", and_change_hands)
    assert log.compact() == 0
    monkeypatch.undo()
    written = others[0].size
    others[0].close()
    assert a_log(tmp_path).size == written, "what the next writer stated is there"


def test_a_disk_without_room_for_a_second_log_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=size(tmp_path)))
    assert log.compact() == 0
    monkeypatch.undo()
    assert log.compact() > 0


def test_samples_on_which_something_stated_meanwhile_stands_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    copy = compaction.Rewriting.copy

    def and_state(self: compaction.Rewriting, *what: object) -> None:
        copy(self, *what)  # type: ignore[arg-type]
        log.append_all([a_window(7, {"latencyMs": [0, 10, 20]})])

    monkeypatch.setattr(compaction.Rewriting, "copy", and_state)
    assert log.compact() == 0
    monkeypatch.undo()
    assert log.compact() > 0, "the next time all but these go"
    report = verified(tmp_path, log)
    assert (report.ok, report.recomputed, report.retired) == (True, 4, 3)


def test_a_reader_at_work_goes_on_with_what_it_has(tmp_path: Path) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    reader = LogReader.open(tmp_path / "evidence", keys=a_ring(tmp_path))
    log.compact()
    assert sum(1 for _ in reader.verify(keys=a_ring(tmp_path).public_keys)) == 7
    assert reader.statement(0).inputs
    assert reader.has_input(reader.statement(0).inputs[0].sha256)
    reader.close()


@pytest.mark.parametrize("at", ["copy", "take_place"])
def test_a_crash_leaves_the_old_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    log = filled(tmp_path)
    retire(log, 4)

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(compaction.Rewriting, at, killed)
    with pytest.raises(Killed):
        log.compact()
    monkeypatch.undo()
    log.append(a_statement(1, id="later"))
    log.close()
    again = a_log(tmp_path)
    assert again.size == 8
    assert again.retired_bytes > 0, "the plan is still there, and the next start carries it out"


def test_nothing_is_written_to_a_file_of_which_nobody_knows_that_it_is_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path)
    retire(log, 4)

    def refused(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tenure.evidence.log.sync_folder", refused)
    with pytest.raises(OSError, match="Input/output"):
        log.compact()
    monkeypatch.undo()
    with pytest.raises(NotWrittenError):
        log.append(a_statement(1, id="later"))
    log.close()
    assert a_log(tmp_path).size == 7


def test_a_retirement_whose_plan_could_not_be_written_is_planned_when_stated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tenure.evidence.log.add_to_plan", full)
    with pytest.raises(NotWrittenError):
        retire(log, 4)
    monkeypatch.undo()
    retire(log, 4)
    assert log.count(SOURCE) == 7, "stated once"
    assert log.compact() > 0


def test_a_retirement_whose_plan_a_crash_prevented_is_planned_after_it(tmp_path: Path) -> None:
    log = filled(tmp_path)
    retire(log, 4)
    os.unlink(tmp_path / "evidence" / "retire.json")  # as if it had died between the statement and the plan
    log.close()
    again = a_log(tmp_path)
    assert again.retired_bytes == 0
    retire(again, 4)
    assert again.compact() > 0
