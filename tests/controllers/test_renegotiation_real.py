"""A real model that cannot keep its promise any more: terms that it can keep are offered, and take over when accepted.

The server is held up for a moment over and over: no limit to restore, nothing stuck to restart, and whoever else used
its core and is moved away was not what held it up.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.requirements.home import House
from tests.requirements.served import active, load, serve, until

pytestmark = pytest.mark.real
STOPPED_SECONDS, RUNNING_SECONDS = 0.17, 0.17
"""Most answers of 16 tokens have a gap of 170 ms, more than the promised 150 ms at the 95th percentile. What is left of
the core carries the load: terms that service keeps there must be, even where the trial found one shape alone."""


@contextmanager
def held_up(current: list[int]) -> Iterator[None]:
    """Stop the process that `current` names for a moment, over and over."""
    over = threading.Event()

    def hold_up() -> None:
        while not over.wait(RUNNING_SECONDS):
            with suppress(ProcessLookupError):
                pid = current[0]
                os.kill(pid, signal.SIGSTOP)
                time.sleep(STOPPED_SECONDS)
                os.kill(pid, signal.SIGCONT)

    worker = threading.Thread(target=hold_up, daemon=True)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def server(home: House) -> int:
    found = active(home)
    assert found is not None
    assert found.status is not None
    assert found.status.run is not None
    assert found.status.run.pid is not None
    return found.status.run.pid


def change_offered(home: House, contract: str) -> dict[str, Any] | None:
    offers = home.must("get", "offers", "-o", "json").json["items"]
    held = [o for o in offers if o.get("status", {}).get("phase") == "Held"]
    return next((o for o in held if o["spec"].get("replaces") == contract), None)


def told(home: House) -> str:
    """What it did instead: its windows, remedies and events."""
    return "\n".join(home.tenure(*words).out for words in (("get", "contracts"), ("get", "offers"), ("events",)))


def outcomes(home: House, contract: str) -> list[tuple[str, str]]:
    found = home.must("get", "contracts", "-o", "json").json["items"]
    status = next(c["status"] for c in found if c["metadata"]["name"] == contract)
    return [(step["rung"], step["outcome"]) for step in status.get("remedies", [])]


def test_what_service_keeps_is_offered_and_accepted_it_takes_the_place_of_what_it_does_not(home: House) -> None:
    first = serve(home, term="10m")
    current = [server(home)]

    def look() -> dict[str, Any] | None:
        current[0] = server(home)  # it may have been started anew
        return change_offered(home, first.name)

    with load(home, first), held_up(current):
        offer = until(look, 150, lambda: f"no terms were offered that service keeps\n{told(home)}")
        assert active(home) is not None, "until it is accepted the contract stands"
    assert offer is not None
    other_shape = offer["spec"]["shape"] != first.to_json()["spec"]["shape"]
    assert offer["spec"]["relaxed"] or other_shape, "it gives up what this shape did not keep in service"
    assert offer["spec"]["hold"]["group"] == first.to_json()["spec"]["hold"]["group"]
    assert "ChangeOffered" in home.must("events").out
    assert ("renegotiate", "InProgress") in outcomes(home, first.name)
    home.must("accept", offer["metadata"]["name"])
    second = active(home)
    assert second is not None
    assert second.spec.replaces == first.name
    assert ("renegotiate", "Accepted") in outcomes(home, first.name)
    found = home.must("get", "contracts", "-o", "json").json["items"]
    before = next(c["status"] for c in found if c["metadata"]["name"] == first.name)
    assert (before["phase"], before["endedBecause"]) == ("Ended", "Renegotiated")
    agreed = home.must("ledger", "check", "-o", "json").json
    assert (agreed["holds"], agreed["runs"]) == (1, 1)
