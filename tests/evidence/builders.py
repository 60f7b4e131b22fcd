"""Keys, contracts and statements for the tests of evidence, made where they are needed."""

import copy
from typing import Any

from tenure.evidence import Statement, Subject, digest

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
