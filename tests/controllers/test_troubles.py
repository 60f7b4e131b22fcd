"""What a controller keeps failing on says so itself: a condition and one event that counts, taken back when it goes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenure.client import AsyncClient
from tenure.controllers.kernel import Controller, Key, Wait, troubles
from tenure.controllers.kernel.troubles import FAILURES_BORNE, LASTS_MS, SAY_AGAIN_MS, Troubles
from tenure.quantities import VirtualClock
from tenure.resources import Condition, Engine, Event, condition_of
from tests.client.test_watch import engine
from tests.controllers.test_waking import running, until
from tests.support.embedded import embedded

KEY = Key("", "a")
BAD = ValueError("no\nlabel value")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    async with embedded(tmp_path) as host, host.client("controllers") as client:
        await client.create(engine("a"))
        yield client


async def said(client: AsyncClient) -> Condition | None:
    status = (await client.get(Engine, "a")).status
    return condition_of(status.conditions, "Reconciled") if status is not None else None


async def events(client: AsyncClient) -> list[tuple[str, str, int | None]]:
    return [(e.type, e.reason, e.count) for e in (await client.list(Event, namespace="default")).items]


async def fail(found: Troubles, clock: VirtualClock, times: int, each_ms: int, error: Exception = BAD) -> None:
    for _ in range(times):
        await found.failed(0, KEY, error)
        clock.advance(each_ms)


async def test_what_goes_by_is_not_worth_a_word(client: AsyncClient) -> None:
    clock = VirtualClock()
    found = Troubles(client, Engine, clock)
    await fail(found, clock, FAILURES_BORNE + 5, LASTS_MS // 10)
    await found.went_well(0, KEY)
    await fail(found, clock, FAILURES_BORNE - 1, LASTS_MS)
    assert (await said(client), await events(client)) == (None, [])


async def test_what_lasts_is_said_counted_and_taken_back(client: AsyncClient) -> None:
    clock = VirtualClock()
    found = Troubles(client, Engine, clock)
    await fail(found, clock, FAILURES_BORNE, LASTS_MS)
    condition = await said(client)
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "ReconcileFailed")
    assert condition.message.startswith("the control plane keeps failing on it: ValueError: no label value; report it")
    for figure in range(3):
        await fail(found, clock, 5, 10, ValueError(f"another message, {figure}"))
    assert await events(client) == [("Warning", "ReconcileFailed", 1)], "however often it fails"
    clock.advance(SAY_AGAIN_MS)
    await fail(found, clock, 1, 0, ValueError("another message, 4"))
    assert await events(client) == [("Warning", "ReconcileFailed", 2)]
    await found.went_well(1, KEY)
    assert (await said(client)) == condition, "another controller of the kind does not take it back"
    await found.went_well(0, KEY)
    condition = await said(client)
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "Reconciled")


async def test_what_an_earlier_control_plane_said_is_taken_back(client: AsyncClient) -> None:
    clock = VirtualClock()
    await fail(Troubles(client, Engine, clock), clock, FAILURES_BORNE, LASTS_MS)
    later = Troubles(client, Engine, clock)
    later.note(KEY, await client.get(Engine, "a"))
    await later.went_well(0, KEY)
    condition = await said(client)
    assert condition is not None
    assert condition.status == "True"


async def test_of_what_is_gone_nothing_is_said(client: AsyncClient) -> None:
    clock = VirtualClock()
    await client.delete(Engine, "a")
    await fail(Troubles(client, Engine, clock), clock, FAILURES_BORNE, LASTS_MS)
    assert await events(client) == []


class Failing:
    """A reconciler that fails until it is mended."""

    mended = False

    async def reconcile(self, key: Key) -> Wait | None:
        if not self.mended:
            raise BAD
        return None


async def test_the_loop_says_it_and_takes_it_back(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "LASTS_MS", 0)
    reconciler = Failing()
    seen: list[str] = []

    def states(status: str) -> bool:
        return bool(seen and seen[-1] == status)

    class Seen:
        async def reconcile(self, key: Key) -> Wait | None:
            obj = await client.get(Engine, key.name)
            found = condition_of(obj.status.conditions, "Reconciled") if obj.status is not None else None
            seen.append(found.status if found is not None else "")
            return None

    async with running(client, Controller(Engine, reconciler, workers=1), Controller(Engine, Seen(), workers=1)):
        await until(lambda: states("False"))
        reconciler.mended = True
        await until(lambda: states("True"))
