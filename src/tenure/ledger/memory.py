"""The allocator's memory, exact for one generation: capacity and live holds, read consistently.

Nothing that counts changes without moving the generation, so the memory stays true until a swap fails.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenure.client import AsyncClient, ObjectList
from tenure.ledger.collect import collect_never_committed, is_proposed
from tenure.ledger.marks import complete_marks
from tenure.ledger.records import View, on_its_host, record_of_contract, record_of_offer
from tenure.placement import Fleet
from tenure.quantities import Clock
from tenure.resources import Contract, HardwareProfile, Machine, Offer, Site
from tenure.resources.kinds.site import LedgerStatus, SiteStatus

FleetOf = Callable[[Site, Sequence[Machine], Sequence[HardwareProfile]], Fleet]
"""How a site, its machines and their profiles become the fleet that placement plans on."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The site as read, its holds and its fleet as of `view.generation`."""

    site: Site
    view: View
    fleet: Fleet
    undecided: bool = False
    """Whether something is proposed at this very generation: by an allocator at work, or by one that failed."""
    machine: str | None = None
    """The one machine that the site is; None where it has several."""

    @property
    def generation(self) -> int:
        """The generation that this memory is exact for."""
        return self.view.generation


def ledger_of(site: Site) -> LedgerStatus:
    """The site's ledger; generation 0 with no batch before the first commit."""
    return (site.status or SiteStatus()).ledger


async def read_memory(
    client: AsyncClient, site_name: str, clock: Clock, fleet_of: FleetOf, machine: str | None = None
) -> Memory:
    """Read the ledger anew: complete the marks of the last batch, collect what never counted, list what counts.

    Never from a watch cache. Another allocator may commit between the reads; then the swap fails and this runs again.
    Where the site is one `machine`, nothing is for sale under another name, and what is held under one counts on it.
    Raises Unreadable where one that counts cannot be read: with it left out, what it holds would be sold twice.
    """
    site = await client.get(Site, site_name)
    ledger = ledger_of(site)
    await complete_marks(client, ledger.last_batch, clock)
    offers = [o for o in (await client.list(Offer)).items if o.spec.hold.site == site_name]
    contracts = [c for c in (await client.list(Contract)).items if c.spec.hold.site == site_name]
    await collect_never_committed(client, offers, contracts, ledger)
    made = [*map(record_of_offer, offers), *map(record_of_contract, contracts)]
    records = [on_its_host(record, machine) for record in made]
    view = View(site_name, ledger.generation, {r.uid: r for r in records if r.counts})
    machines = [m for m in (await client.list(Machine)).items if m.spec.site == site_name and machine in (None, m.name)]
    goes = site.metadata.deletion_timestamp is not None
    machines = [_draining(m) if goes or m.metadata.deletion_timestamp is not None else m for m in machines]
    profiles = _profiles_of(machines, await client.list(HardwareProfile))
    everything: list[Offer | Contract] = [*offers, *contracts]
    undecided = any(is_proposed(o) and o.spec.planned_generation >= ledger.generation for o in everything)
    return Memory(site, view, fleet_of(site, machines, profiles), undecided, machine)


def _profiles_of(machines: Sequence[Machine], listed: ObjectList[HardwareProfile]) -> list[HardwareProfile]:
    """Those that can be read. Raises Unreadable where a machine has another: what it holds would stand on nothing."""
    had = {machine.spec.profile for machine in machines}
    for error in listed.unreadable:
        if error.name in had:
            raise error
    return listed.readable


def counts_alike(one: Site, other: Site) -> bool:
    """Whether a plan for the site as read once stands for it as read later: the same budgets, and not deleted since."""
    return one.spec == other.spec and one.metadata.deletion_timestamp == other.metadata.deletion_timestamp


def _draining(machine: Machine) -> Machine:
    """A machine that is being deleted, or whose site is: what it holds stays, nothing new is placed on it."""
    if machine.status is None or machine.status.state != "Ready":
        return machine
    return machine.model_copy(update={"status": machine.status.model_copy(update={"state": "Draining"})})
