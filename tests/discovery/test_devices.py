"""The PCI tree and the devices on it."""

import pytest

from tenure.discovery import understand
from tenure.discovery.gpus import is_gpu, merged
from tenure.discovery.pci_names import names_from_pci_ids, title
from tenure.topology import PciDevice, Unknown, bridges_above, normal_address
from tests.discovery.trees import NODE, PCI, cpu_files, facts_of
from tests.topology.builders import a_gpu


def function(address: str, chain: str, **files: str) -> tuple[dict[str, str], dict[str, str]]:
    folder = f"{PCI}/{address}"
    texts = {f"{folder}/{name}": text for name, text in {"vendor": "0x10de", "device": "0x2330", **files}.items()}
    return texts, {folder: f"sys/devices/{chain}"}


def machine_of(*functions: tuple[dict[str, str], dict[str, str]], **files: str):
    texts, links = {**cpu_files(2), **files}, {}
    for some_texts, some_links in functions:
        texts |= some_texts
        links |= some_links
    return understand(facts_of(texts, links)).topology


GPU = function(
    "0000:3d:00.0",
    "pci0000:3a/0000:3a:00.0/0000:3b:00.0/0000:3d:00.0",
    **{"class": "0x030200", "max_link_width": "16", "current_link_width": "8"},
    max_link_speed="32.0 GT/s PCIe",
    current_link_speed="2.5 GT/s PCIe",
)


def test_the_path_of_a_link_is_the_chain_of_bridges():
    bridges = [
        function("0000:3a:00.0", "pci0000:3a/0000:3a:00.0", **{"class": "0x060400"}),
        function("0000:3b:00.0", "pci0000:3a/0000:3a:00.0/0000:3b:00.0", **{"class": "0x060400"}),
    ]
    machine = machine_of(*bridges, GPU)
    assert bridges_above(machine, "0000:3d:00.0") == ("0000:3a:00.0", "0000:3b:00.0")
    assert {device.root for device in machine.pci} == {"0000:3a"}


def test_a_link_below_its_best_says_what_it_has_and_what_it_could():
    link = machine_of(GPU).pci[0].link
    assert (link.width_max, link.width, link.speed_max_mt_s, link.speed_mt_s) == (16, 8, 32000, 2500)
    assert link.is_narrowed
    assert link.is_slowed


@pytest.mark.parametrize("width", ["0", "255"])
def test_a_width_that_was_not_negotiated_is_unknown(width: str):
    device = function("0000:01:00.0", "pci0000:00/0000:01:00.0", max_link_width="16", current_link_width=width)
    link = machine_of(device).pci[0].link
    assert link.width == Unknown("no width is negotiated")
    assert not link.is_narrowed


def test_a_device_on_the_only_node_is_there_whatever_firmware_left_out():
    device = function("0000:01:00.0", "pci0000:00/0000:01:00.0", numa_node="-1")
    assert machine_of(device, **{f"{NODE}/node0/cpulist": "0-1"}).pci[0].numa_node == 0


def test_with_several_nodes_the_local_cpus_tell_or_nobody_does():
    nodes = {f"{NODE}/node0/cpulist": "0", f"{NODE}/node1/cpulist": "1"}
    told = function("0000:01:00.0", "pci0000:00/0000:01:00.0", numa_node="-1", local_cpulist="1")
    not_told = function("0000:02:00.0", "pci0000:00/0000:02:00.0", numa_node="-1", local_cpulist="0-1")
    first, second = machine_of(told, not_told, **nodes).pci
    assert first.numa_node == 1
    assert second.numa_node == Unknown("firmware does not say")


def test_a_root_inside_a_root_begins_a_tree_of_its_own():
    inside = function("10000:e1:00.0", "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0")
    device = machine_of(inside).pci[0]
    assert (device.root, device.parent) == ("10000:e0", "10000:e0:06.0")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("3B:00.0", "0000:3b:00.0"),
        ("00000000:3B:00.0", "0000:3b:00.0"),
        ("00010000:3B:00.0", "10000:3b:00.0"),
        ("10000:00:04.0", "10000:00:04.0"),
    ],
)
def test_addresses_have_one_spelling(text: str, address: str):
    assert normal_address(text) == address


@pytest.mark.parametrize("text", ["", "3b:00", "zz:00.0", "0000:3b:00.9", "eth0"])
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(ValueError):
        normal_address(text)


def a_display(class_code: int, vendor: int, parent: str = "") -> PciDevice:
    no = Unknown("no")
    return PciDevice("0000:01:00.0", "0000:00", parent, class_code, vendor, 1, no, no, 0, no)


@pytest.mark.parametrize(
    ("device", "computes"),
    [
        (a_display(0x0302, 0x10DE), True),
        (a_display(0x0300, 0x10DE), True),
        (a_display(0x1200, 0x1DA3), True),
        (a_display(0x0380, 0x1002), True),
        (a_display(0x0300, 0x1002), False),
        (a_display(0x0300, 0x8086), False),
        (a_display(0x0300, 0x8086, parent="0000:00:01.0"), True),
        (a_display(0x0300, 0x1A03), False),
        (a_display(0x0200, 0x10DE), False),
    ],
)
def test_consoles_are_no_gpus(device: PciDevice, computes: bool):
    assert is_gpu(device, driven=False) is computes
    assert is_gpu(device, driven=True)


def test_a_gpu_without_a_driver_has_memory_unknown_and_not_zero():
    gpu = machine_of(GPU).gpus[0]
    assert gpu.memory_bytes == Unknown("no driver tells it")
    assert gpu.vendor == "NVIDIA"


