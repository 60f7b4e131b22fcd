"""What counts, as a value: the live holds of one Site as of one generation.

Pure. An object counts from the commit that names it until the commit that releases it; its phase is a mark that may be
late. `View.after(batch)` is what the holds are one generation later.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tenure.quantities import Bytes
from tenure.resources import Contract, Offer
from tenure.resources.kinds.allocation import Hold
from tenure.resources.kinds.site import Operation

PROPOSED = "Proposed"
# Phases whose object has a live hold. Proposed does not count; Accepted offers have passed theirs to the contract.
COUNTING = {"Offer": frozenset({"Held"}), "Contract": frozenset({"Commissioning", "Active", "Ending"})}


@dataclass(frozen=True, slots=True)
class Record:
    """One object with a hold."""

    kind: Literal["Offer", "Contract"]
    namespace: str
    name: str
    uid: str
    phase: str
    hold: Hold
    workload_uid: str
    planned_generation: int
    expires_ms: int | None = None  # offers only
    counter: bool = False  # an offer of something else than was asked for
    trial: bool = False  # an offer that nobody accepts: something is measured under its hold
    deleting: bool = False
    replaces: str | None = None  # contracts only: the one that ends in favour of this one

    @property
    def counts(self) -> bool:
        """Whether the hold is live at the phase recorded."""
        return self.phase in COUNTING[self.kind]


@dataclass(frozen=True, slots=True)
class View:
    """The ledger of one site at one generation: every live hold, by the uid of the object that carries it."""

    site: str
    generation: int
    records: Mapping[str, Record] = field(default_factory=dict)
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What follows from these records alone, kept by those who reckon it."""

    def live(self) -> list[Record]:
        """Records that count, in a fixed order."""
        return [r for r in sorted(self.records.values(), key=lambda r: (r.kind, r.namespace, r.name)) if r.counts]

    def group(self, group: str) -> list[Record]:
        """The live alternatives of one group."""
        return [r for r in self.live() if r.hold.group == group]

    def without(self, uids: Container[str]) -> "View":
        """The view as if these held nothing, at the same generation."""
        return View(self.site, self.generation, {uid: r for uid, r in self.records.items() if uid not in uids})

    def after(self, batch: Iterable[Operation], proposed: Iterable[Record] = ()) -> "View":
        """The view one generation later: `batch` applied to the records known and those just proposed.

        Where the batch is of none of them, as one of capacity alone, what follows from the records stays as well.
        """
        operations, added = list(batch), list(proposed)
        if not added and not any(operation.uid in self.records for operation in operations):
            return replace(self, generation=self.generation + 1)
        known = {**self.records, **{r.uid: r for r in added}}
        for operation in operations:
            record = known.get(operation.uid)
            if record is None:
                continue  # capacity operations, and objects already gone
            known[operation.uid] = replace(record, phase=operation.to_phase)
        live = {uid: record for uid, record in known.items() if record.counts}
        return View(self.site, self.generation + 1, live)


def on_its_host(record: Record, machine: str | None) -> Record:
    """The record with what it holds under another name of that machine held on the machine itself, too.

    None: the site has machines that differ, and each is what it is called.
    """
    named = record.hold.claims
    others = [claim for claim in named if claim.machine != machine]
    if machine is None or not others:
        return record
    # It is held once; the other name stays, of nothing, so that its object is seen to be stood on.
    empty = {"cores": [], "memory": Bytes(0), "memory_nodes": [], "devices": [], "draws": []}
    claims = [claim if claim.machine == machine else claim.model_copy(update=empty) for claim in named]
    claims += [claim.model_copy(update={"machine": machine}) for claim in others]
    return replace(record, hold=record.hold.model_copy(update={"claims": claims}))


def record_of_offer(offer: Offer) -> Record:
    """The record behind an Offer as read."""
    return Record(
        kind="Offer",
        namespace=offer.namespace or "",
        name=offer.name,
        uid=offer.uid,
        phase=offer.status.phase if offer.status else PROPOSED,
        hold=offer.spec.hold,
        workload_uid=offer.spec.workload.uid,
        planned_generation=offer.spec.planned_generation,
        expires_ms=int(offer.spec.expires_at),
        counter=not offer.spec.meets_in_full and offer.spec.purpose == "Offer",
        trial=offer.spec.purpose == "Trial",
        deleting=offer.metadata.deletion_timestamp is not None,
    )


def record_of_contract(contract: Contract) -> Record:
    """The record behind a Contract as read."""
    return Record(
        kind="Contract",
        namespace=contract.namespace or "",
        name=contract.name,
        uid=contract.uid,
        phase=contract.status.phase if contract.status else PROPOSED,
        hold=contract.spec.hold,
        workload_uid=contract.spec.workload.uid,
        planned_generation=contract.spec.planned_generation,
        deleting=contract.metadata.deletion_timestamp is not None,
        replaces=contract.spec.replaces,
    )
