"""What the door answers, request by request."""

import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tenure.resources import KINDS
from tests.cli.wrong_input import CASES, REACHING, written
from tests.server.builders import WORKLOADS, namespace, secret, workload
from tests.support.embedded import Embedded, embedded

MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with embedded(tmp_path) as running:
        yield running


@pytest.fixture
async def user(host: Embedded) -> AsyncIterator[httpx2.AsyncClient]:
    async with host.http("user") as http:
        yield http


@pytest.fixture
async def controllers(host: Embedded) -> AsyncIterator[httpx2.AsyncClient]:
    async with host.http("controllers") as http:
        yield http


async def make(http: httpx2.AsyncClient, name: str = "chat", **more: Any) -> dict[str, Any]:
    answer = await http.post(WORKLOADS, json=workload(name, **more))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def status_of(answer: httpx2.Response, code: int, reason: str) -> dict[str, Any]:
    """The Status of a refusal, which is always one and always says the same code in its body."""
    status = answer.json()
    assert answer.status_code == code == status["code"], answer.text
    assert (status["kind"], status["status"], status["reason"]) == ("Status", "Failure", reason)
    return dict(status)


def causes_of(status: dict[str, Any]) -> dict[str, str]:
    return {cause["field"]: cause["reason"] for cause in status["details"]["causes"]}


async def everything(user: httpx2.AsyncClient) -> set[tuple[str, str]]:
    """Every object that there is."""
    found = set()
    for kind in KINDS:
        where = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        items = (await user.get(f"{where}/{kind.plural}")).json()["items"]
        found |= {(kind.kind, item["metadata"]["name"]) for item in items}
    return found


