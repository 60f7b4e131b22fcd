"""An offer that would replace a contract may have its very cores: never counted twice, never free in between."""

import pytest

from tenure.ledger import Allocator, accept, hold_offers, recount, release
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import record_of_contract, record_of_offer
from tenure.quantities import VirtualClock
from tenure.resources import Contract, Offer, Site
from tests.ledger.builders import capacity, contract_for, fleet_of, hold, offer, site, take_free_core
from tests.support.memory_host import Crashed, MemoryHost

pytestmark = pytest.mark.anyio
CORES = 1


def allocator(host: MemoryHost) -> Allocator:
    return Allocator(host, "local", VirtualClock(1000), fleet_of(CORES))  # type: ignore[arg-type]


async def contracted() -> tuple[MemoryHost, Offer]:
    """One core, under contract, and an offer on the same core that would take the contract's place."""
    host = MemoryHost()
    await host.create(site())
    one = allocator(host)
    first = (
        await one.decide(lambda view, fleet, now: hold_offers([offer("old", "chat", hold("h1", "g", [0]))]))
    ).offers
    await one.decide(lambda view, fleet, now: accept(view, first[0].uid, contract_for(first[0]), now))
    made = (await one.decide(lambda view, fleet, now: hold_offers([offer("new", "chat", hold("h2", "g", [0]))]))).offers
    return host, made[0]


async def findings(host: MemoryHost) -> list[str]:
    offers, contracts = (await host.list(Offer)).items, (await host.list(Contract)).items
    records = [*map(record_of_offer, offers), *map(record_of_contract, contracts)]
    ledger = ledger_of(await host.get(Site, "local"))
    return [f.code for f in recount(ledger, records, [capacity(CORES)], None, 1000) if f.severity == "error"]


async def live(host: MemoryHost) -> set[str]:
    """What counts, by the allocator's own reading after whatever happened."""
    view = (await allocator(host).recover()).view
    return {f"{record.kind} {record.name}" for record in view.live()}


async def free_core_for_somebody_else(host: MemoryHost) -> bool:
    return (await allocator(host).decide(take_free_core("other", "other"))).refused is None


async def test_the_core_is_held_throughout_and_by_one_workload_alone() -> None:
    host, new = await contracted()
    assert await live(host) == {"Contract old", "Offer new"}
    assert await findings(host) == []
    one = allocator(host)
    await one.decide(lambda view, fleet, now: accept(view, new.uid, contract_for(new, replaces="old"), now))
    assert await live(host) == {"Contract old", "Contract new"}
    assert await findings(host) == []
    assert not await free_core_for_somebody_else(host)
    await one.decide(lambda view, fleet, now: release([r for r in view.live() if r.name == "old"], "Ended", "Ended"))
    assert await live(host) == {"Contract new"}
    assert not await free_core_for_somebody_else(host)
    assert await findings(host) == []


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("calls", range(8))
async def test_a_crash_while_it_is_accepted_leaves_the_offer_or_the_contract(calls: int, applied: bool) -> None:
    host, new = await contracted()
    host.crash_after(calls, applied=applied)
    try:
        await allocator(host).decide(
            lambda view, fleet, now: accept(view, new.uid, contract_for(new, replaces="old"), now)
        )
    except Crashed:
        pass
    finally:
        host.heal()
    assert await live(host) in ({"Contract old", "Offer new"}, {"Contract old", "Contract new"})
    assert await findings(host) == []
    assert not await free_core_for_somebody_else(host)


async def test_two_contracts_of_one_group_that_do_not_succeed_each_other_are_counted_both() -> None:
    host, new = await contracted()
    await allocator(host).decide(lambda view, fleet, now: accept(view, new.uid, contract_for(new), now))
    assert await findings(host) == ["CoreHeldTwice"]
