"""A breach is detected within one window: by the audit's own instants, with the product's own pace, on a real model."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tenure.quantities import parse_instant
from tests.requirements.home import House, house
from tests.requirements.served import active, load, serve, until

pytestmark = [pytest.mark.real, pytest.mark.slow]
WINDOW_MS = 5_000
STALLED_SECONDS = 21
"""Long enough that three whole windows lie in it, however it begins: two that are broken, and one that a busy machine
may leave unverifiable."""
SETTLED_SECONDS = 240
"""A verdict waits for what is still open: on a slow machine for a minute or two."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    try:
        yield made
    finally:
        made.close()


def pid(home: House) -> int | None:
    found = active(home)
    return found.status.run.pid if found and found.status and found.status.run else None


def windows(home: House, name: str) -> list[dict[str, Any]]:
    found = home.tenure("contract", "audit", name, "-o", "json").json
    return [window for promise in found["promises"] for window in promise["windows"]]


def test_windows_in_which_nothing_was_answered_are_breached_within_one_window_of_their_end(home: House) -> None:
    contract = serve(home, assurance="{window: 5s, share: 0.5, confidence: 0.5}")
    with load(home, contract):
        until(lambda: sum(w["verdict"] == "Kept" for w in windows(home, contract.name)) >= 2, SETTLED_SECONDS, "kept")
        stopped_ms = time.time_ns() // 10**6
        give_up = time.monotonic() + STALLED_SECONDS
        held: set[int] = set()
        while time.monotonic() < give_up:  # and again, since the remedy is to start it anew
            running = pid(home)
            if running is not None:
                with suppress(ProcessLookupError):
                    os.kill(running, signal.SIGSTOP)
                    held.add(running)
            time.sleep(0.5)
        over_ms = time.time_ns() // 10**6
        for one in held:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)

        def broken() -> dict[int, int]:
            """When each whole window of the stall was first said to be broken, by its start."""
            found: dict[int, int] = {}
            for one in windows(home, contract.name):
                whole = stopped_ms <= one["startMs"] and one["endMs"] <= over_ms
                if whole and one["verdict"] == "Breached":
                    at_ms = parse_instant(one["statedAt"])
                    found[one["startMs"]] = min(at_ms, found.get(one["startMs"], at_ms))
            return found

        until(lambda: len(broken()) >= 2, SETTLED_SECONDS, lambda: str(windows(home, contract.name)[-12:]))
    stalled = [w for w in windows(home, contract.name) if stopped_ms <= w["startMs"] and w["endMs"] <= over_ms]
    assert all(w["verdict"] != "Kept" for w in stalled), stalled
    after = {start: at_ms - start - WINDOW_MS for start, at_ms in broken().items()}
    assert max(after.values()) <= WINDOW_MS, after
