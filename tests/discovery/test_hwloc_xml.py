"""hwloc's XML reads into the same nouns, and a recorded tree agrees with hwloc's own account of the machine."""

import dataclasses

import pytest

from tenure.discovery.importers import ImportedFileError, import_hwloc, parse_hwloc, read_hwloc, understand_hwloc
from tenure.topology import (
    MachineTopology,
    Nearness,
    ObservedMachine,
    Unknown,
    digest,
    identity_json,
    linked_groups,
    listed,
    machine_from_json,
    nearness,
)
from tests.discovery.conftest import Recorded
from tests.support.data import data_dir

SMALL = """<?xml version="1.0"?>
<topology version="{version}">
  <object type="Machine" os_index="0" cpuset="0x3" allowed_cpuset="0x3">
    <object type="NUMANode" os_index="0" cpuset="0x3" local_memory="1073741824"/>
    <object type="Core" os_index="0" cpuset="0x3">
      <object type="PU" os_index="0" cpuset="0x1"/><object type="PU" os_index="1" cpuset="0x2"/>
    </object>
    <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0000:[00-01]">
      <object type="PCIDev" pci_busid="0000:01:00.0" pci_type="0200 [8086:1521] [0000:0000] 01" pci_link_speed="0.5">
        <object type="OSDev" name="eth0" osdev_type="{network}"/>
      </object>
    </object>
  </object>
</topology>"""


def imported(name: str) -> ObservedMachine:
    return import_hwloc(data_dir("hwloc", name))


def counts(machine: MachineTopology) -> tuple[int, ...]:
    return (
        len(machine.packages),
        len(machine.cores),
        sum(len(core.cpus) for core in machine.cores),
        len(machine.numa_nodes),
        len(machine.l3_groups()),
        len(listed(machine.pci)),
        len(listed(machine.gpus)),
        len(listed(machine.nics)),
        len(listed(machine.disks)),
        len(listed(machine.links)),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("16intel64-manyVFs.xml", (2, 16, 16, 2, 2, 31, 0, 6, 0, 0)),
        ("32amd64-4s2n4c-cgroup2.xml", (3, 6, 6, 6, 2, 0, 0, 0, 0, 0)),
        ("40intel64-2g2n4c+pcilocality.xml", (4, 40, 40, 4, 4, 37, 0, 5, 1, 0)),
        ("64intel64-heteromem.xml", (1, 16, 64, 8, 4, 0, 0, 0, 0, 0)),
        ("8intel64-4n2t-memattrs.xml", (0, 8, 8, 4, 8, 0, 0, 0, 0, 0)),
        ("96em64t-4n4d3ca2co-pci.xml", (16, 96, 96, 4, 16, 26, 0, 8, 3, 0)),
        ("AMD-19h-Zen3-2xEpyc-7763.xml", (2, 128, 128, 1, 16, 0, 0, 0, 0, 0)),
        ("Intel-SapphireRapids-2xXeonMax9460.xml", (2, 80, 160, 1, 2, 0, 0, 0, 0, 0)),
        ("cxlmem+dax.v3.xml", (1, 4, 4, 1, 1, 17, 0, 1, 1, 0)),
        ("nvidia-dgx-gb10.xml", (1, 20, 20, 1, 2, 0, 0, 0, 0, 0)),
        ("nvidiaDGX2.xml", (2, 4, 4, 2, 2, 84, 16, 0, 0, 96)),
    ],
)
def test_every_sample_is_read(name: str, expected: tuple[int, ...]):
    """(packages, cores, CPUs, NUMA nodes, last-level caches, PCI functions, GPUs, NICs, disks, links)"""
    machine = imported(name).topology
    assert counts(machine) == expected
    assert digest(machine_from_json(identity_json(machine))) == digest(machine)


def test_no_sample_is_left_out():
    for path in data_dir("hwloc").glob("*.xml"):
        import_hwloc(path)


def test_the_recorded_gb10_is_the_machine_that_hwloc_saw(recorded: Recorded):
    ours, theirs = recorded("nvidia-dgx-gb10").topology, imported("nvidia-dgx-gb10.xml").topology
    for part in ("architecture", "vendor", "product", "caches", "numa_nodes", "numa_distances"):
        assert getattr(ours, part) == getattr(theirs, part), part
    assert identity_json(ours)["cores"] == identity_json(theirs)["cores"]
    assert [(kind.name, kind.model) for kind in ours.core_kinds] == [(k.name, k.model) for k in theirs.core_kinds]
    assert digest(ours) == digest(theirs)


