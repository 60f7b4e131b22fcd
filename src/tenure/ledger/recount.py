"""The independent recount: from the objects alone, does every hold fit, and from the runs, is it what really runs?

It shares no code with the allocator or the calendar: it sweeps over the ends of all holds and adds up anew. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tenure.ledger.records import COUNTING, PROPOSED, Record
from tenure.ledger.recount_budgets import Limit, overbooked
from tenure.ledger.recount_groups import Side, sides, together
from tenure.quantities import format_instant
from tenure.resources.kinds.site import LedgerStatus


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one machine has to sell."""

    machine: str
    cores: frozenset[int]
    memory_bytes: int
    devices: Mapping[str, int] = field(default_factory=dict)  # thousandths by device id
    retired: bool = False


@dataclass(frozen=True, slots=True)
class RunFact:
    """What really runs, as the engine reads it from the kernel: cpus are those that the kernel allows."""

    run_id: str
    cores: frozenset[int]
    memory_limit_bytes: int | None
    alive: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. `code` is stable; `severity` is "error", or "late": the next commit or start completes it, or
    it ends by itself."""

    code: str
    subject: str
    message: str
    severity: str = "error"

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {"code": self.code, "subject": self.subject, "message": self.message, "severity": self.severity}


def recount(
    ledger: LedgerStatus,
    records: Sequence[Record],
    capacities: Sequence[Capacity],
    runs: Sequence[RunFact] | None,
    now_ms: int,
    limits: Sequence[Limit] = (),
    same: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Every disagreement, in a fixed order; none means that the ledger agrees with itself and with what runs.

    `records` are all Offers and Contracts of the site, whatever their phase. `runs` None leaves the engine out.
    `limits` are the budgets that the site declares. `same`: machines that are another one under a second name, and
    which: what they hold is held there.
    """
    same = same or {}
    named = [record for record in records if _counts(record, ledger)]
    live = [_by_its_name(record, same) for record in named]
    findings = [*_marks(records, ledger), *_out_of_use(named, capacities, same)]
    findings += _capacity(live, {c.machine: c for c in capacities})
    findings += [Finding("BudgetOverbooked", f"budget/{id}", message) for id, message in overbooked(live, limits)]
    if runs is not None:
        findings += _runs(live, records, runs, now_ms)
    return findings


def _by_its_name(record: Record, same: Mapping[str, str]) -> Record:
    if not any(claim.machine in same for claim in record.hold.claims):
        return record
    claims = [c.model_copy(update={"machine": same.get(c.machine, c.machine)}) for c in record.hold.claims]
    return replace(record, hold=record.hold.model_copy(update={"claims": claims}))


def _out_of_use(live: Sequence[Record], capacities: Sequence[Capacity], same: Mapping[str, str]) -> Iterator[Finding]:
    """Machines that are none any more, and still hold something or are still said to sell."""
    held = Counter(name for record in live for name in {claim.machine for claim in record.hold.claims})
    for capacity in sorted(capacities, key=lambda one: one.machine):
        name, other, count = capacity.machine, same.get(capacity.machine), held[capacity.machine]
        stands = "1 live hold stands on it" if count == 1 else f"{count} live holds stand on it"
        if other is not None and not capacity.retired:
            message = f"it is {other} under another name; the next start of the control plane retires it"
            yield Finding("MachineSame", f"Machine/{name}", message, "late")
        if other is not None and count:
            message = f"{stands}: held on {other}, which it is under another name; nothing new is placed on it"
            yield Finding("MachineSame", f"Machine/{name}", message, "late")
        elif count and capacity.retired:
            yield Finding(
                "MachineRetired", f"Machine/{name}", f"{stands}; it is retired, nothing new is placed on it", "late"
            )


def _counts(record: Record, ledger: LedgerStatus) -> bool:
    """Whether the record counts: by its phase, unless the last batch says otherwise."""
    phase = record.phase
    for operation in ledger.last_batch:
        # A contract goes on from Commissioning by itself; its late mark is only from Proposed.
        if operation.uid == record.uid and (phase == PROPOSED or operation.operation in ("Release", "Choose")):
            phase = operation.to_phase
    return phase in COUNTING[record.kind]


