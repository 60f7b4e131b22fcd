"""Races through the real door: of ten that want the last core one has it, of an acceptance and an expiry one wins, and
whoever comes late is told so and gets fresh offers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tenure.client import AsyncClient
from tenure.controllers.workload import offering
from tenure.quantities import SystemClock
from tenure.resources import Contract, Offer, Workload, condition_of
from tests.controllers.planes import command, plane_on

TEN = [f"client-{n}" for n in range(10)]


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(60):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(what) from None


async def workload(user: AsyncClient, name: str) -> Workload:
    return await user.get(Workload, name, namespace="default")


async def held(user: AsyncClient, name: str) -> list[Offer]:
    """The offers of a workload that are held now."""
    offers = (await user.list(Offer, namespace="default")).items
    return [o for o in offers if o.spec.workload.name == name and o.status is not None and o.status.phase == "Held"]


async def contracts(user: AsyncClient) -> list[Contract]:
    return (await user.list(Contract, namespace="default")).items


def reason(found: Workload, type: str) -> str | None:
    said = condition_of(found.status.conditions, type) if found.status else None
    return said.reason if said else None


async def answered(user: AsyncClient, name: str) -> bool:
    found = await workload(user, name)
    return found.status is not None and found.status.phase not in ("Pending", None)


async def test_of_ten_clients_that_ask_for_the_last_core_at_once_one_has_it(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1, running=True) as (_, user):
        await asyncio.gather(*(user.create(command(name, acceptance="auto")) for name in TEN))
        for name in TEN:
            await until(lambda name=name: answered(user, name), f"{name} is answered")  # type: ignore[misc]
        await until(lambda: some_contract(user), "one is contracted")
        (won,) = await contracts(user)
        late = [name for name in TEN if name != won.spec.workload.name]
        for name in late:
            found = await workload(user, name)
            assert reason(found, "Offered") == "CounterOffered", name
            fresh = await held(user, name)
            assert fresh, f"{name} is offered something else"
            assert all(int(o.spec.hold.start) >= int(won.spec.hold.end) for o in fresh), "the core once it is free"


async def some_contract(user: AsyncClient) -> bool:
    return bool(await contracts(user))


async def test_of_an_acceptance_and_an_expiry_at_one_instant_one_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offering, "OFFER_LIFE_MS", 3_000)
    async with plane_on(tmp_path, cores=len(TEN), running=True) as (_, user):
        await asyncio.gather(*(user.create(command(name)) for name in TEN))
        chosen = await asyncio.gather(*(accept_about_its_expiry(user, name, n) for n, name in enumerate(TEN)))
        monkeypatch.setattr(offering, "OFFER_LIFE_MS", 600_000)  # what is offered from now on stays to be looked at
        for name, offer in zip(TEN, chosen, strict=True):
            await until(lambda name=name, offer=offer: decided(user, name, offer), f"{name} is told")  # type: ignore[misc]


async def accept_about_its_expiry(user: AsyncClient, name: str, number: int) -> str:
    """Accept the offer from half a second before it expires to a tenth after, each client a little later."""
    await until(lambda: any_held(user, name), f"{name} is offered something")
    offer = (await held(user, name))[0]
    left_ms = int(offer.spec.expires_at) - SystemClock().now_ms() - 500 + 600 * number // len(TEN)
    await asyncio.sleep(max(0, left_ms) / 1000)
    await user.patch(Workload, name, {"spec": {"acceptedOffer": offer.name}}, namespace="default")
    return offer.name


async def any_held(user: AsyncClient, name: str) -> bool:
    return bool(await held(user, name))


async def decided(user: AsyncClient, name: str, offer: str) -> bool:
    """Either the acceptance won, wholly, or the expiry did, and it is said and there are fresh offers."""
    found = await workload(user, name)
    own = [c for c in await contracts(user) if c.spec.workload.name == name]
    said = reason(found, "Accepted")
    if own:
        assert [c.spec.offer for c in own] == [offer]
        assert said != "OfferExpired"
        return said == "Contracted"
    fresh = [o for o in await held(user, name) if o.name != offer]
    return said == "OfferExpired" and bool(fresh)
