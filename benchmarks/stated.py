"""What is written where evidence is measured: a decision, a judged window of a thin load, and a log for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenure.controllers.contract.stating import verdict_body
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import (
    Draft,
    EvidenceLog,
    KeyRing,
    Statement,
    contract_source,
    contract_statement,
    contract_subject,
)
from tenure.promises import RequestSample, Window, WindowEvidence, judge
from tenure.quantities import SystemClock
from tenure.resources.kinds.allocation import Promises

AT_MS = 1_767_225_600_000
UID = "bench"
SOURCE = contract_source(UID)
LOAD = {"requestsPerSecond": "2", "promptTokens": 200, "outputTokens": 64}
SUMMARY = {
    "grade": "measured-here",
    "method": "by-windows",
    "windows": 59,
    "samples": 7080,
    "neighbours": "quiet",
    "hardwareClass": "bench",
    "runtime": "bench",
    "measuredAt": "2026-01-01T00:00:00Z",
    "load": LOAD,
}
OBJECTIVES = (
    ("timeToFirstToken", "p95", "400ms"),
    ("interTokenLatency", "p99", "80ms"),
    ("requestLatency", "p50", "3s"),
)
STATISTICAL = [
    {
        "metric": metric,
        "percentile": percentile,
        "bound": bound,
        "window": "60s",
        "share": "0.95",
        "confidence": "0.9",
        "evidence": SUMMARY,
    }
    for metric, percentile, bound in OBJECTIVES
]
PROMISES = {"load": LOAD, "statistical": STATISTICAL}
SPEC = {"workload": {"name": "chat", "uid": "w", "generation": 1}, "promises": PROMISES}
SUBJECT = contract_subject(namespace="default", name="chat", spec=SPEC)
REQUESTS = 60
"""In a window of 60 s at a thin load of one a second; each with 63 gaps."""


def a_decision(number: int) -> Statement:
    """A decision: a small statement on its own."""
    body = {"rung": "re-pin", "cause": "an interferer on core 3", "step": number}
    return Statement("remedy", f"{SOURCE}/remedy/{number}", SOURCE, 0, AT_MS + number, (SUBJECT,), body)


def a_window(number: int) -> list[Draft]:
    """A judged window as the controllers state it: a verdict for each promise, and the requests that it rests on."""
    start_ms = AT_MS + 60_000 * number
    window = Window(start_ms, start_ms + 60_000)
    gaps = tuple(20_000_000 + 10_007 * (k * 31 % 997) for k in range(63))
    requests = tuple(
        RequestSample(
            (start_ms + 1000 * k) * 1_000_000 + 17, 200_000_000 + 1013 * k, gaps, 1_800_000_000 + k, 200, 64, 200
        )
        for k in range(REQUESTS)
    )
    evidence = WindowEvidence(asof_ms=window.end_ms + 500, tap_asof_ms=window.end_ms + 400, requests=requests)
    record = evidence.as_record()
    return [
        Draft(
            Statement(
                "window-verdict",
                f"{SOURCE}/window/{start_ms}/{promise.name}",
                SOURCE,
                0,
                window.end_ms,
                (SUBJECT,),
                verdict_body(judge(promise, window, evidence)),
            ),
            {"evidence": record},
        )
        for promise in promises_of(Promises.model_validate(PROMISES))
    ]


@contextmanager
def a_log(folder: Path) -> Iterator[tuple[EvidenceLog, KeyRing]]:
    """An empty log in `folder` with the contract's terms in it."""
    clock = SystemClock()
    keys = KeyRing.open(folder / "keys", clock=clock)
    log = EvidenceLog.open_for_writing(folder / "evidence", keys=keys, clock=clock)
    log.append(contract_statement(namespace="default", name="chat", uid=UID, spec=SPEC, at_ms=AT_MS))
    try:
        yield log, keys
    finally:
        log.close()