class TestObjects:
    async def test_come_back_as_they_were_applied(self, user: httpx2.AsyncClient) -> None:
        wanted = workload(p95="1000ms")
        await user.post(WORKLOADS, json=wanted)
        found = (await user.get(f"{WORKLOADS}/chat")).json()
        assert found["spec"] == wanted["spec"]

    async def test_are_refused_with_every_field_at_fault(self, user: httpx2.AsyncClient) -> None:
        wrong = workload()
        wrong["spec"]["objectives"]["timeToFirstToken"] = {"p95": "1 parsec", "p96": "1s"}
        wrong["spec"]["term"]["duration"] = "-3d"
        status = status_of(await user.post(WORKLOADS, json=wrong), 422, "Invalid")
        assert causes_of(status) == {
            "spec.objectives.timeToFirstToken.p95": "InvalidQuantity",
            "spec.objectives.timeToFirstToken.p96": "UnknownField",
            "spec.term.duration": "InvalidQuantity",
        }
        assert status["details"]["name"] == "chat"
        assert (await user.get(f"{WORKLOADS}/chat")).status_code == 404

    @pytest.mark.parametrize("case", REACHING)
    async def test_of_every_sort_that_is_wrong_leave_nothing_behind(self, user: httpx2.AsyncClient, case: str) -> None:
        _, code, path = CASES[case]
        before = await everything(user)
        status = status_of(await user.post(WORKLOADS, json=yaml.safe_load(written(case))), 422, "Invalid")
        assert causes_of(status) == {path: code}
        (cause,) = status["details"]["causes"]
        assert REACHING[case] in cause["message"], "with the next step"
        assert await everything(user) == before

    async def test_may_leave_unknown_fields_out_when_asked(self, user: httpx2.AsyncClient) -> None:
        wrong = workload()
        wrong["spec"]["colour"] = "blue"
        warned = await user.post(f"{WORKLOADS}?fieldValidation=Warn", json=wrong)
        assert warned.headers["warning"] == '299 - "unknown field \\"spec.colour\\""'
        assert "colour" not in warned.json()["spec"]
        wrong["metadata"]["name"] = "two"
        ignored = await user.post(f"{WORKLOADS}?fieldValidation=Ignore", json=wrong)
        assert ignored.status_code == 201
        assert "warning" not in ignored.headers

    async def test_may_have_field_names_that_no_header_takes(self, user: httpx2.AsyncClient) -> None:
        wrong = workload()
        wrong["spec"]["\u7ca3\r\nSet-Cookie: x"] = 1
        warned = await user.post(f"{WORKLOADS}?fieldValidation=Warn", json=wrong)
        assert warned.status_code == 201
        assert "set-cookie" not in warned.headers
        assert "\\u7ca3" in warned.headers["warning"]

    async def test_of_the_same_meaning_keep_text_and_generation(self, user: httpx2.AsyncClient) -> None:
        made = await make(user, p95="1000ms")
        same = json.loads(json.dumps(made))
        same["spec"]["objectives"]["timeToFirstToken"]["p95"] = "1s"
        same["spec"]["acceptance"] = "manual"  # the default, written out
        answer = (await user.put(f"{WORKLOADS}/chat", json=same)).json()
        assert answer["metadata"]["generation"] == 1
        assert answer["spec"] == made["spec"]
        assert answer["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    async def test_are_replaced_from_the_version_that_was_read(self, user: httpx2.AsyncClient) -> None:
        made = await make(user)
        made["spec"]["objectives"]["timeToFirstToken"]["p95"] = "2s"
        assert (await user.put(f"{WORKLOADS}/chat", json=made)).status_code == 200
        status = status_of(await user.put(f"{WORKLOADS}/chat", json=made), 409, "Conflict")
        assert "modified" in status["message"]
        del made["metadata"]["resourceVersion"]
        status_of(await user.put(f"{WORKLOADS}/chat", json=made), 422, "Invalid")

    async def test_must_be_what_the_address_says(self, user: httpx2.AsyncClient) -> None:
        status_of(await user.post(WORKLOADS, json=namespace("x")), 400, "BadRequest")
        elsewhere = workload(namespace="elsewhere")
        status_of(await user.post(WORKLOADS, json=elsewhere), 400, "BadRequest")
        made = await make(user)
        status_of(await user.put(f"{WORKLOADS}/other", json=made), 404, "NotFound")
        await make(user, "other")
        status_of(await user.put(f"{WORKLOADS}/other", json=made), 400, "BadRequest")

    async def test_need_a_namespace_that_exists(self, user: httpx2.AsyncClient) -> None:
        path = WORKLOADS.replace("default", "nowhere")
        status = status_of(await user.post(path, json=workload(namespace="nowhere")), 404, "NotFound")
        assert {**status["details"], "causes": None} == {"name": "nowhere", "kind": "namespaces", "causes": None}
        assert causes_of(status) == {"metadata.namespace": "NotFound"}

    async def test_exist_once(self, user: httpx2.AsyncClient) -> None:
        await make(user)
        status_of(await user.post(WORKLOADS, json=workload()), 409, "AlreadyExists")

    @pytest.mark.parametrize(
        ("metadata", "field"),
        [
            ({"labels": {"a b": "c"}}, "metadata.labels[a b]"),
            ({"labels": {"a": "c d"}}, "metadata.labels[a]"),
            ({"annotations": {"": "c"}}, "metadata.annotations[]"),
            ({"finalizers": ["no spaces please"]}, "metadata.finalizers[0]"),
            ({"name": "Upper"}, "metadata.name"),
        ],
    )
    async def test_have_metadata_as_kubernetes_takes_it(
        self, user: httpx2.AsyncClient, metadata: dict[str, Any], field: str
    ) -> None:
        wrong = workload()
        wrong["metadata"] |= metadata
        assert field in causes_of(status_of(await user.post(WORKLOADS, json=wrong), 422, "Invalid"))


class TestPatches:
    async def test_merge(self, user: httpx2.AsyncClient) -> None:
        await make(user, labels={"a": "b", "c": "d"})
        change = {"metadata": {"labels": {"a": None, "e": "f"}}, "spec": {"term": {"duration": "7d"}}}
        answer = (await user.patch(f"{WORKLOADS}/chat", json=change, headers=MERGE)).json()
        assert answer["metadata"]["labels"] == {"c": "d", "e": "f"}
        assert answer["spec"]["term"] == {"duration": "7d"}
        assert answer["metadata"]["generation"] == 2

    async def test_with_a_version_compare_and_swap(self, user: httpx2.AsyncClient) -> None:
        made = await make(user)
        change = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"], "labels": {"a": "b"}}}
        assert (await user.patch(f"{WORKLOADS}/chat", json=change, headers=MERGE)).status_code == 200
        change["metadata"]["labels"] = {"a": "c"}
        status_of(await user.patch(f"{WORKLOADS}/chat", json=change, headers=MERGE), 409, "Conflict")

    async def test_are_judged_as_the_whole_they_make(self, user: httpx2.AsyncClient) -> None:
        await make(user)
        change = {"spec": {"objectives": None}}
        assert (await user.patch(f"{WORKLOADS}/chat", json=change, headers=MERGE)).status_code == 422

    async def test_cannot_rename(self, user: httpx2.AsyncClient) -> None:
        await make(user)
        answer = await user.patch(f"{WORKLOADS}/chat", json={"metadata": {"name": "x"}}, headers=MERGE)
        status_of(answer, 400, "BadRequest")

    @pytest.mark.parametrize(
        ("sort", "says"),
        [
            ("application/apply-patch+yaml", "server-side apply is left out"),
            ("application/json-patch+json", "JSON patches are left out"),
            ("application/strategic-merge-patch+json", "is not taken for Workload"),
            ("text/plain", "text/plain is not taken"),
        ],
    )
    async def test_of_other_sorts_are_left_out(self, user: httpx2.AsyncClient, sort: str, says: str) -> None:
        await make(user)
        answer = await user.patch(f"{WORKLOADS}/chat", content=b"{}", headers={"content-type": sort})
        assert says in status_of(answer, 415, "UnsupportedMediaType")["message"]

    async def test_strategic_ones_merge_for_core_kinds_without_lists(self, user: httpx2.AsyncClient) -> None:
        sort = {"content-type": "application/strategic-merge-patch+json"}
        path = "/api/v1/namespaces/default"
        change: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}}
        assert (await user.patch(path, json=change, headers=sort)).json()["metadata"]["labels"] == {"a": "b"}
        change = {"metadata": {"finalizers": ["a.dev/b"]}}
        status_of(await user.patch(path, json=change, headers=sort), 415, "UnsupportedMediaType")
        change = {"metadata": {"$patch": "replace"}}
        status_of(await user.patch(path, json=change, headers=sort), 415, "UnsupportedMediaType")


