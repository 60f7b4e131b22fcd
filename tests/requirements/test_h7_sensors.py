"""H7: a sensor that is deleted, frozen, cut off, lying or replaying makes windows unverifiable, never falsely kept."""

import json
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from benchmarks.honesty.__main__ import main
from benchmarks.honesty.faults import KINDS
from benchmarks.honesty.row import Row
from benchmarks.honesty.virtual import run

pytestmark = pytest.mark.slow
"""Which `make requirements` runs; the default tests judge the same kinds in `tests/measurement/test_honesty.py`."""

WINDOWS = 40
"""Enough for two or three episodes of each fault; the benchmark itself takes 300."""
SENSOR_FAULTS = (
    "metrics deleted",
    "metrics frozen",
    "metrics replayed",
    "metrics lying x2",
    "prober killed",
    "prober cut off",
    "tap killed",
    "tap lying /4",
    "tap lying about gaps",
    "tap clock drifting",
    "prober clock drifting",
    "clock jumping",
    "machine asleep",
    "journal truncated",
    "journal edited",
)


@cache
def found(kind: str) -> Row:
    """The honesty benchmark's virtual part, the fault injected into real journals. It is the same each time."""
    return run(next(one for one in KINDS if one.name == kind), windows=WINDOWS, seed=1)


@pytest.mark.parametrize("kind", SENSOR_FAULTS)
def test_a_faulty_sensor_is_never_kept_and_is_called_unverifiable(kind: str) -> None:
    assert found(kind).false_kept == 0, found(kind)
    assert found(kind).unverifiable > 0, found(kind)


@pytest.mark.parametrize("kind", ["interference", "stall", "server killed"])
def test_a_real_breach_is_seen_through_whole_sensors(kind: str) -> None:
    assert found(kind).false_kept == 0, found(kind)
    assert found(kind).breached > 0, found(kind)


def test_twin_with_whole_sensors_and_no_fault_windows_are_kept() -> None:
    row = found("none")
    assert row.unverifiable == 0
    assert row.kept > 0.8 * row.windows


def test_the_benchmark_tells_the_same_and_writes_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.json"
    wanted = ["--kind", "prober killed", "--windows", str(WINDOWS), "--json", str(file)]
    monkeypatch.setattr(sys, "argv", ["benchmarks.honesty", *wanted])
    assert main() == 0
    told = {row["kind"]: row for row in json.loads(file.read_text())["rows"]}
    assert told["prober killed"] == json.loads(json.dumps(asdict(found("prober killed"))))
    assert "unverif." in capsys.readouterr().out
