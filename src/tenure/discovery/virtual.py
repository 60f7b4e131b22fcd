"""Whether this is a virtual machine, and of which hypervisor; inside one, nothing tells watts. Pure."""

from __future__ import annotations

from tenure.discovery.cores import cpuinfo_blocks
from tenure.discovery.reading import FileFacts
from tenure.topology import Fact, Unknown

UNNAMED = "a hypervisor that does not name itself"

_BY_DMI = (
    ("QEMU", "KVM (QEMU)"),
    ("KVM", "KVM"),
    ("Firecracker", "KVM (Firecracker)"),
    ("Google Compute Engine", "KVM (Google Compute Engine)"),
    ("OpenStack", "KVM (OpenStack)"),
    ("VMware", "VMware"),
    ("innotek", "VirtualBox"),
    ("VirtualBox", "VirtualBox"),
    ("Xen", "Xen"),
    ("Virtual Machine", "Hyper-V"),
    ("Parallels", "Parallels"),
    ("Apple Virtualization", "Apple Virtualization"),
    ("BHYVE", "bhyve"),
)
"""What hypervisors write into the tables that firmware passes on, as systemd-detect-virt reads them."""

_BY_CLOCK = (("kvm-clock", "KVM"), ("hyperv", "Hyper-V"), ("xen", "Xen"), ("vmware", "VMware"))
"""Clocks that a kernel offers only as a hypervisor's guest."""


def hypervisor(facts: FileFacts) -> Fact[str]:
    """The hypervisor's name; empty on bare metal; unknown where nothing speaks either way."""
    vendor, product = (_dmi(facts, name) for name in ("sys_vendor", "product_name"))
    for words, name in _BY_DMI:
        if words in vendor or words in product:
            return name
    if "Amazon EC2" in vendor:
        return "" if "metal" in product else "Amazon EC2 (Nitro)"
    for path in ("sys/hypervisor/type", "proc/device-tree/hypervisor/compatible"):
        told = facts.text(path)
        if not isinstance(told, Unknown) and told:
            return {"xen": "Xen", "linux,kvm": "KVM"}.get(told.replace("\0", ""), told)
    blocks = cpuinfo_blocks(facts)
    flags = blocks[0].get("flags", "").split() if blocks else []
    by_clock = _by_clock(facts)
    if "hypervisor" in flags or by_clock:
        return by_clock or UNNAMED
    platform = next((block["platform"] for block in blocks if "platform" in block), "")
    if platform:  # POWER names its platform: PowerNV is bare metal, pSeries a partition
        return "" if platform == "PowerNV" else f"a partition ({platform})"
    if flags or vendor or product:
        return ""
    return Unknown("neither firmware nor the processor says")


def _by_clock(facts: FileFacts) -> str:
    clocks = facts.text("sys/devices/system/clocksource/clocksource0/available_clocksource")
    if isinstance(clocks, Unknown):
        return ""
    return next((name for words, name in _BY_CLOCK if words in clocks), "")


def _dmi(facts: FileFacts, name: str) -> str:
    text = facts.text(f"sys/class/dmi/id/{name}")
    return "" if isinstance(text, Unknown) else text
