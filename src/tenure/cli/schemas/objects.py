"""Answers of the verbs that kubectl has too."""

from tenure.cli.schemas.parts import CAUSE, OBJECT, TEXT, TRUTH, WHOLE, Schema, answered, exactly, listed, with_at_least

_OUTCOME = exactly(
    {
        "apiVersion": TEXT,
        "kind": TEXT,
        "name": TEXT,
        "outcome": {"enum": ["created", "configured", "unchanged", "deleted", "valid"]},
    },
    {"namespace": TEXT},
)
_FIELD = exactly(
    {
        "name": TEXT,
        "type": TEXT,
        "required": TRUTH,
        "description": TEXT,
        "values": listed(TEXT),
        "example": TEXT,
    }
)
_DIFFERENCE = with_at_least({"kind": TEXT, "name": TEXT, "namespace": {}, "different": TRUTH, "diff": listed(TEXT)})

OBJECTS: dict[str, Schema] = {
    "Status": exactly(
        {
            "apiVersion": {"const": "v1"},
            "kind": {"const": "Status"},
            "status": {"const": "Failure"},
            "reason": TEXT,
            "message": TEXT,
            "exitCode": WHOLE,
        },
        {"nextStep": TEXT, "details": with_at_least({"causes": listed(CAUSE)})},
    ),
    "Object": OBJECT,
    "List": exactly(
        {"apiVersion": {"const": "v1"}, "kind": {"const": "List"}, "items": listed(OBJECT)},
        {"metadata": {"type": "object"}},
    ),
    "Described": answered(
        "Described", {"items": listed(with_at_least({"object": OBJECT, "events": listed({"type": "object"})}))}
    ),
    "Applied": answered("Applied", {"dryRun": TEXT, "items": listed(_OUTCOME)}),
    "Difference": answered("Difference", {"items": listed(_DIFFERENCE)}),
    "Waited": answered("Waited", {"for": TEXT, "items": listed(with_at_least({"kind": TEXT, "name": TEXT}))}),
    "Logs": answered(
        "Logs", {"run": TEXT, "items": listed(with_at_least({"time": TEXT, "stream": TEXT, "text": TEXT}))}
    ),
    "Explanation": answered("Explanation", {"of": TEXT, "path": TEXT, "field": _FIELD, "fields": listed(_FIELD)}),
    "ApiResources": answered("ApiResources", {"items": listed(with_at_least({"name": TEXT, "kind": TEXT}))}),
    "Version": answered("Version", {"clientVersion": TEXT}, {"serverVersion": {"type": "object"}, "silence": TEXT}),
    "ConfigView": answered(
        "ConfigView",
        {"home": TEXT, "homeFrom": TEXT, "kubeconfig": TEXT, "models": TEXT, "running": TRUTH, "namespace": TEXT},
    ),
    "Kubeconfig": answered("Kubeconfig", {"path": TEXT}),
    "Context": answered("Context", {"name": TEXT}),
    "Contexts": answered("Contexts", {"current": TEXT, "items": listed(TEXT)}),
}
