"""The picture of a machine, as people read it."""

import dataclasses
from io import StringIO

from rich.console import Console

from tenure.cli.inventory_tree import render_tree
from tenure.discovery.importers import import_hwloc, import_nvidia_smi
from tenure.topology import (
    Cache,
    Capability,
    Conflict,
    MachineTopology,
    NumaNode,
    ObservedMachine,
    SystemReserve,
    Unknown,
    Unread,
)
from tests.support.data import data_dir
from tests.topology.builders import GIB, a_core, a_function, a_gpu, a_link, a_machine, an_observed, known


def picture(machine: MachineTopology | ObservedMachine, *, width: int = 80, wide: bool = False) -> str:
    """What stands on the screen, without colours and without white space at the ends of lines."""
    written = StringIO()
    console = Console(width=width, file=written, force_terminal=False, highlight=False)
    console.print(render_tree(machine, wide=wide))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def test_a_server_reads_from_package_to_device() -> None:
    machine = an_observed(reserved=SystemReserve((0,), 8 * GIB, "default"))
    assert picture(machine).startswith(
        """\
╭─ Example Server 2 ───────────────────────────────────────────────────────────╮
│ 2 packages · 8 cores (16 CPUs) · 2 NUMA nodes · 128 GiB memory · 2 GPUs · 1  │
│ NIC · 1 disk                                                                 │"""
    )
    assert """\
Package 0  Example CPU
└── NUMA node 0  64 GiB  DRAM
    ├── L3 32 MiB  □■■■  cores 0-3  2 CPUs each
    ├── each core: L2 1 MiB
    ├── PCI 0000:3a
    │   ├── PCIe switch  NVIDIA  x16 @ 32 GT/s  3b:00.0
    │   │   ├── GPU  H100 80GB HBM3  80 GiB  700 W  x16 @ 32 GT/s  3d:00.0
    │   │   └── GPU  H100 80GB HBM3  80 GiB  700 W  x16 @ 32 GT/s  3e:00.0
    │   └── Ethernet controller
    └── NIC  eth0  100 Gb/s  card  x16 @ 32 GT/s  5e:00.0
Package 1  Example CPU
└── NUMA node 1  64 GiB  DRAM
    ├── L3 32 MiB  ■■■■  cores 4-7  2 CPUs each
    ├── each core: L2 1 MiB
    └── disk  nvme0n1  3.5 TiB  solid state  drive  x16 @ 32 GT/s  ae:00.0
""" in picture(machine)


def test_a_link_that_lost_lanes_stands_out_and_an_idle_one_is_told() -> None:
    slot = dataclasses.replace(a_function("0000:3d:00.0", 0x0302), link=a_link(now=(8, 2500)))
    text = picture(a_machine(pci=(slot,), gpus=(a_gpu("0000:3d:00.0"),)), width=120)
    assert "x16 @ 32 GT/s, running x8: degraded, now 2.5 GT/s" in text


def test_the_notes_say_what_is_kept_enforced_and_not_known() -> None:
    observed = an_observed(
        reserved=SystemReserve((0,), 8 * GIB, "default rule"),
        allowed_cpus=tuple(range(8)),
        capabilities=(
            Capability("cpuset", True, "cgroup v2 cpuset"),
            Capability("powerCap", False, "", "no RAPL and no GPU with a power limit is shown"),
        ),
        unread=(Unread("speed of eth0", "/sys/class/net/eth0/speed", "the link is down"),),
        conflicts=(Conflict("memory of node 0", "24 GiB (meminfo)", "5 GiB (node0)", "one node has all"),),
    )
    text = picture(dataclasses.replace(observed, allowed_cpus=tuple(range(16))), width=120)
    assert "□ core 0 and 8 GiB of memory; left to sell: 7 cores and 120 GiB" in text
    assert "✓  pin to cores  cgroup v2 cpuset" in text
    assert "✗  power cap     no RAPL and no GPU with a power limit is shown" in text
    assert "memory of node 0  24 GiB (meminfo), not 5 GiB (node0): one node has all" in text
    assert "speed of eth0  the link is down" in text
    assert "/sys/class/net/eth0/speed" in picture(observed, wide=True, width=120)


def test_cores_outside_the_cpuset_are_dots() -> None:
    observed = an_observed(allowed_cpus=(0, 1, 8, 9), reserved=SystemReserve((0,), GIB))
    text = picture(observed)
    assert "□■··  cores 0-3" in text
    assert "····  cores 4-7" in text
    assert "6 cores outside this process's cpuset" in text


