"""A6, and part of G10: the allocation is read back from the kernel; a run outside it is never shown as Ready."""

import os
import time

import pytest

from tenure.resources import Contract
from tests.requirements.home import House

pytestmark = pytest.mark.real


def contract(home: House) -> Contract:
    items = home.must("get", "contracts", "-o", "json").json["items"]
    return Contract.model_validate(items[0])


def ready(found: Contract) -> tuple[str, str]:
    assert found.status is not None
    condition = next(c for c in found.status.conditions if c.type == "Ready")
    return condition.status, condition.reason


def test_cores_and_memory_are_what_the_contract_holds(home: House) -> None:
    path = home.command("pinned")
    home.must("request", "-f", path, "--accept", "best")
    found = contract(home)
    assert found.status is not None
    assert found.status.run is not None
    facts = {fact.what: fact for fact in found.status.run.read_back}
    assert facts["cpus"].agrees
    assert facts["memory"].agrees
    assert os.sched_getaffinity(found.status.run.pid) <= set(found.spec.hold.claims[0].cores)
    assert home.tenure("status").code == 0


def test_twin_a_run_that_was_moved_is_not_ready(home: House) -> None:
    found = contract(home)
    assert found.status is not None
    assert found.status.run is not None
    everywhere = set(range(os.cpu_count() or 1))
    if everywhere <= set(found.spec.hold.claims[0].cores):
        pytest.skip("this machine has no core outside the contract's to move it to")
    pid = found.status.run.pid
    assert pid is not None
    outside = min(everywhere - set(found.spec.hold.claims[0].cores))
    _move(pid, outside)
    give_up = time.monotonic() + 15
    while ready(contract(home)) != ("False", "ReadBackDiffers"):
        assert time.monotonic() < give_up, ready(contract(home))
        time.sleep(0.2)
        _move(pid, outside)
    assert home.tenure("status").code in (1, 7)


def _move(pid: int, cpu: int) -> None:
    try:
        os.sched_setaffinity(pid, {cpu})
    except OSError:
        pytest.skip("the kernel lets nobody move it out of its cpuset, which is as it should be")
