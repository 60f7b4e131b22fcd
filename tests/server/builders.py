"""Manifests for the tests of the door."""

from typing import Any

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
