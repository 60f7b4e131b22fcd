"""What placement and engines ask a machine."""

import dataclasses

import pytest

from tenure.topology import Nearness, SystemReserve, Unknown, bridges_above, linked_groups, nearness, pcie_switch_of
from tenure.topology.devices import DeviceLink
from tests.topology.builders import GIB, a_machine, an_observed

SWITCH_PORT, GPU_A, GPU_B = "0000:3b:00.0", "0000:3d:00.0", "0000:3e:00.0"


def test_a_core_has_its_siblings_and_its_node() -> None:
    machine = a_machine()
    assert machine.core(3).cpus == (3, 11)
    core = machine.core_of_cpu(11)
    assert core is not None
    assert core.id == 3
    assert machine.core_of_cpu(99) is None
    assert machine.cpus_of((0, 5)) == (0, 5, 8, 13)
    assert machine.numa_of(5) == 1
    with pytest.raises(KeyError):
        machine.core(99)


def test_cores_are_grouped_by_the_last_cache_they_share() -> None:
    assert a_machine().l3_groups() == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert a_machine().l3_of(6) == 1


def test_cores_of_which_no_cache_is_known_share_nothing() -> None:
    assert a_machine(caches=()).l3_groups() == tuple((core,) for core in range(8))


def test_distance_is_local_to_itself_and_unknown_where_no_table_is() -> None:
    assert a_machine().distance(0, 1) == 21
    unknown = a_machine(numa_distances=Unknown("no table"))
    assert unknown.distance(1, 1) == 10
    assert unknown.distance(0, 1) == Unknown("no table")


def test_memory_of_gpus_is_not_the_machines() -> None:
    machine = a_machine()
    gpu_node = dataclasses.replace(machine.numa_nodes[0], id=255, cores=(), device=GPU_A)
    assert a_machine(numa_nodes=(*machine.numa_nodes, gpu_node)).memory_bytes == 128 * GIB


def test_one_node_of_unknown_memory_makes_the_sum_unknown_and_not_less() -> None:
    nodes = (a_machine().numa_nodes[0], dataclasses.replace(a_machine().numa_nodes[1], memory_bytes=Unknown("no")))
    assert a_machine(numa_nodes=nodes).memory_bytes == Unknown("no")


def test_gpus_below_one_switch_are_nearer_than_a_card_on_another_root() -> None:
    machine = a_machine()
    assert bridges_above(machine, GPU_A) == ("0000:3a:00.0", SWITCH_PORT, "0000:3c:00.0")
    assert pcie_switch_of(machine, GPU_A) == pcie_switch_of(machine, GPU_B) == SWITCH_PORT
    assert nearness(machine, GPU_A, GPU_B) is Nearness.SAME_SWITCH
    assert nearness(machine, GPU_A, "0000:3f:00.0") is Nearness.SAME_ROOT
    assert nearness(machine, GPU_A, "0000:5e:00.0") is Nearness.SAME_NODE
    assert nearness(machine, GPU_A, "0000:ae:00.0") is Nearness.CROSS_NODE
    assert nearness(machine, GPU_A, "0000:3d:00.1") == Unknown("no PCI function 0000:3d:00.1")


def test_a_device_on_a_root_port_is_behind_no_switch() -> None:
    assert pcie_switch_of(a_machine(), "0000:5e:00.0") is None


def test_devices_linked_to_one_switch_reach_each_other() -> None:
    links = tuple(DeviceLink("NVLink", gpu, "0000:61:00.0", 6, Unknown("no"), True) for gpu in (GPU_A, GPU_B))
    assert linked_groups(a_machine(links=links)) == ((GPU_A, GPU_B),)
    assert linked_groups(a_machine(links=links[:1])) == ((GPU_A,),)
    assert linked_groups(a_machine(links=Unknown("no"))) == ()


def test_a_core_is_allowed_only_with_all_its_cpus() -> None:
    observed = an_observed(allowed_cpus=(0, 1, 2, 8, 9), reserved=SystemReserve((0,), 8 * GIB))
    assert observed.allowed_cores() == (0, 1)
    assert observed.sellable_cores() == (1,)


def test_memory_for_sale_is_that_of_allowed_nodes_without_the_reserve() -> None:
    observed = an_observed(allowed_memory_nodes=(0,), reserved=SystemReserve((0,), 8 * GIB))
    assert observed.sellable_memory_bytes() == 56 * GIB