def _marks(records: Iterable[Record], ledger: LedgerStatus) -> Iterator[Finding]:
    by_uid = {record.uid: record for record in records}
    for operation in ledger.last_batch:
        record = by_uid.get(operation.uid)
        if record is not None and record.phase == PROPOSED and operation.to_phase != PROPOSED:
            yield Finding(
                "MarkLate",
                f"{record.kind}/{record.namespace}/{record.name}",
                f"committed as {operation.to_phase} in generation {ledger.generation}, still marked {record.phase}",
                "late",
            )
    named = {operation.uid for operation in ledger.last_batch}
    for record in by_uid.values():
        if record.phase == PROPOSED and record.planned_generation < ledger.generation and record.uid not in named:
            yield Finding(
                "ProposedLeft",
                f"{record.kind}/{record.namespace}/{record.name}",
                f"proposed at generation {record.planned_generation} and never committed; does not count",
                "late",
            )


def _capacity(live: Sequence[Record], capacities: Mapping[str, Capacity]) -> Iterator[Finding]:
    """Sweep the instants at which something starts; between two of them nothing grows."""
    instants = sorted({int(record.hold.start) for record in live})
    side_of = sides(live)
    for machine in sorted({claim.machine for record in live for claim in record.hold.claims}):
        capacity = capacities.get(machine)
        if capacity is None:
            yield Finding("MachineUnknown", f"Machine/{machine}", "holds name a machine that the site does not have")
            continue
        for instant in instants:
            present = [(side_of[r.uid], r) for r in live if int(r.hold.start) <= instant < int(r.hold.end)]
            yield from _at_instant(machine, capacity, present, instant)


def _at_instant(
    machine: str, capacity: Capacity, present: Sequence[tuple[Side, Record]], instant: int
) -> Iterator[Finding]:
    cores: dict[int, list[tuple[Side, int]]] = defaultdict(list)
    memory: list[tuple[Side, int]] = []
    devices: dict[str, list[tuple[Side, int]]] = defaultdict(list)
    for side, record in present:
        claims = [claim for claim in record.hold.claims if claim.machine == machine]
        for core in {core for claim in claims for core in claim.cores}:
            cores[core].append((side, 1))
        memory.append((side, sum(int(claim.memory) for claim in claims)))
        own: dict[str, int] = defaultdict(int)
        for device in (device for claim in claims for device in claim.devices):
            own[device.id] += int(device.count)
        for device_id, count in own.items():
            devices[device_id].append((side, count))
    when = format_instant(instant)
    for core, held_by in sorted(cores.items()):
        groups = sorted({line or group for (group, line), _ in held_by})
        if core not in capacity.cores:
            yield Finding("CoreNotSellable", f"{machine}/core-{core}", f"held by {groups} from {when}")
        elif together(held_by) > 1:
            yield Finding("CoreHeldTwice", f"{machine}/core-{core}", f"held by {groups} at {when}")
    total = together(memory)
    if total > capacity.memory_bytes:
        yield Finding("MemoryOverCapacity", machine, f"{total} of {capacity.memory_bytes} bytes held at {when}")
    for device_id, held_of in sorted(devices.items()):
        held = together(held_of)
        if held > capacity.devices.get(device_id, 0):
            yield Finding(
                "DeviceOverCapacity",
                f"{machine}/{device_id}",
                f"{held} of {capacity.devices.get(device_id, 0)} thousandths held at {when}",
            )


def _runs(live: Sequence[Record], records: Sequence[Record], runs: Sequence[RunFact], now_ms: int) -> Iterator[Finding]:
    """Every run belongs to a live hold and stays inside it; every Active contract runs."""
    holders = {record.hold.id: record for record in live}
    known = {record.hold.id for record in records}
    for run in runs:
        if not run.alive:
            continue
        holder = holders.get(run.run_id)
        if holder is None:
            what = "its hold was released" if run.run_id in known else "no object names it"
            yield Finding("RunWithoutHold", f"run/{run.run_id}", f"processes run although {what}")
            continue
        allowed = {core for claim in holder.hold.claims for core in claim.cores}
        if run.cores and not run.cores <= allowed:
            yield Finding(
                "RunOutsideHold",
                f"run/{run.run_id}",
                f"the kernel allows cores {sorted(run.cores)}, the hold has {sorted(allowed)}",
            )
    alive = {run.run_id for run in runs if run.alive}
    for record in live:
        runs_now = int(record.hold.start) <= now_ms < int(record.hold.end)
        if record.kind == "Contract" and record.phase == "Active" and runs_now and record.hold.id not in alive:
            yield Finding(
                "ContractNotRunning", f"Contract/{record.namespace}/{record.name}", "Active, and no process of it runs"
            )
