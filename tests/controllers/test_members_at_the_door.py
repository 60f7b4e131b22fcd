"""Through the real door: roles, shares of devices, NICs and local disk are offered and held, or refused by name."""

from pathlib import Path
from typing import Any

from tenure.resources import Offer
from tenure.resources.kinds.answer import Answer
from tests.controllers.fleets import file_of
from tests.controllers.planes import plane_on
from tests.controllers.test_limits_at_the_door import answer_to, gone

ROWS = [f"m-{n},1Ti,2,2" for n in range(2)]


def binding_of(said: Answer) -> str:
    assert said.refusal is not None, said
    return said.refusal.binding.constraint


async def test_what_members_take_is_offered_and_held_or_refused_by_its_axis(tmp_path: Path) -> None:
    made = file_of(tmp_path, "local_disk,nics,numa_nodes", *ROWS)
    head: dict[str, Any] = {"name": "head", "cores": 2, "localDisk": "600Gi"}
    pair = [{"class": "gpu", "count": 2, "fraction": "500m", "models": ["H100", "H200"]}, {"class": "nic"}]
    workers = {"name": "worker", "members": 4, "devices": pair}
    near = {"topology": {"must": [{"share": "numaNode"}]}}
    async with plane_on(tmp_path / "home", running=True, fleet=made) as (_, user):
        said = await answer_to(user, "fits", resources={"roles": [head, workers]}, **near)
        assert said.kind == "Offers"
        hard = {promise.what: promise.value for promise in said.quotes[0].promises.hard}
        assert hard["members"].startswith("head: 1, each 2 cores")
        assert hard["localDisk"].startswith("600Gi in all")
        claims = (await user.list(Offer, namespace="default")).items[0].spec.hold.claims
        assert sorted(claim.role or "" for claim in claims) == ["head", *["worker"] * 4]
        assert {int(d.count) for claim in claims for d in claim.devices if d.id.startswith("gpu")} == {500}
        await gone(user, "fits")
        crowded = await answer_to(user, "crowded", resources={"roles": [head, {**workers, "members": 5}]}, **near)
        assert binding_of(crowded) == "devices:nic"
        wide = await answer_to(user, "wide", resources={"roles": [{**head, "members": 3}, workers]})
        assert binding_of(wide).startswith("localDisk:m-")
        other = await answer_to(user, "other", resources={"devices": [{"class": "gpu", "models": ["A100", "B200"]}]})
        assert binding_of(other) == "devices:gpu"
