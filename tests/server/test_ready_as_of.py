"""Ready of a Contract is held against the host's clock, start and disk wherever it is shown; what is stored stays."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from tenure.quantities import VirtualClock, format_instant
from tenure.resources.freshness import UNMEASURED_WINDOW_MS, ready_as_of
from tenure.server import serving
from tenure.store import StoreUnwritableError
from tests.cli.answers import active_status, contract_object
from tests.support.embedded import Embedded

AT_MS = 1_800_000_000_000
CONTRACTS = "/apis/tenure.dev/v1alpha1/namespaces/default/contracts"
MERGE = {"content-type": "application/merge-patch+json"}
TABLE = {"accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}


def contract(observed_ms: int | None) -> dict[str, Any]:
    """Ready by evidence of that instant, in windows of ten seconds."""
    wire = contract_object("chat", "default", "chat", **active_status()).to_json()
    for promise in wire["spec"]["promises"]["statistical"]:
        promise["window"] = "10s"
    if observed_ms is not None:
        wire["status"]["observedAt"] = format_instant(observed_ms)
    return wire


def ready(wire: dict[str, Any]) -> tuple[str, str]:
    found = next(one for one in wire["status"]["conditions"] if one["type"] == "Ready")
    return found["status"], found["reason"]


class TestReadyAsOf:
    """The pure function."""

    def test_it_stands_until_its_evidence_is_a_window_old(self) -> None:
        found = contract(AT_MS)
        assert ready_as_of(found, AT_MS + 10_000) is found
        assert ready(ready_as_of(found, AT_MS + 10_001)) == ("Unknown", "NotObserved")
        assert ready(found) == ("True", "Kept"), "what was handed in is left as it is"

    def test_hard_promises_alone_have_their_own_span(self) -> None:
        found = contract(AT_MS)
        found["spec"]["promises"] = {}
        assert ready_as_of(found, AT_MS + UNMEASURED_WINDOW_MS) is found
        assert ready(ready_as_of(found, AT_MS + UNMEASURED_WINDOW_MS + 1))[0] == "Unknown"

    def test_what_was_seen_before_the_host_began_is_not_shown(self) -> None:
        found = contract(AT_MS)
        assert ready(ready_as_of(found, AT_MS + 1, since_ms=AT_MS + 1)) == ("Unknown", "NotObserved")

    def test_what_is_of_a_time_to_come_is_no_evidence_of_now(self) -> None:
        found = contract(AT_MS)
        assert ready(ready_as_of(found, AT_MS - 3_600_000)) == ("Unknown", "NotObserved")

    def test_where_nothing_can_be_written_nothing_is_ready(self) -> None:
        for observed_ms in (AT_MS, None):
            assert ready(ready_as_of(contract(observed_ms), AT_MS, refusal="the disk is full"))[0] == "Unknown"

    def test_what_rests_on_no_measurement_does_not_age(self) -> None:
        found = contract(None)
        assert ready_as_of(found, AT_MS + 10**9, since_ms=AT_MS + 10**9) is found

    @pytest.mark.parametrize("said", ["False", "Unknown"])
    def test_only_true_turns(self, said: str) -> None:
        found = contract(AT_MS)
        found["status"]["conditions"][0]["status"] = said
        assert ready_as_of(found, AT_MS + 10**9) is found


@asynccontextmanager
async def host_at(home: Path, clock: VirtualClock) -> AsyncIterator[Embedded]:
    async with serving(home, clock=clock) as running:
        yield Embedded(running)


async def kept(host: Embedded, clock: VirtualClock, finalizers: Sequence[str] = ()) -> None:
    """A contract that was seen to be kept just now."""
    wire = contract(clock.now_ms())
    wire["metadata"]["finalizers"] = list(finalizers)
    async with host.http("controllers") as http:
        made = await http.post(CONTRACTS, json=wire)
        assert made.status_code == 201, made.text
        status = {**made.json(), "status": wire["status"]}
        answer = await http.put(f"{CONTRACTS}/chat/status", json=status)
        assert answer.status_code == 200, answer.text


def body_of(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code < 300, answer.text
    return cast(dict[str, Any], answer.json())


async def first_told(http: httpx2.AsyncClient, **selected: str) -> dict[str, Any]:
    """The object of the first line of a watch."""
    params = {"watch": "true", "timeoutSeconds": "5", **selected}
    async with http.stream("GET", CONTRACTS, params=params) as watch:
        async for line in watch.aiter_lines():
            return cast(dict[str, Any], json.loads(line)["object"])
    raise AssertionError("it told nothing")


async def shown(http: httpx2.AsyncClient) -> list[str]:
    """Ready as each way of asking shows it: the object, a list, the printer column, and the first line of a watch."""
    one = (await http.get(f"{CONTRACTS}/chat")).json()
    (listed,) = (await http.get(CONTRACTS)).json()["items"]
    table = (await http.get(CONTRACTS, headers=TABLE)).json()
    column = [c["name"] for c in table["columnDefinitions"]].index("Ready")
    told = await first_told(http)
    return [ready(one)[0], ready(listed)[0], table["rows"][0]["cells"][column], ready(told)[0]]


async def test_however_it_is_asked_for_it_ages(tmp_path: Path) -> None:
    clock = VirtualClock(AT_MS)
    async with host_at(tmp_path, clock) as host, host.http() as http, host.http("controllers") as controllers:
        await kept(host, clock)
        assert await shown(http) == ["True"] * 4
        clock.advance(10_001)
        assert await shown(http) == ["Unknown"] * 4
        assert await shown(controllers) == ["True"] * 4, "twin: they read what is stored, for it is they who look"


Way = Callable[[httpx2.AsyncClient], Awaitable[dict[str, Any]]]


async def _got(http: httpx2.AsyncClient) -> dict[str, Any]:
    return body_of(await http.get(f"{CONTRACTS}/chat"))


async def _got_its_status(http: httpx2.AsyncClient) -> dict[str, Any]:
    return body_of(await http.get(f"{CONTRACTS}/chat/status"))


async def _listed(http: httpx2.AsyncClient) -> dict[str, Any]:
    (one,) = body_of(await http.get(CONTRACTS))["items"]
    return cast(dict[str, Any], one)


async def _listed_everywhere(http: httpx2.AsyncClient) -> dict[str, Any]:
    (one,) = body_of(await http.get("/apis/tenure.dev/v1alpha1/contracts"))["items"]
    return cast(dict[str, Any], one)


async def _in_a_table(http: httpx2.AsyncClient) -> dict[str, Any]:
    (row,) = body_of(await http.get(CONTRACTS, params={"includeObject": "Object"}, headers=TABLE))["rows"]
    return cast(dict[str, Any], row["object"])


async def _deleted(http: httpx2.AsyncClient) -> dict[str, Any]:
    return body_of(await http.delete(f"{CONTRACTS}/chat"))


async def _deleted_in_rehearsal(http: httpx2.AsyncClient) -> dict[str, Any]:
    return body_of(await http.delete(f"{CONTRACTS}/chat", params={"dryRun": "All"}))


async def _deleted_with_all(http: httpx2.AsyncClient) -> dict[str, Any]:
    (one,) = body_of(await http.delete(CONTRACTS))["items"]
    return cast(dict[str, Any], one)


WAYS: dict[str, dict[str, Way]] = {
    "get": {"object": _got, "status": _got_its_status},
    "list": {"namespace": _listed, "everywhere": _listed_everywhere, "table": _in_a_table},
    "watch": {"present": first_told},  # what changes is told as in the test after these
    "delete": {"marked": _deleted, "rehearsed": _deleted_in_rehearsal},
    "deletecollection": {"marked": _deleted_with_all},
}
"""Every verb that a user may send, and each form in which a Contract comes back from it."""
FOR_CONTROLLERS = {"create": "POST", "update": "PUT", "patch": "PATCH"}
"""These are refused to users, and whoever looks reads what is stored."""


@pytest.mark.parametrize(("verb", "way"), [(verb, way) for verb, ways in WAYS.items() for way in ways])
async def test_no_way_out_of_the_door_shows_it_ready_on_old_evidence(tmp_path: Path, verb: str, way: str) -> None:
    clock = VirtualClock(AT_MS)
    async with host_at(tmp_path, clock) as host, host.http() as http:
        await kept(host, clock, finalizers=["tenure.dev/settle"])
        clock.advance(10_001)
        assert ready(await WAYS[verb][way](http)) == ("Unknown", "NotObserved")


@pytest.mark.parametrize("how", ["changed", "left the selection", "deleted"])
async def test_a_watch_tells_no_change_as_ready_on_old_evidence(tmp_path: Path, how: str) -> None:
    clock = VirtualClock(AT_MS)
    async with host_at(tmp_path, clock) as host, host.http() as http, host.http("controllers") as controllers:
        await kept(host, clock)
        clock.advance(10_001)
        version = body_of(await http.get(CONTRACTS))["metadata"]["resourceVersion"]
        if how == "deleted":
            body_of(await http.delete(f"{CONTRACTS}/chat"))
        else:
            labels = {"tenure.dev/workload": "other" if how == "left the selection" else "chat", "more": "so"}
            change = {"metadata": {"labels": labels}}
            body_of(await controllers.patch(f"{CONTRACTS}/chat", json=change, headers=MERGE))
        told = await first_told(http, resourceVersion=version, labelSelector="tenure.dev/workload=chat")
        assert ready(told) == ("Unknown", "NotObserved")


async def test_each_verb_of_contracts_is_one_of_these_ways_or_is_refused_to_users(tmp_path: Path) -> None:
    clock = VirtualClock(AT_MS)
    async with host_at(tmp_path, clock) as host, host.http() as http:
        listed = body_of(await http.get("/apis/tenure.dev/v1alpha1"))["resources"]
        (verbs,) = (one["verbs"] for one in listed if one["name"] == "contracts")
        assert set(verbs) == {*WAYS, *FOR_CONTROLLERS}
        await kept(host, clock)
        for method in FOR_CONTROLLERS.values():
            path = CONTRACTS if method == "POST" else f"{CONTRACTS}/chat"
            assert (await http.request(method, path, json=contract(AT_MS), headers=MERGE)).status_code == 403


async def test_after_a_restart_it_is_unknown_until_somebody_has_looked(tmp_path: Path) -> None:
    clock = VirtualClock(AT_MS)
    async with host_at(tmp_path, clock) as host:
        await kept(host, clock)
    clock.advance(500)
    async with host_at(tmp_path, clock) as host, host.http() as http, host.http("controllers") as controllers:
        assert await shown(http) == ["Unknown"] * 4
        seen = (await controllers.get(f"{CONTRACTS}/chat")).json()
        seen["status"]["observedAt"] = format_instant(clock.now_ms())
        await controllers.put(f"{CONTRACTS}/chat/status", json=seen)
        assert await shown(http) == ["True"] * 4


async def test_while_the_disk_takes_no_writes_nothing_is_shown_as_ready(tmp_path: Path) -> None:
    clock = VirtualClock(AT_MS)
    async with host_at(tmp_path, clock) as host, host.http() as http:
        await kept(host, clock)
        writer = host.serving.host.store._writer
        assert writer is not None
        writer.trouble = StoreUnwritableError("the disk of state.db is full; free some space")
        assert await shown(http) == ["Unknown"] * 4
        message = (await http.get(f"{CONTRACTS}/chat")).json()["status"]["conditions"][0]["message"]
        assert "is full" in message
        writer.trouble = None
        assert await shown(http) == ["True"] * 4
