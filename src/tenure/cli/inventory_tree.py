"""The picture of a machine: packages, NUMA nodes, caches and cores, with what hangs from each NUMA node below it.

`render_tree` makes a rich renderable out of a topology alone, as a profile has it, or of an observed machine, whose
reserve, enforcement and gaps are then told below the tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from tenure.cli.inventory_devices import add_devices, nodes_with_devices
from tenure.cli.inventory_notes import notes
from tenure.cli.inventory_words import (
    CORES,
    MEMORY,
    QUIET,
    TITLE,
    UNSURE,
    core_names,
    core_squares,
    count,
    size,
    spaced,
)
from tenure.topology import (
    Cache,
    Core,
    MachineTopology,
    NumaNode,
    ObservedMachine,
    Unknown,
    digest,
    known_or,
    listed,
)

DIGEST_SHOWN = len("sha256:") + 12
GROUPS_MAX = 8
"""So many last-level caches of a node get a line each; more that are alike become one line."""


@dataclass(frozen=True, slots=True)
class View:
    """What the picture is drawn from: the hardware, which cores are kept or not allowed, and how much to show."""

    machine: MachineTopology
    kept: frozenset[int]
    allowed: frozenset[int] | None
    wide: bool


def render_tree(machine: MachineTopology | ObservedMachine, *, wide: bool = False) -> RenderableType:
    """The picture. `wide` shows every PCI function and every gap instead of counting them."""
    observed = machine if isinstance(machine, ObservedMachine) else None
    topology = machine.topology if isinstance(machine, ObservedMachine) else machine
    reserved = observed.reserved if observed else Unknown("")
    view = View(
        machine=topology,
        kept=frozenset() if isinstance(reserved, Unknown) else frozenset(reserved.cores),
        allowed=frozenset(observed.allowed_cores()) if observed and topology.cores else None,
        wide=wide,
    )
    parts: list[RenderableType] = [_header(topology, observed, wide=wide), *_trees(view)]
    parts += notes(topology, observed, wide=wide)
    return Group(*parts)


def _header(machine: MachineTopology, observed: ObservedMachine | None, *, wide: bool) -> RenderableType:
    name = " ".join(known_or(fact, "") for fact in (machine.vendor, machine.product)).strip()
    vendor, product = known_or(machine.vendor, ""), known_or(machine.product, "")
    if vendor and product.upper().startswith(vendor.upper()):
        name = product
    system: list[str] = []
    if observed:
        virtual = known_or(observed.virtual, "")
        system = [known_or(observed.hostname, ""), known_or(observed.kernel, "")]
        system.append(f"virtual machine on {virtual}" if virtual else "")
    system.append(known_or(machine.architecture, ""))
    name_of_profile = digest(machine)
    lines = [
        Text(" · ".join(_counts(machine))),
        Text(" · ".join(part for part in system if part), QUIET),
        Text(f"profile {name_of_profile if wide else name_of_profile[:DIGEST_SHOWN]}", QUIET),
    ]
    heading = name or "This machine" if observed and observed.source == "this machine" else name or "Machine"
    source = observed.source if observed and observed.source != "this machine" else ""
    return Panel(
        Group(*(line for line in lines if line.plain)),
        title=Text(heading, TITLE),
        title_align="left",
        subtitle=Text(f"read from {source}", QUIET) if source else None,
        subtitle_align="left",
        expand=False,
        border_style=QUIET,
    )


def _counts(machine: MachineTopology) -> list[str]:
    cpus = sum(len(core.cpus) for core in machine.cores)
    counts = []
    if machine.packages:
        counts.append(count(len(machine.packages), "package"))
    if machine.cores:
        smt = f" ({cpus} CPUs)" if cpus != len(machine.cores) else ""
        counts.append(count(len(machine.cores), "core") + smt)
    if len(machine.numa_nodes) > 1:
        counts.append(count(len(machine.numa_nodes), "NUMA node"))
    if not isinstance(machine.memory_bytes, Unknown):
        counts.append(f"{size(machine.memory_bytes)} memory")
    devices = (("GPU", machine.gpus), ("NIC", machine.nics), ("disk", machine.disks))
    for noun, fact in devices:
        if not isinstance(fact, Unknown):
            counts.append(count(len(fact), noun) if fact else f"no {noun}")
    unknown = [f"{noun}s" for noun, fact in devices if isinstance(fact, Unknown)]
    return [*counts, f"{', '.join(unknown)} unknown"] if unknown else counts


def _trees(view: View) -> list[Tree]:
    machine = view.machine
    if not machine.cores:
        return [tree for tree in (_unplaced(view),) if tree]
    nodes_outside = any(len(_packages_of(machine, node)) > 1 for node in machine.numa_nodes)
    trees: list[Tree] = []
    placed: set[int] = set()
    if nodes_outside or not machine.packages:
        for node in _nodes_with_cores(machine):
            tree = Tree(_node_words(node), guide_style=QUIET)
            for number in sorted(_packages_of(machine, node)) if len(machine.packages) > 1 else ():
                members = [c for c in machine.cores if c.package == number and c.numa_node == node.id]
                branch = tree.add(_package_words(view, number))
                _add_caches(branch, view, members)
            if len(machine.packages) <= 1:
                _add_caches(tree, view, [core for core in machine.cores if core.numa_node == node.id])
            _add_below_node(tree, view, node)
            trees.append(tree)
            placed.add(node.id)
    else:
        for package in machine.packages:
            tree = Tree(_package_words(view, package.id), guide_style=QUIET)
            for node in _nodes_with_cores(machine):
                if package.id in _packages_of(machine, node):
                    _fill_node(tree.add(_node_words(node)), view, node)
                    placed.add(node.id)
            trees.append(tree)
    trees += _memory_alone(view, placed)
    unplaced = _unplaced(view)
    return [*trees, unplaced] if unplaced else trees


def _packages_of(machine: MachineTopology, node: NumaNode) -> set[int]:
    members = set(node.cores)
    return {c.package for c in machine.cores if c.id in members and not isinstance(c.package, Unknown)}


def _nodes_with_cores(machine: MachineTopology) -> list[NumaNode]:
    return [node for node in machine.numa_nodes if node.cores]


def _package_words(view: View, package_id: int) -> Text:
    package = next(package for package in view.machine.packages if package.id == package_id)
    model = package.model if not isinstance(package.model, Unknown) else ""
    if not model:
        kinds = [kind.model for kind in view.machine.core_kinds if not isinstance(kind.model, Unknown)]
        model = " and ".join(kinds)
    return spaced((f"Package {package.id}", TITLE), model)


def _node_words(node: NumaNode) -> Text:
    kind = ("memory of a kind unknown", UNSURE) if isinstance(node.kind, Unknown) else (node.kind, MEMORY)
    return spaced((f"NUMA node {node.id}", MEMORY), (size(node.memory_bytes), MEMORY), kind)


def _fill_node(tree: Tree, view: View, node: NumaNode) -> None:
    _add_caches(tree, view, [core for core in view.machine.cores if core.numa_node == node.id])
    _add_below_node(tree, view, node)


def _add_below_node(tree: Tree, view: View, node: NumaNode) -> None:
    add_devices(tree, view.machine, node.id, wide=view.wide)


def _add_caches(tree: Tree, view: View, cores: Sequence[Core]) -> None:
    """A line for each last-level cache with its cores, or one for many alike; private caches are told once."""
    members = {core.id for core in cores}
    groups = [tuple(core for core in group if core in members) for group in view.machine.l3_groups()]
    groups = [group for group in groups if group]
    words = [_group_words(view, group) for group in groups]
    if len(groups) > GROUPS_MAX and len({word.plain.partition("  ")[0] for word in words}) == 1 and not view.wide:
        first = words[0].plain.partition("  ")[0]
        each = count(len(groups[0]), "core")
        tree.add(spaced((f"{len(groups)} × {first}", CORES), f"{each} each", core_names(members)))
    else:
        for group, word in zip(groups, words, strict=True):
            _draw_group(tree, view, group, word)
    for line in _private_caches(view, cores):
        tree.add(Text(line, QUIET))


def _group_words(view: View, group: tuple[int, ...]) -> Text:
    shared = _outermost(view.machine, group)
    if shared is None or (len(shared.cores) == 1 and shared.level < 3):
        return Text("no shared cache")
    return Text(f"L{shared.level} {size(shared.size_bytes)}", CORES)


def _outermost(machine: MachineTopology, group: tuple[int, ...]) -> Cache | None:
    return max((c for c in machine.caches if group[0] in c.cores), key=lambda cache: cache.level, default=None)


def _draw_group(tree: Tree, view: View, group: tuple[int, ...], word: Text) -> None:
    machine = view.machine
    by_kind: dict[str, list[int]] = {}
    for core in group:
        by_kind.setdefault(machine.core(core).kind, []).append(core)
    lines = []
    for kind, members in by_kind.items():
        siblings = {len(machine.core(core).cpus) for core in members}
        smt = f"{siblings.pop()} CPUs each" if siblings != {1} and len(siblings) == 1 else ""
        squares = core_squares(members, view.kept, view.allowed)
        named = kind if len(machine.core_kinds) > 1 else ""
        lines.append(spaced(squares, core_names(members), (named, CORES), (smt, QUIET)))
    if len(lines) == 1:
        tree.add(spaced(word, lines[0]))
        return
    branch = tree.add(word)
    for line in lines:
        branch.add(line)


def _private_caches(view: View, cores: Sequence[Core]) -> list[str]:
    """``each core: L2 1 MiB, L1d 48 KiB, L1i 32 KiB``, by kind of core where kinds differ."""
    told: dict[str, set[tuple[str, ...]]] = {}
    for core in cores:
        own = [c for c in view.machine.caches if core.id in c.cores and c.level < 3]
        last = _outermost(view.machine, (core.id,))
        words = tuple(_cache_words(c) for c in own if c is not last or len(c.cores) == 1)
        told.setdefault(core.kind, set()).add(words)
    if len({frozenset(words) for words in told.values()}) == 1:
        told = {"": next(iter(told.values()))}
    lines = []
    for kind, several in told.items():
        words = next(iter(several)) if len(several) == 1 else ()
        named = f"{kind} core" if kind else "core"
        lines += [f"each {named}: {', '.join(words)}"] if words else []
    return lines


def _cache_words(cache: Cache) -> str:
    side = {"data": "d", "instruction": "i"}.get(cache.type, "")
    shared = f" for {len(cache.cores)} cores" if len(cache.cores) > 1 else ""
    return f"L{cache.level}{side} {size(cache.size_bytes)}{shared}"


def _memory_alone(view: View, placed: set[int]) -> list[Tree]:
    """Nodes without cores; a GPU's memory is told with the GPU."""
    shown = {gpu.memory_node for gpu in listed(view.machine.gpus) if not isinstance(gpu.memory_node, Unknown)}
    trees = []
    for node in view.machine.numa_nodes:
        if node.id in placed or node.id in shown or node.cores:
            continue
        tree = Tree(spaced(_node_words(node), ("no cores", QUIET), (node.device, QUIET)), guide_style=QUIET)
        add_devices(tree, view.machine, node.id, wide=view.wide)
        trees.append(tree)
    return trees


def _unplaced(view: View) -> Tree | None:
    unknown = next((node for node in nodes_with_devices(view.machine) if isinstance(node, Unknown)), None)
    if unknown is None:
        return None
    tree = Tree(spaced(("NUMA node unknown", UNSURE), (unknown.reason, QUIET)), guide_style=QUIET)
    add_devices(tree, view.machine, unknown, wide=view.wide)
    return tree
