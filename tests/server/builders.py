"""Manifests for the tests of the door."""

from typing import Any

from tenure.resources.reasons import BY_CODE

WORKLOADS = "/apis/tenure.dev/v1alpha1/namespaces/default/workloads"
ENGINES = "/apis/tenure.dev/v1alpha1/engines"


def workload(name: str = "chat", *, p95: str = "1s", namespace: str = "default", **metadata: Any) -> dict[str, Any]:
    """The ten-line Workload of the guide."""
    return {
        "apiVersion": "tenure.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "inference": {"model": "smollm2-135m-instruct"},
            "load": {"requestsPerSecond": 0.25, "promptTokens": 50, "outputTokens": 40},
            "objectives": {"timeToFirstToken": {"p95": p95}},
            "term": {"duration": "30d"},
        },
    }


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


WHOLE = frozenset(
    {
        *("NotUtf8", "NotJson", "NotAnObject", "TooDeep", "DuplicateKey", "DocumentTooLarge"),
        *("MethodNotAllowed", "TooManyRequests", "StoreReadOnly", "ServiceUnavailable", "InternalError"),
    }
)
"""What is said of a body or of the host as a whole; everything else names the field at fault."""


def assert_complete(status: dict[str, Any]) -> None:
    """A refusal says a code of the one table, the field, and the next step, for programs and in its words."""
    assert (status["kind"], status["status"]) == ("Status", "Failure")
    assert status["message"]
    assert status["reason"] in BY_CODE, status
    causes = status["details"]["causes"]
    assert causes, status
    for cause in causes:
        assert cause["reason"] in BY_CODE, cause
        assert cause["nextStep"], cause
        assert cause["nextStep"] in cause["message"], cause
        assert "KIND" not in cause["nextStep"], cause
        whole = cause["reason"] in WHOLE or "requested resource" in cause["message"] or "OpenAPI" in cause["message"]
        assert cause["field"] or whole, cause
