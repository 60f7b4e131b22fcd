"""F3: the same request has the same performance: it spreads less than the contracted bound, or is unverified."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tenure.resources import Contract
from tests.requirements.home import House
from tests.requirements.served import active, serve, until

pytestmark = pytest.mark.real
TRIES_SECONDS = 300
"""Twenty requests take a quarter of a minute, and somebody else may have the machine for a minute or two."""
BOUNDS_NS = {"timeToFirstToken": 2 * 10**9, "interTokenLatency": 150 * 10**6}


@pytest.fixture(scope="module")
def chat(home: House) -> Contract:
    return serve(home)


def test_twenty_requests_spread_less_than_the_bound(
    home: House, chat: Contract, record_property: Callable[[str, object], None]
) -> None:
    """On a machine whose other cores are overrun it takes several tries; how many is told."""
    tries: list[Any] = []
    try:
        said = until(lambda: _kept(home, tries), TRIES_SECONDS, lambda: f"it was kept in none of {len(tries)} tries")
    finally:
        failed = sum(one is None for one in tries)
        record_property("note", f"{failed} of {len(tries)} repeats of twenty requests were not within the bound")
        print(f"{failed} of {len(tries)} repeats failed")
    assert (said["requests"], said["failed"]) == (20, 0)
    assert {spread["metric"] for spread in said["spreads"]} == set(BOUNDS_NS)
    for spread in said["spreads"]:
        assert spread["seenNs"] - spread["leastNs"] < spread["boundNs"], spread


def _kept(home: House, tries: list[Any]) -> Any:
    said = home.tenure("contract", "repeat", "chat", "--times", 20, "-o", "json")
    tries.append(said.json if said.code == 0 else None)
    return tries[-1]


def test_what_repeating_does_not_measure_is_unverified(home: House, chat: Contract) -> None:
    out = home.tenure("contract", "repeat", chat.name, "--times", 3).out
    assert "cores: unverified" in out
    assert "memory: unverified" in out


def test_twin_a_server_that_is_held_still_exits_one(home: House, chat: Contract) -> None:
    found = active(home)
    assert found is not None
    assert found.status is not None
    assert found.status.run is not None
    assert found.status.run.pid is not None
    os.kill(found.status.run.pid, signal.SIGSTOP)
    said = home.tenure("contract", "repeat", "chat", "--times", 3)
    assert said.code in (1, 7), said.out
    assert "Kept" not in said.out


def test_twin_a_contract_without_such_promises_is_unverified(home: House) -> None:
    home.tenure("end", "chat")
    home.must("request", "-f", home.command("plain"), "--accept", "best")
    assert home.tenure("contract", "repeat", "plain").code == 7
