"""Names become one segment of a URL, or no URL at all: whatever they hold, they lead to no other place."""

import asyncio
from collections.abc import Callable

import pytest

from tenure import sdk
from tenure.cli import requests
from tenure.client import AsyncClient, Client, Connection, InvalidName, NotFound, calls
from tenure.resources import KINDS, Kind, Site, Workload, kind_of
from tests.server.builders import workload

WRONG = ("", ".", "..", "local/status", "../../x", "a%2fb", "%", "a\nb", "a\x00b", "\udcff", "x" * 254)
NOWHERE = Connection(url="https://127.0.0.1:1")


@pytest.mark.parametrize("name", WRONG)
def test_no_path_is_made_of_what_can_be_no_name(name: str) -> None:
    made: tuple[Callable[[], calls.Call], ...] = (
        lambda: calls.get(Workload, name, "default"),
        lambda: calls.get(Workload, "chat", name),
        lambda: calls.list_page(Workload, name, None, None, ""),
        lambda: calls.watch(Workload, name, "1", None, None),
        lambda: calls.patch(Workload, name, {}, "default", "", False),
        lambda: calls.delete(Workload, name, "default", "Background", None, None, False),
        lambda: calls.create(Workload.model_validate(workload()), name, False),
        lambda: requests.read(kind_of(Site), name, ""),
        lambda: requests.page(kind_of(Workload), name),
    )
    for make in made:
        with pytest.raises(InvalidName) as refused:
            make()
        assert isinstance(refused.value, NotFound), "nothing of that name is anywhere"
        (cause,) = refused.value.causes
        assert (cause.reason, cause.next_step) == ("InvalidName", calls.NAME_STEP)
        assert cause.field in ("metadata.name", "metadata.namespace")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.kind))
def test_twin_what_hosts_name_is_a_segment_as_it_is(kind: Kind) -> None:
    for name in ("chat", "kube-root-ca.crt", "x" * 253, "Upper_Case", "system:node"):
        path = calls.object_path(kind, name, "default")
        assert path.rpartition("/")[2].replace("%3A", ":") == name


def test_every_client_refuses_it_before_it_asks() -> None:
    with Client(NOWHERE) as client, pytest.raises(InvalidName, match="'/' is not part of a name"):
        client.get(Site, "local/status")
    with sdk.Client(lambda: NOWHERE, namespace="../../x") as typed, pytest.raises(InvalidName):
        typed.list(Workload, namespace="../../x")

    async def asked() -> None:
        async with AsyncClient(NOWHERE) as client:
            with pytest.raises(InvalidName):
                await client.get(Site, "local/status")

    asyncio.run(asked())
