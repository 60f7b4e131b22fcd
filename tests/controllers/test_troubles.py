"""What a controller keeps failing on says so itself: a condition and one event that counts, taken back when it goes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenure.client import AsyncClient, Unreachable
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


async def test_an_object_says_the_type_of_the_fault_and_where_the_log_is_alone(client: AsyncClient) -> None:
    clock = VirtualClock()
    await fail(Troubles(client, Engine, clock), clock, FAILURES_BORNE, LASTS_MS, OSError("/home/tenant-b/secret: no"))
    condition = await said(client)
    assert condition is not None
    told = [condition.message, *((e.message or "") for e in (await client.list(Event, namespace="default")).items)]
    assert len(told) == 2
    for text in told:
        assert text.startswith("the control plane keeps failing on it (OSError); report it with plane.log")
        assert "tenant-b" not in text


async def test_what_comes_and_goes_is_said_no_oftener_than_what_stays(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    found = Troubles(client, Engine, clock)
    written: list[str] = []
    write = client.replace_status

    async def counted(obj: Engine) -> Engine:
        written.append(obj.name)
        return await write(obj)

    monkeypatch.setattr(client, "replace_status", counted)
    for figure in range(2 * SAY_AGAIN_MS // (6 * LASTS_MS // 3)):
        await fail(found, clock, 6, LASTS_MS // 3, ValueError(f"{figure} bytes"))
        await found.went_well(0, KEY)
    assert len(written) == 4, "False and True, twice in a minute"
    assert await events(client) == [("Warning", "ReconcileFailed", 2)]


async def refused_once(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next write of a status fails, and none after it."""
    write = client.replace_status

    async def refuse(obj: Engine) -> Engine:
        monkeypatch.setattr(client, "replace_status", write)
        raise Unreachable("the host restarts", sent=False)

    monkeypatch.setattr(client, "replace_status", refuse)


async def test_what_could_not_be_taken_back_is_taken_back_at_the_next_try(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    found = Troubles(client, Engine, clock)
    await fail(found, clock, FAILURES_BORNE, LASTS_MS)
    await refused_once(client, monkeypatch)
    assert await found.went_well(0, KEY) == SAY_AGAIN_MS, "and asks for one"
    assert [(await said(client)).status] == ["False"]  # type: ignore[union-attr]
    assert await found.went_well(0, KEY) is None
    assert [(await said(client)).status] == ["True"]  # type: ignore[union-attr]


async def test_what_an_earlier_control_plane_said_is_taken_back_once_all_controllers_are_done_with_it(
    client: AsyncClient,
) -> None:
    clock = VirtualClock()
    await fail(Troubles(client, Engine, clock), clock, FAILURES_BORNE, LASTS_MS)
    later = Troubles(client, Engine, clock)
    later.note(KEY, await client.get(Engine, "a"), {0, 1})
    await later.went_well(0, KEY)
    later.note(KEY, await client.get(Engine, "a"), {0, 1})
    await fail(later, clock, 1, 0)
    await later.went_well(0, KEY)
    assert [(await said(client)).status] == ["False"], "it may have been said of the other one"  # type: ignore[union-attr]
    await later.went_well(1, KEY)
    assert [(await said(client)).status] == ["True"]  # type: ignore[union-attr]


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


async def test_the_loop_tries_again_to_take_it_back(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VirtualClock()
    await fail(Troubles(client, Engine, clock), clock, FAILURES_BORNE, LASTS_MS)
    monkeypatch.setattr(troubles, "SAY_AGAIN_MS", 0)
    await refused_once(client, monkeypatch)
    turns: list[Key] = []

    class Well:
        async def reconcile(self, key: Key) -> Wait | None:
            turns.append(key)
            return None

    both = (Controller(Engine, Well(), workers=1), Controller(Engine, Well(), workers=1))
    async with running(client, *both), asyncio.timeout(30):
        while (found := await said(client)) is None or found.status != "True":
            await asyncio.sleep(0.01)
    assert set(turns) == {KEY}