def test_a_large_machine_folds_caches_that_are_alike() -> None:
    cores = tuple(a_core(core_id, siblings=1) for core_id in range(128))
    caches = tuple(Cache(3, "unified", 32 << 20, tuple(range(at, at + 8))) for at in range(0, 128, 8))
    nodes = (NumaNode(0, 512 * GIB, tuple(range(128))),)
    machine = a_machine(
        cores=cores, caches=caches, numa_nodes=nodes, numa_distances=((10,),), packages=a_machine().packages[:1]
    )
    assert "16 × L3 32 MiB  8 cores each  cores 0-127" in picture(machine)
    assert picture(machine, wide=True).count("L3 32 MiB") == 16


def test_many_alike_devices_are_one_line_and_gpus_never() -> None:
    pci = tuple(a_function(f"0000:3f:00.{at}", 0x0200) for at in range(6))
    nics = tuple(dataclasses.replace(known(a_machine().nics)[0], id=d.address, pci=d.address, name=f"eth{at}")
                 for at, d in enumerate(pci))  # fmt: skip
    assert "6 ×  NIC  eth0 … eth5  100 Gb/s  card  x16 @ 32 GT/s  3f:00.0 … 3f:00.5" in picture(
        a_machine(pci=pci, nics=nics, gpus=(), disks=(), links=()), width=120
    )
    gpus = tuple(a_gpu(f"0000:3f:00.{at}") for at in range(6))
    assert picture(a_machine(pci=pci, nics=(), gpus=gpus, disks=(), links=())).count("GPU  H100") == 6


def test_a_narrow_screen_leaves_out_the_least_and_never_a_loss() -> None:
    slot = dataclasses.replace(a_function("0000:ae:00.0", 0x0108, root="0000:ad"), link=a_link(now=(8, 32000)))
    drive = dataclasses.replace(known(a_machine().disks)[0], numa_node=0)
    machine = a_machine(pci=(slot,), gpus=(), nics=(), disks=(drive,), links=())
    full = "disk  nvme0n1  3.5 TiB  solid state  drive  x16 @ 32 GT/s, running x8: degraded  "
    assert full + "ae:00.0" in picture(machine, width=100)
    assert "disk  nvme0n1  3.5 TiB  x16 @ 32 GT/s, running x8: degraded  ae:00.0" in picture(machine, width=80)
    assert full + "0000:ae:00.0" in picture(machine, width=120, wide=True)


def test_links_besides_pci_are_told_by_group() -> None:
    assert "NVLink  2 devices joined directly  450 GB/s each, one way" in picture(a_machine(), width=120)


def test_what_is_unknown_is_called_unknown_and_not_zero() -> None:
    text = picture(a_machine(gpus=Unknown("no bus"), nics=Unknown("no bus"), numa_nodes=a_machine().numa_nodes))
    assert "GPUs, NICs unknown" in text
    assert "no GPU" not in text


def test_the_dgx2_fits_80_columns() -> None:
    text = picture(import_hwloc(data_dir("hwloc", "nvidiaDGX2.xml")))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert (
        """\
    ├── PCI 0000:2b  PCIe switch  PLX (Broadcom)  PCIe 15.8 GB/s  2c:00.0
    │   ├── PCIe switch  PLX (Broadcom)  PCIe 15.8 GB/s  32:00.0
    │   │   ├── GPU  nvml0  Tesla V100-SXM3-32GB-H  PCIe 15.8 GB/s  34:00.0
    │   │   └── GPU  nvml1  Tesla V100-SXM3-32GB-H  PCIe 15.8 GB/s  36:00.0
"""
        in text
    )
    assert "6 ×  NVSwitch  PCIe 1 GB/s  61:00.0 … 67:00.0" in text
    assert "NVLink  8 devices joined through 6 switches  150 GB/s each, one way" in picture(
        import_hwloc(data_dir("hwloc", "nvidiaDGX2.xml")), width=120
    )


def test_gpus_of_nvidia_smi_alone_have_a_place_unknown() -> None:
    text = picture(import_nvidia_smi(data_dir("nvidia-smi", "qx-h100.xml")))
    assert "NUMA node unknown  nvidia-smi does not tell" in text
    assert text.count("GPU  nvidia") == 8
