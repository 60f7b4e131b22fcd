"""An Inquiry with evidence at hand, from its creation to its answer, as any client of the API sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from importlib.resources import files

import yaml

from benchmarks.home import Home
from benchmarks.product.figures import Figure, nearest_rank
from benchmarks.product.idling import cpu_ns
from tenure.quantities import Duration
from tenure.resources import Inquiry, ObjectMeta, Workload
from tenure.resources.kinds.workload import InquirySpec
from tenure.sdk import AsyncClient

ROUNDS = 100
WARM_ROUNDS = 5
MS_AIM = 100.0
PAUSE_SECONDS = 0.02
REQUEST_SECONDS_MAX = 240.0
ANSWER_SECONDS_MAX = 30.0


def asking(home: Home, tell: Callable[[str], None]) -> Iterator[Figure]:
    """A real trial first (the quickstart's own need), then the question again and again."""
    found, kinds, used_ms = asyncio.run(_ask(home, tell))
    note = f"p50 {nearest_rank(found, 50):.0f} ms, least {min(found):.0f} ms; {used_ms:.0f} ms of CPU in the control "
    note += f"plane for each; {len(found)} asked, answered {kinds}"
    yield Figure("Inquiry with evidence, p95", nearest_rank(found, 95), "ms", MS_AIM, note=note)


def the_need(name: str) -> Workload:
    """The quickstart's need, under a name of our own."""
    text = files("tenure.cli.quickstart").joinpath("chat.yaml").read_text()
    workload = Workload.model_validate(yaml.safe_load(text))
    return workload.model_copy(update={"metadata": ObjectMeta(name=name, namespace="default")})


async def _ask(home: Home, tell: Callable[[str], None]) -> tuple[list[float], str, float]:
    async with AsyncClient(home=home.path) as client:
        workload = the_need("bench")
        answered = await client.request(workload, timeout_seconds=REQUEST_SECONDS_MAX, progress=tell)
        assert answered.status is not None
        # What is asked about is then held by nobody, so that every question finds the same machine.
        await client.delete(Workload, "bench", namespace="default", uid=answered.uid)
        await client.wait_deleted(Workload, "bench", namespace="default", timeout_seconds=ANSWER_SECONDS_MAX)
        found, kinds = [], set()
        used_ns = cpu_ns(home.pid)
        for turn in range(WARM_ROUNDS + ROUNDS):
            begun = time.perf_counter()
            said = await _once(client, workload)
            elapsed_ms = (time.perf_counter() - begun) * 1000
            assert said.status is not None
            assert said.status.answer is not None
            if turn >= WARM_ROUNDS:
                found.append(elapsed_ms)
                kinds.add(said.status.answer.kind)
                tell(f"{len(found)} of {ROUNDS} asked")
            await client.delete(Inquiry, said.name, namespace="default")
            await asyncio.sleep(PAUSE_SECONDS)
        used_ms = (cpu_ns(home.pid) - used_ns) / 1e6 / (WARM_ROUNDS + ROUNDS)
    return found, ", ".join(sorted(kinds)), used_ms


async def _once(client: AsyncClient, workload: Workload) -> Inquiry:
    spec = InquirySpec(workload=workload.spec, time_to_live=Duration.parse("1m"))
    inquiry = Inquiry(metadata=ObjectMeta(generate_name="bench-", namespace="default"), spec=spec)
    asked = await client.create(inquiry)
    return await client.wait_for(
        Inquiry,
        asked.name,
        lambda seen: seen.status is not None and seen.status.phase == "Answered",
        namespace="default",
        timeout_seconds=ANSWER_SECONDS_MAX,
    )
