"""JSON Schemas of what the commands answer with -o json, by the `kind` of the answer. Objects of the API are open here;
`tenure explain` and the OpenAPI document say what is in them."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
OBJECT: Schema = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata"],
    "properties": {"apiVersion": TEXT, "kind": TEXT, "metadata": {"type": "object"}},
}
ANSWER: Schema = {
    "type": "object",
    "required": ["kind", "answeredAt", "quotes"],
    "properties": {
        "kind": {"enum": ["Offers", "CounterOffers", "Refusal", "NeedsTrial"]},
        "answeredAt": {"type": "string", "format": "date-time"},
        "quotes": {"type": "array", "items": {"type": "object"}},
    },
}


def listed(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def answered(kind: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An answer of this kind, with nothing beside these members."""
    return {
        "type": "object",
        "required": ["kind", *required],
        "properties": {"kind": {"const": kind}, **required, **(optional or {})},
        "additionalProperties": False,
    }


_CAUSE: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": TEXT,
        "message": TEXT,
        "path": TEXT,
        "nextStep": TEXT,
        "source": TEXT,
        "line": WHOLE,
        "column": WHOLE,
        "object": TEXT,
    },
    "additionalProperties": False,
}
_OUTCOME: Schema = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "outcome"],
    "properties": {
        "apiVersion": TEXT,
        "kind": TEXT,
        "name": TEXT,
        "namespace": TEXT,
        "outcome": {"enum": ["created", "configured", "unchanged", "deleted", "valid"]},
    },
    "additionalProperties": False,
}
_FIELD: Schema = {
    "type": "object",
    "required": ["name", "type", "required", "description", "values", "example"],
    "properties": {
        "name": TEXT,
        "type": TEXT,
        "required": TRUTH,
        "description": TEXT,
        "values": listed(TEXT),
        "example": TEXT,
    },
    "additionalProperties": False,
}
_CONTRACT_LINE: Schema = {
    "type": "object",
    "required": ["name", "namespace", "phase", "verdict", "endpoint", "ends", "promises"],
    "properties": {
        "name": TEXT,
        "namespace": maybe(TEXT),
        "phase": TEXT,
        "verdict": maybe({"enum": ["Kept", "Breached", "Unverifiable"]}),
        "endpoint": maybe(TEXT),
        "ends": TEXT,
        "promises": listed(
            {
                "type": "object",
                "required": ["metric", "percentile", "promised", "measured"],
                "properties": {"metric": TEXT, "percentile": maybe(TEXT), "promised": TEXT, "measured": maybe(TEXT)},
                "additionalProperties": False,
            }
        ),
    },
    "additionalProperties": False,
}
_PRICE = answered("Price", {"machine": TEXT, "hourlyCost": maybe(TEXT)})
_LIMIT: Schema = {
    "type": "object",
    "required": ["kind", "used", "limit", "unit", "membersWithout", "share"],
    "properties": {
        "kind": TEXT,
        "used": WHOLE,
        "limit": WHOLE,
        "unit": TEXT,
        "membersWithout": WHOLE,
        "share": {"type": "number"},
    },
}
_SIMULATED: Schema = {
    "type": "object",
    "required": ["trace", "fleet", "jobs", "promises", "waitSeconds", "heldBy", "gpuHours", "series", "machines"],
    "properties": {
        "gpuHours": {"type": "number"},
        "occupiedShare": {"type": "number"},
        "peakPowerW": WHOLE,
        "series": listed({"type": "object", "required": ["atMs", "gpus", "powerW", "waiting", "running", "map"]}),
    },
}
_PLACE = answered("SiteLocation", {"site": TEXT, "location": maybe({"type": "object"})})
_MODEL = answered("ModelFile", {"name": TEXT, "spec": {"type": "object"}, "path": maybe(TEXT)})

_BACKED_UP = {"home": TEXT, "at": TEXT, "tenure": TEXT, "objectsVersion": WHOLE, "statements": WHOLE}

