"""The PCI tree: what hangs from which root, through which bridges, over how wide and how fast a link."""

# ruff: noqa: RUF009  (`fact` is dataclasses.field with a description; it makes no shared default)
from __future__ import annotations

import re
from dataclasses import dataclass

from tenure.topology.facts import Fact, Unknown, fact, fact_or

ADDRESS = re.compile(r"^([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$")

BRIDGE_CLASSES = (0x0604, 0x0609)
"""PCI-to-PCI bridge, and the semi-transparent one (PCI code and ID assignment specification)."""


@dataclass(frozen=True, slots=True)
class PciLink:
    """A device's link to the bridge above it. The present state drops when a device idles and is no identity."""

    width_max: Fact[int] = fact("lanes that the device can use")
    speed_max_mt_s: Fact[int] = fact("fastest lane speed in MT/s (32000 is written 32 GT/s)")
    width: Fact[int] = fact("lanes in use now", state=True)
    speed_mt_s: Fact[int] = fact("lane speed in use now, in MT/s", state=True)
    bytes_per_s: Fact[int] = fact_or(
        Unknown("follows from width and speed"),
        "raw bandwidth now, one direction, where a source gives only that",
        state=True,
    )

    @property
    def is_narrowed(self) -> bool:
        """Whether fewer lanes are in use than the device has: a bad slot, riser or contact. Known cases only."""
        if isinstance(self.width, Unknown) or isinstance(self.width_max, Unknown):
            return False
        return 0 < self.width < self.width_max

    @property
    def is_slowed(self) -> bool:
        """Whether lanes run below their best speed; ordinary for an idle GPU, which slows its link to save power."""
        if isinstance(self.speed_mt_s, Unknown) or isinstance(self.speed_max_mt_s, Unknown):
            return False
        return 0 < self.speed_mt_s < self.speed_max_mt_s


@dataclass(frozen=True, slots=True)
class PciDevice:
    """One PCI function: a bridge, or something that does work."""

    address: str = fact("domain:bus:device.function in lower-case hexadecimal; the domain has 4 to 8 digits")
    root: str = fact("the host bridge it hangs from, as domain:bus")
    parent: str = fact("address of the bridge above; empty directly below the host bridge")
    class_code: Fact[int] = fact("base class and subclass, 16 bits (0x0302 is a 3D controller)")
    vendor_id: Fact[int] = fact("PCI vendor, 16 bits")
    device_id: Fact[int] = fact("PCI device, 16 bits")
    vendor: Fact[str] = fact("vendor's name", state=True)
    name: Fact[str] = fact("device's name", state=True)
    numa_node: Fact[int] = fact("NUMA node it is nearest to")
    link: Fact[PciLink] = fact("link to the bridge above")
    physical_function: str = fact_or("", "for an SR-IOV virtual function, the function it belongs to")

    @property
    def is_passing(self) -> bool:
        """Whether software made it at run time (an SR-IOV virtual function); it is no part of the identity then."""
        return self.physical_function != ""

    @property
    def is_bridge(self) -> bool:
        return not isinstance(self.class_code, Unknown) and self.class_code in BRIDGE_CLASSES


def normal_address(text: str) -> str:
    """A PCI address with its domain in 4 digits or as many as it needs, lower case.

    ``3B:00.0`` gets domain 0; NVIDIA's ``00000000:3B:00.0`` loses the digits that say nothing. Raises ValueError.
    """
    lowered = text.strip().lower()
    if lowered.count(":") == 1:
        lowered = f"0000:{lowered}"
    match = ADDRESS.match(lowered)
    if match is None:
        raise ValueError(f"not a PCI address: {text!r}")
    return f"{int(match[1], 16):04x}:{match[2]}:{match[3]}.{match[4]}"


def is_address(text: str) -> bool:
    """Whether `normal_address` takes it."""
    try:
        normal_address(text)
    except ValueError:
        return False
    return True


def address_order(address: str) -> tuple[int, int, int, int]:
    """Sort key of an address; also the parts as numbers."""
    match = ADDRESS.match(address)
    if match is None:
        raise ValueError(f"not a PCI address: {address!r}")
    return int(match[1], 16), int(match[2], 16), int(match[3], 16), int(match[4])


def link_text(width: Fact[int], speed_mt_s: Fact[int]) -> str:
    """``x16 @ 32 GT/s``; what is unknown is left out; empty where both are."""
    parts = []
    if not isinstance(width, Unknown):
        parts.append(f"x{width}")
    if not isinstance(speed_mt_s, Unknown):
        parts.append(f"{speed_mt_s / 1000:g} GT/s")
    return " @ ".join(parts)