class TestStatus:
    async def test_is_the_controllers_alone(self, user: httpx2.AsyncClient, controllers: httpx2.AsyncClient) -> None:
        await make(user)
        change = {"status": {"phase": "Running"}, "spec": {"term": {"duration": "1d"}}}
        refused = await user.patch(f"{WORKLOADS}/chat/status", json=change, headers=MERGE)
        assert "controllers only" in status_of(refused, 403, "Forbidden")["message"]
        changed = (await controllers.patch(f"{WORKLOADS}/chat/status", json=change, headers=MERGE)).json()
        assert changed["status"] == {"phase": "Running"}
        assert changed["spec"]["term"] == {"duration": "30d"}
        assert changed["metadata"]["generation"] == 1

    async def test_is_not_written_through_the_main_door(self, controllers: httpx2.AsyncClient) -> None:
        made = await make(controllers)
        made["status"] = {"phase": "Running"}
        assert "status" not in (await controllers.put(f"{WORKLOADS}/chat", json=made)).json()

    async def test_is_replaced_from_the_version_that_was_read(self, controllers: httpx2.AsyncClient) -> None:
        made = await make(controllers)
        made["status"] = {"phase": "Running"}
        assert (await controllers.put(f"{WORKLOADS}/chat/status", json=made)).status_code == 200
        status_of(await controllers.put(f"{WORKLOADS}/chat/status", json=made), 409, "Conflict")


