"""G5: the control plane is killed; the workload's own counter has no gap, and on return the ledger agrees."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.resources import Contract
from tests.chaos.harness import Home, assert_no_gap

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("g5") / "home", random.Random(5))
    home.up()
    try:
        with home.client() as client:
            client.create(home.workload("count"))
        _until(lambda: len(home.counters().get("count", [])) > 5)
        yield home
    finally:
        home.clean()


def _until(true: object, seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_management_dies_and_nothing_notices(counted: Home) -> None:
    for _ in range(3):
        counted.kill()
        time.sleep(1.5)
        counted.up()
    found = counted.settle()
    assert found["exit"] == 0, found["findings"]
    assert_no_gap("count", counted.counters()["count"])


def test_twin_a_workload_that_does_pause_is_noticed(counted: Home) -> None:
    with counted.client() as client:
        status = client.list(Contract).items[0].status
    assert status is not None
    assert status.run is not None
    assert status.run.pid is not None
    os.kill(status.run.pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(status.run.pid, signal.SIGCONT)
    _until(lambda: counted.counters()["count"][-1][1] > time.monotonic() - 1)
    with pytest.raises(AssertionError, match="silent for"):
        assert_no_gap("count", counted.counters()["count"])


__all__ = ["Path"]
