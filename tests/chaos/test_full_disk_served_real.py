"""The disk is full while a real model serves under statistical promises: not ready meanwhile, and no window is lost.

The tap's journal lies on the same disk. What it could not take is not known, and is judged once somebody can write it.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.disks import filled, small_disk
from tests.requirements.home import House, house
from tests.requirements.served import load, ready_shown, serve, until

pytestmark = [pytest.mark.real, pytest.mark.slow]
FULL_SECONDS = 6
WINDOW_MS = 1_000
SETTLED_SECONDS = 240
"""A verdict waits for what is still open: on a slow machine for a minute or two."""
DISK_MIB = 256


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[House, Path]]:
    with small_disk(tmp_path / "disk", DISK_MIB) as disk:
        home = house(disk)
        try:
            yield home, disk
        finally:
            home.close()


def now_ms() -> int:
    return time.time_ns() // 10**6


def judged(home: House, name: str) -> dict[str, dict[int, str]]:
    """By promise, the verdict on each window by its start."""
    found: dict[str, Any] = home.tenure("contract", "audit", name, "-o", "json").json
    return {one["promise"]: {w["startMs"]: w["verdict"] for w in one["windows"]} for one in found["promises"]}


def test_what_passed_on_a_full_disk_is_judged_afterwards(full: tuple[House, Path], tmp_path: Path) -> None:
    home, disk = full
    contract = serve(home, term="10m")
    with load(home, contract, tmp_path):
        until(lambda: ready_shown(home) == ("True", "Kept"), SETTLED_SECONDS, "twin: it is ready before")
        with filled(disk):
            until(lambda: ready_shown(home)[0] != "True", 30, "it is not ready any more")
            begun_ms = now_ms()
            give_up = time.monotonic() + FULL_SECONDS
            while time.monotonic() < give_up:
                assert ready_shown(home)[0] != "True"
            over_ms = now_ms()
        until(lambda: ready_shown(home) == ("True", "Kept"), SETTLED_SECONDS, lambda: f"again: {ready_shown(home)}")
        starts = range(-(-begun_ms // WINDOW_MS) * WINDOW_MS, over_ms - WINDOW_MS + 1, WINDOW_MS)

        def missing() -> dict[str, list[int]]:
            """By promise, the windows of that time that have no verdict."""
            found = judged(home, contract.name)
            return {promise: [one for one in starts if one not in verdicts] for promise, verdicts in found.items()}

        until(lambda: not any(missing().values()), SETTLED_SECONDS, lambda: f"windows without a verdict: {missing()}")
