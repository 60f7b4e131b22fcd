"""`explain KIND.path`: what a field means, which type it has, what lies below it; values, rendered by the faces."""

from dataclasses import dataclass
from typing import Any

from tenure.resources.registry import Kind
from tenure.resources.schema import JsonSchema, structural_schema


@dataclass(frozen=True, slots=True)
class FieldExplanation:
    """One field: name, type as kubectl writes it (`[]string`, `map[string]string`, `Object`), and what it means."""

    name: str
    type: str
    required: bool
    description: str
    values: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The field asked for, and the fields below it."""

    kind: Kind
    path: str
    field: FieldExplanation
    fields: tuple[FieldExplanation, ...]


class NoSuchFieldError(LookupError):
    """The kind has no such field; `known` are those at the last place that exists."""

    def __init__(self, kind: Kind, path: str, step: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{kind.kind} has no field {path!r}: {step!r} is none of {', '.join(known) or 'no fields'}")
        self.known = known


def explain(kind: Kind, path: str = "") -> Explanation:
    """The explanation of `path` (`spec.objectives`), or of the kind itself. Raises NoSuchFieldError."""
    schema = structural_schema(kind)
    name, required = kind.kind, False
    for step in [s for s in path.split(".") if s]:
        inner = _inner(schema)
        properties = inner.get("properties", {})
        if step not in properties:
            raise NoSuchFieldError(kind, path, step, tuple(properties))
        name, required, schema = step, step in inner.get("required", ()), properties[step]
    inner = _inner(schema)
    below = inner.get("properties", {})
    needed = inner.get("required", ())
    fields = tuple(_field(key, part, key in needed) for key, part in below.items())
    return Explanation(kind, path, _field(name, schema, required), fields)


def type_text(schema: JsonSchema) -> str:
    """A schema's type as kubectl explain writes it."""
    match schema.get("type"):
        case "array":
            return f"[]{type_text(schema['items'])}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"map[string]{type_text(schema['additionalProperties'])}"
        case "object":
            return "Object"
        case str(type):
            return type
        case _:
            return "IntOrString" if schema.get("x-kubernetes-int-or-string") else "Any"


def _field(name: str, schema: JsonSchema, required: bool) -> FieldExplanation:
    values = tuple(str(v) for v in schema.get("enum", ()))
    description = " ".join(str(schema.get("description", "")).split())
    return FieldExplanation(name, type_text(schema), required, description, values, str(schema.get("example", "")))


def _inner(schema: JsonSchema) -> dict[str, Any]:
    """The schema whose properties one names next: through lists and maps."""
    while True:
        if schema.get("type") == "array":
            schema = schema["items"]
        elif isinstance(schema.get("additionalProperties"), dict):
            schema = schema["additionalProperties"]
        else:
            return schema
