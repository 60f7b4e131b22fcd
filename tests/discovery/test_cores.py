"""Cores, siblings, packages and kinds, from what kernels of different ages and makes show."""

from tenure.discovery import understand
from tenure.topology import Unknown
from tests.discovery.trees import CPU, NODE, cpu_files, facts_of


def cores_of(files: dict[str, str]):
    return understand(facts_of(files)).topology


def test_siblings_make_one_core_named_by_its_lowest_cpu():
    machine = cores_of(cpu_files(4, siblings=2, packages=2))
    assert [(core.id, core.cpus, core.package) for core in machine.cores] == [
        (0, (0, 4), 0),
        (1, (1, 5), 0),
        (2, (2, 6), 1),
        (3, (3, 7), 1),
    ]


def test_old_kernels_show_siblings_as_a_mask():
    files = {f"{CPU}/cpu{cpu}/topology/thread_siblings": "00000000,00000003" for cpu in (0, 1)}
    assert [core.cpus for core in cores_of(files).cores] == [(0, 1)]


def test_without_sysfs_cpuinfo_tells_cores_and_packages():
    blocks = [f"processor\t: {n}\nphysical id\t: {n // 2}\ncore id\t: 0\nmodel name\t: Example CPU" for n in range(4)]
    machine = cores_of({"proc/cpuinfo": "\n\n".join(blocks)})
    assert [core.cpus for core in machine.cores] == [(0, 1), (2, 3)]
    assert [package.model for package in machine.packages] == ["Example CPU", "Example CPU"]


def test_with_no_word_of_siblings_every_cpu_is_a_core_and_that_is_said():
    observed = understand(facts_of({"proc/cpuinfo": "processor: 0\n\nprocessor: 1"}))
    assert [core.cpus for core in observed.topology.cores] == [(0,), (1,)]
    assert any(gap.what == "SMT siblings" for gap in observed.unread)


def test_a_switched_off_cpu_is_no_core_and_is_told():
    files = {**cpu_files(2), f"{CPU}/offline": "2-3,8-1023", f"{CPU}/present": "0-3"}
    observed = understand(facts_of(files))
    assert len(observed.topology.cores) == 2
    assert observed.offline_cpus == (2, 3)


def test_a_package_that_the_kernel_does_not_number_is_unknown_and_not_zero():
    files = {path: "-1" if "package" in path else text for path, text in cpu_files(2).items()}
    machine = cores_of(files)
    assert machine.packages == ()
    assert isinstance(machine.cores[0].package, Unknown)


def test_hybrid_x86_names_its_fast_and_its_frugal_cores():
    files = {**cpu_files(4), "sys/devices/cpu_core/cpus": "0-1", "sys/devices/cpu_atom/cpus": "2-3"}
    machine = cores_of(files)
    assert [kind.name for kind in machine.core_kinds] == ["performance", "efficiency"]
    assert [core.kind for core in machine.cores] == ["performance", "performance", "efficiency", "efficiency"]


def test_favoured_cores_of_one_design_are_one_kind():
    files = {**cpu_files(3), **{f"{CPU}/cpu{n}/cpu_capacity": str(c) for n, c in enumerate((1024, 997, 1017))}}
    assert [kind.name for kind in cores_of(files).core_kinds] == ["uniform"]


def test_three_designs_are_numbered_from_the_most_frugal():
    files = {**cpu_files(3), **{f"{CPU}/cpu{n}/cpu_capacity": str(c) for n, c in enumerate((300, 1024, 700))}}
    machine = cores_of(files)
    assert [kind.name for kind in machine.core_kinds] == ["class 2", "class 1", "class 0"]
    assert [core.kind for core in machine.cores] == ["class 0", "class 2", "class 1"]


def test_caches_shared_by_siblings_and_by_cores_are_told_apart():
    files = cpu_files(2, siblings=2)
    for cpu in range(4):
        core = cpu % 2
        for index, (level, shared) in enumerate(((1, f"{core},{core + 2}"), (3, "0-3"))):
            folder = f"{CPU}/cpu{cpu}/cache/index{index}"
            files |= {f"{folder}/level": str(level), f"{folder}/type": "Unified", f"{folder}/shared_cpu_list": shared}
            files[f"{folder}/size"] = "32768K" if level == 3 else ""
    machine = cores_of(files)
    assert [(cache.level, cache.cores) for cache in machine.caches] == [(3, (0, 1)), (1, (0,)), (1, (1,))]
    assert machine.caches[0].size_bytes == 32 << 20
    assert isinstance(machine.caches[1].size_bytes, Unknown)


def test_nothing_at_all_is_a_machine_of_which_nothing_is_known():
    observed = understand(facts_of({}))
    assert observed.topology.cores == ()
    assert isinstance(observed.topology.architecture, Unknown)
    assert isinstance(observed.virtual, Unknown)
    assert {"cores", "PCI devices", "disks"} <= {gap.what for gap in observed.unread}


def test_a_machine_with_one_node_has_all_memory_there_and_a_differing_count_is_said():
    files = {**cpu_files(2), "proc/meminfo": "MemTotal:  24684084 kB"}
    files |= {f"{NODE}/node0/cpulist": "0-1", f"{NODE}/node0/meminfo": "Node 0 MemTotal: 4679884 kB"}
    files |= {f"{NODE}/node0/distance": "10", f"{NODE}/online": "0"}
    observed = understand(facts_of(files))
    assert observed.topology.numa_nodes[0].memory_bytes == 24684084 * 1024
    assert [conflict.what for conflict in observed.conflicts] == ["memory of node 0"]


def test_nodes_keep_their_own_count_and_a_sum_that_differs_is_said():
    files = {**cpu_files(2), "proc/meminfo": "MemTotal: 1000000 kB", f"{NODE}/online": "0-1"}
    for node in (0, 1):
        files |= {f"{NODE}/node{node}/cpulist": str(node), f"{NODE}/node{node}/distance": "10 21"}
        files[f"{NODE}/node{node}/meminfo"] = f"Node {node} MemTotal: 800000 kB"
    observed = understand(facts_of(files))
    assert [node.memory_bytes for node in observed.topology.numa_nodes] == [800000 * 1024] * 2
    assert [conflict.what for conflict in observed.conflicts] == ["memory in all"]


def test_distances_of_nodes_that_a_tree_left_out_are_skipped_over():
    files = {**cpu_files(2), f"{NODE}/online": "0,4,8"}
    files |= {f"{NODE}/node0/distance": "10 20 40", f"{NODE}/node8/distance": "40 20 10"}
    files |= {f"{NODE}/node0/cpulist": "0", f"{NODE}/node8/cpulist": "1"}
    assert cores_of(files).numa_distances == ((10, 40), (40, 10))


def test_a_node_without_cpus_is_of_a_kind_unknown_unless_something_tells():
    files = {**cpu_files(1), f"{NODE}/node0/cpulist": "0", f"{NODE}/node1/cpulist": "", f"{NODE}/node2/cpulist": ""}
    files |= {f"{NODE}/node{n}/meminfo": f"Node {n} MemTotal: {n * 1000} kB" for n in (1, 2)}
    files["sys/bus/dax/devices/dax0.0/target_node"] = "2"
    links = {
        "sys/bus/dax/devices/dax0.0": "sys/devices/platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0/dax0.0"
    }
    kinds = [node.kind for node in understand(facts_of(files, links)).topology.numa_nodes]
    assert kinds[0] == "DRAM"
    assert isinstance(kinds[1], Unknown)
    assert kinds[2] == "CXL"
