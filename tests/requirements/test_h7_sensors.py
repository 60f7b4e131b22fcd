"""H7: a sensor that is deleted, frozen, cut off, lying or replaying makes windows unverifiable, never falsely kept."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
SENSOR_FAULTS = (
    "metrics deleted",
    "metrics frozen",
    "metrics replayed",
    "metrics lying x2",
    "prober killed",
    "prober cut off",
    "tap killed",
    "tap lying /4",
    "clock jumping",
    "machine asleep",
    "journal truncated",
    "journal edited",
)


@cache
def table() -> dict[str, dict[str, Any]]:
    """One run of the honesty benchmark's virtual part, the faults injected into real journals."""
    file = CHECKOUT / ".tenure" / "h7.json"
    file.parent.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "benchmarks.honesty", "--windows", "60", "--json", str(file)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    return {row["kind"]: row for row in json.loads(file.read_text())["rows"]}


@pytest.mark.parametrize("kind", SENSOR_FAULTS)
def test_a_faulty_sensor_is_never_kept_and_is_called_unverifiable(kind: str) -> None:
    found = table()[kind]
    assert found["false_kept"] == 0, found
    assert found["unverifiable"] > 0, found


@pytest.mark.parametrize("kind", ["interference", "stall", "server killed"])
def test_a_real_breach_is_seen_through_whole_sensors(kind: str) -> None:
    found = table()[kind]
    assert found["false_kept"] == 0, found
    assert found["breached"] > 0, found


def test_twin_with_whole_sensors_and_no_fault_windows_are_kept() -> None:
    found = table()["none"]
    assert found["unverifiable"] == 0
    assert found["kept"] > 0.8 * found["windows"]
