"""Keys, contracts and statements for the tests of evidence, made where they are needed."""

import copy
from pathlib import Path
from typing import Any

from tenure.evidence import EvidenceLog, KeyRing, Statement, Subject, digest
from tenure.quantities import VirtualClock

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