OUTPUTS: dict[str, Schema] = {
    "Status": answered(
        "Status",
        {
            "apiVersion": {"const": "v1"},
            "status": {"const": "Failure"},
            "reason": TEXT,
            "message": TEXT,
            "exitCode": WHOLE,
        },
        {
            "nextStep": TEXT,
            "details": {"type": "object", "required": ["causes"], "properties": {"causes": listed(_CAUSE)}},
        },
    ),
    "List": answered(
        "List", {"apiVersion": {"const": "v1"}, "items": listed(OBJECT)}, {"metadata": {"type": "object"}}
    ),
    "Described": answered(
        "Described",
        {"items": listed({"type": "object", "required": ["object", "events"], "properties": {"object": OBJECT}})},
    ),
    "Applied": answered("Applied", {"dryRun": TEXT, "items": listed(_OUTCOME)}),
    "Difference": answered(
        "Difference",
        {
            "items": listed(
                {
                    "type": "object",
                    "required": ["kind", "name", "namespace", "different", "diff"],
                    "properties": {"different": TRUTH, "diff": listed(TEXT)},
                }
            )
        },
    ),
    "Waited": answered("Waited", {"for": TEXT, "items": listed({"type": "object", "required": ["kind", "name"]})}),
    "Logs": answered(
        "Logs",
        {
            "run": TEXT,
            "items": listed(
                {
                    "type": "object",
                    "required": ["time", "stream", "text"],
                    "properties": {"time": TEXT, "stream": TEXT, "text": TEXT},
                }
            ),
        },
    ),
    "Explanation": answered("Explanation", {"of": TEXT, "path": TEXT, "field": _FIELD, "fields": listed(_FIELD)}),
    "ApiResources": answered("ApiResources", {"items": listed({"type": "object", "required": ["name", "kind"]})}),
    "Version": answered("Version", {"clientVersion": TEXT}, {"serverVersion": {"type": "object"}, "silence": TEXT}),
    "ConfigView": answered(
        "ConfigView",
        {"home": TEXT, "homeFrom": TEXT, "kubeconfig": TEXT, "models": TEXT, "running": TRUTH, "namespace": TEXT},
    ),
    "Kubeconfig": answered("Kubeconfig", {"path": TEXT}),
    "Context": answered("Context", {"name": TEXT}),
    "Contexts": answered("Contexts", {"current": TEXT, "items": listed(TEXT)}),
    "Asked": answered("Asked", {"workload": TEXT, "namespace": TEXT, "answer": ANSWER}),
    "Requested": answered("Requested", {"workload": TEXT, "namespace": TEXT}, {"answer": ANSWER, "contract": OBJECT}),
    "Accepted": answered("Accepted", {"offer": TEXT, "contract": OBJECT}),
    "Renewal": answered("Renewal", {"renews": TEXT, "answer": ANSWER}, {"contract": OBJECT}),
    "Backup": answered("Backup", {"file": TEXT, "files": WHOLE, "bytes": WHOLE, **_BACKED_UP}),
    "Restored": answered(
        "Restored",
        {
            "home": TEXT,
            "backup": {"type": "object", "required": list(_BACKED_UP), "properties": _BACKED_UP},
            "agrees": TRUTH,
            "findings": listed({"type": "object"}),
        },
    ),
    "Ended": answered("Ended", {"contract": TEXT, "waited": TRUTH}),
    "Trialled": answered("Trialled", {"workload": TEXT, "length": TEXT, "answer": ANSWER}),
    "Why": answered(
        "Why",
        {
            "of": {"type": "object", "required": ["kind", "name"]},
            "events": listed({"type": "object", "required": ["reason", "message", "type"]}),
        },
        {
            "phase": TEXT,
            "answer": ANSWER,
            "conditions": listed({"type": "object"}),
            "verdict": TEXT,
            "accounting": listed({"type": "object"}),
            "windows": listed({"type": "object"}),
            "commissioning": {"type": "object"},
            "trialProgress": TEXT,
        },
    ),
    "Environment": answered(
        "Environment",
        {
            "contract": TEXT,
            "model": maybe(TEXT),
            "env": {"type": "object", "required": ["OPENAI_BASE_URL", "OPENAI_API_KEY"]},
        },
    ),
    "StatusReport": answered(
        "StatusReport",
        {
            "verdict": {"enum": ["Kept", "Breached", "Unverifiable"]},
            "contracts": listed(_CONTRACT_LINE),
            "offersHeld": WHOLE,
            "sites": listed(TEXT),
        },
    ),
    "Checkup": answered(
        "Checkup",
        {
            "healthy": TRUTH,
            "checks": listed(
                {
                    "type": "object",
                    "required": ["area", "what", "state", "found", "nextStep"],
                    "properties": {"state": {"enum": ["good", "lacking", "bad"]}},
                }
            ),
        },
    ),
    "Price": _PRICE,
    "Prices": answered("Prices", {"items": listed(_PRICE)}),
    "SiteLocation": _PLACE,
    "Capacity": answered(
        "Capacity",
        {
            "site": TEXT,
            "atMs": WHOLE,
            "member": {"type": "object"},
            "members": WHOLE,
            "limits": listed(_LIMIT),
            "binding": maybe({"type": "object"}),
            "oneMore": maybe(WHOLE),
            "unlocks": WHOLE,
            "nextLimit": maybe(TEXT),
            "verdict": TEXT,
        },
    ),
    "Simulation": answered(
        "Simulation",
        {
            "fleet": TEXT,
            "trace": TEXT,
            "seed": WHOLE,
            "runs": {"type": "object", "additionalProperties": _SIMULATED},
        },
    ),
    "Sites": answered("Sites", {"items": listed(_PLACE)}),
    "ModelFile": _MODEL,
    "Models": answered("Models", {"items": listed(_MODEL)}),
    "Fetched": answered("Fetched", {"model": TEXT, "digest": TEXT, "path": TEXT}),
}
