"""G5: the control plane is killed; the workload's own counter has no gap, and on return the ledger agrees."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.resources import Contract
from tests.chaos.harness import Home
from tests.requirements.served import until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("g5") / "home", random.Random(5))
    home.up()
    try:
        with home.client() as client:
            client.create(home.workload("count"))
        until(lambda: len(home.counters().get("count", [])) > 5, what=lambda: f"it counts: {home.counters()}")
        yield home
    finally:
        home.clean()


def test_management_dies_and_nothing_notices(counted: Home) -> None:
    for _ in range(3):
        counted.kill()
        time.sleep(1.5)
        counted.up()
    found = counted.settle()
    assert found["exit"] == 0, found["findings"]
    counted.assert_no_gap("count")


def test_twin_a_workload_that_does_pause_is_noticed(counted: Home) -> None:
    with counted.client() as client:
        status = client.list(Contract).items[0].status
    assert status is not None
    assert status.run is not None
    assert status.run.pid is not None
    os.kill(status.run.pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(status.run.pid, signal.SIGCONT)
    until(lambda: counted.counters()["count"][-1][1] > time.monotonic() - 1, what="it counts again")
    with pytest.raises(AssertionError, match="silent for"):
        counted.assert_no_gap("count")


__all__ = ["Path"]