class TestIdentities:
    async def test_offers_and_contracts_are_the_controllers(self, user: httpx2.AsyncClient) -> None:
        for plural, kind in (("offers", "Offer"), ("contracts", "Contract")):
            path = WORKLOADS.replace("workloads", plural)
            body = {"apiVersion": "tenure.dev/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": {}}
            status = status_of(await user.post(path, json=body), 403, "Forbidden")
            assert "made and changed by Tenure only" in status["message"]
            status_of(await user.delete(f"{path}/x"), 404, "NotFound")  # deleting is asked for, not forbidden

    async def test_a_token_is_needed(self, host: Embedded) -> None:
        async with host.http(None) as nobody:
            status_of(await nobody.get(WORKLOADS), 401, "Unauthorized")
            status_of(await nobody.get("/openapi/v3"), 401, "Unauthorized")
            assert (await nobody.get("/livez")).text == "ok"
            assert (await nobody.get("/version")).status_code == 200
            wrong = {"authorization": "Bearer guess"}
            status_of(await nobody.get(WORKLOADS, headers=wrong), 401, "Unauthorized")

    async def test_tokens_are_their_owners_alone(self, host: Embedded) -> None:
        for name in ("tokens/user", "tokens/controllers", "kubeconfig", "tls/server.key", "server.json"):
            assert (host.home / name).stat().st_mode & 0o077 == 0, name


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "reason", "field"),
        [
            (b"\xff\xfe{}", "NotUtf8", ""),
            (b'{"a": {"b": ["x\xff"]}}', "NotUtf8", "a.b[0]"),
            (b'{"a": "\\ud800"}', "NotUtf8", "a"),
            (b"{", "NotJson", ""),
            (b'{"a": [1, 2', "NotJson", "a[1]"),
            (b'{"a": {"b": nope}}', "NotJson", "a.b"),
            (b'{"a": NaN}', "NotJson", "a"),
            (b'{"a": [0, 1e999]}', "NotJson", "a[1]"),
            (b"[1]", "NotAnObject", ""),
            (b'{"kind": "Workload", "kind": "Workload"}', "DuplicateKey", "kind"),
            (b'{"a":' * 150 + b"1" + b"}" * 150, "TooDeep", ".".join("a" * 100)),
            (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "TooDeep", ".".join("a" * 100)),
            (b'{"a": {"b": ' + b"9" * 100_000 + b"}}", "NotJson", "a.b"),
        ],
    )
    async def test_that_cannot_be_read(self, user: httpx2.AsyncClient, body: bytes, reason: str, field: str) -> None:
        answer = await user.post(WORKLOADS, content=body, headers={"content-type": "application/json"})
        status = status_of(answer, 400, "BadRequest")
        assert causes_of(status) == {field: reason}
        assert not field or status["message"].startswith(f"{field}: "), "kubectl shows the message alone"
        assert len(status["message"]) < 600
        assert not re.search("Expecting|sys\\.|conversion", status["message"]), "no words of Python"

    async def test_of_ten_megabytes(self, user: httpx2.AsyncClient) -> None:
        big = json.dumps(workload(annotations={"a": "x" * (10 << 20)})).encode()
        answer = await user.post(WORKLOADS, content=big, headers={"content-type": "application/json"})
        status = status_of(answer, 413, "RequestEntityTooLarge")
        assert "3145728" in status["message"]

    async def test_of_ten_megabytes_that_do_not_say_so(self, user: httpx2.AsyncClient) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(160):
                yield b"x" * 65536

        answer = await user.post(WORKLOADS, content=pieces(), headers={"content-type": "application/json"})
        status_of(answer, 413, "RequestEntityTooLarge")

    async def test_in_other_forms(self, user: httpx2.AsyncClient) -> None:
        answer = await user.post(WORKLOADS, content=b"a: b", headers={"content-type": "application/yaml"})
        status_of(answer, 415, "UnsupportedMediaType")


