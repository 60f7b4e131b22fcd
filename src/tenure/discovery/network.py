"""Network interfaces that are hardware, from sysfs. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tenure.discovery.findings import Findings
from tenure.discovery.pci_names import title
from tenure.discovery.placing import device_id, numa_node_of, pci_above
from tenure.discovery.reading import FileFacts
from tenure.topology import Fact, NetworkInterface, PciDevice, Unknown

NET = "sys/class/net"

_KINDS = {1: "ethernet", 32: "infiniband"}
"""ARP hardware types of the interfaces that carry data (linux/if_arp.h)."""


def understand_network(
    facts: FileFacts, findings: Findings, pci: Mapping[str, PciDevice], only_node: int | None
) -> Fact[tuple[NetworkInterface, ...]]:
    """Interfaces with hardware below them, by PCI address; unknown when the kernel shows no network class."""
    names = facts.names(NET)
    if not names:
        return findings.missing("network interfaces", f"/{NET}", "the kernel shows no network class here")
    found = []
    for name in names:
        leads = facts.links.get(f"{NET}/{name}", "")
        if not leads or "/virtual/" in leads:
            continue
        kind = facts.number(f"{NET}/{name}/type")
        if not isinstance(kind, Unknown) and kind in _KINDS:
            found.append(_interface(facts, findings, pci, only_node, name, leads, _KINDS[kind]))
    return tuple(sorted(found, key=lambda nic: nic.id))


def _interface(
    facts: FileFacts,
    findings: Findings,
    pci: Mapping[str, PciDevice],
    only_node: int | None,
    name: str,
    leads: str,
    kind: str,
) -> NetworkInterface:
    address = pci_above(leads)
    port = facts.number(f"{NET}/{name}/dev_port")
    wireless = f"{NET}/{name}/phy80211/name" in facts.texts
    device = None if isinstance(address, Unknown) else pci.get(address)
    rdma = next(iter(facts.names(f"{NET}/{name}/device/infiniband")), "")
    return NetworkInterface(
        id=device_id(address, f"port{port}" if not isinstance(port, Unknown) and port > 0 else "", leads),
        pci=address,
        model=title(device) if device else Unknown("not a PCI device"),
        kind="wireless" if wireless else kind,
        speed_bits_per_s=_speed(facts, findings, name),
        numa_node=numa_node_of(device, only_node),
        name=name,
        rdma=rdma,
        physical_function=device.physical_function if device else "",
    )


def _speed(facts: FileFacts, findings: Findings, name: str) -> Fact[int]:
    """Mb/s in sysfs; -1 or an error means that the link is down or that the driver does not know."""
    said = facts.number(f"{NET}/{name}/speed")
    if not isinstance(said, Unknown) and 0 < said < 0xFFFFFFFF:
        return said * 1_000_000
    state = facts.text(f"{NET}/{name}/operstate")
    reason = "the link is down" if state == "down" else "its driver tells no speed"
    return findings.missing(f"speed of {name}", f"/{NET}/{name}/speed", reason)
