"""Machines recorded elsewhere come right through the code that scans this one."""

from tenure.topology import Unknown, digest, identity_json, machine_from_json
from tests.discovery.conftest import Recorded

POWER9 = "nvidiagpunumanodes"


def test_power9_has_gpus_whose_memory_is_numa_nodes(recorded: Recorded):
    machine = recorded(POWER9).topology
    assert machine.product == "PowerNV 8335-GTW"
    assert [package.id for package in machine.packages] == [0, 8]
    assert [core.cpus for core in machine.cores][:2] == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert len(machine.cores) == 8
    gpu_nodes = {node.id: node.device for node in machine.numa_nodes if node.kind == "GPU memory"}
    assert gpu_nodes == {
        250: "0035:05:00.0",
        251: "0035:04:00.0",
        252: "0007:00:00.0",
        253: "0006:00:00.0",
        254: "0004:06:00.0",
        255: "0004:05:00.0",
    }
    assert all(node.cores == () for node in machine.numa_nodes if node.id in gpu_nodes)
    assert machine.distance(0, 8) == 40
    assert machine.distance(0, 255) == 80


def test_power9_gpus_know_their_memory_and_their_node(recorded: Recorded):
    gpus = recorded(POWER9).topology.gpus
    assert [(gpu.id, gpu.numa_node, gpu.memory_node) for gpu in gpus] == [
        ("0004:05:00.0", 0, 255),
        ("0004:06:00.0", 0, 254),
        ("0006:00:00.0", 0, 253),
        ("0007:00:00.0", 8, 252),
        ("0035:04:00.0", 8, 251),
        ("0035:05:00.0", 8, 250),
    ]
    assert all(gpu.memory_bytes == 15 << 30 and gpu.vendor == "NVIDIA" for gpu in gpus)
    assert all(isinstance(gpu.model, Unknown) for gpu in gpus)


def test_power9_shares_l2_and_l3_between_pairs_of_cores(recorded: Recorded):
    machine = recorded(POWER9).topology
    assert machine.l3_groups() == ((0, 4), (8, 12), (88, 92), (96, 100))
    assert {(c.level, c.size_bytes) for c in machine.caches if c.level > 1} == {(3, 10 << 20), (2, 512 << 10)}


def test_power9_allows_the_cpus_of_its_cpuset_of_version_1(recorded: Recorded):
    observed = recorded(POWER9)
    assert observed.allowed_cpus == tuple(range(16))
    assert observed.allowed_cores() == (0, 4, 8, 12)
    assert observed.virtual == ""


def test_power9_memory_for_sale_leaves_out_that_of_gpus(recorded: Recorded):
    observed = recorded(POWER9)
    own = sum(node.memory_bytes for node in observed.topology.numa_nodes if node.id in (0, 8))
    assert observed.topology.memory_bytes == own < observed.memory_total_bytes


def test_pci_domains_may_be_wider_than_16_bits(recorded: Recorded):
    machine = recorded("2pa-pcidomain32bits").topology
    wide = [device for device in machine.pci if device.address.startswith("10000:")]
    assert [(device.address, device.root) for device in wide] == [
        ("10000:00:00.0", "10000:00"),
        ("10000:00:04.0", "10000:00"),
    ]
    assert machine.disks[0].id == "10000:00:04.0"
    assert machine.disks[0].size_bytes == 20 << 30
    assert isinstance(machine.disks[0].medium, Unknown)


def test_a_virtual_machine_is_known_as_one(recorded: Recorded):
    observed = recorded("2pa-pcidomain32bits")
    assert observed.virtual == "KVM"
    watts = next(gap for gap in observed.unread if gap.what == "watts")
    assert "virtual machine" in watts.reason
    assert [package.id for package in observed.topology.packages] == [0, 1]
    assert [nic.name for nic in observed.topology.nics] == ["ens3"]


def test_two_kinds_of_cores_are_told_apart(recorded: Recorded):
    machine = recorded("nvidia-dgx-gb10").topology
    assert [(kind.name, kind.model, kind.frequency_max_khz) for kind in machine.core_kinds] == [
        ("performance", "Cortex-X925", 3_900_000),
        ("efficiency", "Cortex-A725", 2_808_000),
    ]
    fast = [core.id for core in machine.cores if core.kind == "performance"]
    assert fast == [5, 6, 7, 8, 9, 15, 16, 17, 18, 19]


def test_a_cpuset_of_version_2_cuts_what_is_allowed_and_not_what_is_there(recorded: Recorded):
    observed = recorded("32amd64-4s2n4c-cgroup2")
    assert len(observed.topology.cores) == 32
    assert len(observed.topology.numa_nodes) == 8
    assert observed.allowed_cpus == (0, 1, 2, 3, 4, 5)
    assert observed.allowed_memory_nodes == (0, 1, 2, 3, 4, 5)


def test_a_recorded_tree_says_that_limits_were_not_tried(recorded: Recorded):
    rows = recorded(POWER9).capabilities
    assert [row.what for row in rows] == ["cpuset", "cpuQuota", "memoryLimit", "networkRate", "powerCap"]
    assert not any(row.available for row in rows)


def test_what_a_tree_does_not_hold_is_named(recorded: Recorded):
    gaps = {gap.what for gap in recorded("nvidia-dgx-gb10").unread}
    assert {"PCI devices", "network interfaces", "disks"} <= gaps
    assert isinstance(recorded("nvidia-dgx-gb10").topology.pci, Unknown)


def test_every_recorded_machine_keeps_its_digest_through_a_profile(recorded: Recorded):
    for name in (POWER9, "2pa-pcidomain32bits", "nvidia-dgx-gb10", "32amd64-4s2n4c-cgroup2"):
        machine = recorded(name).topology
        assert digest(machine_from_json(identity_json(machine))) == digest(machine)
