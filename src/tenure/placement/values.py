"""How the values of this room become JSON: camelCase names, tuples as lists, sets sorted, nothing lost.

Every value here is a frozen dataclass of plain facts, so one function writes them all. What is ``None`` is left
out: absent means unknown or not asked. Two equal values give equal bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

FOREVER_MS = 2**62
"""An end that no calendar reaches: a hold without an end of its own."""


class PlacementError(ValueError):
    """Facts that contradict themselves. ``code`` is stable, ``path`` names the field, ``hint`` the next step."""

    def __init__(self, code: str, path: str, message: str, hint: str = "") -> None:
        super().__init__(f"{path}: {message}")
        self.code = code
        self.path = path
        self.message = message
        self.hint = hint


def camel(name: str) -> str:
    """``memory_bytes`` -> ``memoryBytes``."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def as_json(value: Any) -> Any:
    """The JSON form of any value of this room: dicts, lists, strings, numbers and booleans only."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f for f in dataclasses.fields(value) if f.init]
        pairs = ((camel(f.name), getattr(value, f.name)) for f in fields)
        return {name: as_json(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(as_json(item) for item in value)
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return value