class TestLists:
    async def test_by_labels(self, user: httpx2.AsyncClient) -> None:
        for name, labels in (("a", {"app": "x"}), ("b", {"app": "y", "old": "1"}), ("c", {})):
            await make(user, name, labels=labels)

        async def names(selector: str) -> list[str]:
            answer = await user.get(WORKLOADS, params={"labelSelector": selector})
            return [item["metadata"]["name"] for item in answer.json()["items"]]

        assert await names("app=x") == ["a"]
        assert await names("app!=x") == ["b", "c"]
        assert await names("app in (x, y),!old") == ["a"]
        assert await names("app notin (x)") == ["b", "c"]
        assert await names("app") == ["a", "b"]
        assert await names("old>0") == ["b"]
        assert await names("old<1") == []
        status_of(await user.get(WORKLOADS, params={"labelSelector": "a=b=c"}), 400, "BadRequest")

    async def test_by_fields(self, user: httpx2.AsyncClient, controllers: httpx2.AsyncClient) -> None:
        await make(user, "a")
        await make(user, "b")
        await controllers.patch(f"{WORKLOADS}/b/status", json={"status": {"phase": "Running"}}, headers=MERGE)

        async def names(selector: str) -> list[str]:
            answer = await user.get(WORKLOADS, params={"fieldSelector": selector})
            return [item["metadata"]["name"] for item in answer.json()["items"]]

        assert await names("metadata.name=a") == ["a"]
        assert await names("metadata.namespace=default,metadata.name!=a") == ["b"]
        assert await names("status.phase=Running") == ["b"]
        status = status_of(await user.get(WORKLOADS, params={"fieldSelector": "spec.x=1"}), 400, "BadRequest")
        assert "status.phase" in status["message"]

    async def test_page_by_page_as_of_one_version(self, user: httpx2.AsyncClient) -> None:
        for index in range(5):
            await make(user, f"w{index}")
        first = (await user.get(WORKLOADS, params={"limit": 2})).json()
        await user.delete(f"{WORKLOADS}/w3")
        token = first["metadata"]["continue"]
        second = (await user.get(WORKLOADS, params={"limit": 2, "continue": token})).json()
        assert [i["metadata"]["name"] for i in second["items"]] == ["w2", "w3"]
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        last = (await user.get(WORKLOADS, params={"limit": 2, "continue": second["metadata"]["continue"]})).json()
        assert [i["metadata"]["name"] for i in last["items"]] == ["w4"]
        assert "continue" not in last["metadata"]
        status_of(await user.get(WORKLOADS, params={"continue": "garbage"}), 400, "BadRequest")

    async def test_from_before_the_log_are_gone(self, host: Embedded, user: httpx2.AsyncClient) -> None:
        for index in range(3):
            await make(user, f"w{index}")
        token = (await user.get(WORKLOADS, params={"limit": 1})).json()["metadata"]["continue"]
        await make(user, "late")
        host.serving.host.store.compact(host.serving.host.store.version)
        status_of(await user.get(WORKLOADS, params={"limit": 1, "continue": token}), 410, "Gone")

    async def test_as_tables(self, user: httpx2.AsyncClient) -> None:
        await make(user)
        accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
        table = (await user.get(WORKLOADS, headers=accept)).json()
        assert table["kind"] == "Table"
        assert [c["name"] for c in table["columnDefinitions"]][:3] == ["Name", "Phase", "Contract"]
        (row,) = table["rows"]
        assert row["cells"][0] == "chat"
        assert row["object"]["kind"] == "PartialObjectMetadata"
        assert "spec" not in row["object"]


