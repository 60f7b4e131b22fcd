"""Every no of the door: a stable code of the one table, the field at fault, and what to do next."""

import ast
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

import tenure.server
from tenure.client import Identity, from_home
from tenure.resources.reasons import BY_CODE
from tenure.server import collection_requests, schemas
from tenure.server.refusals import from_store
from tenure.store import (
    FieldRefusedError,
    ObjectConflictError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectProtectedError,
    StoreBusyError,
    StoreError,
    StoreUnwritableError,
    VersionExpiredError,
)
from tests.server.builders import ENGINES, WORKLOADS, assert_complete, namespace, secret, workload
from tests.support.embedded import Embedded, embedded_in_thread

OFFERS = WORKLOADS.replace("workloads", "offers")
NOWHERE, GOING = WORKLOADS.replace("default", "nowhere"), WORKLOADS.replace("default", "going")
NAMESPACES = "/api/v1/namespaces"
SECRETS = "/api/v1/namespaces/default/secrets"
JSON = {"content-type": "application/json"}
MERGE = {"content-type": "application/merge-patch+json"}
PROTOBUF = "application/vnd.kubernetes.protobuf"


def token(text: str) -> str:
    """Where a list goes on, as this host writes it."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


LARGE = {"a": "x" * (257 << 10)}
FINALIZED = {"metadata": {"finalizers": ["a.dev/b", "a.dev/c"]}}


def without(field: str, **more: Any) -> dict[str, Any]:
    """A Workload that lacks a field of its metadata."""
    found = workload(**more)
    del found["metadata"][field]
    return found


# method, address, what goes with it, HTTP code, code of the cause, field
Case = tuple[str, str, dict[str, Any], int, str, str]
QUERIES: list[Case] = [
    ("GET", f"{WORKLOADS}?{query}", {}, code, reason, field)
    for query, code, reason, field in (
        ("limit=ten", 400, "InvalidValue", "limit"),
        ("labelSelector=a=b=c", 400, "InvalidValue", "labelSelector"),
        ("fieldSelector=name", 400, "InvalidValue", "fieldSelector"),
        ("fieldSelector=spec.colour=blue", 400, "InvalidValue", "fieldSelector"),
        ("continue=garbage", 400, "InvalidValue", "continue"),
        (f"labelSelector=a>{'9' * 5000}", 400, "InvalidValue", "labelSelector"),
        ("continue=" + token("[" * 20_000), 400, "InvalidValue", "continue"),
        ("continue=" + token('[7,"\\ud800","x"]'), 400, "InvalidValue", "continue"),
        ("continue=" + token('[999999,"default","chat"]'), 410, "Gone", "continue"),
        ("resourceVersion=soon", 400, "InvalidValue", "resourceVersion"),
        ("resourceVersion=999999&resourceVersionMatch=Exact", 410, "Gone", "resourceVersion"),
        ("resourceVersionMatch=Exact", 400, "MissingField", "resourceVersion"),
        ("resourceVersionMatch=Newest", 400, "InvalidValue", "resourceVersionMatch"),
        ("watch=perhaps", 400, "InvalidValue", "watch"),
        ("watch=1&timeoutSeconds=long", 400, "InvalidValue", "timeoutSeconds"),
        ("watch=1&allowWatchBookmarks=perhaps", 400, "InvalidValue", "allowWatchBookmarks"),
        ("watch=1&resourceVersion=999999", 410, "Gone", "resourceVersion"),
        ("watch=1&sendInitialEvents=true", 422, "InvalidValue", "sendInitialEvents"),
    )
]
GHOST = f"{WORKLOADS}/ghost"
CHAT = f"{WORKLOADS}/chat"
POSTS: list[Case] = [
    ("POST", path, {"json": body}, code, reason, field)
    for path, body, code, reason, field in (
        (f"{WORKLOADS}?dryRun=Some", workload("x"), 400, "InvalidValue", "dryRun"),
        (f"{WORKLOADS}?fieldValidation=Loose", workload("x"), 400, "InvalidValue", "fieldValidation"),
        (WORKLOADS, namespace("x"), 400, "UnknownKind", "kind"),
        (WORKLOADS, workload("x") | {"apiVersion": "v2"}, 400, "UnknownKind", "apiVersion"),
        (WORKLOADS, workload("x") | {"metadata": 1}, 400, "MissingField", "metadata"),
        (WORKLOADS, workload("x") | {"": 1}, 422, "UnknownField", '""'),
        (WORKLOADS, workload(namespace="else"), 400, "InvalidValue", "metadata.namespace"),
        (NOWHERE, without("namespace"), 404, "NotFound", "metadata.namespace"),
        (GOING, without("namespace"), 403, "NamespaceTerminating", "metadata.namespace"),
        (WORKLOADS, without("name"), 422, "InvalidValue", "metadata.name"),
        (WORKLOADS, workload("x", resourceVersion="7"), 422, "InvalidValue", "metadata.resourceVersion"),
        (WORKLOADS, workload("x", labels={"a b": "c"}), 422, "InvalidName", "metadata.labels[a b]"),
        (WORKLOADS, workload("x", labels={"a": "b c"}), 422, "InvalidValue", "metadata.labels[a]"),
        (WORKLOADS, workload("x", annotations={"": "c"}), 422, "InvalidName", "metadata.annotations[]"),
        (WORKLOADS, workload("x", annotations=LARGE), 422, "DocumentTooLarge", "metadata.annotations"),
        (WORKLOADS, workload("x", finalizers=["a b"]), 422, "InvalidName", "metadata.finalizers[0]"),
        (WORKLOADS, workload("x", p95="soon"), 422, "InvalidQuantity", "spec.objectives.timeToFirstToken.p95"),
        (WORKLOADS, workload("chat"), 409, "AlreadyExists", "metadata.name"),
        (OFFERS, workload("x"), 403, "Forbidden", "kind"),
        (NAMESPACES, namespace("x" * 64), 422, "InvalidName", "metadata.name"),
        (NAMESPACES, namespace("x") | {"metadata": {"namespace": "x"}}, 400, "InvalidValue", "metadata.namespace"),
        (SECRETS, secret("s") | {"data": {"k": "no base64!"}}, 422, "InvalidValue", "data.k"),
    )
]
CHANGES: list[Case] = [
    (method, path, {"json": body, "headers": MERGE if method == "PATCH" else JSON}, code, reason, field)
    for method, path, body, code, reason, field in (
        ("PATCH", f"{CHAT}/status", {}, 403, "Forbidden", "status"),
        ("PATCH", CHAT, {"metadata": {"name": "x"}}, 400, "InvalidValue", "metadata.name"),
        ("PATCH", f"{WORKLOADS}/leaving", FINALIZED, 422, "InvalidValue", "metadata.finalizers"),
        ("PUT", CHAT, workload("chat"), 422, "InvalidValue", "metadata.resourceVersion"),
        ("PUT", CHAT, workload("chat", resourceVersion="1"), 409, "Conflict", "metadata.resourceVersion"),
        ("PUT", GHOST, workload("ghost"), 404, "NotFound", "metadata.name"),
        ("DELETE", GHOST, {}, 404, "NotFound", "metadata.name"),
        ("DELETE", f"{NAMESPACES}/default", {}, 403, "Forbidden", "metadata.name"),
        ("DELETE", f"{CHAT}?propagationPolicy=Slow", {}, 400, "InvalidValue", "propagationPolicy"),
        ("DELETE", CHAT, {"preconditions": [1]}, 400, "InvalidValue", "preconditions"),
        ("DELETE", CHAT, {"preconditions": {"uid": 1}}, 400, "InvalidValue", "preconditions.uid"),
        ("DELETE", CHAT, {"preconditions": {"uid": "other"}}, 409, "Conflict", "metadata.uid"),
        ("DELETE", CHAT, {"dryRun": ["Some"]}, 400, "InvalidValue", "dryRun"),
    )
]
BODIES: list[Case] = [
    ("POST", NAMESPACES, {"content": content, "headers": {"content-type": sort}}, code, reason, field)
    for content, sort, code, reason, field in (
        (b"\xff", "application/json", 400, "NotUtf8", ""),
        (b'{"a": "\\ud800"}', "application/json", 400, "NotUtf8", "a"),
        (b"{", "application/json", 400, "NotJson", ""),
        (b"[]", "application/json", 400, "NotAnObject", ""),
        (b'{"a":{"b":[1,{"c":1,"c":1}]}}', "application/json", 400, "DuplicateKey", "a.b[1].c"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "application/json", 400, "TooDeep", ".".join("a" * 100)),
        (b" " * (4 << 20), "application/json", 413, "DocumentTooLarge", ""),
        (b"a: b", "text/yaml", 415, "UnsupportedMediaType", "Content-Type"),
        (b"{}", PROTOBUF, 400, "NotJson", ""),
        (b"k8s\x00\xff", PROTOBUF, 400, "NotJson", ""),
        (b"k8s\x00", PROTOBUF, 415, "UnsupportedMediaType", "Content-Type"),
    )
]
PATCHES: list[Case] = [
    ("PATCH", path, {"content": b'{"a": []}', "headers": {"content-type": sort}}, 415, "UnsupportedMediaType", field)
    for path, sort, field in (
        (CHAT, "application/apply-patch+yaml", "Content-Type"),
        (CHAT, "application/json-patch+json", "Content-Type"),
        (CHAT, "text/plain", "Content-Type"),
        (f"{NAMESPACES}/default", "application/strategic-merge-patch+json", "Content-Type"),
    )
]
PLACES: list[Case] = [
    ("GET", GHOST, {}, 404, "NotFound", "metadata.name"),
    ("GET", WORKLOADS, {"headers": {"accept": "text/html"}}, 406, "NotAcceptable", "Accept"),
    ("GET", WORKLOADS, {"headers": {"authorization": "Bearer guess"}}, 401, "Unauthorized", "Authorization"),
    ("DELETE", "/api/v1", {}, 405, "MethodNotAllowed", ""),
    ("GET", "/apis/apps/v1/deployments", {}, 404, "NotFound", ""),
    ("GET", "/nowhere", {}, 404, "NotFound", ""),
    ("GET", "/openapi/v2", {}, 404, "NotFound", ""),
    ("GET", "/openapi/v3/nowhere", {}, 404, "NotFound", ""),
]
CASES = [*QUERIES, *POSTS, *CHANGES, *BODIES, *PATCHES, *PLACES]
STORE_ERRORS: list[tuple[StoreError, int, str, str]] = [
    (ObjectNotFoundError("engines.tenure.dev", "x"), 404, "NotFound", "metadata.name"),
    (ObjectExistsError("engines.tenure.dev", "x"), 409, "AlreadyExists", "metadata.name"),
    (ObjectConflictError("engines.tenure.dev", "x", "metadata.uid", "no"), 409, "Conflict", "metadata.uid"),
    (ObjectProtectedError("namespaces", "default"), 403, "Forbidden", "metadata.name"),
    (FieldRefusedError("engines.tenure.dev", "x", "spec", "no", "mend it"), 422, "InvalidValue", "spec"),
    (VersionExpiredError("too old"), 410, "Gone", "resourceVersion"),
    (StoreBusyError("many are waiting"), 429, "TooManyRequests", ""),
    (StoreUnwritableError("the disk is full"), 503, "StoreReadOnly", ""),
    (StoreError("something else"), 503, "ServiceUnavailable", ""),
]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded_in_thread(tmp_path_factory.mktemp("home")) as running:
        yield running


def talking_to(host: Embedded, identity: Identity) -> httpx2.Client:
    found = from_home(host.home, identity)
    return httpx2.Client(base_url=found.url, headers=found.headers, timeout=20, **found.options)


@pytest.fixture(scope="module")
def http(host: Embedded) -> Iterator[httpx2.Client]:
    """A user of a host where `chat` stands, and where the namespace `going` and the workload `leaving` wait to go."""
    with talking_to(host, "user") as user:
        inside = workload(namespace="going", finalizers=["a.dev/b"])
        for path, made in (
            (WORKLOADS, workload()),
            (WORKLOADS, workload("leaving", finalizers=["a.dev/b"])),
            (NAMESPACES, namespace("going")),
            (GOING, inside),
        ):
            assert user.post(path, json=made).status_code == 201
        for path in (f"{WORKLOADS}/leaving", f"{NAMESPACES}/going"):
            assert user.delete(path).status_code == 200
        yield user


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[3]} {case[4]} {case[5]}")
def test_names_code_field_and_next_step(http: httpx2.Client, case: Case) -> None:
    method, path, more, code, reason, field = case
    answer = http.request(method, path, **more)
    status = answer.json()
    assert (answer.status_code, status["code"]) == (code, code), answer.text
    assert_complete(status)
    assert (reason, field) in {(cause["reason"], cause["field"]) for cause in status["details"]["causes"]}
    for cause in status["details"]["causes"]:  # of a 422 kubectl shows nothing but field and message of these
        assert cause["message"].count(f"[{cause['reason']}]") == 1
        assert cause["message"].count("write it ") <= 1, "one next step is enough"
    if code == 400:  # kubectl shows nothing but the message of these
        assert status["details"]["causes"][0]["message"] in status["message"]
        assert status["details"]["causes"][0]["nextStep"] in status["message"]


def test_does_so_when_too_many_watch(http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection_requests, "WATCHES_MAX", 0)
    answer = http.get(f"{ENGINES}?watch=1")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert_complete(answer.json())


def test_does_so_when_the_fault_is_ours(http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("the unforeseen")

    monkeypatch.setattr(schemas, "index", broken)
    answer = http.get("/openapi/v3")
    assert answer.status_code == 500
    assert_complete(answer.json())


@pytest.mark.parametrize("row", STORE_ERRORS, ids=lambda row: type(row[0]).__name__)
def test_does_so_for_each_refusal_of_the_store(row: tuple[StoreError, int, str, str]) -> None:
    error, code, reason, field = row
    status = from_store(error).to_status()
    assert status["code"] == code
    assert_complete(status)
    (cause,) = status["details"]["causes"]
    assert (cause["reason"], cause["field"]) == (reason, field)


def test_no_error_of_the_store_is_forgotten() -> None:
    """Those that a start alone meets reach no request; the others are in a table above."""
    starting = {"StoreUnreadableError", "StoreInUseError"}
    met = {type(row[0]).__name__ for row in STORE_ERRORS} | {"NamespaceNotFoundError", "NamespaceTerminatingError"}
    assert {kind.__name__ for kind in kinds_below(StoreError)} - starting <= met


def kinds_below(kind: type[StoreError]) -> set[type[StoreError]]:
    return {kind} | {below for one in kind.__subclasses__() for below in kinds_below(one)}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the door's code by which something is refused, and where it stands."""
    for file in sorted(Path(tenure.server.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield f"{file.name}:{node.lineno}", node


def literal(call: ast.Call, index: int) -> str | None:
    """A positional argument that is written out; None for one that is computed or not given."""
    node = call.args[index] if len(call.args) > index else None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_no_code_is_written_that_the_table_lacks_or_leaves_without_a_step() -> None:
    """The next refusal that somebody writes is held to it before a request ever meets it."""
    seen = 0
    for where, call in calls():
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        step_at = {"Cause": 3, "refused": 4}.get(name)
        code = literal(call, 1)
        if step_at is None or code is None:
            continue
        seen += 1
        assert code in BY_CODE, where
        has_step = len(call.args) > step_at or any(k.arg in ("step", "next_step") for k in call.keywords)
        step = BY_CODE[code].next_step
        assert has_step or (step and "KIND" not in step and "see the message" not in step), f"{where}: {code}"
    assert seen > 30, "the door's refusals are found"


def test_no_code_is_written_that_no_request_here_meets() -> None:
    written = {code for _, call in calls() if (code := literal(call, 1)) in BY_CODE}
    met = {case[4] for case in CASES} | {row[2] for row in STORE_ERRORS} | {"InternalError"}
    of_a_status = {"BadRequest", "Invalid", "RequestEntityTooLarge"}  # whose causes say which of many it was
    assert written - met - of_a_status == set()
