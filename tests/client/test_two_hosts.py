"""What the controllers count on, from either host: ours, and a real Kubernetes API server.

The Kubernetes run installs the generated CRDs first, so it also proves that they are accepted. The server is one that
`make kubernetes` built, started for these tests alone, or the one that TENURE_TEST_KUBECONFIG names.
"""

import asyncio
import os
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenure.client import (
    AlreadyExists,
    ApiError,
    AsyncClient,
    Conflict,
    NotFound,
    from_kubeconfig,
)
from tenure.resources import Namespace, ObjectMeta, Site, Workload, crd
from tests.server.builders import workload
from tests.support.embedded import embedded
from tests.support.kubernetes import api_server, binaries_missing, garbage_collector

HANG_SECONDS = 120
"""A watch that tells nothing fails after so long, instead of holding up all that is to be tested after it."""


@dataclass
class Place:
    """A namespace of its own at one host, seen as the controllers see it."""

    client: AsyncClient
    namespace: str

    def chat(self, name: str = "chat", **more: Any) -> Workload:
        return Workload.model_validate(workload(name, namespace=self.namespace, **more))

    async def get(self, name: str = "chat") -> Workload:
        return await self.client.get(Workload, name, namespace=self.namespace)


@pytest.fixture(scope="module")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of an API server that knows our kinds."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine")
    named, missing = os.environ.get("TENURE_TEST_KUBECONFIG"), binaries_missing()
    if named:
        yield _with_our_kinds(named)
        return
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("kubernetes")
    with api_server(folder) as path:
        ready = _with_our_kinds(str(path))
        with garbage_collector(folder, path):
            yield ready


