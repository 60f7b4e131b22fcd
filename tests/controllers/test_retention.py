"""What a contract leaves is kept for as long as it says, and then it goes; what another one left stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.controllers.contract.checking import recompute
from tenure.controllers.contract.retention import MARKS_FOLDER, keep_in_time, retire_windows, sweep_ended
from tenure.evidence import EvidenceLog
from tenure.measurement.store import MeasurementStore
from tenure.promises import Reason, Verdict, Window, WindowVerdict
from tenure.quantities import Duration, format_instant
from tenure.resources import Contract, ObjectMeta
from tenure.resources.kinds.allocation import Hold, Promises
from tenure.resources.kinds.contract import ContractSpec, ContractTerm
from tests.controllers.builders import NOW_MS, need, spec
from tests.evidence.builders import a_log, a_statement

DAY_MS = 86_400_000


def contract(uid: str, retention: str | None) -> Contract:
    promises = Promises(retention=Duration.parse(retention) if retention else None)
    hold = Hold(id=uid, group="g", site="local", start="2027-01-15T08:00:00Z", end="2027-01-15T09:00:00Z", claims=[])
    term = ContractTerm(start=format_instant(NOW_MS - 9 * DAY_MS), end=format_instant(NOW_MS + 90 * DAY_MS))
    made = ContractSpec.model_construct(promises=promises, hold=hold, term=term)
    return Contract.model_construct(metadata=ObjectMeta(name="c", uid=uid), spec=made)


@pytest.fixture
def known(tmp_path: Path) -> Iterator[MeasurementStore]:
    opened = MeasurementStore(tmp_path / "measurements.db")
    yield opened
    opened.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EvidenceLog]:
    opened = a_log(tmp_path)
    yield opened
    opened.close()


def judge_one(known: MeasurementStore, uid: str) -> None:
    window = Window(NOW_MS, NOW_MS + 1000)
    known.record_window(uid, WindowVerdict("p", window, Verdict.KEPT, Reason.WITHIN_BOUND, "", 1.0, 2.0, 1))


def ended(home: Path, known: MeasurementStore, uid: str, retention: str | None) -> None:
    """A contract that left a run's folder and one judged window."""
    run = home / "runs" / uid
    (run / "journal").mkdir(parents=True, exist_ok=True)
    judge_one(known, uid)
    keep_in_time(home, run, contract(uid, retention), NOW_MS + 1000, judged=True)


def runs(home: Path) -> list[str]:
    return sorted(folder.name for folder in (home / "runs").iterdir())


def test_a_run_goes_with_its_windows_when_its_time_is_over(
    tmp_path: Path, known: MeasurementStore, log: EvidenceLog
) -> None:
    for uid, retention in (("short", "1d"), ("long", "90d"), ("unsaid", None)):
        ended(tmp_path, known, uid, retention)
    assert sweep_ended(tmp_path, known, log, NOW_MS + DAY_MS) == 0
    assert sweep_ended(tmp_path, known, log, NOW_MS + DAY_MS + 1000) == 1
    assert runs(tmp_path) == ["long", "unsaid"]
    assert known.verdicts("short") == []
    assert known.verdicts("long")


def test_the_time_runs_from_the_end_and_is_not_renewed(tmp_path: Path, known: MeasurementStore) -> None:
    ended(tmp_path, known, "c", "1d")
    mark = tmp_path / MARKS_FOLDER / "c.json"
    said = mark.read_text()
    keep_in_time(tmp_path, tmp_path / "runs" / "c", contract("c", "1d"), NOW_MS + DAY_MS, judged=True)
    assert mark.read_text() == said


def test_a_run_that_was_never_made_is_nothing_to_keep(tmp_path: Path) -> None:
    keep_in_time(tmp_path, tmp_path / "runs" / "c", contract("c", "1d"), NOW_MS, judged=False)
    assert not (tmp_path / MARKS_FOLDER).exists()


def test_windows_go_in_time_though_the_run_s_folder_was_lost(
    tmp_path: Path, known: MeasurementStore, log: EvidenceLog
) -> None:
    judge_one(known, "c")
    keep_in_time(tmp_path, tmp_path / "runs" / "c", contract("c", "1d"), NOW_MS + 1000, judged=True)
    assert sweep_ended(tmp_path, known, log, NOW_MS + DAY_MS) == 0
    assert known.verdicts("c")
    assert sweep_ended(tmp_path, known, log, NOW_MS + DAY_MS + 1000) == 1
    assert known.verdicts("c") == []


@pytest.mark.parametrize("retention", ["1m", "1h", "23h", "1d", "3d"])
def test_a_window_in_service_is_kept_for_the_retention_at_least_and_less_than_a_day_more(
    known: MeasurementStore, log: EvidenceLog, retention: str
) -> None:
    kept_ms, ended_ms = Duration.parse(retention).ms, NOW_MS + 1000
    serving = contract("c", retention)
    judge_one(known, "c")
    for later_ms in range(0, kept_ms + 1, max(1, kept_ms // 7)):
        retire_windows(log, known, serving, ended_ms + later_ms - 1)
        assert known.verdicts("c"), "its time is not over"
    retire_windows(log, known, serving, ended_ms + kept_ms + DAY_MS)
    assert known.verdicts("c") == []


def test_one_mark_that_cannot_be_read_stops_no_other(tmp_path: Path, known: MeasurementStore, log: EvidenceLog) -> None:
    for uid in ("a", "b"):
        ended(tmp_path, known, uid, "1d")
    (tmp_path / MARKS_FOLDER / "a.json").write_text("{}")
    assert sweep_ended(tmp_path, known, log, NOW_MS + 2 * DAY_MS) == 1
    assert runs(tmp_path) == ["a"]


def test_a_mark_reaches_no_folder_outside_the_runs(tmp_path: Path, known: MeasurementStore, log: EvidenceLog) -> None:
    ended(tmp_path, known, "c", "1d")
    mark = tmp_path / MARKS_FOLDER / "c.json"
    (tmp_path / "other").mkdir()
    mark.write_text(mark.read_text().replace('"run": "c"', '"run": "../other"'))
    sweep_ended(tmp_path, known, log, NOW_MS + 2 * DAY_MS)
    assert (tmp_path / "other").is_dir()


def test_windows_are_kept_for_the_accounting_period_at_least() -> None:
    asked = {"window": "2s", "share": 0.8, "confidence": 0.8, "retention": "1h"}
    assert need(assurance=asked).retention_ms == 3_600_000
    assert need(assurance=asked, term={"duration": "7d"}).retention_ms == 7 * DAY_MS
    assert need().retention_ms == 30 * DAY_MS
    assert spec(assurance=asked).assurance.retention == Duration.parse("1h")  # type: ignore[union-attr]


@pytest.mark.parametrize(("kept_days", "in_time"), [(30, True), (29, False)])
def test_samples_given_up_too_early_are_found_out(kept_days: int, in_time: bool) -> None:
    before_ms = NOW_MS - kept_days * DAY_MS
    statement = a_statement(predicate="retirement", at_ms=NOW_MS, body={"before": format_instant(before_ms)})
    terms = {"promises": {"retention": "30d"}}
    if in_time:
        assert recompute(statement, {}, terms) is None
    else:
        with pytest.raises(ValueError, match="before their retention"):
            recompute(statement, {}, terms)
    with pytest.raises(ValueError, match="none is said"):
        recompute(statement, {}, {"promises": {}})
