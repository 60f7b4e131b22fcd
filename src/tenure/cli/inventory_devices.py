"""The PCI part of the inventory's picture: switches, GPUs, network interfaces, disks; the rest is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree

from tenure.cli.inventory_words import (
    GPU,
    NETWORK,
    QUIET,
    STORAGE,
    UNSURE,
    count,
    link_words,
    rate_bits,
    short_address,
    size,
    spaced,
    watts,
)
from tenure.discovery.pci_names import class_name, title
from tenure.topology import (
    Disk,
    Fact,
    Gpu,
    MachineTopology,
    NetworkInterface,
    PciDevice,
    Unknown,
    listed,
)

ALIKE_MAX = 4
"""So many alike are shown one by one; more become one line with their number."""

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


@dataclass(frozen=True, slots=True)
class Line:
    """One device: its role, its name, what makes it like another (`kind`), and the place that tells it apart."""

    role: Text
    name: str
    kind: Text
    place: str
    fold: bool = True

    def drawn(self, *, wide: bool) -> Text:
        place = self.place if wide else short_address(self.place)
        return spaced(self.role, self.name, self.kind, (place, QUIET))


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
    _draw_lines(tree, [_line(device, None) for device in loose])


def _same(one: Fact[int], other: Fact[int]) -> bool:
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return isinstance(one, Unknown) and isinstance(other, Unknown)
    return one == other


def _grow(top: Branch, devices: Sequence[PciDevice], machine: MachineTopology) -> None:
    roles: dict[str, list[Gpu | NetworkInterface | Disk]] = {}
    for role in machine.devices():
        if not isinstance(role.pci, Unknown):
            roles.setdefault(role.pci, []).append(role)
    branches = {device.address: Branch(device) for device in devices if device.is_bridge}
    for device in devices:
        above = branches.get(device.parent, top)
        if device.is_bridge:
            above.branches.append(branches[device.address])
        elif device.address in roles:
            above.lines += [_line(role, device) for role in roles[device.address]]
        elif _is_nvswitch(device):
            above.lines.append(Line(Text("NVSwitch", GPU), "", link_words(device.link), device.address))
        else:
            above.others.append(device)


def _is_nvswitch(device: PciDevice) -> bool:
    return device.name == "NVSwitch" or (device.class_code == NVSWITCH_CLASS and device.vendor_id == NVIDIA)


def _draw_root(tree: Tree, root: str, branch: Branch, *, wide: bool) -> None:
    others = branch.all_others()
    passed = _without_passages(branch)
    if not wide and not others and not passed.branches and len(passed.lines) == 1:
        _draw_lines(tree, passed.lines)  # a root of its own for one device is no junction either
        return
    if branch.is_empty() and not wide:
        if others:
            tree.add(spaced(f"PCI {root}", (_counted(others), QUIET)))
        return
    here = tree.add(Text(f"PCI {root}"))
    _draw_branch(here, branch, wide=wide)
    if others and not wide:
        here.add(Text(_counted(others), QUIET))


def _draw_branch(tree: Tree, branch: Branch, *, wide: bool) -> None:
    if wide:
        _draw_lines(tree, branch.lines, wide=True)
        for device in branch.others:
            tree.add(spaced(title(device), link_words(device.link), (device.address, QUIET)))
        for inner in branch.branches:
            _draw_branch(tree.add(_bridge(inner, "bridge")), inner, wide=True)
        return
    inside = [_without_passages(inner) for inner in branch.branches if not inner.is_empty()]
    lone = [line for inner in inside if not inner.branches for line in inner.lines]
    _draw_lines(tree, branch.lines + lone)
    for inner in inside:
        if inner.branches:
            _draw_branch(tree.add(_bridge(inner, "PCIe switch")), inner, wide=False)


def _without_passages(branch: Branch) -> Branch:
    """The branch, or the only thing below it: a bridge that leads to one other is no junction worth drawing."""
    full = [inner for inner in branch.branches if not inner.is_empty()]
    return _without_passages(full[0]) if len(full) == 1 and not branch.lines else branch


def _bridge(branch: Branch, word: str) -> Text:
    device = branch.device
    if device is None:
        return Text(word)
    named = "" if isinstance(device.vendor, Unknown) else str(device.vendor)
    return spaced(word, named, link_words(device.link), (short_address(device.address), QUIET))


def _draw_lines(tree: Tree, lines: Iterable[Line], *, wide: bool = False) -> None:
    alike: dict[str, list[Line]] = {}
    for line in lines:
        alike.setdefault(line.role.plain + line.kind.markup, []).append(line)
    for group in alike.values():
        if wide or len(group) <= ALIKE_MAX or not group[0].fold:
            for line in group:
                tree.add(line.drawn(wide=wide))
            continue
        names = [line.name for line in group if line.name]
        span = f"{names[0]} … {names[-1]}" if names else ""
        places = f"{short_address(group[0].place)} … {short_address(group[-1].place)}"
        tree.add(spaced(f"{len(group)} ×", group[0].role, span, group[0].kind, (places, QUIET)))


def _line(role: Gpu | NetworkInterface | Disk, device: PciDevice | None) -> Line:
    link = link_words(device.link) if device else Text()
    if isinstance(role, Gpu):
        return Line(Text("GPU", GPU), role.name, _gpu(role, link), role.id, fold=False)
    if isinstance(role, NetworkInterface):
        return Line(Text("NIC", NETWORK), role.name, _nic(role, link), role.id)
    model = role.model if not isinstance(role.model, Unknown) else title(device) if device else ""
    medium = "" if isinstance(role.medium, Unknown) else role.medium
    kind = spaced((size(role.size_bytes), STORAGE), medium, model, link)
    return Line(Text("disk", STORAGE), role.name, kind, role.id)


def _gpu(gpu: Gpu, link: Text) -> Text:
    maker = "" if isinstance(gpu.vendor, Unknown) else gpu.vendor
    known = not isinstance(gpu.model, Unknown)
    model = str(gpu.model).removeprefix(f"{maker} ") if known else f"{maker} model unknown".strip()
    memory = "" if isinstance(gpu.memory_bytes, Unknown) else size(gpu.memory_bytes)
    own_node = "" if isinstance(gpu.memory_node, Unknown) else f"as NUMA node {gpu.memory_node}"
    power = "" if isinstance(gpu.power_max_mw, Unknown) else watts(gpu.power_max_mw)
    return spaced((model, GPU), memory, own_node, power, link)


def _nic(nic: NetworkInterface, link: Text) -> Text:
    speed = rate_bits(nic.speed_bits_per_s)
    style = UNSURE if isinstance(nic.speed_bits_per_s, Unknown) else NETWORK
    virtual = "virtual function" if nic.physical_function else ""
    model = "" if isinstance(nic.model, Unknown) else nic.model
    return spaced(
        "" if nic.kind == "ethernet" else nic.kind,
        (speed, style),
        model,
        nic.rdma and f"RDMA {nic.rdma}",
        virtual,
        link,
    )


def _counted(devices: Sequence[PciDevice]) -> str:
    """``4 others: ISA bridge, USB controller, 2 virtio socket``."""
    kinds = Counter(
        class_name(device.class_code) if device.vendor_id != 0x1AF4 else title(device) for device in devices
    )
    names = [name or "unknown" if number == 1 else f"{number} × {name or 'unknown'}" for name, number in kinds.items()]
    if len(names) == 1:
        return names[0]
    return f"{count(len(devices), 'other')}: {', '.join(names)}"
