"""One commit at a time: what counts, what excludes what, and who wins."""

import asyncio
from collections.abc import Callable

import pytest

from tenure.ledger import Allocator, accept, release
from tenure.ledger.decision import Decision
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import View
from tenure.placement import Fleet
from tenure.quantities import VirtualClock
from tenure.resources import Contract, Offer, Site
from tests.ledger.builders import contract_for, fleet_of, site, take_free_core
from tests.support.memory_host import MemoryHost

pytestmark = pytest.mark.anyio


def choose(offered: Offer) -> Callable[[View, Fleet, int], Decision]:
    return lambda view, fleet, now_ms: accept(view, offered.uid, contract_for(offered), now_ms)


async def host_with_site() -> MemoryHost:
    host = MemoryHost()
    await host.create(site())
    return host


def allocator(host: MemoryHost, clock: VirtualClock | None = None, cores: int = 2) -> Allocator:
    return Allocator(host, "local", clock or VirtualClock(1000), fleet_of(cores))  # type: ignore[arg-type]


async def phase(host: MemoryHost, model: type, name: str) -> str:
    found = await host.get(model, name)
    return found.status.phase if found.status else "Proposed"


async def test_an_offer_is_marked_held_only_after_its_commit() -> None:
    host = await host_with_site()
    commit = await allocator(host).decide(take_free_core("a", "chat"))
    assert commit.generation == 1
    assert await phase(host, Offer, "a-0") == "Held"
    batch = ledger_of(await host.get(Site, "local")).last_batch
    assert [(op.operation, op.name, op.to_phase) for op in batch] == [("Hold", "a-0", "Held")]


async def test_the_last_core_goes_to_exactly_one_of_ten() -> None:
    host = await host_with_site()
    one = allocator(host, cores=1)
    commits = await asyncio.gather(*(one.decide(take_free_core(f"w{i}", f"w{i}")) for i in range(10)))
    assert [c.refused.reason if c.refused else "held" for c in commits].count("held") == 1
    assert commits[0].generation == 1, "requests that wait together share one commit"


async def test_two_allocators_never_sell_the_same_core() -> None:
    host = await host_with_site()
    first, second = allocator(host, cores=1), allocator(host, cores=1)
    results = await asyncio.gather(first.decide(take_free_core("a", "a")), second.decide(take_free_core("b", "b")))
    assert sum(r.refused is None for r in results) == 1


async def test_accepting_moves_the_hold_and_releases_the_siblings_in_one_commit() -> None:
    host = await host_with_site()
    one = allocator(host)
    offered = await one.decide(take_free_core("a", "chat", siblings=2))
    taken = await one.decide(choose(offered.offers[0]))
    assert taken.generation == 2
    assert await phase(host, Offer, "a-0") == "Accepted"
    assert await phase(host, Offer, "a-1") == "Withdrawn"
    assert await phase(host, Contract, "a-0") == "Commissioning"
    assert (await host.get(Contract, "a-0")).spec.hold.id == "h-a-0"
    again = await one.decide(take_free_core("b", "other"))
    assert again.offers[0].spec.hold.claims[0].cores == [1], "the sibling's core is free again"


async def test_of_an_acceptance_and_an_expiry_exactly_one_wins() -> None:
    host = await host_with_site()
    one, two = allocator(host), allocator(host)
    offered = (await one.decide(take_free_core("a", "chat"))).offers[0]

    def expire(view: View, fleet: object, now_ms: int) -> Decision:
        return release([r for r in view.live() if r.uid == offered.uid], "Expired", "Expired")

    results = await asyncio.gather(one.decide(choose(offered)), two.decide(expire))
    assert sum(r.refused is None for r in results) == 1
    won = await phase(host, Offer, "a-0")
    assert won == ("Accepted" if results[0].refused is None else "Expired")


async def test_an_expired_offer_cannot_be_accepted_and_says_so() -> None:
    host, clock = await host_with_site(), VirtualClock(1000)
    one = allocator(host, clock)
    offered = (await one.decide(take_free_core("a", "chat", expires=5000))).offers[0]
    clock.advance(5000)
    late = await one.decide(choose(offered))
    assert late.refused is not None
    assert late.refused.reason == "OfferExpired"
    assert ledger_of(await host.get(Site, "local")).generation == 1, "nothing was committed"


async def test_a_mark_left_by_a_crash_is_completed_by_whoever_allocates_next() -> None:
    host = await host_with_site()
    one = allocator(host)
    await one.decide(take_free_core("a", "chat"))
    held = host.objects["Offer", "default", "a-0"]
    held.pop("status")  # as if the process had died between the commit and the mark
    await allocator(host).decide(take_free_core("b", "other"))
    assert await phase(host, Offer, "a-0") == "Held"


async def test_what_was_proposed_and_never_committed_is_collected() -> None:
    host = await host_with_site()
    stray = take_free_core("stray", "gone")(View("local", 0), fleet_of(2)(site(), [], []), 0).offers[0]
    await host.create(stray)
    await allocator(host).decide(take_free_core("a", "chat"))
    await allocator(host).decide(take_free_core("b", "other"))
    assert ("Offer", "default", "stray-0") not in host.objects


async def test_another_writer_of_the_site_does_not_lose_the_commit() -> None:
    host = await host_with_site()
    one = allocator(host)
    await one.decide(take_free_core("a", "chat"))
    current = await host.get(Site, "local")
    await host.replace(current.model_copy(update={"spec": current.spec.model_copy(update={"operator": "us"})}))
    commit = await one.decide(take_free_core("b", "other"))
    assert commit.generation == 2
    assert (await host.get(Site, "local")).spec.operator == "us"
