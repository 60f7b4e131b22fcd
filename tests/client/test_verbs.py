"""The clients' verbs and errors; the same for the one that waits and the one that awaits."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.client import (
    AlreadyExists,
    AsyncClient,
    Client,
    Conflict,
    Connection,
    Forbidden,
    Invalid,
    NoConnection,
    NotFound,
    Unauthorized,
    Unreachable,
    WaitTimeout,
    calls,
    from_home,
    from_kubeconfig,
)
from tenure.resources import Engine, Namespace, ObjectMeta, Secret, Workload
from tests.server.builders import workload
from tests.support.embedded import Embedded, embedded_in_thread


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded_in_thread(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def user(host: Embedded) -> Iterator[Client]:
    with Client(from_home(host.home)) as client:
        yield client
        for item in client.list(Workload).items:
            client.delete(Workload, item.name)


@pytest.fixture
def controllers(host: Embedded) -> Iterator[Client]:
    with Client(from_home(host.home, "controllers")) as client:
        yield client


def chat(name: str = "chat", **more: Any) -> Workload:
    return Workload.model_validate(workload(name, **more))


def test_objects_are_typed(user: Client) -> None:
    made = user.create(chat())
    assert isinstance(made, Workload)
    assert made.metadata.generation == 1
    objective = user.get(Workload, "chat").spec.objectives
    assert objective is not None
    assert objective.time_to_first_token is not None
    assert str(objective.time_to_first_token.p95) == "1s"


def test_replacing_compares_and_swaps(user: Client) -> None:
    made = user.create(chat())
    made.metadata.labels = {"a": "b"}
    changed = user.replace(made)
    assert changed.metadata.labels == {"a": "b"}
    assert changed.metadata.generation == 1  # what the model wrote out means what was there
    with pytest.raises(Conflict):
        user.replace(made)
    with pytest.raises(ValueError, match="resourceVersion"):
        user.replace(chat())


def test_status_is_written_apart(user: Client, controllers: Client) -> None:
    user.create(chat())
    with pytest.raises(Forbidden, match="controllers only"):
        user.patch_status(Workload, "chat", {"status": {"phase": "Running"}})
    controllers.patch_status(Workload, "chat", {"status": {"phase": "Pending"}})
    read = controllers.get(Workload, "chat")
    assert read.status is not None
    read.status.phase = "Running"
    written = controllers.replace_status(read)
    assert written.status is not None
    assert written.status.phase == "Running"
    with pytest.raises(Conflict):
        controllers.replace_status(read)


def test_errors_are_typed_and_name_fields(user: Client) -> None:
    with pytest.raises(NotFound):
        user.get(Workload, "ghost")
    user.create(chat())
    with pytest.raises(AlreadyExists):
        user.create(chat())
    with pytest.raises(Invalid) as invalid:
        user.patch(Workload, "chat", {"spec": {"term": {"duration": "-1s"}}})
    assert [(c.field, c.reason) for c in invalid.value.causes] == [("spec.term.duration", "InvalidQuantity")]


def test_lists_go_through_all_pages(user: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(5):
        user.create(chat(f"w{index}", labels={"n": str(index % 2)}))
    monkeypatch.setattr(calls.list_page, "__defaults__", (2,))
    listed = user.list(Workload)
    assert [item.name for item in listed.items] == [f"w{index}" for index in range(5)]
    assert int(listed.resource_version) > 0
    assert [item.name for item in user.list(Workload, label_selector="n=1").items] == ["w1", "w3"]
    assert [item.name for item in user.list(Workload, field_selector="metadata.name=w2").items] == ["w2"]
    assert user.list(Workload, namespace="elsewhere").items == []


def test_deleting_with_preconditions(user: Client) -> None:
    made = user.create(chat())
    with pytest.raises(Conflict):
        user.delete(Workload, "chat", uid="another")
    user.delete(Workload, "chat", uid=made.uid)
    with pytest.raises(NotFound):
        user.get(Workload, "chat")


def test_rehearsals_keep_nothing(user: Client) -> None:
    user.create(chat(), dry_run=True)
    assert user.list(Workload).items == []


def test_core_kinds(user: Client) -> None:
    user.create(Secret(metadata=ObjectMeta(name="s"), string_data={"key": "value"}))
    assert user.get(Secret, "s").text("key") == "value"
    assert [n.name for n in user.list(Namespace).items] == ["default"]
    user.delete(Secret, "s")


def test_waiting_for_a_state(user: Client, controllers: Client) -> None:
    user.create(chat())
    later = threading.Timer(0.1, lambda: controllers.patch_status(Workload, "chat", {"status": {"phase": "Running"}}))
    later.start()
    found = user.wait_for(
        Workload, "chat", lambda w: w.status is not None and w.status.phase == "Running", timeout_seconds=10
    )
    assert found.status is not None
    later.join()
    with pytest.raises(WaitTimeout):
        user.wait_for(Workload, "chat", lambda _: False, timeout_seconds=0.2)
    gone = threading.Timer(0.1, lambda: user.delete(Workload, "chat"))
    gone.start()
    user.wait_deleted(Workload, "chat", timeout_seconds=10)
    gone.join()


def test_watching_for_a_while(user: Client) -> None:
    user.create(chat())
    events = list(user.watch(Workload, for_seconds=0.3))
    assert [(e.type, e.object.name) for e in events if e.object] == [("ADDED", "chat")]


def test_the_asynchronous_one_waits_too(host: Embedded) -> None:
    async def main() -> None:
        async with host.client() as client, host.client("controllers") as controllers:
            await client.create(chat("async"))
            wanted = client.wait_for(
                Workload, "async", lambda w: w.status is not None and w.status.phase == "Running", timeout_seconds=10
            )
            task = asyncio.create_task(wanted)
            await controllers.patch_status(Workload, "async", {"status": {"phase": "Running"}})
            assert (await task).name == "async"
            with pytest.raises(WaitTimeout):
                await client.wait_for(Workload, "async", lambda _: False, timeout_seconds=0.1)
            seen = [event.type async for event in client.watch(Workload, for_seconds=0.1)]
            assert seen == ["ADDED"]
            await client.delete(Workload, "async")
            await client.wait_deleted(Workload, "async", timeout_seconds=10)

    asyncio.run(main())


def test_a_kubeconfig_leads_here_too(host: Embedded) -> None:
    with Client(from_kubeconfig(host.home / "kubeconfig")) as client:
        assert "tenure" in client.version()["gitVersion"]
        assert client.namespace == "default"


def test_a_wrong_token_is_told_apart(host: Embedded) -> None:
    connection = from_home(host.home)
    with (
        Client(Connection(connection.url, headers={"Authorization": "Bearer x"}, options=connection.options)) as client,
        pytest.raises(Unauthorized),
    ):
        client.list(Workload)


def test_nobody_there(tmp_path: Path, host: Embedded) -> None:
    with pytest.raises(NoConnection, match="tenure up"):
        from_home(tmp_path)
    with pytest.raises(NoConnection, match="nowhere"):
        from_kubeconfig(tmp_path / "nowhere")
    connection = from_home(host.home)
    with Client(Connection("https://127.0.0.1:1", options=connection.options)) as client:
        with pytest.raises(Unreachable) as unreachable:
            client.list(Workload)
        assert not unreachable.value.sent


def test_a_host_that_moved_is_found_again(tmp_path: Path) -> None:
    import socket

    with embedded_in_thread(tmp_path) as first:
        client = Client(lambda: from_home(tmp_path))
        assert client.list(Workload).items == []
        port = int(first.serving.url.rsplit(":", 1)[1])
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        with embedded_in_thread(tmp_path) as second:
            assert second.serving.url != first.serving.url
            squatter.close()
            assert client.list(Workload).items == []
    client.close()


def test_fields_of_a_newer_host_are_no_error() -> None:
    content = workload()
    content["metadata"]["uid"] = "u"
    content["metadata"]["shiny"] = True
    content["spec"]["novelty"] = {"a": 1}
    content["status"] = {"phase": "Running", "conditions": [], "more": 1}
    decoded = calls.decode(Workload, content)
    assert decoded.name == "chat"
    assert decoded.status is not None
    assert decoded.status.phase == "Running"


def test_only_kinds_are_addressed() -> None:
    assert calls.get(Engine, "e", "ignored").path == "/apis/tenure.dev/v1alpha1/engines/e"
    assert calls.get(Secret, "a b", "n").path == "/api/v1/namespaces/n/secrets/a%20b"


async def test_a_lost_answer_to_a_write_is_not_asked_again(tmp_path: Path) -> None:
    """A host that takes the request and hangs up: the client says that it may have arrived, and stops there."""
    requests = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await reader.readuntil(b"\r\n\r\n")
        requests += 1
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with AsyncClient(Connection(url, options={"trust_env": False})) as client:
        with pytest.raises(Unreachable) as unreachable:
            await client.create(chat())
        assert unreachable.value.sent
        assert requests == 1
        with pytest.raises(Unreachable):
            await client.get(Workload, "chat")
        assert requests == 3
    server.close()
