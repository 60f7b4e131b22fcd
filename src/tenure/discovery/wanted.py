"""What is read of a Linux system to know its hardware. One place, so that a reader sees all that is looked at."""

from __future__ import annotations

from tenure.discovery.reading import Wanted

PCI_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids", "usr/share/pci.ids")

HARDWARE: tuple[Wanted, ...] = (
    Wanted("proc", ("cpuinfo", "meminfo", "mounts", "cmdline")),
    Wanted("proc/self", ("status", "cgroup", "cpuset")),
    Wanted("proc/sys/kernel", ("hostname", "osrelease", "ostype", "arch")),
    Wanted("proc/sys/kernel/random", ("boot_id",)),
    Wanted("proc", ("hwloc-nofile-info",)),  # recorded trees carry what uname would say here
    Wanted("proc/driver/nvidia/gpus/*", ("information", "numa_status")),
    Wanted("proc/driver/nvidia", ("version",)),
    Wanted("proc/device-tree", ("model", "compatible")),
    Wanted("proc/device-tree/hypervisor", ("compatible",)),
    Wanted("sys/hypervisor", ("type",)),
    Wanted("sys/class/dmi/id", ("sys_vendor", "product_name", "product_version", "board_vendor", "board_name")),
    Wanted("sys/devices/system/clocksource/clocksource0", ("available_clocksource",)),
    Wanted("sys/devices/system/cpu", ("online", "offline", "present")),
    Wanted(
        "sys/devices/system/cpu/cpu[0-9]*/topology",
        ("core_cpus_list", "thread_siblings_list", "thread_siblings", "die_id", "physical_package_id"),
    ),
    Wanted("sys/devices/system/cpu/cpu[0-9]*", ("cpu_capacity",)),
    Wanted("sys/devices/system/cpu/cpu[0-9]*/cpufreq", ("cpuinfo_max_freq",)),
    Wanted("sys/devices/system/cpu/cpu[0-9]*/regs/identification", ("midr_el1",)),
    Wanted(
        "sys/devices/system/cpu/cpu[0-9]*/cache/index[0-9]*",
        ("level", "type", "size", "shared_cpu_list", "shared_cpu_map"),
    ),
    Wanted("sys/devices/cpu_core", ("cpus",)),
    Wanted("sys/devices/cpu_atom", ("cpus",)),
    Wanted("sys/devices/system/node", ("online",)),
    Wanted("sys/devices/system/node/node[0-9]*", ("meminfo", "distance", "cpulist", "cpumap")),
    Wanted("sys/bus/dax/devices", links=True),
    Wanted("sys/bus/dax/devices/*", ("target_node",)),
    Wanted("sys/bus/pci/devices", links=True),
    Wanted(
        "sys/bus/pci/devices/*",
        (
            *("class", "vendor", "device", "numa_node", "local_cpulist", "local_cpus"),
            *("max_link_width", "max_link_speed", "current_link_width", "current_link_speed"),
            *("mem_info_vram_total", "product_name"),
        ),
        link_names=("physfn",),
    ),
    Wanted("sys/bus/pci/devices/*/infiniband/*", ("node_type",)),
    Wanted("sys/class/net", links=True),
    Wanted("sys/class/net/*", ("type", "speed", "dev_port", "operstate")),
    Wanted("sys/class/net/*/phy80211", ("name",)),
    Wanted("sys/class/net/*/device/infiniband/*", ("node_type",)),
    Wanted("sys/block", links=True),
    Wanted("sys/block/*", ("size", "removable")),
    Wanted("sys/block/*/queue", ("rotational",)),
    Wanted("sys/block/*/device", ("model",)),
    Wanted("sys/devices/virtual/nvme-subsystem/*", links=True),
    Wanted("sys/class/powercap/*", ("name",)),
)
