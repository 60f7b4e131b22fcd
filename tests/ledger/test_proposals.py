"""What becomes of a proposal: of one allocator that fails in the middle, and of two that meet between their steps."""

from typing import Any

import pytest

from tenure.ledger import Allocator, accept, nothing
from tenure.ledger.decision import Decision
from tenure.ledger.memory import ledger_of
from tenure.quantities import VirtualClock
from tenure.resources import Contract, Offer, Site
from tests.ledger.builders import contract_for, fleet_of, site, take_free_core
from tests.support.interleaving import Gate
from tests.support.memory_host import Crashed, MemoryHost

pytestmark = pytest.mark.anyio
SWAP = "replace_status Site"


def allocator(host: Any, cores: int = 3) -> Allocator:
    return Allocator(host, "local", VirtualClock(1000), fleet_of(cores))


def choose(offered: Offer) -> Any:
    return lambda view, fleet, now_ms: accept(view, offered.uid, contract_for(offered), now_ms)


def only_look(view: Any, fleet: Any, now_ms: int) -> Decision:
    return nothing("NotFound", "only looked")


async def host_with_offer() -> tuple[MemoryHost, Allocator, Offer]:
    host = MemoryHost()
    await host.create(site())
    one = allocator(host)
    return host, one, (await one.decide(take_free_core("a", "chat"))).offers[0]


async def phase_of(host: MemoryHost, name: str) -> str:
    found = await host.get(Contract, name)
    return found.status.phase if found.status else "Proposed"


async def left_behind(host: MemoryHost, one: Allocator, offered: Offer) -> None:
    """The allocator's swap fails after it has proposed the contract."""
    gate = Gate(host)
    one._client = gate  # type: ignore[assignment]
    await gate.start(one.decide(choose(offered)))
    await gate.until(SWAP)
    host.crash_after(0, applied=False)
    with pytest.raises(Crashed):
        await gate.finish()
    host.heal()
    one._client = host  # type: ignore[assignment]
    assert await phase_of(host, "a-0") == "Proposed"


async def test_an_acceptance_whose_swap_failed_is_made_when_it_is_asked_for_again() -> None:
    host, one, offered = await host_with_offer()
    await left_behind(host, one, offered)
    again = await one.decide(choose(offered))
    assert again.refused is None
    assert await phase_of(host, "a-0") == "Commissioning"
    assert (await host.get(Contract, "a-0")).uid == again.contracts[0].uid


async def test_what_a_failed_swap_left_is_collected_by_the_very_allocator_that_left_it() -> None:
    host, one, offered = await host_with_offer()
    await left_behind(host, one, offered)
    await one.decide(take_free_core("b", "other"))
    await one.decide(only_look)
    assert ("Contract", "default", "a-0") not in host.objects


async def test_what_was_left_is_collected_on_request_although_nothing_else_is_committed() -> None:
    host, one, offered = await host_with_offer()
    await left_behind(host, one, offered)
    left = await host.get(Contract, "a-0")
    memory = await one.settle(left.spec.planned_generation)
    assert memory.generation > left.spec.planned_generation
    assert ("Contract", "default", "a-0") not in host.objects
    assert [r.name for r in memory.view.live()] == ["a-0"], "the offer is held as before"


async def test_a_contract_whose_commit_was_answered_to_nobody_stays_though_others_commit_before_it_is_seen() -> None:
    host, _, offered = await host_with_offer()
    gate = Gate(host)
    await gate.start(allocator(gate).decide(choose(offered)))
    await gate.until(SWAP)
    host.lose_answer_after(0)
    await gate.let()
    host.heal()
    await allocator(host).decide(take_free_core("b", "other"))
    commit = await gate.finish()
    assert await phase_of(host, "a-0") == "Commissioning"
    assert commit.refused is None, "it was committed, and its caller is told so"
    assert [c.uid for c in commit.contracts] == [(await host.get(Contract, "a-0")).uid]


async def test_offers_whose_commit_was_answered_to_nobody_are_not_made_twice() -> None:
    host, _, _ = await host_with_offer()
    gate = Gate(host)
    await gate.start(allocator(gate).decide(take_free_core("c", "third")))
    await gate.until(SWAP)
    host.lose_answer_after(0)
    await gate.let()
    host.heal()
    await allocator(host).decide(take_free_core("b", "other"))
    commit = await gate.finish()
    assert commit.generation == 2
    assert [o.name for o in commit.offers] == ["c-0"]
    assert (await host.get(Offer, "c-0")).status.phase == "Held"


@pytest.mark.parametrize("steps", range(16))
async def test_of_two_that_propose_one_acceptance_at_once_one_has_it_and_its_contract_is_there(steps: int) -> None:
    host, _, offered = await host_with_offer()
    first, second = Gate(host), Gate(host)
    await first.start(allocator(first).decide(choose(offered)))
    await first.until(SWAP)
    await second.start(allocator(second).decide(choose(offered)))
    for _ in range(steps):
        if not second.done:
            await second.let()
    commits = [await first.finish(), await second.finish()]
    assert sorted(c.refused.reason if c.refused else "contracted" for c in commits) == ["OfferExpired", "contracted"]
    made = next(c for c in commits if c.refused is None).contracts[0]
    assert (await host.get(Contract, "a-0")).uid == made.uid
    assert await phase_of(host, "a-0") == "Commissioning"
    named = [op.uid for op in ledger_of(await host.get(Site, "local")).last_batch if op.kind == "Contract"]
    assert named in ([made.uid], []), "what the batch names is there"
