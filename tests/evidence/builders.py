"""Keys, contracts and statements for the tests of evidence, made where they are needed."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenure.evidence import Draft, EvidenceLog, KeyRing, Statement, Subject, contract_statement, digest
from tenure.quantities import VirtualClock, format_instant

AT_MS = 1_767_225_600_000

SPEC: dict[str, Any] = {
    "workload": {"name": "chat", "uid": "w-1", "generation": 1},
    "offer": "chat-1",
    "parties": {"provider": "example", "consumer": "default"},
    "promises": {"objectives": {"timeToFirstToken": {"p95": "400ms"}}},
    "hold": {"id": "h-1", "claims": [{"machine": "node-a", "cores": [0, 1], "memoryBytes": 2**31}]},
    "term": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"},
}
WHO = {"namespace": "default", "name": "chat", "uid": "c-1"}


def a_spec(**changes: Any) -> dict[str, Any]:
    """A contract's spec in wire form, with `changes` at its top."""
    return {**copy.deepcopy(SPEC), **changes}


def a_statement(sequence: int = 0, **changes: Any) -> Statement:
    """A notice about one contract."""
    fields: dict[str, Any] = {
        "predicate": "notice",
        "id": f"notice-{sequence}",
        "source": "contract/c-1",
        "sequence": sequence,
        "at_ms": AT_MS + sequence,
        "subjects": (Subject("contracts/default/chat", digest(SPEC)),),
        "body": {"what": "adopted"},
    }
    return Statement(**{**fields, **changes})


def a_log(folder: Path, *, clock: VirtualClock | None = None) -> EvidenceLog:
    """The log in `folder`, with its keys beside it."""
    clock = clock or VirtualClock()
    return EvidenceLog.open_for_writing(folder / "evidence", keys=a_ring(folder), clock=clock)


def a_ring(folder: Path) -> KeyRing:
    """The keys in `folder`."""
    return KeyRing.open(folder / "keys", clock=VirtualClock())


def rotated(ring: KeyRing, *, at_ms: int = AT_MS) -> None:
    """Let another key sign, without a log that says so."""
    ring.follow(ring.prepare().id, at_ms=at_ms)


SOURCE = "contract/c-1"


def judged(samples: dict[str, Any]) -> dict[str, Any]:
    """The verdict on some latencies: kept when their median stays within 100 ms. Stands in for the real judge."""
    values = sorted(samples["latencyMs"])
    median = values[len(values) // 2]
    return {"verdict": "Kept" if median <= 100 else "Breached", "measured": {"p50Ms": median}}


def recompute(statement: Statement, inputs: Mapping[str, Any], _terms: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pure function that verification calls for each statement."""
    return judged(inputs["samples"]) if statement.predicate == "window-verdict" else None


def a_window(number: int, samples: dict[str, Any]) -> Draft:
    """A verdict on one window, with its samples."""
    body = {
        "promise": "requestLatency p50",
        "start": format_instant(AT_MS + 60_000 * number),
        "end": format_instant(AT_MS + 60_000 * (number + 1)),
        "reason": "Measured",
        **judged(samples),
    }
    statement = a_statement(predicate="window-verdict", id=f"{SOURCE}/window/{number}", body=body)
    return Draft(statement, {"samples": samples})


def a_history(log: EvidenceLog, *, windows: int = 6) -> str:
    """A contract's life in the log, with another's between; the checkpoint that its user got at acceptance."""
    log.append(
        a_statement(predicate="commissioning", id=f"{SOURCE}/commissioning/1", body={"holds": True, "figures": []})
    )
    note = log.issue_checkpoint(SOURCE, purpose="acceptance", subjects=a_statement().subjects, at_ms=AT_MS)
    log.append(contract_statement(**WHO, spec=a_spec(), at_ms=AT_MS, sequence=0))
    for number in range(windows):
        draft = a_window(number, {"latencyMs": [50 + 20 * number, 60 + 20 * number, 70 + 20 * number]})
        log.append(draft.statement, draft.inputs)
        other = (Subject("contracts/default/other", digest({})),)
        log.append(a_statement(id=f"other-{number}", source="contract/c-2", subjects=other))
    log.append(a_statement(predicate="ending", id=f"{SOURCE}/ending", body={"because": "TermEnded"}))
    return note
