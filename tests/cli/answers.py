"""Answers, offers and contracts as Tenure makes them, for tests of how they read."""

from typing import Any

from tenure.resources import Contract, Offer
from tenure.resources.kinds.answer import Answer

NOW = "2096-12-01T09:00:00Z"
NOW_MS = 4_005_190_800_000
LOAD = {"requestsPerSecond": 0.25, "promptTokens": 50, "outputTokens": 40}
EVIDENCE = {
    "grade": "measured-here",
    "method": "by-windows",
    "samples": 240,
    "windows": 24,
    "neighbours": "busy",
    "hardwareClass": "hw-1",
    "runtime": "llamacpp 2026.10",
    "measuredAt": "2096-12-01T08:59:00Z",
    "load": LOAD,
}


def promise(metric: str = "timeToFirstToken", bound: str = "1s", carried: str = "423ms", **more: Any) -> dict[str, Any]:
    return {
        "metric": metric,
        "percentile": "p95",
        "bound": bound,
        "asked": bound,
        "carried": carried,
        "window": "10s",
        "share": 0.9,
        "confidence": 0.9,
        "evidence": EVIDENCE,
        **more,
    }


def promises() -> dict[str, Any]:
    return {
        "load": LOAD,
        "hard": [{"what": "cores", "value": "1 whole, dedicated: 3"}],
        "statistical": [promise(), promise("interTokenLatency", "60ms", "31ms")],
    }


def quote(offer: str | None = "chat-3f2a1c", **more: Any) -> dict[str, Any]:
    return {
        **({"offer": offer} if offer else {}),
        "meetsInFull": True,
        "promises": promises(),
        "shape": {"threads": 1, "slots": 2},
        "runtime": "llamacpp 2026.10",
        "cores": 1,
        "memory": "512Mi",
        "start": NOW,
        "end": "2096-12-31T09:00:00Z",
        "price": {"hourly": "0.03 EUR", "total": "21.60 EUR"},
        "watts": {"unknownBecause": "laptop is a virtual machine (KVM), which does not see its power"},
        "machine": "laptop",
        **more,
    }


def answer(kind: str = "Offers", **more: Any) -> Answer:
    content: dict[str, Any] = {"kind": kind, "answeredAt": NOW, **more}
    return Answer.model_validate(content)


def offers() -> Answer:
    second = quote("chat-77b0de", shape={"threads": 2, "slots": 4}, cores=2, price={"hourly": "0.06 EUR"})
    return answer(quotes=[quote(), second], assumed=["assurance.window 60s"])


def refusal(**more: Any) -> dict[str, Any]:
    return {
        "binding": {
            "constraint": "cores",
            "imposedBy": "holds",
            "message": "cores: 4 cores needed, 1 available, 3 in all",
            "needed": 4,
            "available": 1,
            "capacity": 3,
            "unit": "cores",
            "freesAt": "2096-12-01T09:10:00Z",
        },
        "funnel": [
            {"constraint": "load", "imposedBy": "workload", "removed": 3, "remaining": 9, "detail": "shapes"},
            {"constraint": "objectives.ttft.p95", "imposedBy": "workload", "removed": 7, "remaining": 2},
            {"constraint": "cores", "imposedBy": "hardware", "removed": 0, "remaining": 1, "detail": "capacity"},
            {"constraint": "cores", "imposedBy": "holds", "removed": 1, "remaining": 0, "detail": "free"},
            {"constraint": "memory", "imposedBy": "holds", "removed": 0, "remaining": 0, "detail": "free"},
        ],
        "conflicting": ["cores", "holds"],
        **more,
    }


def counter_offers() -> Answer:
    less = {"axis": "less", "what": "load.requestsPerSecond", "asked": "8", "offered": "3"}
    later = {"axis": "later", "what": "term.start", "asked": NOW, "offered": "2096-12-01T09:10:00Z"}
    first = quote("big-1", meetsInFull=False, relaxed=[less])
    second = quote("big-2", meetsInFull=False, relaxed=[later], start="2096-12-01T09:10:00Z")
    return answer("CounterOffers", quotes=[first, second], refusal=refusal())


