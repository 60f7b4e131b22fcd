"""What this version refuses as it is stored hides no other, is named with field and step, and can be mended."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tenure.client import Informer, Invalid, Unreadable
from tenure.resources import Contract, Workload
from tests.controllers.planes import command
from tests.support.embedded import Embedded, embedded
from tests.support.unreadable import OLD_NEED, put

STEP = "correct it with `tenure edit workload old -n default`, or `tenure delete workload old -n default`"


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with embedded(tmp_path) as running:
        await put(running, Workload, "old", OLD_NEED)
        yield running


async def test_it_is_told_beside_the_others_and_missed_by_nobody_who_counts(host: Embedded) -> None:
    async with host.client() as client:
        await client.create(command("new"))
        listed = await client.list(Workload)
        assert [workload.name for workload in listed.readable] == ["new"]
        (error,) = listed.unreadable
        assert str(error).endswith(STEP)
        assert [(cause.field, cause.reason) for cause in error.causes] == [("spec", "InvalidWindow")]
        with pytest.raises(Unreadable):
            _ = listed.items
        with pytest.raises(Unreadable, match="workload old in namespace default"):
            await client.get(Workload, "old")
        watch = client.watch(Workload)
        told = [await anext(watch), await anext(watch)]
        assert [(event.type, event.unreadable is not None) for event in told] == [("ADDED", False), ("ADDED", True)]
        with pytest.raises(Unreadable):
            _ = told[1].object
        await watch.aclose()  # type: ignore[attr-defined]
        await client.delete(Workload, "old")
        await client.wait_deleted(Workload, "old", timeout_seconds=5)
        assert len((await client.list(Workload)).items) == 1


async def test_what_only_controllers_write_is_not_edited(host: Embedded) -> None:
    await put(host, Contract, "c", {})
    async with host.client() as client:
        with pytest.raises(Unreadable, match=r"; `tenure delete contract c -n default` takes it away$"):
            await client.get(Contract, "c")


async def test_it_is_waited_for_until_it_is_gone(host: Embedded) -> None:
    await put(host, Workload, "held", OLD_NEED, finalizers=["example.com/held"])
    async with host.client() as client:
        await client.delete(Workload, "held")
        waiting = asyncio.create_task(client.wait_deleted(Workload, "held", timeout_seconds=5))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        # Whoever holds it lets it go, though its kind refuses it. Nothing else of it may be written.
        with pytest.raises(Invalid):
            await client.patch(Workload, "held", {"metadata": {"labels": {"a": "b"}}})
        with pytest.raises(Unreadable):
            await client.patch(Workload, "held", {"metadata": {"finalizers": None}})
        await waiting


async def test_only_what_is_being_deleted_is_let_go(host: Embedded) -> None:
    await put(host, Workload, "held", OLD_NEED, finalizers=["example.com/held"])
    async with host.client() as client:
        with pytest.raises(Invalid, match="longer than the term"):
            await client.patch(Workload, "held", {"metadata": {"finalizers": None}})


async def _until(done: list[tuple[str, str]], length: int) -> None:
    async with asyncio.timeout(5):
        while len(done) < length:
            await asyncio.sleep(0.005)


async def test_an_informer_passes_it_over_and_takes_in_what_replaces_it(
    host: Embedded, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[tuple[str, str]] = []
    passed: list[str] = []
    async with host.client() as client:
        informer = Informer(
            client,
            Workload,
            lambda workload: workload.name,
            lambda happening, name, _: heard.append((happening, name)),
            lambda error: passed.append(error.name),
        )
        with caplog.at_level(logging.WARNING, "tenure.client.informer"):
            following = asyncio.create_task(informer.run())
            await client.create(command("new"))
            await put(host, Workload, "later", OLD_NEED)
            await client.create(command("newest"))
            await _until(heard, 2)
            assert passed == ["old", "later"]
            good = command("old").to_json()
            await client.patch(Workload, "old", {"spec": {**dict.fromkeys(OLD_NEED), **good["spec"]}})
            await client.delete(Workload, "later")
            await client.delete(Workload, "old")
            await _until(heard, 4)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    assert heard == [("added", "new"), ("added", "newest"), ("added", "old"), ("deleted", "old")]
    assert passed == ["old", "later", "later"], "told of again as it goes"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("passed over: workload old in namespace default as it is stored is refused")
    assert "InvalidWindow" in said[0]
