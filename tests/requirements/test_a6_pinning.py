"""A6, and part of G10: the allocation is read back from the kernel; a run outside it is never shown as Ready."""

import os
from pathlib import Path

import pytest

from tenure.engines import LocalEngine
from tenure.resources import Contract
from tests.requirements.home import House
from tests.requirements.served import cpus_held, until

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
    assert found.status.run.pid is not None
    assert os.sched_getaffinity(found.status.run.pid) <= set(cpus_held(home, found))
    assert home.tenure("status").code == 0


def test_twin_a_run_that_was_moved_is_not_ready(home: House) -> None:
    held = set(cpus_held(home, contract(home)))
    elsewhere = sorted(set(range(os.cpu_count() or 1)) - held)
    if not elsewhere:
        pytest.skip("this machine has no core outside the contract's to move it to")

    def seen() -> bool:
        """Moved again at each look, since a remedy puts it back."""
        _move(home, elsewhere[0])
        return ready(contract(home)) == ("False", "ReadBackDiffers") and home.tenure("status").code in (1, 7)

    until(seen, 120, lambda: f"it is seen outside its cores: {ready(contract(home))}")


def _move(home: House, cpu: int) -> None:
    """To a CPU that is not its own, by whoever may: its control groups first, where there are any, then each thread."""
    for state in LocalEngine(home.path).runs():
        if state.work.process is None:
            continue
        try:
            for group in state.confinement.groups if state.confinement else ():
                if (cpus := Path(group) / "cpuset.cpus").exists():
                    cpus.write_text(str(cpu))
            for task in Path(f"/proc/{state.work.process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {cpu})
        except PermissionError as error:
            pytest.skip(f"this user may not move it, which is as it should be: {error}")
        except OSError:
            continue  # it is being put back, or started anew, at this moment
