"""What the kernel says of a run beside what the contract holds. One that differs never becomes Active."""

from dataclasses import replace

import pytest

from tenure.controllers.contract.readback import compare, seen, unread
from tenure.engines import ReadBack, Reading, ThreadReading
from tenure.quantities import Bytes
from tenure.resources.kinds.allocation import Claim
from tenure.resources.kinds.standing import ReadBackFact
from tenure.topology import Core, MachineTopology, NumaNode, Unknown

UNSEEN = Unknown("not part of this test")
NOT_GRANTED = Reading(None, "", "the memory controller is not mounted")
NOT_READABLE = Reading(None, "memory.limit_in_bytes", "not readable: [Errno 5] Input/output error")


def topology(nodes: int = 0) -> MachineTopology:
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
        numa_nodes=tuple(NumaNode(id=i, memory_bytes=2**30, cores=()) for i in range(nodes)),
        numa_distances=UNSEEN,
        pci=UNSEEN,
        gpus=(),
        nics=(),
        disks=(),
        links=(),
    )


def read(
    cpus: tuple[int, ...],
    limit: Reading,
    nodes: tuple[int, ...] = (0,),
    group_nodes: Reading = NOT_GRANTED,
) -> ReadBack:
    status = "/proc/1/status"
    thread = ThreadReading(1, 1, "work", Reading(cpus, status), Reading(nodes, status), NOT_GRANTED)
    return ReadBack(
        run_id="r",
        at_ms=0,
        mechanism="cgroup-v1",
        threads=(thread,) if cpus else (),
        membership={},
        group_cpus=NOT_GRANTED,
        group_memory_nodes=group_nodes,
        memory_limit_bytes=limit,
        memory_usage_bytes=NOT_GRANTED,
        quota_milli=NOT_GRANTED,
        resident_bytes=NOT_GRANTED,
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


def memory(limit: Reading) -> ReadBackFact:
    return next(fact for fact in compare(read((1,), limit), CLAIM, topology()) if fact.what == "memory")


def test_a_lower_limit_differs_and_rounding_to_pages_does_not() -> None:
    lower = memory(Reading(2**29, "memory.max"))
    assert (lower.agrees, lower.found) == (False, "512Mi")
    assert memory(Reading(2**30 - 4096, "memory.max")).agrees


def test_a_limit_that_was_lifted_differs() -> None:
    fact = memory(Reading("unlimited", "memory.max"))
    assert (fact.agrees, fact.found) == (False, "no limit")


def test_a_limit_that_this_system_cannot_enforce_is_told_as_such() -> None:
    fact = memory(NOT_GRANTED)
    assert (fact.agrees, fact.found) == (True, "not enforced here: the memory controller is not mounted")


def test_a_limit_that_is_set_here_and_cannot_be_read_agrees_with_nothing() -> None:
    fact = memory(NOT_READABLE)
    assert (fact.agrees, fact.found) == (False, "not readable: [Errno 5] Input/output error")


class TestMemoryNodes:
    """Bound where the machine has several, and then read back from each thread."""

    GROUP = Reading((1,), "cpuset.effective_mems")
    BOUND = CLAIM.model_copy(update={"memory_nodes": [1]})

    def fact(self, nodes: tuple[int, ...], claim: Claim = BOUND, group: Reading = GROUP) -> ReadBackFact | None:
        facts = compare(read((1,), LIMIT, nodes, group), claim, topology(nodes=2))
        return next((fact for fact in facts if fact.what == "memoryNodes"), None)

    def test_the_nodes_that_are_held_agree(self) -> None:
        fact = self.fact((1,))
        assert fact is not None
        assert (fact.agrees, fact.expected, fact.found) == (True, "1", "1")

    @pytest.mark.parametrize(("nodes", "found"), [((0,), "0"), ((0, 1), "0-1")])
    def test_memory_from_elsewhere_differs(self, nodes: tuple[int, ...], found: str) -> None:
        fact = self.fact(nodes)
        assert fact is not None
        assert (fact.agrees, fact.expected, fact.found) == (False, "1", found)

    def test_a_node_that_is_missing_differs_since_its_memory_cannot_be_had(self) -> None:
        fact = self.fact((1,), CLAIM.model_copy(update={"memory_nodes": [0, 1]}))
        assert fact is not None
        assert not fact.agrees

    def test_where_nothing_binds_them_that_is_told(self) -> None:
        fact = self.fact((0, 1), group=Reading(None, "", "the cpuset controller was not delegated"))
        assert fact is not None
        assert (fact.agrees, fact.found) == (True, "not enforced here: the cpuset controller was not delegated")

    def test_a_machine_of_one_node_and_a_claim_to_none_have_no_such_limit(self) -> None:
        assert self.fact((0, 1), CLAIM) is None
        one = compare(read((1,), LIMIT, (0,), self.GROUP), self.BOUND, topology(nodes=1))
        assert [fact.what for fact in one] == ["cpus", "memory"]


class TestSeen:
    """Of a run in service, what could not be read is neither kept nor broken."""

    FACTS = compare(read((1,), NOT_READABLE), CLAIM, topology())
    ELSEWHERE = compare(read((0,), NOT_READABLE), CLAIM, topology())

    def test_where_a_limit_cannot_be_read_the_others_do_not_make_up_for_it(self) -> None:
        hidden = unread(self.FACTS)
        assert hidden is not None
        assert (hidden.what, seen(self.FACTS)) == ("memory", [])

    def test_what_differs_is_seen_all_the_same(self) -> None:
        assert [(fact.what, fact.agrees) for fact in seen(self.ELSEWHERE)] == [("cpus", False)]

    def test_what_was_read_is_seen(self) -> None:
        facts = compare(read((1,), LIMIT), CLAIM, topology())
        assert (unread(facts), seen(facts)) == (None, facts)

    def test_a_run_that_nobody_is_in_is_not_unreadable(self) -> None:
        nobody = compare(replace(read((1,), LIMIT), threads=()), CLAIM, topology())
        assert unread(nobody) is None
