"""Label and field selectors: text in, a predicate on JSON objects out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenure.resources import Kind
from tenure.resources.schema import selectable_paths
from tenure.server.refusals import bad_parameter

Predicate = Callable[[Mapping[str, Any]], bool]

_KEY = r"(?P<key>[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_VALUE = r"[A-Za-z0-9]?([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_EXISTS = re.compile(rf"(?P<not>!?)\s*{_KEY}")
_EQUALS = re.compile(rf"{_KEY}\s*(?P<op>==|=|!=)\s*(?P<value>{_VALUE})")
_SET = re.compile(rf"{_KEY}\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)")
_COMPARES = re.compile(rf"{_KEY}\s*(?P<op>[<>])\s*(?P<value>-?\d{{1,18}})")
# Commas separate requirements, except between the parentheses of a set.
_COMMA = re.compile(r",(?![^()]*\))")

_EVENT_FIELDS = (
    *(
        f"involvedObject.{f}"
        for f in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    ),
    *("reason", "type", "reportingComponent", "source"),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request asks for. `name` and `namespace` are known equalities, which the store can use."""

    predicate: Predicate | None = None
    name: str | None = None
    namespace: str | None = None

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether the object is asked for."""
        return self.predicate is None or self.predicate(content)


def selection(kind: Kind, label_selector: str, field_selector: str) -> Selection:
    """Read both selectors of a request. Raises 400 naming the part that cannot be read."""
    labels = [_label_requirement(part.strip()) for part in _split(label_selector)]
    fields = [_field_requirement(kind, part.strip()) for part in _split(field_selector)]
    tests = [*labels, *(test for test, _, _ in fields)]
    if not tests:
        return Selection()
    equal = {path: value for _, path, value in fields if path}
    return Selection(
        lambda content: all(test(content) for test in tests),
        equal.get("metadata.name"),
        equal.get("metadata.namespace"),
    )


def selectable_fields(kind: Kind) -> tuple[str, ...]:
    """Paths that a field selector may name: the metadata's, and those of the kind's columns below spec and status."""
    named = tuple(path.lstrip(".") for path in selectable_paths(kind))
    own = _EVENT_FIELDS if kind.kind == "Event" else ("type",) if kind.kind == "Secret" else ()
    return ("metadata.name", "metadata.namespace", *named, *own)


def _split(selector: str) -> list[str]:
    return _COMMA.split(selector) if selector.strip() else []


def _label_requirement(text: str) -> Predicate:
    if match := _SET.fullmatch(text):
        key, wanted = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["op"] == "in":
            return lambda content: _labels(content).get(key) in wanted
        return lambda content: _labels(content).get(key) not in wanted
    if match := _EQUALS.fullmatch(text):
        key, value = match["key"], match["value"]
        if match["op"] == "!=":
            return lambda content: _labels(content).get(key) != value
        return lambda content: _labels(content).get(key) == value
    if match := _COMPARES.fullmatch(text):
        key, number, greater = match["key"], int(match["value"]), match["op"] == ">"
        return lambda content: _compares(_labels(content).get(key), number, greater)
    if match := _EXISTS.fullmatch(text):
        key, present = match["key"], not match["not"]
        return lambda content: (key in _labels(content)) is present
    step = "write it like app=chat,tier in (a,b),!legacy"
    raise bad_parameter("labelSelector", f"unable to parse label selector {text[:80]!r}", step)


def _field_requirement(kind: Kind, text: str) -> tuple[Predicate, str, str]:
    path, operator, value = re.split(r"(==|!=|=)", text, maxsplit=1) if re.search("=", text) else (text, "", "")
    path, value = path.strip(), value.strip()
    if not operator:
        step = "write it like metadata.name=chat"
        raise bad_parameter("fieldSelector", f"unable to parse field selector {text[:80]!r}", step)
    known = selectable_fields(kind)
    if path not in known:
        step = f"{kind.kind} has {', '.join(known)}"
        raise bad_parameter("fieldSelector", f"field label not supported: {path[:80]}", step)
    steps = tuple(path.split("."))
    if path == "source":
        steps = ("source", "component")
    if operator == "!=":
        return (lambda content: _text_at(content, steps) != value), "", ""
    return (lambda content: _text_at(content, steps) == value), path, value


def _labels(content: Mapping[str, Any]) -> Mapping[str, str]:
    return content["metadata"].get("labels") or {}


def _compares(label: str | None, number: int, greater: bool) -> bool:
    try:
        found = int(label or "")
    except ValueError:
        return False
    return found > number if greater else found < number


def _text_at(content: Any, steps: tuple[str, ...]) -> str:
    for step in steps:
        if not isinstance(content, dict):
            return ""
        content = content.get(step)
    if content is None:
        return ""
    return str(content).lower() if isinstance(content, bool) else str(content)
