"""The PCI part of the inventory's picture: switches, GPUs, network interfaces, disks; the rest is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree

from tenure.cli.inventory_lines import Line, device_line, draw_lines, nvswitch_line
from tenure.cli.inventory_words import QUIET, count, link_words, short_address, spaced
from tenure.discovery.pci_names import class_name, title
from tenure.topology import Fact, MachineTopology, PciDevice, Unknown, listed
from tenure.topology.machine import Device

NVSWITCH_CLASS, NVIDIA, VIRTIO = 0x0680, 0x10DE, 0x1AF4


@dataclass(slots=True)
class Branch:
    """A bridge or root with what hangs below it, before it is drawn."""

    device: PciDevice | None
    branches: list[Branch] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    others: list[PciDevice] = field(default_factory=list)

    def is_empty(self) -> bool:
        return not self.lines and all(branch.is_empty() for branch in self.branches)

    def all_others(self) -> list[PciDevice]:
        return self.others + [device for branch in self.branches for device in branch.all_others()]


def nodes_with_devices(machine: MachineTopology) -> set[Fact[int]]:
    """NUMA nodes that something hangs from; an Unknown among them when the node of something is not known."""
    found = {device.numa_node for device in listed(machine.pci)}
    return found | {device.numa_node for device in machine.devices() if isinstance(device.pci, Unknown)}


def add_devices(tree: Tree, machine: MachineTopology, node: Fact[int], *, wide: bool) -> None:
    """Draws below `tree` what hangs from a NUMA node, root by root."""
    pci = [device for device in listed(machine.pci) if _same(device.numa_node, node)]
    roots: dict[str, Branch] = {}
    for device in pci:
        roots.setdefault(device.root, Branch(None))
    for root, branch in roots.items():
        inside = [device for device in pci if device.root == root]
        _grow(branch, inside, machine)
        _draw_root(tree, root, branch, wide=wide)
    loose = [d for d in machine.devices() if isinstance(d.pci, Unknown) and _same(d.numa_node, node)]
    draw_lines(tree, [device_line(device, None) for device in loose])


def _same(one: Fact[int], other: Fact[int]) -> bool:
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return isinstance(one, Unknown) and isinstance(other, Unknown)
    return one == other


def _grow(top: Branch, devices: Sequence[PciDevice], machine: MachineTopology) -> None:
    roles: dict[str, list[Device]] = {}
    for role in machine.devices():
        if not isinstance(role.pci, Unknown):
            roles.setdefault(role.pci, []).append(role)
    branches = {device.address: Branch(device) for device in devices if device.is_bridge}
    for device in devices:
        above = branches.get(device.parent, top)
        if device.is_bridge:
            above.branches.append(branches[device.address])
        elif device.address in roles:
            above.lines += [device_line(role, device) for role in roles[device.address]]
        elif _is_nvswitch(device):
            above.lines.append(nvswitch_line(device))
        else:
            above.others.append(device)


def _is_nvswitch(device: PciDevice) -> bool:
    return device.name == "NVSwitch" or (device.class_code == NVSWITCH_CLASS and device.vendor_id == NVIDIA)


def _draw_root(tree: Tree, root: str, branch: Branch, *, wide: bool) -> None:
    others = branch.all_others()
    passed = _without_passages(branch)
    if not wide and not others and not passed.branches and len(passed.lines) == 1:
        draw_lines(tree, passed.lines)  # a root of its own for one device is no junction either
        return
    if branch.is_empty() and not wide:
        if others:
            tree.add(spaced(f"PCI {root}", (_counted(others), QUIET)))
        return
    if wide:
        _draw_branch(tree.add(Text(f"PCI {root}")), branch, wide=True)
        return
    if not others and passed.branches and passed.device is not None:
        _draw_branch(tree.add(spaced(f"PCI {root}", _bridge(passed, "PCIe switch"))), passed, wide=False)
        return
    here = tree.add(Text(f"PCI {root}"))
    _draw_branch(here, branch, wide=False)
    if others:
        here.add(Text(_counted(others), QUIET))


def _draw_branch(tree: Tree, branch: Branch, *, wide: bool) -> None:
    if wide:
        draw_lines(tree, branch.lines, wide=True)
        for device in branch.others:
            tree.add(spaced(title(device), link_words(device.link), (device.address, QUIET)))
        for inner in branch.branches:
            _draw_branch(tree.add(_bridge(inner, "bridge")), inner, wide=True)
        return
    inside = [_without_passages(inner) for inner in branch.branches if not inner.is_empty()]
    lone = [line for inner in inside if not inner.branches for line in inner.lines]
    draw_lines(tree, branch.lines + lone)
    for inner in inside:
        if inner.branches:
            _draw_branch(tree.add(_bridge(inner, "PCIe switch")), inner, wide=False)


def _without_passages(branch: Branch) -> Branch:
    """The branch without what is empty, or the only thing below it: a bridge to one other is no junction to draw."""
    full = [inner for inner in branch.branches if not inner.is_empty()]
    if len(full) == 1 and not branch.lines:
        return _without_passages(full[0])
    return Branch(branch.device, full, branch.lines, branch.others)


def _bridge(branch: Branch, word: str) -> Text:
    device = branch.device
    if device is None:
        return Text(word)
    named = "" if isinstance(device.vendor, Unknown) else str(device.vendor)
    return spaced(word, named, link_words(device.link), (short_address(device.address), QUIET))


def _counted(devices: Sequence[PciDevice]) -> str:
    """``4 others: ISA bridge, USB controller, 2 virtio socket``."""
    kinds = Counter(title(d) if d.vendor_id == VIRTIO else class_name(d.class_code) for d in devices)
    names = [name or "unknown" if number == 1 else f"{number} × {name or 'unknown'}" for name, number in kinds.items()]
    if len(names) == 1:
        return names[0]
    return f"{count(len(devices), 'other')}: {', '.join(names)}"