def test_the_recorded_cut_machine_is_inside_the_cut_the_one_hwloc_saw(recorded: Recorded):
    ours, theirs = recorded("32amd64-4s2n4c-cgroup2"), imported("32amd64-4s2n4c-cgroup2.xml")
    assert ours.allowed_cpus == theirs.allowed_cpus
    assert ours.allowed_memory_nodes == theirs.allowed_memory_nodes
    allowed = set(ours.allowed_cores())
    ours_inside = [core for core in identity_json(ours.topology)["cores"] if core["id"] in allowed]
    assert ours_inside == identity_json(theirs.topology)["cores"]
    for node in theirs.topology.numa_nodes:
        same = ours.topology.numa_node(node.id)
        assert (same.memory_bytes, set(same.cores) & allowed) == (node.memory_bytes, set(node.cores))
        assert ours.topology.distance(0, node.id) == theirs.topology.distance(0, node.id)
    inside = {(c.level, c.type, c.size_bytes, *sorted(allowed & set(c.cores))) for c in ours.topology.caches}
    assert {(c.level, c.type, c.size_bytes, *c.cores) for c in theirs.topology.caches} <= inside


def test_dgx2_gpus_pair_up_below_switches():
    machine = imported("nvidiaDGX2.xml").topology
    assert nearness(machine, "0000:34:00.0", "0000:36:00.0") is Nearness.SAME_SWITCH
    assert nearness(machine, "0000:34:00.0", "0000:57:00.0") is Nearness.SAME_NODE
    assert nearness(machine, "0000:34:00.0", "0000:b7:00.0") is Nearness.CROSS_NODE
    assert {gpu.model for gpu in machine.gpus} == {"Tesla V100-SXM3-32GB-H"}


def test_dgx2_nvlink_goes_through_switches():
    machine = imported("nvidiaDGX2.xml").topology
    first = [link for link in machine.links if link.a == "0000:34:00.0"]
    assert len(first) == 6
    assert all(link.to_switch and link.bytes_per_s == 25_000_000_000 for link in first)
    assert [len(group) for group in linked_groups(machine)] == [8, 8]


def test_memory_of_several_kinds_belongs_to_cores_once():
    nodes = imported("64intel64-heteromem.xml").topology.numa_nodes
    assert [(node.kind, len(node.cores)) for node in nodes] == [("DRAM", 4)] * 4 + [("HBM", 0)] * 4


def test_a_file_from_cpuid_alone_leaves_memory_and_devices_unknown():
    observed = imported("AMD-19h-Zen3-2xEpyc-7763.xml")
    assert isinstance(observed.topology.memory_bytes, Unknown)
    assert isinstance(observed.topology.gpus, Unknown)


def test_a_device_that_hangs_between_nodes_says_so():
    pci = imported("40intel64-2g2n4c+pcilocality.xml").topology.pci
    assert {device.numa_node for device in pci} == {Unknown("it is as near to several NUMA nodes")}


@pytest.mark.parametrize(("version", "network"), [("2.0", "2"), ("3.0", "16")])
def test_both_versions_are_read_alike(version: str, network: str):
    observed = understand_hwloc(parse_hwloc(SMALL.format(version=version, network=network).encode()))
    machine = observed.topology
    assert machine.cores[0].cpus == (0, 1)
    assert [(nic.name, nic.numa_node) for nic in machine.nics] == [("eth0", 0)]
    assert machine.pci[0].root == "0000:00"
    assert machine.pci[0].link.bytes_per_s == 500_000_000
    assert isinstance(machine.pci[0].link.width_max, Unknown)
    assert observed.allowed_cpus == (0, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<topology version='1.0'/>", "version 1"),
        (b"<topology/>", "version 1"),
        (b"<topology version='2.0'/>", "no Machine"),
        (b"<html/>", "not hwloc"),
        (b"<topology", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"<!DOCTYPE t [<!ENTITY a 'b'>]><topology version='2.0'/>", "entities"),
    ],
)
def test_what_is_no_topology_is_refused_with_a_reason(data: bytes, why: str):
    with pytest.raises(ImportedFileError, match=why):
        parse_hwloc(data, "a file")


def test_a_file_that_nests_without_end_is_refused():
    deep = b"<topology version='2.0'>" + b"<object type='Machine'>" * 300 + b"</object>" * 300 + b"</topology>"
    with pytest.raises(ImportedFileError, match="nest deeper"):
        parse_hwloc(deep)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ImportedFileError, match="no such file"):
        read_hwloc(tmp_path / "absent.xml")


def test_cores_of_an_import_are_numbered_by_their_lowest_cpu():
    for core in imported("Intel-SapphireRapids-2xXeonMax9460.xml").topology.cores:
        assert core.id == min(core.cpus)
        assert len(core.cpus) == 2
        assert dataclasses.is_dataclass(core)