def refused() -> Answer:
    binding = {
        "constraint": "residency: EU",
        "imposedBy": "workload policy",
        "message": "residency: EU permits none of the places that would fit",
        "nextStep": 'tenure site assert local --country CC --by "WHO SAYS SO"',
    }
    return answer("Refusal", refusal={"binding": binding, "conflicting": ["residency: EU"]})


def needs_trial() -> Answer:
    shapes = [{"threads": 1, "slots": 1}, {"threads": 1, "slots": 2}]
    trial = {"reason": "2 of 2 shapes were never measured here", "shapes": shapes, "duration": "90s", "cores": 1}
    return answer("NeedsTrial", needsTrial=trial)


def hold(cores: list[int] | None = None) -> dict[str, Any]:
    return {
        "id": "hold-1",
        "group": "chat",
        "site": "local",
        "start": NOW,
        "end": "2096-12-31T09:00:00Z",
        "claims": [{"machine": "laptop", "cores": cores or [3], "memory": "512Mi"}],
    }


def workload_reference(name: str, uid: str = "u1", generation: int = 1) -> dict[str, Any]:
    return {"name": name, "uid": uid, "generation": generation, "need": "n"}


def offer_object(
    name: str, namespace: str, workload: str, *, uid: str = "u1", expires: str = "2099-01-01T00:00:00Z"
) -> Offer:
    spec = {
        "workload": workload_reference(workload, uid),
        "promises": promises(),
        "shape": {"threads": 1, "slots": 2},
        "machine": "laptop",
        "expiresAt": expires,
        "hold": hold(),
        "plannedGeneration": 1,
    }
    metadata = {"name": name, "namespace": namespace, "labels": {"tenure.dev/workload": workload}}
    return Offer.model_validate(
        {"apiVersion": "tenure.dev/v1alpha1", "kind": "Offer", "metadata": metadata, "spec": spec}
    )


def contract_object(name: str, namespace: str, workload: str, **status: Any) -> Contract:
    body = {"inference": {"model": "m"}, "load": LOAD, "objectives": {"timeToFirstToken": {"p95": "1s"}}}
    spec = {
        "workload": workload_reference(workload),
        "offer": name,
        "parties": {"provider": "local", "consumer": namespace},
        "body": body,
        "promises": promises(),
        "shape": {"threads": 1, "slots": 2},
        "runtime": "llamacpp 2026.10",
        "machine": "laptop",
        "hold": hold(),
        "term": {"start": NOW, "end": "2096-12-31T09:00:00Z"},
        "price": {"hourly": "0.03 EUR"},
        "watts": {"power": "12W", "basis": "rated power by the share of its cores"},
        "policy": {"allowed": True},
        "plannedGeneration": 1,
    }
    content = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Contract", "spec": spec}
    metadata = {"name": name, "namespace": namespace, "labels": {"tenure.dev/workload": workload}}
    return Contract.model_validate({**content, "metadata": metadata, **({"status": status} if status else {})})


CHECKPOINT = (
    "tenure.dev/log/0123456789abcdef\n4\nAAAA\nsource contract/c-1 2\n\n— tenure.dev/log/0123456789abcdef BBBB\n"
)


def active_status(**more: Any) -> dict[str, Any]:
    figures = [
        {
            "metric": "timeToFirstToken",
            "percentile": "p95",
            "promised": "1s",
            "measured": "402ms",
            "windows": 4,
            "windowsWithin": 4,
            "samples": 40,
            "holds": True,
        },
        {
            "metric": "interTokenLatency",
            "percentile": "p95",
            "promised": "60ms",
            "measured": "30ms",
            "windows": 4,
            "windowsWithin": 3,
            "samples": 1600,
            "holds": True,
        },
    ]
    fact = {"what": "cpus", "expected": "3", "found": "3", "source": "Cpus_allowed_list", "agrees": True}
    return {
        "phase": "Active",
        "endpoint": "http://127.0.0.1:8001/v1",
        "credential": "chat-1-key",
        "checkpoint": CHECKPOINT,
        "commissioning": {"startedAt": NOW, "finishedAt": NOW, "holds": True, "figures": figures},
        "run": {"id": "hold-1", "mechanism": "cgroup-v2", "readBack": [fact]},
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Kept",
                "message": "the newest window was kept",
                "lastTransitionTime": NOW,
            }
        ],
        **more,
    }
