"""What a plan stands on is there when it is committed, or nothing is: wherever between its steps a deletion falls."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.ledger import Allocator
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import View
from tenure.ledger.standing import find_gone
from tenure.quantities import VirtualClock
from tenure.resources import Model, Offer, Site
from tests.ledger.builders import fleet_of, site, take_free_core
from tests.support.interleaving import Gate
from tests.support.memory_host import MemoryHost

pytestmark = pytest.mark.anyio
GUARD = "tenure.dev/in-use"
SPEC = {"digest": f"sha256:{'0' * 64}", "sources": [{"file": {"path": "/m.gguf"}}]}


def allocator(host: Any) -> Allocator:
    return Allocator(host, "local", VirtualClock(1000), fleet_of(3))


async def host_with_model() -> tuple[MemoryHost, Model]:
    host = MemoryHost()
    await host.create(site())
    return host, await a_model(host)


async def a_model(host: MemoryHost) -> Model:
    made: Model = await host.create(
        Model.model_validate({"metadata": {"name": "m", "finalizers": [GUARD]}, "spec": SPEC})
    )
    return made


async def generation(host: MemoryHost) -> int:
    return ledger_of(await host.get(Site, "local")).generation


async def whoever_lets_go(host: MemoryHost) -> View:
    """The model is deleted, its deletion seen, and counted afterwards who stands on something."""
    await host.delete(Model, "m")
    books = allocator(host)
    return (await books.settle((await books.look()).generation)).view


async def test_what_stands_is_committed() -> None:
    host, model = await host_with_model()
    commit = await allocator(host).decide(take_free_core("a", "chat"), [model])
    assert commit.refused is None
    assert (await host.get(Offer, "a-0")).status.phase == "Held"


async def test_a_plan_on_what_is_being_deleted_is_refused_by_its_name_and_commits_nothing() -> None:
    host, model = await host_with_model()
    await host.delete(Model, "m")
    commit = await allocator(host).decide(take_free_core("a", "chat"), [model])
    assert commit.refused is not None
    assert (commit.refused.reason, commit.refused.message) == ("ReferenceNotFound", "Model m is being deleted")
    assert await generation(host) == 0


async def test_a_plan_on_what_is_gone_or_another_by_now_is_refused_too() -> None:
    host, model = await host_with_model()
    del host.objects["Model", "", "m"]
    gone = await allocator(host).decide(take_free_core("a", "chat"), [model])
    await a_model(host)
    replaced = await allocator(host).decide(take_free_core("a", "chat"), [model])
    assert [c.refused.message for c in (gone, replaced) if c.refused] == [
        "Model m was deleted",
        "Model m was deleted, and another has its name",
    ]


async def test_all_that_a_commit_stands_on_is_looked_at_together() -> None:
    host, model = await host_with_model()
    others = [model.model_copy(update={"metadata": model.metadata.model_copy(update={"uid": f"u{n}"})}) for n in "123"]
    looking = asyncio.Barrier(4)

    async def get(*named: Any, **more: Any) -> Any:
        await looking.wait()  # for the others
        return await host.get(*named, **more)

    async with asyncio.timeout(10):
        gone = await find_gone(SimpleNamespace(get=get), [model, *others, model])  # type: ignore[arg-type]
    assert sorted(gone) == ["u1", "u2", "u3"]


async def test_twin_who_stands_on_something_else_is_committed_beside_it() -> None:
    host, model = await host_with_model()
    await host.delete(Model, "m")
    gate = Gate(host)
    one = allocator(gate)
    await gate.start(one.decide(take_free_core("c", "third")))
    together = asyncio.gather(
        one.decide(take_free_core("a", "chat"), [model]), one.decide(take_free_core("b", "other"))
    )
    await asyncio.sleep(0)
    gate.open = True
    await gate.finish()
    refused, held = await together
    assert refused.refused is not None
    assert held.refused is None
    assert held.offers[0].spec.hold.claims[0].cores == [1], "the core next to the third's"


@pytest.mark.parametrize("steps", range(12))
async def test_wherever_the_deletion_falls_the_plan_is_counted_before_or_refused_after_it(steps: int) -> None:
    host, model = await host_with_model()
    gate = Gate(host)
    await gate.start(allocator(gate).decide(take_free_core("a", "chat"), [model]))
    for _ in range(steps):
        if not gate.done:
            await gate.let()
    counted = [r.name for r in (await whoever_lets_go(host)).live()]
    commit = await gate.finish()
    held = [r.name for r in (await allocator(host).look()).view.live()]
    assert counted == held == (["a-0"] if commit.refused is None else [])


async def test_between_its_look_and_its_swap_the_deletion_wins_and_after_its_swap_the_plan_does() -> None:
    for swapped in (False, True):
        host, model = await host_with_model()
        await allocator(host).look()  # so that the Site says what is sold: the next write to it is the swap
        gate = Gate(host)
        await gate.start(allocator(gate).decide(take_free_core("a", "chat"), [model]))
        await gate.until("replace_status Site")
        if swapped:
            await gate.let()
        counted = (await whoever_lets_go(host)).live()
        commit = await gate.finish()
        assert (len(counted), commit.refused is None) == ((1, True) if swapped else (0, False))
