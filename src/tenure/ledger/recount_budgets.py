"""The recount of budgets: power, cooling, floor, weight and licences, added up anew from the holds. Pure.

Like the rest of the recount it shares no code with placement: what a core or a device draws is given, and the sum over
a budget's machines, at each instant at which something starts, is made here. The greatest of alternatives counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenure.ledger.records import Record
from tenure.ledger.recount_groups import sides, together
from tenure.quantities import format_instant

NAMED_MAX = 4
"""Holders named in a finding; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One budget: `limit` of `unit` for all `machines` together, of which `base` is taken whatever is held. What holds
    draw by their own word they draw of its `name`. `level` and `domain` say which part of the site that is.

    `by_core` and `by_device` are what one core, and one whole device, of each machine draws of it; a machine of which
    that is not known draws nothing, as everywhere. Thousandths of a device draw their part, rounded up. Where
    `drawing` names devices of a machine, only those draw: what a NIC takes is in the cores' part. Of an uplink
    (`crossing`) only holds draw that also stand on other machines.
    """

    id: str
    limit: int
    machines: frozenset[str]
    base: int = 0
    unit: str = ""
    by_core: Mapping[str, int] = field(default_factory=dict)
    by_device: Mapping[str, int] = field(default_factory=dict)
    drawing: Mapping[str, frozenset[str]] = field(default_factory=dict)
    name: str = ""
    crossing: bool = False
    level: str = ""
    domain: str = ""

    @property
    def where(self) -> str:
        """Whose limit it is, for a sentence."""
        return f" of {self.level} {self.domain}" if self.level else ""


def overbooked(live: Sequence[Record], limits: Sequence[Limit]) -> Iterator[tuple[str, str]]:
    """(budget, what is wrong), once a budget: at the first instant at which more is held than it allows."""
    instants = sorted({int(record.hold.start) for record in live})
    side_of = sides(live)
    for limit in sorted(limits, key=lambda one: one.id):
        if limit.base > limit.limit:
            said = f"{limit.base} of {limit.limit} {limit.unit}{limit.where}"
            yield limit.id, f"{said} are taken by the machines themselves"
            continue
        drawn = [(record, amount) for record in live if (amount := _drawn(record, limit))]
        for instant in instants:
            present = [(r, n) for r, n in drawn if int(r.hold.start) <= instant < int(r.hold.end)]
            total = limit.base + together((side_of[r.uid], amount) for r, amount in present)
            if total > limit.limit:
                yield limit.id, _said(limit, total, [record for record, _ in present], instant)
                break


def _drawn(record: Record, limit: Limit) -> int:
    total = 0
    if limit.crossing and all(claim.machine in limit.machines for claim in record.hold.claims):
        return 0
    for claim in record.hold.claims:
        if claim.machine in limit.machines:
            total += len(claim.cores) * limit.by_core.get(claim.machine, 0)
            each = limit.by_device.get(claim.machine, 0)
            own = limit.drawing.get(claim.machine)
            devices = [device for device in claim.devices if own is None or device.id in own]
            total += sum(-(-each * int(device.count) // 1000) for device in devices)
            total += sum(draw.amount for draw in claim.draws if draw.budget == limit.name)
    return total


def _said(limit: Limit, total: int, records: Sequence[Record], instant: int) -> str:
    names = sorted(f"{record.kind}/{record.namespace}/{record.name}" for record in records)
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    held = ", ".join(names[:NAMED_MAX]) + more
    return f"{total} of {limit.limit} {limit.unit}{limit.where} held at {format_instant(instant)} by {held}"
