"""A run that contradicts itself is refused with the field's path, before anything is touched."""

from typing import Any

import pytest
from tests.engines.builders import a_run

from tenure.engines import File, HealthCheck, InvalidRunSpec, Sidecar


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"run_id": "../escape"}, "run_id"),
        ({"run_id": ""}, "run_id"),
        ({"argv": ()}, "argv"),
        ({"files": {"/etc/passwd": File(b"")}}, "files[/etc/passwd]"),
        ({"files": {"a/../../b": File(b"")}}, "files[a/../../b]"),
        ({"ports": {"http": 70_000}}, "ports.http"),
        ({"cpus": (-1,)}, "cpus"),
        ({"memory_bytes": 0}, "memory_bytes"),
        ({"cpu_quota_milli": 1}, "cpu_quota_milli"),
        ({"health": HealthCheck("http")}, "health.port"),
        ({"sidecars": (Sidecar("work", ("true",)),)}, "sidecars"),
        ({"sidecars": (Sidecar("a/b", ("true",)),)}, "sidecars[0].name"),
        ({"sidecars": (Sidecar("tap", ()),)}, "sidecars[0].argv"),
    ],
)
def test_a_contradiction_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRunSpec) as refusal:
        a_run(**changes)
    assert refusal.value.field == field
    assert refusal.value.code == "InvalidRunSpec"
