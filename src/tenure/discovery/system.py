"""The system's own words about itself: architecture, kernel, builder. Pure."""

from __future__ import annotations

import re

from tenure.discovery.cores import cpuinfo_blocks
from tenure.discovery.reading import FileFacts
from tenure.topology import Fact, Unknown

RECORDED = "proc/hwloc-nofile-info"
_SAYS_NOTHING = {"", "to be filled by o.e.m.", "system manufacturer", "system product name", "default string", "none"}


def architecture(facts: FileFacts) -> Fact[str]:
    """Instruction set; /proc tells it on new kernels, a recorded tree in its own file, /proc/cpuinfo by its manner."""
    told = facts.text("proc/sys/kernel/arch")
    if not isinstance(told, Unknown):
        return told
    recorded = _recorded(facts, "Architecture")
    if recorded:
        return recorded
    blocks = cpuinfo_blocks(facts)
    first = blocks[0] if blocks else {}
    if "vendor_id" in first:
        return "x86_64" if "lm" in first.get("flags", "").split() else "i686"
    if "CPU implementer" in first:
        return "aarch64"
    if first.get("cpu", "").startswith("POWER"):
        return "ppc64le"
    return Unknown("neither the kernel nor the processor says")


def kernel(facts: FileFacts) -> Fact[str]:
    """The kernel's name and release."""
    release = facts.text("proc/sys/kernel/osrelease")
    if isinstance(release, Unknown):
        recorded = _recorded(facts, "OSRelease")
        return f"Linux {recorded}" if recorded else release
    name = facts.text("proc/sys/kernel/ostype")
    return f"{'Linux' if isinstance(name, Unknown) else name} {release}"


def dmi_fact(facts: FileFacts, name: str) -> Fact[str]:
    """A name from the firmware's tables; what vendors leave in place of one is no name."""
    text = facts.text(f"sys/class/dmi/id/{name}")
    if isinstance(text, Unknown):
        if name == "product_name":
            return _other_product(facts)
        return Unknown("firmware gives no tables (DMI) here") if "exist" in text.reason else text
    return Unknown("firmware leaves it unfilled") if text.lower() in _SAYS_NOTHING else text


def system_vendor(facts: FileFacts) -> Fact[str]:
    return dmi_fact(facts, "sys_vendor")


def _other_product(facts: FileFacts) -> Fact[str]:
    model = facts.text("proc/device-tree/model")
    if not isinstance(model, Unknown):
        return model
    named = next((block["machine"] for block in cpuinfo_blocks(facts) if "machine" in block), "")
    return named or Unknown("firmware gives no tables (DMI) here")


def _recorded(facts: FileFacts, key: str) -> str:
    text = facts.text(RECORDED)
    match = None if isinstance(text, Unknown) else re.search(rf"^{key}: (.+)$", text, re.MULTILINE)
    return match[1].strip() if match else ""