def _with_our_kinds(kubeconfig: str) -> str:
    kubectl = ["kubectl", "--kubeconfig", kubeconfig]
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", "-"]
    wait = [*kubectl, "wait", "--for=condition=Established", "crd", "--all", "--timeout=180s"]
    for command, given in ((apply, crd.crds_yaml()), (wait, None)):
        done = subprocess.run(command, input=given, text=True, check=False, capture_output=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return kubeconfig


@pytest.fixture(params=["embedded", pytest.param("kubernetes", marks=pytest.mark.real)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    namespace = f"t-{uuid.uuid4().hex[:8]}"
    if request.param == "kubernetes":
        async with AsyncClient(from_kubeconfig(request.getfixturevalue("kubernetes"))) as client:
            await client.create(Namespace(metadata=ObjectMeta(name=namespace)))
            yield Place(client, namespace)
            await client.delete(Namespace, namespace)
        return
    async with embedded(tmp_path) as host, host.client("controllers") as client:
        await client.create(Namespace(metadata=ObjectMeta(name=namespace)))
        yield Place(client, namespace)


async def test_an_object_has_an_identity_and_counts_its_changes(place: Place) -> None:
    made = await place.client.create(place.chat())
    assert made.uid
    assert made.metadata.generation == 1
    assert made.metadata.creation_timestamp
    with pytest.raises(AlreadyExists):
        await place.client.create(place.chat())
    change = {"spec": {"term": {"duration": "7d"}}}
    changed = await place.client.patch(Workload, "chat", change, namespace=place.namespace)
    assert changed.metadata.generation == 2
    assert changed.uid == made.uid


async def test_writes_compare_and_swap(place: Place) -> None:
    made = await place.client.create(place.chat())
    made.metadata.labels = {"a": "b"}
    changed = await place.client.replace(made)
    assert changed.metadata.resource_version != made.metadata.resource_version
    with pytest.raises(Conflict):
        await place.client.replace(made)
    stale = {"metadata": {"resourceVersion": made.metadata.resource_version, "labels": {"c": "d"}}}
    with pytest.raises(Conflict):
        await place.client.patch(Workload, "chat", stale, namespace=place.namespace)


async def test_of_ten_racers_one_wins(place: Place) -> None:
    made = await place.client.create(place.chat())

    async def race(number: int) -> bool:
        mine = made.model_copy(deep=True)
        mine.metadata.labels = {"winner": str(number)}
        try:
            await place.client.replace(mine)
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(race(i) for i in range(10)))) == 1


async def test_spec_and_status_have_doors_of_their_own(place: Place) -> None:
    given = place.chat()
    made = await place.client.create(Workload.model_validate({**given.to_json(), "status": {"phase": "Running"}}))
    assert made.status is None
    both = {"status": {"phase": "Pending"}, "spec": {"term": {"duration": "1d"}}}
    status = await place.client.patch_status(Workload, "chat", both, namespace=place.namespace)
    assert status.status is not None
    assert status.status.phase == "Pending"
    assert status.metadata.generation == 1
    main = await place.client.patch(Workload, "chat", {"status": {"phase": "Failed"}}, namespace=place.namespace)
    assert main.status is not None
    assert main.status.phase == "Pending"


async def test_wrong_objects_are_refused(place: Place) -> None:
    for change in ({"spec": {"colour": "blue"}}, {"spec": {"acceptance": "perhaps"}}):
        with pytest.raises(ApiError) as refused:
            await place.client.patch(Workload, "nothing", change, namespace=place.namespace)
        assert isinstance(refused.value, NotFound)
        await place.client.create(place.chat())
        with pytest.raises(ApiError) as refused:
            await place.client.patch(Workload, "chat", change, namespace=place.namespace)
        assert refused.value.code in (400, 422)
        await place.client.delete(Workload, "chat", namespace=place.namespace)


async def test_what_contradicts_itself_is_refused(place: Place) -> None:
    sizes = [{"members": 4, "value": 3}, {"members": 2, "value": 1}]
    rules = [{"spread": "rack"}, *[{"share": "row"}] * 40]
    for right, wrong in (
        ({"resources": {"sizes": sizes, "members": 1}}, {"resources": {"members": 2}}),
        ({"resources": {"sizes": sizes, "members": 4}}, {"resources": {"membersMin": 1}}),
        ({"resources": {"sizes": sizes}}, {"resources": {"sizes": sizes * 2}}),
        ({"topology": {"must": rules}}, {"topology": {"prefer": [{"spread": "leaf"}]}}),
    ):
        await _goes_and_does_not(place, Workload, {"spec": right}, {"spec": wrong})


async def test_scores_that_contradict_themselves_are_refused(place: Place) -> None:
    def over(level: str, *taken: float) -> dict[str, Any]:
        steps = [{"takenMin": share, "weight": 1} for share in taken]
        return {"score": "spread", "level": level, "weight": 1, "byLoad": steps}

    for right, wrong in (
        ([over("row"), over("rack")], [over("row"), over("row")]),
        ([over("row", 0.5, 0.9)], [over("row", 0.9, 0.5)]),
        ([over("row", 0.5)], [over("row", 0.5, 0.5)]),
    ):
        await _goes_and_does_not(place, Site, {"spec": {"scores": right}}, {"spec": {"scores": wrong}})


async def _goes_and_does_not(place: Place, kind: type[Workload | Site], *changes: dict[str, Any]) -> None:
    """The first change is taken, the second refused as wrong."""
    right, wrong = changes
    namespace = place.namespace if kind is Workload else ""
    name = f"c-{uuid.uuid4().hex[:8]}"
    await place.client.create(place.chat(name) if kind is Workload else Site(metadata=ObjectMeta(name=name)))
    await place.client.patch(kind, name, right, namespace=namespace)
    with pytest.raises(ApiError) as refused:
        await place.client.patch(kind, name, wrong, namespace=namespace)
    assert refused.value.code in (400, 422), (right, wrong)
    await place.client.delete(kind, name, namespace=namespace)


async def test_finalizers_hold_an_object(place: Place) -> None:
    await place.client.create(place.chat(finalizers=["tenure.dev/test"]))
    await place.client.delete(Workload, "chat", namespace=place.namespace)
    held = await place.get()
    assert held.metadata.deletion_timestamp
    held.metadata.finalizers = None
    await place.client.replace(held)
    with pytest.raises(NotFound):
        await place.get()


async def test_lists_select_and_are_one_moment(place: Place) -> None:
    for name, tier in (("a", "gold"), ("b", "silver"), ("c", "gold")):
        await place.client.create(place.chat(name, labels={"tier": tier}))
    golden = await place.client.list(Workload, namespace=place.namespace, label_selector="tier=gold")
    assert [item.name for item in golden.items] == ["a", "c"]
    one = await place.client.list(Workload, namespace=place.namespace, field_selector="metadata.name=b")
    assert [item.name for item in one.items] == ["b"]
    everything = await place.client.list(Workload, namespace=place.namespace)
    await place.client.create(place.chat("d"))
    async with asyncio.timeout(HANG_SECONDS):
        async for event in place.client.watch(
            Workload, namespace=place.namespace, resource_version=everything.resource_version
        ):
            assert event.object is not None
            assert (event.type, event.object.name) == ("ADDED", "d")
            break


async def test_watches_tell_every_change_in_order(place: Place) -> None:
    start = (await place.client.list(Workload, namespace=place.namespace)).resource_version
    await place.client.create(place.chat())
    for number in range(5):
        change = {"metadata": {"labels": {"n": str(number)}}}
        await place.client.patch(Workload, "chat", change, namespace=place.namespace)
    await place.client.delete(Workload, "chat", namespace=place.namespace)
    told = []
    async with asyncio.timeout(HANG_SECONDS):
        async for event in place.client.watch(Workload, namespace=place.namespace, resource_version=start):
            assert event.object is not None
            told.append((event.type, (event.object.metadata.labels or {}).get("n")))
            if event.type == "DELETED":
                break
    assert told == [("ADDED", None), *[("MODIFIED", str(n)) for n in range(5)], ("DELETED", "4")]


async def test_dependents_go_with_their_owner(place: Place) -> None:
    owner = await place.client.create(place.chat("owner"))
    reference = {"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
    await place.client.create(place.chat("dependent", ownerReferences=[reference]))
    await place.client.delete(Workload, "owner", namespace=place.namespace)
    await place.client.wait_deleted(Workload, "dependent", namespace=place.namespace, timeout_seconds=180)
