"""Each kind that users write, with its own fields and anything in them, through the door: judged, never a 5xx."""

import json
from collections.abc import Iterator

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.client import from_home
from tenure.resources import KINDS
from tests.resources.documents.test_garbage import an_object
from tests.server.test_fuzz import send
from tests.support.embedded import embedded_in_thread


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with embedded_in_thread(tmp_path_factory.mktemp("home")) as host:
        connection = from_home(host.home)
        how = {"headers": connection.headers, "timeout": 10, **connection.options}
        with httpx2.Client(base_url=connection.url, **how) as client:
            yield client


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_kind_with_anything_in_its_own_fields(door: httpx2.Client, data: st.DataObject) -> None:
    content = an_object(data)
    kind = next(kind for kind in KINDS if kind.kind == content["kind"])
    where = "namespaces/default/" if kind.namespaced else ""
    root = f"apis/{kind.api_version}" if kind.group else f"api/{kind.api_version}"
    body = json.dumps(content).encode(errors="surrogatepass")
    path = f"/{root}/{where}{kind.plural}?dryRun=All"
    answer = send(door, "POST", path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (201, 400, 403, 404, 409, 422), answer.text
