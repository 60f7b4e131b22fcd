"""Hypervisors, cpusets, and what the system keeps."""

import pytest

from tenure.discovery import read_facts, reserved_for_system, understand
from tenure.discovery.virtual import UNNAMED, hypervisor
from tenure.topology import Unknown
from tests.discovery.trees import cpu_files, facts_of
from tests.topology.builders import GIB, a_core, a_machine, an_observed

CLOCK = "sys/devices/system/clocksource/clocksource0/available_clocksource"
DMI = "sys/class/dmi/id"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({f"{DMI}/sys_vendor": "QEMU"}, "KVM (QEMU)"),
        ({f"{DMI}/sys_vendor": "VMware, Inc.", f"{DMI}/product_name": "VMware7,1"}, "VMware"),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation", f"{DMI}/product_name": "Virtual Machine"}, "Hyper-V"),
        ({f"{DMI}/sys_vendor": "Amazon EC2", f"{DMI}/product_name": "c7i.large"}, "Amazon EC2 (Nitro)"),
        ({f"{DMI}/sys_vendor": "Amazon EC2", f"{DMI}/product_name": "c7i.metal-24xl"}, ""),
        ({"proc/cpuinfo": "processor: 0\nflags: fpu hypervisor", CLOCK: "tsc kvm-clock"}, "KVM"),
        ({"proc/cpuinfo": "processor: 0\nflags: fpu hypervisor", CLOCK: "tsc hpet"}, UNNAMED),
        ({"proc/cpuinfo": "processor: 0\nflags: fpu", CLOCK: "tsc hpet"}, ""),
        ({"proc/device-tree/hypervisor/compatible": "linux,kvm"}, "KVM"),
        ({"proc/cpuinfo": "processor: 0\n\nplatform: PowerNV"}, ""),
        ({"proc/cpuinfo": "processor: 0\n\nplatform: pSeries"}, "a partition (pSeries)"),
    ],
)
def test_hypervisors_are_known_by_what_they_leave(files: dict[str, str], name: str):
    assert hypervisor(facts_of(files)) == name


def test_where_nothing_speaks_either_way_it_is_unknown():
    assert isinstance(hypervisor(facts_of({"proc/cpuinfo": "processor: 0\nBogoMIPS: 50"})), Unknown)


def tree(tmp_path, files: dict[str, str]):
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return understand(read_facts(tmp_path))


def test_a_v2_cpuset_is_found_in_the_group_or_above_it(tmp_path):
    observed = tree(
        tmp_path,
        {
            **cpu_files(4),
            "proc/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0",
            "proc/self/cgroup": "0::/a/b",
            "sys/fs/cgroup/a/cpuset.cpus.effective": "0-1",
            "sys/fs/cgroup/a/cpuset.mems.effective": "0",
        },
    )
    assert observed.allowed_cpus == (0, 1)


def test_a_v1_cpuset_beside_a_v2_tree_without_one(tmp_path):
    observed = tree(
        tmp_path,
        {
            **cpu_files(4),
            "proc/mounts": "cgroup /cg/cpuset cgroup rw,cpuset 0 0\ncgroup2 /cg/unified cgroup2 rw 0 0",
            "proc/self/cgroup": "3:cpuset:/jobs\n0::/",
            "cg/cpuset/jobs/cpuset.cpus": "2-3",
            "cg/cpuset/jobs/cpuset.mems": "0",
        },
    )
    assert observed.allowed_cpus == (2, 3)


def test_affinity_narrows_what_the_cpuset_grants(tmp_path):
    observed = tree(
        tmp_path,
        {
            **cpu_files(4),
            "proc/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0",
            "proc/self/cgroup": "0::/",
            "proc/self/status": "Name: x\nCpus_allowed_list:\t1-3\nMems_allowed_list:\t0",
            "sys/fs/cgroup/cpuset.cpus.effective": "0-2",
        },
    )
    assert observed.allowed_cpus == (1, 2)


def an_observed_of(cores: int, memory_gib: int):
    topology = a_machine(cores=tuple(a_core(core_id, siblings=1) for core_id in range(cores)), numa_nodes=())
    return an_observed(topology, memory_total_bytes=memory_gib * GIB, allowed_cpus=tuple(range(cores)))


@pytest.mark.parametrize(
    ("cores", "kept"), [(1, ()), (2, (0,)), (8, (0,)), (63, (0,)), (64, (0, 1)), (128, (0, 1, 2, 3))]
)
def test_one_core_in_32_is_kept_and_none_of_a_single_one(cores: int, kept: tuple[int, ...]):
    assert reserved_for_system(an_observed_of(cores, 64)).cores == kept


@pytest.mark.parametrize(("memory_gib", "kept_gib"), [(1, 0.5), (4, 1), (16, 1), (40, 2), (1000, 50)])
def test_a_gib_or_five_percent_of_memory_is_kept_and_never_more_than_half(memory_gib: int, kept_gib: float):
    assert reserved_for_system(an_observed_of(4, memory_gib)).memory_bytes == kept_gib * GIB


def test_what_is_kept_lies_inside_what_is_allowed():
    observed = an_observed(allowed_cpus=(2, 3, 10, 11))
    assert reserved_for_system(observed).cores == (2,)