class TestDeletion:
    async def test_answers_a_success(self, user: httpx2.AsyncClient) -> None:
        made = await make(user)
        answer = (await user.delete(f"{WORKLOADS}/chat")).json()
        assert (answer["kind"], answer["status"]) == ("Status", "Success")
        assert answer["details"]["uid"] == made["metadata"]["uid"]

    async def test_that_waits_answers_the_object(self, user: httpx2.AsyncClient) -> None:
        await make(user, finalizers=["test.dev/one"])
        answer = (await user.delete(f"{WORKLOADS}/chat")).json()
        assert answer["metadata"]["deletionTimestamp"]
        freed = await user.patch(f"{WORKLOADS}/chat", json={"metadata": {"finalizers": None}}, headers=MERGE)
        assert freed.status_code == 200
        assert (await user.get(f"{WORKLOADS}/chat")).status_code == 404

    async def test_of_a_collection(self, user: httpx2.AsyncClient) -> None:
        for name in ("a", "b"):
            await make(user, name, labels={"n": name})
        await user.delete(WORKLOADS, params={"labelSelector": "n=a"})
        assert [i["metadata"]["name"] for i in (await user.get(WORKLOADS)).json()["items"]] == ["b"]

    async def test_of_the_namespace_default(self, user: httpx2.AsyncClient) -> None:
        status_of(await user.delete("/api/v1/namespaces/default"), 403, "Forbidden")


class TestRehearsals:
    async def test_judge_and_keep_nothing(self, user: httpx2.AsyncClient) -> None:
        answer = await user.post(f"{WORKLOADS}?dryRun=All", json=workload())
        assert answer.status_code == 201
        assert "resourceVersion" not in answer.json()["metadata"]
        assert (await user.get(f"{WORKLOADS}/chat")).status_code == 404
        made = await make(user)
        change = {"metadata": {"labels": {"a": "b"}}}
        rehearsed = (await user.patch(f"{WORKLOADS}/chat?dryRun=All", json=change, headers=MERGE)).json()
        assert rehearsed["metadata"]["labels"] == {"a": "b"}
        assert rehearsed["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
        assert (await user.get(f"{WORKLOADS}/chat")).json() == made
        assert (await user.delete(f"{WORKLOADS}/chat?dryRun=All")).status_code == 200
        assert (await user.get(f"{WORKLOADS}/chat")).json() == made
        status_of(await user.post(f"{WORKLOADS}?dryRun=Some", json=workload("x")), 400, "BadRequest")


class TestSecrets:
    async def test_take_plain_text(self, user: httpx2.AsyncClient) -> None:
        path = "/api/v1/namespaces/default/secrets"
        made = (await user.post(path, json=secret("s", key="value"))).json()
        assert made["data"] == {"key": base64.b64encode(b"value").decode()}
        assert "stringData" not in made
        wrong = {**secret("t"), "data": {"key": "not base64!"}}
        assert "data.key" in causes_of(status_of(await user.post(path, json=wrong), 422, "Invalid"))


class TestAddresses:
    async def test_that_lead_nowhere(self, user: httpx2.AsyncClient) -> None:
        status_of(await user.get("/apis/tenure.dev/v1alpha1/unicorns"), 404, "NotFound")
        left_out = await user.get("/apis/rbac.authorization.k8s.io/v1/roles")
        assert "leaves out RBAC" in status_of(left_out, 404, "NotFound")["message"]
        status_of(await user.put(WORKLOADS, json={}), 405, "MethodNotAllowed")

    async def test_of_the_hosts_own_figures(self, user: httpx2.AsyncClient) -> None:
        await make(user)
        figures = (await user.get("/metrics")).text
        assert 'tenure_objects{resource="workloads.tenure.dev"} 1' in figures
        assert 'tenure_requests_total{method="POST",area="workloads",code="201"} 1' in figures
        assert "tenure_store_writable 1" in figures


class TestDiscovery:
    async def test_in_both_forms_names_every_kind(self, user: httpx2.AsyncClient) -> None:
        accept = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"}
        aggregated = set()
        for path in ("/api", "/apis"):
            for group in (await user.get(path, headers=accept)).json()["items"]:
                for version in group["versions"]:
                    aggregated |= {r["responseKind"]["kind"] for r in version["resources"]}
        one_by_one = {r["kind"] for r in (await user.get("/api/v1")).json()["resources"]}
        for group in (await user.get("/apis")).json()["groups"]:
            version = group["preferredVersion"]["groupVersion"]
            one_by_one |= {r["kind"] for r in (await user.get(f"/apis/{version}")).json()["resources"]}
        assert aggregated == one_by_one == {kind.kind for kind in KINDS}
