"""Durable writes a second through the API, beside what the disk itself can do: one fdatasync after another."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.home import Home
from benchmarks.product.figures import Figure
from benchmarks.product.idling import cpu_ns
from tenure.client import AsyncClient, from_home
from tenure.resources import ObjectMeta, Secret

SECONDS = 5.0
FLOOR_SECONDS = 2.0
FLOOR_BYTES = 4096  # a page, which is what SQLite's log grows by at least
CLIENTS = (1, 16)


def writes(home: Home) -> Iterator[Figure]:
    """Creations of small objects, acknowledged once they are on disk."""
    for clients in CLIENTS:
        floor = fsyncs_per_second(home.path)
        before_ns = cpu_ns(home.pid)
        count, seconds = asyncio.run(_create(home, clients))
        used_ms = (cpu_ns(home.pid) - before_ns) / 1e6 / count
        rate = count / seconds
        yield Figure(
            f"durable writes, {clients} client{'s' * (clients > 1)}",
            rate,
            "/s",
            None,
            floor,
            f"fdatasync, {floor:,.0f}/s",
            f"{count} in {seconds:.1f} s; {used_ms:.1f} ms of CPU in the control plane for each, clients beside it",
        )


def fsyncs_per_second(folder: Path) -> float:
    """Appends of a page, each followed by fdatasync, on the disk of this folder."""
    path = folder / "floor"
    page = os.urandom(FLOOR_BYTES)
    count, begun = 0, time.perf_counter()
    with path.open("ab", buffering=0) as file:
        while (elapsed := time.perf_counter() - begun) < FLOOR_SECONDS:
            file.write(page)
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / elapsed


async def _create(home: Home, clients: int) -> tuple[int, float]:
    """How many creations were acknowledged, and in how long."""
    begun = time.perf_counter()
    ends = begun + SECONDS

    async def one(number: int) -> int:
        count = 0
        async with AsyncClient(lambda: from_home(home.path)) as client:
            while time.perf_counter() < ends:
                name = f"bench-{clients}-{number}-{count}"
                metadata = ObjectMeta(name=name, namespace="default")
                await client.create(Secret(metadata=metadata, string_data={"text": "x" * 200}))
                count += 1
        return count

    counts = await asyncio.gather(*(one(number) for number in range(clients)))
    return sum(counts), time.perf_counter() - begun
