"""Schemas made from the models: JSON Schema for documents, and the structural form that Kubernetes asks of CRDs.

A structural schema has no references, no `additionalProperties: false` beside properties, no nulls and no unions of
types; see "Specifying a structural schema" in Kubernetes' documentation of custom resource definitions.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from tenure.resources.base import Strict
from tenure.resources.registry import Kind

JsonSchema = dict[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
_SELECTABLE = ("string", "integer", "boolean")
_DROPPED = ("title", "$defs", "default", "additionalProperties", "examples", "const", "anyOf", "oneOf", "discriminator")


class _Generator(GenerateJsonSchema):
    """Adds the models' CEL rules, which their validators state in Python."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchema:
        result = super().model_schema(schema)
        model = schema["cls"]
        if issubclass(model, Strict) and model.cel_rules:
            rules = [{"rule": rule.rule, "message": rule.message} for rule in model.cel_rules]
            result["x-kubernetes-validations"] = rules
        return result


@cache
def json_schema(model: type[BaseModel]) -> JsonSchema:
    """JSON Schema (2020-12) of a model as it is written in a manifest."""
    return model.model_json_schema(by_alias=True, mode="validation", schema_generator=_Generator)


@cache
def structural_schema(kind: Kind) -> JsonSchema:
    """The kind's schema for `openAPIV3Schema` of a CRD. Treat it as read-only."""
    whole = json_schema(kind.model)
    schema = _structural(whole, whole.get("$defs", {}), ())
    schema["properties"] = {
        "apiVersion": {"type": "string", "description": "version of the schema of this object"},
        "kind": {"type": "string", "description": "kind of this object"},
        **{name: property for name, property in schema["properties"].items() if name not in ("apiVersion", "kind")},
        "metadata": {"type": "object"},
    }
    schema["required"] = [name for name in schema.get("required", []) if name not in ("apiVersion", "kind", "metadata")]
    if not schema["required"]:
        del schema["required"]
    return schema


@cache
def selectable_paths(kind: Kind) -> tuple[str, ...]:
    """Paths of columns below spec and status that field selectors may name, on both hosts: texts, integers, booleans.

    CRDs take at most 8 of them (`selectableFields`, general since Kubernetes 1.32).
    """
    paths = [column.path for column in kind.columns if column.path.startswith((".spec.", ".status."))]
    return tuple(path for path in paths if "[" not in path and _type_at(structural_schema(kind), path) in _SELECTABLE)


def _type_at(schema: JsonSchema, path: str) -> str | None:
    for step in path.strip(".").split("."):
        schema = schema.get("properties", {}).get(step, {})
    return schema.get("type")


def _structural(schema: JsonSchema, definitions: JsonSchema, inside: tuple[str, ...]) -> JsonSchema:
    reference = schema.get("$ref")
    if reference is not None:
        name = reference.rsplit("/", 1)[1]
        if name in inside:  # a model within itself cannot be written out
            return {"type": "object", PRESERVE: True}
        target = {**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}
        return _structural(target, definitions, (*inside, name))
    options = [o for o in schema.get("anyOf") or schema.get("oneOf") or () if o.get("type") != "null"]
    if len(options) == 1:
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
        return _structural({**options[0], **rest}, definitions, inside)
    result = {key: value for key, value in schema.items() if key not in _DROPPED and key != "properties"}
    if len(options) > 1:
        result |= _union(options)
    if "const" in schema:
        result["enum"] = [schema["const"]]
    if "examples" in schema:
        example = schema["examples"][0]
        result["example"] = float(example) if schema.get("type") == "number" else example
    _bounds(result)
    _describe_default(result, schema)
    if "properties" in schema:
        properties = schema["properties"].items()
        result["properties"] = {name: _structural(part, definitions, inside) for name, part in properties}
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and more and "properties" not in schema:
        result["additionalProperties"] = _structural(more, definitions, inside)
    elif more is True or more == {}:
        result[PRESERVE] = True
    if "items" in schema:
        result["items"] = _structural(schema["items"], definitions, inside)
    if "type" not in result and "x-kubernetes-int-or-string" not in result:
        result[PRESERVE] = True  # anything at all
    return result


def _union(options: list[JsonSchema]) -> JsonSchema:
    types = {option.get("type") for option in options}
    if types <= {"integer", "string"}:
        return {"x-kubernetes-int-or-string": True}
    if types <= {"integer", "number"}:
        return {"type": "number"}
    return {PRESERVE: True}


def _bounds(schema: JsonSchema) -> None:
    # OpenAPI 3.0, which CRDs use, marks a bound as exclusive by a boolean beside it.
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = schema.get(exclusive)
        if value is not None and not isinstance(value, bool):
            schema[bound], schema[exclusive] = value, True


def _describe_default(result: JsonSchema, schema: JsonSchema) -> None:
    """Say defaults in words: a host that wrote them into objects would change what their authors applied."""
    default = schema.get("default")
    if default is None or default in ([], {}, ""):
        return
    text = str(default).lower() if isinstance(default, bool) else str(default)
    said = result.get("description")
    result["description"] = f"{said}; default {text}" if said else f"default {text}"
