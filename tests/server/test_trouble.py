"""A host whose disk or clock is in trouble: writes are refused with the reason, reads and watches go on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenure.client import Refusing
from tenure.quantities import VirtualClock
from tenure.resources import Namespace, ObjectMeta
from tenure.server import serving
from tenure.store import StoreUnwritableError
from tests.server.builders import WORKLOADS, workload
from tests.support.embedded import Embedded, embedded


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with embedded(tmp_path) as running:
        yield running


async def test_a_store_that_refuses_is_read_on(host: Embedded) -> None:
    async with host.http() as http, host.client() as client:
        assert (await http.post(WORKLOADS, json=workload())).status_code == 201
        writer = host.serving.host.store._writer
        assert writer is not None
        writer.refusal = StoreUnwritableError("the disk of state.db is full; free some space")
        refused = await http.post(WORKLOADS, json=workload("late"))
        assert refused.status_code == 503
        assert refused.json()["reason"] == "StoreReadOnly"
        assert "free some space" in refused.json()["message"]
        assert (await http.get(f"{WORKLOADS}/chat")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/livez")).status_code == 200
        assert "tenure_store_writable 0" in (await http.get("/metrics")).text
        with pytest.raises(Refusing, match="full"):
            await client.create(Namespace(metadata=ObjectMeta(name="late")))


async def test_lost_writes_are_told_after_the_restart(tmp_path: Path) -> None:
    async with embedded(tmp_path) as host, host.http() as http:
        await http.post(WORKLOADS, json=workload())
    watermark = tmp_path / "state.db.watermark"
    from tenure.store.watermark import Watermark

    witness = Watermark(watermark)
    witness.note((witness.read() or 0) + 5)
    witness.close()
    async with embedded(tmp_path) as host, host.http() as http:
        refused = await http.post(WORKLOADS, json=workload("late"))
        assert refused.status_code == 503
        assert "its last writes were lost" in refused.json()["message"]
        assert (await http.get(f"{WORKLOADS}/chat")).status_code == 200


async def test_a_clock_that_jumps_expires_nothing(tmp_path: Path) -> None:
    clock = VirtualClock(1_800_000_000_000)
    async with serving(tmp_path, clock=clock) as running:
        host = Embedded(running)
        async with host.client() as client:
            start = (await client.list(Namespace)).resource_version
            times = []
            for name, jump_ms in (("a", 3_600_000), ("b", -7_200_000), ("c", 3_600_000)):
                clock.jump(jump_ms)
                made = await client.create(Namespace(metadata=ObjectMeta(name=name)))
                times.append(int(made.metadata.creation_timestamp or 0))
            assert times == [1_800_003_600_000, 1_799_996_400_000, 1_800_000_000_000]
            seen = []
            async for event in client.watch(Namespace, resource_version=start):
                seen.append(event.object.name if event.object else "")
                if len(seen) == 3:
                    break
            assert seen == ["a", "b", "c"]


async def test_many_writers_share_commits(host: Embedded) -> None:
    store = host.serving.host.store
    before = store.statistics()
    async with host.client() as client:
        await asyncio.gather(*(client.create(Namespace(metadata=ObjectMeta(name=f"n{i}"))) for i in range(100)))
    after = store.statistics()
    assert after.writes - before.writes >= 100
    assert after.commits - before.commits < 100


async def test_a_patch_wins_its_races(host: Embedded) -> None:
    """Patches without a version are laid again over what is there, so none of them is lost."""
    async with host.client() as client:
        await client.create(Namespace(metadata=ObjectMeta(name="n")))
        for _ in range(3):
            await asyncio.gather(
                *(client.patch(Namespace, "n", {"metadata": {"labels": {f"k{i}": "v"}}}) for i in range(8))
            )
        labels = (await client.get(Namespace, "n")).metadata.labels
        assert labels == {f"k{i}": "v" for i in range(8)}


async def test_events_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenure.resources import Event
    from tenure.server import events

    clock = VirtualClock(1_800_000_000_000)
    monkeypatch.setattr(events, "KEPT_EVENTS", 3)
    async with serving(tmp_path, clock=clock) as running, Embedded(running).client("controllers") as client:
        for number in range(6):
            clock.advance(1_000)
            event = {"metadata": {"name": f"e{number}"}, "involvedObject": {}, "lastTimestamp": clock.now_ms()}
            await client.create(Event.model_validate(event))
        assert await events.expire(running.host) == 3
        assert [e.name for e in (await client.list(Event)).items] == ["e3", "e4", "e5"]
        clock.advance(events.KEPT_MS - 1_500)
        assert await events.expire(running.host) == 1
        assert [e.name for e in (await client.list(Event)).items] == ["e4", "e5"]
