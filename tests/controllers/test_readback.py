"""What the kernel says of a run beside what the contract holds. One that differs never becomes Active."""

import pytest

from tenure.controllers.contract.readback import compare
from tenure.engines import ReadBack, Reading, ThreadReading
from tenure.quantities import Bytes
from tenure.resources.kinds.allocation import Claim
from tenure.topology import Core, MachineTopology, Unknown

UNSEEN = Unknown("not part of this test")
NOT_THERE = Reading(None, "/nowhere", "no such file")


def topology() -> MachineTopology:
    """Two cores of two logical CPUs each: core 0 is CPUs 0 and 2, core 1 is CPUs 1 and 3."""
    cores = tuple(Core(id=i, cpus=(i, i + 2), package=0, die=UNSEEN, numa_node=0) for i in range(2))
    return MachineTopology(
        architecture="x86_64",
        vendor=UNSEEN,
        product=UNSEEN,
        packages=(),
        core_kinds=(),
        cores=cores,
        caches=(),
        numa_nodes=(),
        numa_distances=UNSEEN,
        pci=UNSEEN,
        gpus=(),
        nics=(),
        disks=(),
        links=(),
    )


def read(cpus: tuple[int, ...], limit: Reading) -> ReadBack:
    thread = ThreadReading(1, 1, "work", Reading(cpus, "/proc/1/status"), NOT_THERE, NOT_THERE)
    return ReadBack(
        run_id="r",
        at_ms=0,
        mechanism="cgroup-v1",
        threads=(thread,) if cpus else (),
        membership={},
        group_cpus=NOT_THERE,
        group_memory_nodes=NOT_THERE,
        memory_limit_bytes=limit,
        memory_usage_bytes=NOT_THERE,
        quota_milli=NOT_THERE,
        resident_bytes=NOT_THERE,
    )


CLAIM = Claim(machine="m", cores=[1], memory=Bytes(2**30))
LIMIT = Reading(2**30, "memory.limit_in_bytes")


@pytest.mark.parametrize("cpus", [(1, 3), (1,), (3,)])
def test_any_siblings_of_the_held_cores_agree(cpus: tuple[int, ...]) -> None:
    assert all(fact.agrees for fact in compare(read(cpus, LIMIT), CLAIM, topology()))


@pytest.mark.parametrize("cpus", [(0,), (0, 1), (1, 2, 3), ()])
def test_a_cpu_outside_or_no_process_at_all_differs(cpus: tuple[int, ...]) -> None:
    facts = {fact.what: fact for fact in compare(read(cpus, LIMIT), CLAIM, topology())}
    assert not facts["cpus"].agrees


def test_a_lower_limit_differs_and_rounding_to_pages_does_not() -> None:
    lower = compare(read((1,), Reading(2**29, "memory.max")), CLAIM, topology())[1]
    assert (lower.agrees, lower.found) == (False, "512Mi")
    assert compare(read((1,), Reading(2**30 - 4096, "memory.max")), CLAIM, topology())[1].agrees


def test_a_limit_that_was_lifted_differs() -> None:
    fact = compare(read((1,), Reading("unlimited", "memory.max")), CLAIM, topology())[1]
    assert (fact.agrees, fact.found) == (False, "no limit")


def test_a_limit_that_this_system_cannot_enforce_is_told_as_such() -> None:
    fact = compare(read((1,), NOT_THERE), CLAIM, topology())[1]
    assert fact.found == "not enforced here: no such file"
