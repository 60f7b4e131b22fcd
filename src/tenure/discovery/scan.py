"""A scan: read once, understand, and say what was not to be had."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

from tenure.discovery.allowed import allowed_wanted, understand_allowed
from tenure.discovery.caches import understand_caches
from tenure.discovery.capabilities import capabilities_of, power_wanted
from tenure.discovery.cores import CPU, offline_cpus, online_cpus, understand_cores
from tenure.discovery.disks import understand_disks
from tenure.discovery.findings import Findings
from tenure.discovery.gpus import understand_gpus
from tenure.discovery.memory import memory_total, node_facts, understand_distances, understand_memory
from tenure.discovery.network import understand_network
from tenure.discovery.nvml import NvidiaFacts, read_nvml
from tenure.discovery.pci import PCI, understand_pci
from tenure.discovery.pci_names import PciNames, names_from_pci_ids
from tenure.discovery.reading import FileFacts, Wanted, read_more, read_tree
from tenure.discovery.reserve import ReserveRule, reserved_for_system
from tenure.discovery.system import architecture, dmi_fact, kernel, system_vendor
from tenure.discovery.virtual import hypervisor
from tenure.discovery.wanted import HARDWARE, PCI_IDS
from tenure.topology import DeviceLink, Fact, Gpu, MachineTopology, ObservedMachine, Unknown, listed

NOT_HERE = Unknown("a recorded tree holds files only; NVIDIA's library is asked on the machine itself")

NvmlReader = Callable[[], NvidiaFacts | Unknown]


def scan(
    root: str | Path = "/",
    *,
    nvml: NvmlReader = read_nvml,
    reserve: ReserveRule = reserved_for_system,
    probe: bool = True,
) -> ObservedMachine:
    """The machine below `root`: the running system for ``/``, or a tree recorded from one.

    On the running system it also asks NVIDIA's library and, with `probe`, tries in a control group of its own, which
    it removes, what can be enforced. Raises RootNotReadableError for the root alone: whatever else cannot be read is
    in the result with its reason.
    """
    facts = read_facts(root)
    told: NvidiaFacts | Unknown = nvml() if facts.is_live else NOT_HERE
    machine = understand(facts, told)
    machine = dataclasses.replace(machine, capabilities=capabilities_of(facts, machine, probe=probe and facts.is_live))
    return dataclasses.replace(machine, reserved=reserve(machine))


def read_facts(root: str | Path) -> FileFacts:
    """All files that a scan looks at."""
    facts = read_tree(root, HARDWARE)
    more = [*allowed_wanted(facts), *power_wanted(facts)]
    if facts.names(PCI):
        more += [Wanted(path.rpartition("/")[0], (path.rpartition("/")[2],)) for path in PCI_IDS]
    return read_more(facts, more)


def understand(facts: FileFacts, told: NvidiaFacts | Unknown = NOT_HERE) -> ObservedMachine:
    """The machine that these facts describe. Pure: no file is opened here."""
    findings = Findings()
    if facts.is_live and sys.platform != "linux":
        findings.missing("the machine", sys.platform, "discovery reads Linux's /proc and /sys; there are none here")
    cpus = online_cpus(facts)
    nodes = node_facts(facts, cpus)
    cores, kinds, packages = understand_cores(facts, findings, nodes.node_of_cpu())
    numa_nodes = understand_memory(facts, findings, nodes, cores)
    pci = understand_pci(facts, findings, _names(facts, findings), nodes.cpus)
    by_address = {device.address: device for device in listed(pci)}
    only_node = nodes.ids[0] if len(nodes.ids) == 1 else None
    gpus = understand_gpus(facts, findings, pci, numa_nodes, () if isinstance(told, Unknown) else told.gpus)
    if isinstance(told, Unknown):
        findings.missing("GPUs' own figures", "NVIDIA's management library", told)
    topology = MachineTopology(
        architecture=architecture(facts),
        vendor=system_vendor(facts),
        product=dmi_fact(facts, "product_name"),
        packages=packages,
        core_kinds=kinds,
        cores=cores,
        caches=understand_caches(facts, findings, cores),
        numa_nodes=numa_nodes,
        numa_distances=understand_distances(facts, findings, nodes),
        pci=pci,
        gpus=gpus,
        nics=understand_network(facts, findings, by_address, only_node),
        disks=understand_disks(facts, findings, by_address, only_node),
        links=_links(told, gpus),
    )
    return _observed(facts, findings, topology, nodes.ids)


def _observed(
    facts: FileFacts, findings: Findings, topology: MachineTopology, nodes: tuple[int, ...]
) -> ObservedMachine:
    allowed_cpus, allowed_nodes = understand_allowed(facts, findings, online_cpus(facts), nodes)
    offline = offline_cpus(facts)
    if isinstance(offline, Unknown):
        findings.missing("CPUs switched off", f"/{CPU}/offline", offline)
    for what, fact in (("vendor", topology.vendor), ("product", topology.product)):
        if isinstance(fact, Unknown):
            findings.missing(f"{what} of the machine", "/sys/class/dmi/id", fact)
    virtual = hypervisor(facts)
    if virtual:
        findings.missing(
            "watts", "RAPL, hwmon, BMC", f"this is a virtual machine ({virtual}); its host does not pass them on"
        )
    return ObservedMachine(
        topology=topology,
        hostname=facts.text("proc/sys/kernel/hostname"),
        kernel=kernel(facts),
        boot_id=facts.text("proc/sys/kernel/random/boot_id"),
        virtual=virtual,
        memory_total_bytes=memory_total(facts),
        allowed_cpus=allowed_cpus,
        allowed_memory_nodes=allowed_nodes,
        offline_cpus=offline,
        source="this machine" if facts.is_live else facts.root,
        unread=tuple(findings.unread),
        conflicts=tuple(findings.conflicts),
    )


def _names(facts: FileFacts, findings: Findings) -> PciNames:
    if not facts.names(PCI):
        return PciNames()
    text = facts.first_text(*PCI_IDS)
    if isinstance(text, Unknown):
        findings.missing(
            "names of PCI devices", f"/{PCI_IDS[0]}", "not installed here; a few vendors are known without it"
        )
        return PciNames()
    pairs = []
    for entry in facts.names(PCI):
        vendor, device = facts.number(f"{PCI}/{entry}/vendor"), facts.number(f"{PCI}/{entry}/device")
        if not isinstance(vendor, Unknown) and not isinstance(device, Unknown):
            pairs.append((vendor, device))
    return names_from_pci_ids(text, pairs)


def _links(told: NvidiaFacts | Unknown, gpus: Fact[tuple[Gpu, ...]]) -> Fact[tuple[DeviceLink, ...]]:
    if not isinstance(told, Unknown):
        return told.links
    return told if listed(gpus) or isinstance(gpus, Unknown) else ()
