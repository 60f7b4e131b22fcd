"""Files that lie: whatever stands in them, a scan describes what is left, and an import refuses with its own error."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.discovery import FileFacts, understand
from tenure.discovery.importers import ImportedFileError, import_hwloc, parse_nvidia_smi
from tenure.topology import digest, observed_from_json, to_json
from tests.discovery.trees import NODE, PCI, cpu_files, facts_of

GARBAGE = st.sampled_from(
    [
        "",
        "-1",
        "x",
        "0x",
        "0xzz",
        "99999999999999999999",
        "0-",
        "3-1",
        "1,,2",
        "ff,zz",
        "N/A",
        "²",
        "\x00",
        "[]",
        "1.5.2",
    ]
)

WHOLE = {
    **cpu_files(2, siblings=2),
    "proc/cpuinfo": "processor: 0\nphysical id: 0\nflags: lm",
    "proc/meminfo": "MemTotal: 1000 kB",
    "proc/mounts": "cgroup2 /cg cgroup2 rw 0 0",
    "proc/self/cgroup": "0::/a",
    "proc/self/cpuset": "/a",
    "proc/self/status": "Uid: 0 0 0 0\nCpus_allowed_list: 0-3\nMems_allowed_list: 0",
    "cg/a/cpuset.cpus.effective": "0-3",
    "cg/a/cpuset.mems.effective": "0",
    "sys/devices/system/cpu/offline": "4",
    "sys/devices/system/cpu/present": "0-4",
    "sys/devices/system/cpu/cpu0/cpu_capacity": "1024",
    "sys/devices/system/cpu/cpu1/cpu_capacity": "512",
    "sys/devices/system/cpu/cpu0/regs/identification/midr_el1": "0x410fd851",
    "sys/devices/system/cpu/cpu0/cache/index0/level": "3",
    "sys/devices/system/cpu/cpu0/cache/index0/type": "Unified",
    "sys/devices/system/cpu/cpu0/cache/index0/size": "1K",
    "sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list": "0-3",
    f"{NODE}/online": "0-1",
    f"{NODE}/node0/cpulist": "0-3",
    f"{NODE}/node0/meminfo": "Node 0 MemTotal: 1000 kB",
    f"{NODE}/node0/distance": "10 20",
    f"{NODE}/node1/cpulist": "",
    f"{NODE}/node1/distance": "20 10",
    f"{PCI}/0000:01:00.0/class": "0x030200",
    f"{PCI}/0000:01:00.0/vendor": "0x10de",
    f"{PCI}/0000:01:00.0/numa_node": "-1",
    f"{PCI}/0000:01:00.0/local_cpulist": "0-3",
    f"{PCI}/0000:01:00.0/max_link_width": "16",
    f"{PCI}/0000:01:00.0/max_link_speed": "32.0 GT/s",
    "proc/driver/nvidia/gpus/0000:01:00.0/numa_status": "Node: 1",
    "sys/class/net/eth0/type": "1",
    "sys/class/net/eth0/speed": "1000",
    "sys/class/net/eth0/dev_port": "0",
    "sys/block/sda/size": "8",
    "sys/block/sda/queue/rotational": "1",
    "sys/bus/dax/devices/dax0.0/target_node": "1",
}
LINKS = {
    f"{PCI}/0000:01:00.0": "sys/devices/pci0000:00/0000:01:00.0",
    "sys/class/net/eth0": "sys/devices/pci0000:00/0000:01:00.0/net/eth0",
    "sys/block/sda": "sys/devices/pci0000:00/0000:01:00.0/block/sda",
    "sys/bus/dax/devices/dax0.0": "sys/devices/region0/dax0.0",
}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), GARBAGE, min_size=1, max_size=6))
def test_no_file_content_makes_a_scan_fail(changed: dict[str, str]):
    observed = understand(facts_of({**WHOLE, **changed}, LINKS))
    assert observed_from_json(to_json(observed)) == observed
    digest(observed.topology)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.sampled_from(sorted(WHOLE)), max_size=20))
def test_no_missing_file_makes_a_scan_fail(absent: set[str]):
    understand(facts_of({path: text for path, text in WHOLE.items() if path not in absent}, LINKS))


def test_odd_names_of_folders_make_no_scan_fail():
    odd = facts_of({f"{PCI}/not-an-address/class": "0x0", "proc/driver/nvidia/gpus/odd/numa_status": "Node: 0"})
    assert understand(odd).topology.pci == ()
    understand(FileFacts())


HWLOC = """<topology version="3.0"><object type="Machine" os_index="0" cpuset="0x3" allowed_cpuset="0x3">
  <object type="Package" os_index="0" cpuset="0x3"><object type="NUMANode" os_index="0" cpuset="0x3" local_memory="1"/>
  <object type="L3Cache" cpuset="0x3" cache_size="8" depth="3" cache_type="0">
  <object type="Core" os_index="0"><object type="PU" os_index="0"/><object type="PU" os_index="1"/></object>
  </object></object>
  <object type="Bridge" bridge_type="0-1" bridge_pci="0000:[00-01]">
  <object type="PCIDev" gp_index="5" pci_busid="0000:01:00.0" pci_type="0302 [10de:1db8] [0000:0000] 01"
  pci_link_speed="1.0">
  <object type="OSDev" gp_index="6" name="nvml0" osdev_type="12"/></object></object></object>
  <distances2 type="NUMANode" name="NUMALatency" indexing="os"><indexes length="1">0</indexes>
  <u64values length="2">10</u64values></distances2>
  <cpukind cpuset="0x1" forced_efficiency="1"/><cpukind cpuset="0x2" forced_efficiency="2"/></topology>"""

ATTRIBUTE = re.compile(r'(?<==")[^"]*(?=")')


@settings(max_examples=150, deadline=None)
@given(which=st.integers(0, len(ATTRIBUTE.findall(HWLOC)) - 1), garbage=GARBAGE.filter(lambda text: "\x00" not in text))
def test_an_import_understands_or_refuses(tmp_path_factory, which: int, garbage: str):
    seen = iter(range(10_000))
    text = ATTRIBUTE.sub(lambda match: garbage if next(seen) == which else match[0], HWLOC)
    path: Path = tmp_path_factory.getbasetemp() / "topology.xml"
    path.write_text(text)
    try:
        observed = import_hwloc(path)
    except ImportedFileError:
        return
    assert observed_from_json(to_json(observed)) == observed


@settings(max_examples=50, deadline=None)
@given(garbage=GARBAGE.filter(lambda text: "\x00" not in text))
def test_nvidia_smi_with_garbage_is_understood_or_refused(garbage: str):
    fields = (
        "minor_number",
        "uuid",
        "fb_memory_usage/total",
        "pci/pci_device_id",
        "pci/pci_base_class",
        "pci/pci_sub_class",
    )
    for field in fields:
        opening = "".join(f"<{tag}>" for tag in field.split("/"))
        closing = "".join(f"</{tag}>" for tag in reversed(field.split("/")))
        text = f'<nvidia_smi_log><gpu id="0000:01:00.0">{opening}{garbage}{closing}</gpu></nvidia_smi_log>'
        try:
            parse_nvidia_smi(text.encode())
        except ImportedFileError:
            continue
