"""What stands below the inventory's tree: links, distances, what is kept, what can be enforced, what is not known."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tenure.cli.inventory_words import (
    GOOD,
    GPU,
    KEPT,
    QUIET,
    TITLE,
    UNSURE,
    WRONG,
    core_names,
    count,
    rate_bytes,
    short_address,
    size,
)
from tenure.topology import MachineTopology, ObservedMachine, Unknown, known_or, linked_groups, listed

UNREAD_MAX = 8
MATRIX_MAX = 16

WHAT = {
    "cpuset": "pin to cores",
    "cpuQuota": "CPU quota",
    "memoryLimit": "memory limit",
    "networkRate": "network rate",
    "powerCap": "power cap",
}


def notes(machine: MachineTopology, observed: ObservedMachine | None, *, wide: bool) -> list[RenderableType]:
    """Sections that have something to say, each with its heading."""
    sections: list[tuple[str, RenderableType | None]] = [
        ("Links between devices", _links(machine)),
        ("NUMA distances", _distances(machine)),
    ]
    if observed is not None:
        sections += [
            ("Kept for the system", _reserve(machine, observed)),
            ("What can be enforced here", _enforcement(observed)),
            ("Sources disagree", _conflicts(observed)),
            ("Not known, and why", _unread(observed, wide=wide)),
        ]
    parts: list[RenderableType] = []
    for heading, body in sections:
        if body is not None:
            parts += [Text(), Text(heading, TITLE), Padding(body, (0, 0, 0, 2), expand=False)]
    return parts


def _rows() -> Table:
    return Table.grid(padding=(0, 2, 0, 0))


def _links(machine: MachineTopology) -> RenderableType | None:
    if not listed(machine.links):
        return None
    table = _rows()
    for group in linked_groups(machine):
        links = [link for link in listed(machine.links) if {link.a, link.b} & set(group)]
        switches = {link.b for link in links if link.to_switch}
        kinds = " and ".join(sorted({link.kind for link in links}))
        own = [link for link in links if group[0] in (link.a, link.b)]
        speeds = [known_or(link.bytes_per_s, 0) for link in own]
        lanes = [known_or(link.links, 0) for link in own]
        speed = "bandwidth unknown"
        if all(speeds):
            speed = f"{rate_bytes(sum(speeds))} each, one way"
        elif all(lanes):
            speed = f"{count(sum(lanes), 'link')} each, bandwidth unknown"
        way = f"through {count(len(switches), 'switch')}" if switches else "directly"
        joined = f"{count(len(group), 'device')} joined {way}"
        table.add_row(
            Text(kinds, GPU),
            Text(joined),
            Text(speed),
            Text(f"{short_address(group[0])} … {short_address(group[-1])}", QUIET),
        )
    return table


def _distances(machine: MachineTopology) -> RenderableType | None:
    if isinstance(machine.numa_distances, Unknown) or not 1 < len(machine.numa_nodes) <= MATRIX_MAX:
        return None
    table = Table.grid(padding=(0, 1, 0, 0))
    ids = [str(node.id) for node in machine.numa_nodes]
    table.add_row(Text("node", QUIET), *(Text(name, QUIET, justify="right") for name in ids))
    for name, row in zip(ids, machine.numa_distances, strict=True):
        cells = (Text(str(value), GOOD if value == 10 else "", justify="right") for value in row)
        table.add_row(Text(name, QUIET, justify="right"), *cells)
    return table


def _reserve(machine: MachineTopology, observed: ObservedMachine) -> RenderableType | None:
    reserved = observed.reserved
    if isinstance(reserved, Unknown):
        return None
    ids = tuple(core.id for core in machine.cores)
    cores = core_names(reserved.cores) if reserved.cores else "no core"
    text = Text()
    text.append("□ ", KEPT)
    text.append(f"{cores} and {size(reserved.memory_bytes)} of memory")
    text.append(f"; left to sell: {count(len(observed.sellable_cores()), 'core')}")
    text.append(f" and {size(observed.sellable_memory_bytes())}")
    text.append(f"\n{reserved.because}", QUIET)
    barred = len(ids) - len(observed.allowed_cores())
    if barred:
        text.append(f"\n· {count(barred, 'core')} outside this process's cpuset", QUIET)
    return text


def _enforcement(observed: ObservedMachine) -> RenderableType | None:
    rows = observed.capabilities
    if not rows:
        return None
    reasons = {row.reason for row in rows}
    if not any(row.available for row in rows) and len(reasons) == 1:
        return Text(f"not tried: {reasons.pop()}", QUIET)
    table = _rows()
    for row in rows:
        mark = Text("✓", GOOD) if row.available else Text("✗", WRONG)
        words = Text(row.mechanism)
        if row.reason:
            words.append(f" ({row.reason})" if row.mechanism else row.reason, QUIET)
        table.add_row(mark, Text(WHAT.get(row.what, row.what)), words)
    return table


def _conflicts(observed: ObservedMachine) -> RenderableType | None:
    if not observed.conflicts:
        return None
    table = _rows()
    for conflict in observed.conflicts:
        words = Text(f"{conflict.believed}, not {conflict.doubted}")
        words.append(f": {conflict.because}", QUIET)
        table.add_row(Text(conflict.what), words)
    return table


def _unread(observed: ObservedMachine, *, wide: bool) -> RenderableType | None:
    if not observed.unread:
        return None
    table = _rows()
    shown = observed.unread if wide else observed.unread[:UNREAD_MAX]
    for unread in shown:
        words = Text(unread.reason)
        if wide:
            words.append(f"  {unread.source}", QUIET)
        table.add_row(Text(unread.what, UNSURE), words)
    hidden = len(observed.unread) - len(shown)
    if hidden:
        table.add_row(Text(f"{hidden} more", QUIET), Text("-o wide shows all, and where they were looked for", QUIET))
    return table
