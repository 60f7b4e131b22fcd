"""Tables: the columns of a kind and the cells of an object, as `kubectl get` and `tenure get` print them."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tenure.quantities import parse_instant
from tenure.resources.registry import Column, Kind

Cell = str | int | float | bool | None

_STEP = re.compile(
    r"\.(?P<member>[A-Za-z0-9_\-]+)"
    r"|\[(?P<index>\d+)\]"
    r"|\['(?P<key>[^']+)'\]"
    r"|\[\?\(@\.(?P<field>[A-Za-z0-9_]+)==[\"'](?P<value>[^\"']*)[\"']\)\]"
)
_UNKNOWN_AGE = "<unknown>"


def column_definitions(kind: Kind) -> list[dict[str, Any]]:
    """TableColumnDefinitions of `meta.k8s.io/v1`: the name, then the kind's columns."""
    name = {"name": "Name", "type": "string", "format": "name", "description": "name of the object", "priority": 0}
    return [name, *(_definition(column) for column in kind.columns)]


def cells(kind: Kind, content: Mapping[str, Any], now_ms: int) -> list[Cell]:
    """The cells of one object, in the order of `column_definitions`; None where the object says nothing."""
    return [content["metadata"].get("name"), *(_cell(column, content, now_ms) for column in kind.columns)]


def value_at(content: Any, path: str) -> Any:
    """What lies at a JSONPath of the sort that columns use: members, indexes and `[?(@.type=="Ready")]`.

    None where there is nothing. Raises ValueError for a path that is no such JSONPath.
    """
    for step in _steps(path):
        content = _follow(content, step)
        if content is None:
            return None
    return content


def human_age(age_ms: int) -> str:
    """An age as Kubernetes writes it: two units while small, one when large.

    After k8s.io/apimachinery/pkg/util/duration HumanDuration.
    """
    seconds = max(0, age_ms // 1000)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    years, rest = divmod(days, 365)
    return f"{years}y{rest}d" if years < 8 and rest else f"{years}y"


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": "string" if column.type == "date" else column.type,
        "format": "",
        "description": column.description or f"{column.path.lstrip('.')}",
        "priority": 1 if column.wide else 0,
    }


def _cell(column: Column, content: Mapping[str, Any], now_ms: int) -> Cell:
    found = value_at(content, column.path)
    if column.type == "date":
        return _age(found, now_ms)
    if found is None or isinstance(found, str | int | float | bool):
        return found
    return str(found)


def _age(instant: Any, now_ms: int) -> str:
    try:
        return human_age(now_ms - parse_instant(instant))
    except (ValueError, TypeError):
        return _UNKNOWN_AGE


@cache
def _steps(path: str) -> tuple[re.Match[str], ...]:
    steps, position = [], 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} is no path of a column at character {position}")
        steps.append(match)
        position = match.end()
    return tuple(steps)


def _follow(content: Any, step: re.Match[str]) -> Any:
    if (member := step["member"] or step["key"]) is not None:
        return content.get(member) if isinstance(content, dict) else None
    if not isinstance(content, list):
        return None
    if step["index"] is not None:
        return content[int(step["index"])] if int(step["index"]) < len(content) else None
    field, value = step["field"], step["value"]
    return next((item for item in content if isinstance(item, dict) and str(item.get(field)) == value), None)
