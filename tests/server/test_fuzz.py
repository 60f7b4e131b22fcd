"""Requests that nobody would think of: never a 5xx, never a hang."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.client import from_home
from tests.server.builders import WORKLOADS, assert_complete, workload
from tests.support.embedded import Embedded, embedded_in_thread

SECONDS_MAX = 1.0
"""Of this process, client and server, for one request. By the clock on the wall too, unless the same request is quick
when it is sent again: what neighbours take of a busy machine once is no hang of ours."""
ATTEMPTS = 3
SLOW_SECONDS_MAX = 10.0
"""By the clock on the wall alone, for requests that nobody sends again."""

texts = st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded_in_thread(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def http(host: Embedded) -> Iterator[httpx2.Client]:
    connection = from_home(host.home, "controllers")
    with httpx2.Client(base_url=connection.url, headers=connection.headers, timeout=10, **connection.options) as client:
        yield client


def send(http: httpx2.Client, method: str, path: str, **more: Any) -> httpx2.Response:
    for _ in range(ATTEMPTS):
        started, begun = time.process_time(), time.monotonic()
        answer = http.request(method, path, **more)
        took_s = time.monotonic() - begun
        assert answer.status_code < 500, f"{method} {path} {more}: {answer.text}"
        assert time.process_time() - started < SECONDS_MAX
        if took_s < SECONDS_MAX:
            break
    assert took_s < SECONDS_MAX, f"{method} {path} {more} took {took_s:.1f} s, {ATTEMPTS} times over"
    if answer.status_code >= 400:
        assert_complete(answer.json())
    return answer


def paths_of(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, inner in items:
        yield from paths_of(inner, (*path, key))


def with_at(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(document))
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def test_a_request_that_waits_each_time_is_a_hang() -> None:
    def waits(_: httpx2.Request) -> httpx2.Response:
        time.sleep(SECONDS_MAX * 1.01)
        return httpx2.Response(200)

    slow = httpx2.Client(base_url="http://slow", transport=httpx2.MockTransport(waits))
    with slow, pytest.raises(AssertionError, match="3 times over"):
        send(slow, "GET", "/")


PATHS = list(paths_of(workload(labels={"a": "b"}, annotations={"a": "b"}, finalizers=["a.dev/b"])))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), value=documents)
def test_a_manifest_with_anything_anywhere(http: httpx2.Client, path: tuple[Any, ...], value: Any) -> None:
    whole = workload("fuzz", labels={"a": "b"}, annotations={"a": "b"}, finalizers=["a.dev/b"])
    body = json.dumps(with_at(whole, path, value)).encode(errors="surrogatepass")
    answer = send(http, "POST", f"{WORKLOADS}?dryRun=All", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (201, 400, 404, 409, 422)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(change=documents)
def test_a_patch_of_anything(http: httpx2.Client, change: Any) -> None:
    http.post(WORKLOADS, json=workload("patched"))
    merge = {"content-type": "application/merge-patch+json"}
    body = json.dumps(change).encode(errors="surrogatepass")
    for path in (f"{WORKLOADS}/patched?dryRun=All", f"{WORKLOADS}/patched/status?dryRun=All"):
        send(http, "PATCH", path, content=body, headers=merge)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch", "dryRun",
             "fieldValidation", "propagationPolicy", "sendInitialEvents", "includeObject", "pretty"]
        ),
        texts | st.integers().map(str),
        max_size=4,
    ),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
)  # fmt: skip
def test_queries_of_anything(http: httpx2.Client, query: dict[str, str], method: str) -> None:
    more = {"json": workload("q", namespace="default")} if method == "POST" else {}
    send(http, method, WORKLOADS, params=query, **more)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=st.binary(max_size=200), sort=st.sampled_from(["application/json", "application/vnd.kubernetes.protobuf"]))
def test_bytes_of_any_sort(http: httpx2.Client, body: bytes, sort: str) -> None:
    magic = b"k8s\x00" if "protobuf" in sort else b""
    send(http, "POST", "/api/v1/namespaces", content=magic + body, headers={"content-type": sort})


@pytest.mark.slow
def test_schemathesis_finds_no_failure_of_ours(host: Embedded, http: httpx2.Client, tmp_path: Path) -> None:
    """schemathesis over the OpenAPI documents that the host itself publishes, with stateful links off."""
    import subprocess
    import sys

    connection = from_home(host.home, "controllers")
    command = Path(sys.executable).with_name("schemathesis")
    for path, place in http.get("/openapi/v3").json()["paths"].items():
        document = http.get(place["serverRelativeURL"]).json()
        for operations in document["paths"].values():
            for operation in operations.values():
                if isinstance(
                    operation, dict
                ):  # watches last as long as they are asked to; they have tests of their own
                    unwatched = [p for p in operation["parameters"] if p["name"] not in ("watch", "timeoutSeconds")]
                    operation["parameters"] = unwatched
        file = tmp_path / f"{path.replace('/', '.')}.json"
        file.write_text(json.dumps(document))
        done = subprocess.run(
            [
                *(command, "run", file, "--url", connection.url, "--tls-verify", host.home / "tls" / "ca.crt"),
                *("-H", f"Authorization: {connection.headers['Authorization']}", "--no-color"),
                *("--checks", "not_a_server_error", "--max-response-time", str(SLOW_SECONDS_MAX)),
                *("--max-examples", "20", "--phases", "examples,coverage,fuzzing", "--seed", "1"),
                *("--warnings", "off", "--suppress-health-check", "all", "--max-time", "60"),
            ],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
