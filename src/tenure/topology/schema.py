"""The JSON schema of a machine's full form, made from the very dataclasses, so that it cannot fall behind them."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, get_args, get_origin, get_type_hints

from tenure.topology.codec import camel
from tenure.topology.facts import DESCRIPTION, STATE, Unknown
from tenure.topology.machine import ObservedMachine

DIALECT = "https://json-schema.org/draft/2020-12/schema"

UNKNOWN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "a fact that could not be had, and why; never written as zero",
    "properties": {"unknown": {"type": "string"}},
    "required": ["unknown"],
    "additionalProperties": False,
}

_SIMPLE = {str: "string", int: "integer", bool: "boolean"}


def machine_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a machine, as `tenure inventory scan -o json` shows it under its apiVersion and kind."""
    definitions: dict[str, Any] = {"Unknown": UNKNOWN_SCHEMA}
    top = _schema(ObservedMachine, definitions)
    return {"$schema": DIALECT, "title": "Machine as observed", **top, "$defs": definitions}


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        known = [_schema(arm, definitions) for arm in get_args(kind) if arm is not Unknown]
        return {"anyOf": [*known, {"$ref": "#/$defs/Unknown"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(kind)[0], definitions)}
    if not dataclasses.is_dataclass(kind):
        return {"type": _SIMPLE[kind]}
    name = getattr(kind, "__name__", "")
    if name not in definitions:
        definitions[name] = {}  # a dataclass that holds itself would find the place taken
        definitions[name] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    properties: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        description = field.metadata.get(DESCRIPTION, "")
        if field.metadata.get(STATE):
            description += " (state: no part of the profile)"
        properties[camel(field.name)] = {**_schema(hints[field.name], definitions), "description": description}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n\n")[0].replace("\n    ", " "),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
