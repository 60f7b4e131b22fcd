"""Answers of the verbs that recount, prove and keep: ledger, evidence, audit, backup."""

from tenure.cli.schemas.parts import (
    ANYTHING,
    FINDING,
    INSTANT,
    NUMBER,
    TEXT,
    TRUTH,
    VERDICT,
    WHOLE,
    Schema,
    answered,
    counts,
    exactly,
    listed,
    maybe,
    with_at_least,
)
from tenure.resources.kinds.allocation import Hold
from tenure.resources.schema import json_schema

_HELD = exactly(
    {
        "kind": {"enum": ["Offer", "Contract"]},
        "namespace": TEXT,
        "name": TEXT,
        "phase": TEXT,
        "hold": {"$ref": "#/$defs/Hold"},
    }
)
_KEY = {"keyId": TEXT, "publicKey": TEXT, "since": INSTANT, "endorsement": maybe({"type": "object"})}
_STATEMENT = exactly(
    {
        "index": WHOLE,
        "_type": TEXT,
        "subject": listed({"type": "object"}),
        "predicateType": TEXT,
        "predicate": exactly(
            {
                "id": TEXT,
                "source": TEXT,
                "sequence": WHOLE,
                "at": INSTANT,
                "inputs": listed({"type": "object"}),
                "body": {"type": "object"},
            }
        ),
    }
)
_FAILURE = exactly({"where": TEXT, "field": TEXT, "message": TEXT, "index": maybe(WHOLE), "statementId": maybe(TEXT)})
_WINDOW = exactly(
    {
        "promise": TEXT,
        "startMs": WHOLE,
        "endMs": WHOLE,
        "verdict": VERDICT,
        "reason": TEXT,
        "fault": TEXT,
        "detail": TEXT,
        "requests": WHOLE,
        "observed": maybe(WHOLE),
        "bound": maybe(WHOLE),
        "statedAt": INSTANT,
        "cause": maybe(with_at_least({"window": INSTANT, "likeliest": TEXT, "said": TEXT})),
    }
)
_ACCOUNT = exactly(
    {
        "verdict": VERDICT,
        "windows": WHOLE,
        "kept": WHOLE,
        "used": WHOLE,
        "notOwed": WHOLE,
        "attainment": maybe(NUMBER),
        "budget": WHOLE,
        "budgetLeft": WHOLE,
        "burnRateShort": NUMBER,
        "burnRateLong": NUMBER,
    }
)
_REMEDY = exactly(
    {
        "rung": TEXT,
        "cause": TEXT,
        "cost": TEXT,
        "began": INSTANT,
        "outcome": maybe(TEXT),
        "judged": maybe(INSTANT),
    }
)
_EPISODE = exactly(
    {
        "promise": TEXT,
        "start": INSTANT,
        "end": INSTANT,
        "windows": WHOLE,
        "detectedAfterMs": WHOLE,
        "cause": maybe(TEXT),
        "remedies": listed(_REMEDY),
        "remediedAfterMs": maybe(WHOLE),
    }
)
_BROUGHT_KEY = maybe(exactly({"file": TEXT, "present": TRUTH}))
_COPIED = {"home": TEXT, "at": INSTANT, "tenure": TEXT, "objectsVersion": WHOLE, "statements": WHOLE}
_BACKED_UP = {**_COPIED, "signingKey": _BROUGHT_KEY}


def _hold_definitions() -> dict[str, Schema]:
    """The hold, made from its model, and what it refers to."""
    hold = dict(json_schema(Hold))
    return {**hold.pop("$defs"), "Hold": hold}


BOOKS: dict[str, Schema] = {
    "Holds": {
        **answered("Holds", {"site": TEXT, "generation": WHOLE, "holds": listed(_HELD)}),
        "$defs": _hold_definitions(),
    },
    "Recount": answered(
        "Recount",
        {
            "site": TEXT,
            "agrees": TRUTH,
            "generation": WHOLE,
            "holds": WHOLE,
            "runs": WHOLE,
            "findings": listed(FINDING),
        },
    ),
    "EvidenceLog": answered(
        "EvidenceLog",
        {
            "log": TEXT,
            "size": WHOLE,
            "root": TEXT,
            "keyId": TEXT,
            "sources": listed(exactly({"name": TEXT, "statements": WHOLE})),
        },
    ),
    "Statements": answered("Statements", {"source": TEXT, "items": listed(_STATEMENT)}),
    "PublicKey": answered("PublicKey", {"keyId": TEXT, "publicKey": TEXT}),
    "KeyHistory": answered("KeyHistory", {"items": listed(exactly(_KEY))}),
    "SigningKey": answered("SigningKey", _KEY),
    "Checkpoint": answered("Checkpoint", {"checkpoint": TEXT}),
    "ExportedEvidence": answered(
        "ExportedEvidence",
        {
            "file": TEXT,
            "subject": TEXT,
            "statements": WHOLE,
            "inputs": WHOLE,
            "bytes": WHOLE,
            "keyId": TEXT,
            "checkpoint": TEXT,
        },
    ),
    "Verification": answered(
        "Verification",
        {
            "ok": TRUTH,
            "subject": TEXT,
            "log": TEXT,
            "logSize": WHOLE,
            "statements": counts(),
            "verdicts": counts(),
            "recomputed": WHOLE,
            "retired": WHOLE,
            "complete": TRUTH,
            "unjudged": listed(exactly({"promise": TEXT, "start": TEXT, "end": TEXT})),
            "keys": listed(TEXT),
            "failures": listed(_FAILURE),
            "moreFailures": WHOLE,
        },
        {
            "otherJudges": counts(),
            "uncounted": listed(exactly({"statementId": maybe(TEXT), "because": TEXT})),
            "created": maybe(INSTANT),
            "judgedUntil": maybe(INSTANT),
            "asOf": maybe(INSTANT),
            "settled": TRUTH,
            "untimely": maybe(TEXT),
        },
    ),
    "Audit": answered(
        "Audit",
        {
            "contract": TEXT,
            "verdict": VERDICT,
            "hardPromises": VERDICT,
            "completion": maybe(exactly({"by": TEXT, "verdict": maybe(VERDICT), "reason": TEXT, "said": TEXT})),
            "ended": maybe(TEXT),
            "credit": maybe(ANYTHING),
            "statements": WHOLE,
            "promises": listed(exactly({"promise": TEXT, "windows": listed(_WINDOW), "account": _ACCOUNT})),
            "episodes": listed(_EPISODE),
            "remedies": listed(_REMEDY),
        },
    ),
    "Backup": answered("Backup", {"file": TEXT, "files": WHOLE, "bytes": WHOLE, **_BACKED_UP}),
    "Restored": answered(
        "Restored",
        {
            "home": TEXT,
            "backup": with_at_least(_COPIED),
            "signingKey": _BROUGHT_KEY,
            "agrees": TRUTH,
            "findings": listed(FINDING),
        },
    ),
}