def test_nvidias_driver_names_its_boards_in_proc():
    information = {"proc/driver/nvidia/gpus/0000:3d:00.0/information": "Model: \t NVIDIA H100\nGPU UUID: \t GPU-1"}
    gpu = machine_of(GPU, **information).gpus[0]
    assert (gpu.model, gpu.uuid) == ("NVIDIA H100", "GPU-1")


def test_amds_driver_tells_memory_in_sysfs():
    device = function(
        "0000:c1:00.0",
        "pci0000:c0/0000:c1:00.0",
        vendor="0x1002",
        mem_info_vram_total="206141652992",
        **{"class": "0x038000"},
    )
    assert machine_of(device).gpus[0].memory_bytes == 206141652992


def test_the_library_wins_where_it_knows_more_and_only_there():
    known = a_gpu("0000:3d:00.0", numa_node=1, model=Unknown("no driver tells it"))
    told = a_gpu("0000:3d:00.0", numa_node=Unknown("the library does not tell"), model="NVIDIA H100")
    assert (merged(known, told).numa_node, merged(known, told).model) == (1, "NVIDIA H100")


def net(name: str, chain: str, **files: str) -> tuple[dict[str, str], dict[str, str]]:
    folder = f"sys/class/net/{name}"
    return {f"{folder}/{key}": text for key, text in {"type": "1", **files}.items()}, {folder: f"sys/devices/{chain}"}


def test_interfaces_with_hardware_below_them_count():
    card = function("0000:5e:00.0", "pci0000:5d/0000:5e:00.0", **{"class": "0x020000"})
    up = net("eth0", "pci0000:5d/0000:5e:00.0/net/eth0", speed="100000", operstate="up")
    down = net("eth1", "pci0000:5d/0000:5e:00.0/net/eth1", speed="-1", operstate="down", dev_port="1")
    loopback = net("lo", "virtual/net/lo", type="772")
    bridge = net("br0", "virtual/net/br0", speed="10000")
    nics = machine_of(card, up, down, loopback, bridge).nics
    assert [(nic.name, nic.id) for nic in nics] == [("eth0", "0000:5e:00.0"), ("eth1", "0000:5e:00.0#port1")]
    assert nics[0].speed_bits_per_s == 100_000_000_000
    assert nics[1].speed_bits_per_s == Unknown("the link is down")


def test_an_infiniband_port_knows_its_rdma_device():
    card = function("0000:5e:00.0", "pci0000:5d/0000:5e:00.0", **{"class": "0x020700"})
    port = net("ib0", "pci0000:5d/0000:5e:00.0/net/ib0", type="32", speed="400000")
    port[0]["sys/class/net/ib0/device/infiniband/mlx5_0/node_type"] = "1: CA"
    nic = machine_of(card, port).nics[0]
    assert (nic.kind, nic.rdma) == ("infiniband", "mlx5_0")


def block(name: str, chain: str, **files: str) -> tuple[dict[str, str], dict[str, str]]:
    folder = f"sys/block/{name}"
    return {f"{folder}/{key}": text for key, text in files.items()}, {folder: f"sys/devices/{chain}"}


def test_disks_are_hardware_with_a_size():
    controller = function("0000:ae:00.0", "pci0000:ad/0000:ae:00.0", **{"class": "0x010601"})
    chain = "pci0000:ad/0000:ae:00.0/ata{}/host1/target1:0:0/1:0:0:0/block/{}"
    disks = machine_of(
        controller,
        block("sda", chain.format(1, "sda"), size="2048", **{"queue/rotational": "1", "device/model": "Example"}),
        block("sdb", chain.format(2, "sdb"), size="4096", **{"queue/rotational": "0"}),
        block("sdc", chain.format(3, "sdc"), size="0"),
        block("sdd", chain.format(4, "sdd"), size="4096", removable="1"),
        block("loop0", "virtual/block/loop0", size="8"),
        block("dm-0", "virtual/block/dm-0", size="8"),
    ).disks
    assert [(disk.name, disk.id) for disk in disks] == [("sda", "0000:ae:00.0#ata1"), ("sdb", "0000:ae:00.0#ata2")]
    assert [(disk.size_bytes, disk.medium) for disk in disks] == [(1 << 20, "rotating"), (2 << 20, "solid state")]
    assert isinstance(disks[1].model, Unknown)


def test_an_nvme_drive_behind_multipath_hangs_from_its_controller():
    controller = function("0000:01:00.0", "pci0000:00/0000:01:00.0", **{"class": "0x010802"})
    drive = block("nvme0n1", "virtual/nvme-subsystem/nvme-subsys0/nvme0n1", size="2048")
    drive[1]["sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0"] = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0"
    disk = machine_of(controller, drive).disks[0]
    assert (disk.id, disk.pci) == ("0000:01:00.0", "0000:01:00.0")


def test_names_come_from_the_systems_own_list():
    text = "# a list\n10de  NVIDIA Corporation\n\t2330  GH100 [H100 SXM5 80GB]\n\t\t10de 1  board\n8086  Intel\n"
    names = names_from_pci_ids(text, [(0x10DE, 0x2330)])
    assert names.device(0x10DE, 0x2330) == "GH100 [H100 SXM5 80GB]"
    assert names.vendor(0x10DE) == "NVIDIA Corporation"
    assert isinstance(names.device(0x10DE, 0x9999), Unknown)


def test_without_a_list_a_device_is_called_by_what_it_is():
    assert title(machine_of(GPU).pci[0]) == "NVIDIA 3D controller"
