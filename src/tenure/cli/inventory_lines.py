"""One line of the inventory's picture for each device, which leaves out its least where the screen is narrow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text
from rich.tree import Tree

from tenure.cli.inventory_words import (
    GPU,
    NETWORK,
    QUIET,
    STORAGE,
    UNSURE,
    link_words,
    rate_bits,
    short_address,
    size,
    spaced,
    watts,
)
from tenure.discovery.pci_names import title
from tenure.topology import Gpu, NetworkInterface, PciDevice, Unknown
from tenure.topology.machine import Device

ALIKE_MAX = 2
"""So many alike are shown one by one; more become one line with their number. GPUs always have a line each."""

ALWAYS = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line. The greater its weight, the sooner it is left out; 0 stays."""

    text: Text
    weight: int = ALWAYS


@dataclass(frozen=True, slots=True)
class FittingLine:
    """Parts side by side, as many as the width has room for."""

    parts: tuple[Part, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.fitted(options.max_width)

    def fitted(self, width: int) -> Text:
        """The line in so many columns, if leaving out what may be left out gets it there."""
        parts = [part for part in self.parts if part.text.plain]
        while True:
            line = spaced(*(part.text for part in parts))
            droppable = [part for part in parts if part.weight]
            if line.cell_len <= width or not droppable:
                return line
            parts.remove(max(droppable, key=lambda part: part.weight))


@dataclass(frozen=True, slots=True)
class Line:
    """One device: its role, its name, what makes it like another (`kind`), and the place that tells it apart."""

    role: Text
    name: str
    kind: tuple[Part, ...]
    place: str
    fold: bool = True

    def drawn(self, *, wide: bool) -> FittingLine:
        place = self.place if wide else short_address(self.place)
        return FittingLine((Part(self.role), Part(Text(self.name)), *self.kind, Part(Text(place, QUIET))))

    @property
    def likeness(self) -> str:
        return self.role.plain + "|".join(part.text.markup for part in self.kind)


def draw_lines(tree: Tree, lines: Iterable[Line], *, wide: bool = False) -> None:
    """Lines below `tree`, in order; those that are alike together."""
    alike: dict[str, list[Line]] = {}
    for line in lines:
        alike.setdefault(line.likeness, []).append(line)
    for group in alike.values():
        if wide or len(group) <= ALIKE_MAX or not group[0].fold:
            for line in group:
                tree.add(line.drawn(wide=wide))
            continue
        names = [line.name for line in group if line.name]
        span = f"{names[0]} … {names[-1]}" if names else ""
        places = f"{short_address(group[0].place)} … {short_address(group[-1].place)}"
        many = (Part(Text(f"{len(group)} ×")), Part(group[0].role), Part(Text(span)))
        tree.add(FittingLine((*many, *group[0].kind, Part(Text(places, QUIET), weight=1))))


def nvswitch_line(device: PciDevice) -> Line:
    """The line of a switch of NVLink."""
    return Line(Text("NVSwitch", GPU), "", (Part(link_words(device.link), 1),), device.address)


def device_line(role: Device, device: PciDevice | None) -> Line:
    """The line of a GPU, network interface or disk. `device` is its PCI function, where it has one."""
    link = link_words(device.link) if device else Text()
    # Lanes that are lost must be seen; a link that is as it should be may be left out.
    lost = device is not None and not isinstance(device.link, Unknown) and device.link.is_narrowed
    link_part = Part(link, ALWAYS if lost else 3)
    if isinstance(role, Gpu):
        return Line(Text("GPU", GPU), role.name, (*_gpu(role), link_part), role.id, fold=False)
    if isinstance(role, NetworkInterface):
        return Line(Text("NIC", NETWORK), role.name, (*_nic(role), link_part), role.id)
    model = role.model if not isinstance(role.model, Unknown) else title(device) if device else ""
    medium = "" if isinstance(role.medium, Unknown) else role.medium
    parts = (Part(Text(size(role.size_bytes), STORAGE)), Part(Text(medium), 4), Part(Text(model), 2), link_part)
    return Line(Text("disk", STORAGE), role.name, parts, role.id)


def _gpu(gpu: Gpu) -> tuple[Part, ...]:
    maker = "" if isinstance(gpu.vendor, Unknown) else gpu.vendor
    known = not isinstance(gpu.model, Unknown)
    model = str(gpu.model).removeprefix(f"{maker} ") if known else f"{maker} model unknown".strip()
    memory = "" if isinstance(gpu.memory_bytes, Unknown) else size(gpu.memory_bytes)
    own_node = "" if isinstance(gpu.memory_node, Unknown) else f"as NUMA node {gpu.memory_node}"
    power = "" if isinstance(gpu.power_max_mw, Unknown) else watts(gpu.power_max_mw)
    return Part(Text(model, GPU)), Part(Text(memory)), Part(Text(own_node)), Part(Text(power), 2)


def _nic(nic: NetworkInterface) -> tuple[Part, ...]:
    unsure = isinstance(nic.speed_bits_per_s, Unknown)
    return (
        Part(Text("" if nic.kind == "ethernet" else nic.kind), 4),
        Part(Text(rate_bits(nic.speed_bits_per_s), UNSURE if unsure else NETWORK)),
        Part(Text("" if isinstance(nic.model, Unknown) else nic.model), 2),
        Part(Text(f"RDMA {nic.rdma}" if nic.rdma else ""), 1),
        Part(Text("virtual function" if nic.physical_function else ""), 1),
    )
