"""Through the real door: what is reported broken is not offered, and refusals name links and uplinks with figures."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tenure.client import AsyncClient
from tenure.resources import Machine, Offer, Workload
from tenure.resources.kinds.answer import Answer
from tenure.resources.kinds.machine import MachineHealth
from tests.controllers.fleets import file_of
from tests.controllers.planes import command, plane_on

PLACES = "nvlink_domain,rack,rack_network"
DOMAIN = [f"m-{n},nvl-0,r-{n // 2},100GB/s" for n in range(4)]
EACH = {"cores": 1, "devices": [{"class": "gpu", "count": 8}]}


async def until(true: Callable[[], Awaitable[Any]], what: str) -> Any:
    try:
        async with asyncio.timeout(60):
            while not (found := await true()):
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        raise AssertionError(what) from None


async def answer_to(user: AsyncClient, name: str, **spec: Any) -> Answer:
    await user.create(command(name, **spec))

    async def told() -> Answer | None:
        found = await user.get(Workload, name, namespace="default")
        return found.status.answer if found.status is not None else None

    found = await until(told, f"{name} is answered")
    assert isinstance(found, Answer)
    return found


async def gone(user: AsyncClient, name: str) -> None:
    await user.delete(Workload, name, namespace="default")

    async def nothing_held() -> bool:
        return not (await user.list(Offer, namespace="default")).items

    await until(nothing_held, f"nothing is held for {name} any more")


async def report(user: AsyncClient, name: str, health: MachineHealth | None) -> None:
    await user.patch(Machine, name, {"spec": {"health": health.to_json() if health is not None else None}})

    async def followed() -> bool:
        status = (await user.get(Machine, name)).status
        assert status is not None
        broken = health or MachineHealth()
        return (status.state == "Failed", status.failed_devices) == (broken.failed, broken.failed_devices)

    await until(followed, f"{name} is as reported")


async def test_an_nvlink_domain_of_which_a_machine_fails_is_offered_in_slices_and_whole_once_it_is_back(
    tmp_path: Path,
) -> None:
    island = {"must": [{"share": "nvlinkDomain"}]}
    whole = {"resources": {"members": 4, **EACH}, "topology": island}
    async with plane_on(tmp_path / "home", running=True, fleet=file_of(tmp_path, PLACES, *DOMAIN)) as (_, user):
        await report(user, "m-1", MachineHealth(failed=True, reason="does not boot"))
        await report(user, "m-2", MachineHealth(failed_devices=["gpu-3"]))
        said = await answer_to(user, "whole", **whole)
        assert said.kind == "CounterOffers"
        assert said.refusal is not None
        assert (said.refusal.funnel[0].constraint, said.refusal.funnel[0].removed) == ("schedulable", 1)
        assert (said.refusal.binding.needed, said.refusal.binding.available) == (32, 16)
        assert [(r.axis, r.offered) for r in said.quotes[0].relaxed] == [("less", "2")]
        await gone(user, "whole")
        await report(user, "m-1", None)
        await report(user, "m-2", None)
        assert (await answer_to(user, "again", **whole)).kind == "Offers"


async def test_links_and_uplinks_are_promised_or_refused_with_their_figures(tmp_path: Path) -> None:
    made = file_of(tmp_path, PLACES, *DOMAIN, levels=[{"level": "nvlinkDomain", "bandwidth": "900GB/s"}])
    async with plane_on(tmp_path / "home", running=True, fleet=made) as (_, user):
        linked = {"topology": {"must": [{"linkBandwidthMin": "450GB/s"}]}}
        said = await answer_to(user, "fits", resources={"members": 4, "network": "25GB/s", **EACH}, **linked)
        assert said.kind == "Offers"
        hard = {promise.what: promise.value for promise in said.quotes[0].promises.hard}
        assert hard["linkBandwidth"] == "at least 450GB/s between any two, as declared"
        assert hard["network"] == "100GB/s in all, over the uplinks between members"
        await gone(user, "fits")
        narrow = await answer_to(user, "narrow", resources={"members": 4, "network": "60GB/s", **EACH})
        assert narrow.refusal is not None
        assert narrow.refusal.binding.message == (
            f"{narrow.refusal.binding.constraint}: 120GB/s needed, 100GB/s available, 100GB/s in all"
        )
        assert narrow.refusal.binding.constraint.startswith("network:r-")
        await gone(user, "narrow")
        fast = {"topology": {"must": [{"linkBandwidthMin": "1TB/s"}]}}
        unknown = await answer_to(user, "fast", resources={"members": 2, **EACH}, **fast)
        assert unknown.refusal is not None
        assert unknown.refusal.binding.message.startswith("link: 1TB/s needed, 900GB/s available")
        await gone(user, "fast")
        for asked, promised, unmet in (
            ("450GB/s", ["at least 450GB/s between any two, as preferred"], []),
            ("1TB/s", [], [("linkBandwidth", "at least 1TB/s", "900GB/s")]),
        ):
            wish = {"topology": {"prefer": [{"linkBandwidthMin": asked}]}}
            said = await answer_to(user, "wish", resources={"members": 2, **EACH}, **wish)
            assert said.kind == "Offers"
            (quote,) = said.quotes
            assert [one.value for one in quote.promises.hard if one.what == "linkBandwidth"] == promised
            told = quote.chosen.unmet if quote.chosen is not None else []
            assert [(one.preference, one.asked, one.found) for one in told] == unmet
            await gone(user, "wish")
