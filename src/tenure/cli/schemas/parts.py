"""What the schemas of answers are made of."""

from typing import Any

from tenure.cli.screen import OUTPUT_VERSION

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
TRUTH: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
OBJECT: Schema = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata"],
    "properties": {"apiVersion": TEXT, "kind": TEXT, "metadata": ANYTHING},
}
"""An object of the API: `tenure explain` and the OpenAPI document say what is in it."""
ANSWER: Schema = {
    "type": "object",
    "required": ["kind", "answeredAt", "quotes"],
    "properties": {
        "kind": {"enum": ["Offers", "CounterOffers", "Refusal", "NeedsTrial"]},
        "answeredAt": INSTANT,
        "quotes": {"type": "array", "items": ANYTHING},
    },
}
VERDICT: Schema = {"enum": ["Kept", "Breached", "Unverifiable"]}


def listed(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def counts(item: Schema = WHOLE) -> Schema:
    """Figures by names that the answer itself chooses."""
    return {"type": "object", "additionalProperties": item}


def exactly(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """These members and nothing beside them."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def with_at_least(members: dict[str, Schema]) -> Schema:
    """These members, and what else there is."""
    return {"type": "object", "required": list(members), "properties": members}


def answered(kind: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An answer of this kind, with nothing beside these members."""
    return exactly({"apiVersion": {"const": OUTPUT_VERSION}, "kind": {"const": kind}, **required}, optional)


FINDING = exactly({"code": TEXT, "subject": TEXT, "message": TEXT, "severity": {"enum": ["error", "late"]}})
"""One disagreement of a recount, as `ledger.recount.Finding` says it."""
CAUSE = exactly(
    {"code": TEXT, "message": TEXT},
    {
        "path": TEXT,
        "nextStep": TEXT,
        "source": TEXT,
        "line": WHOLE,
        "column": WHOLE,
        "object": TEXT,
    },
)
