"""`tenure describe`: everything about an object, indented for reading, and its events."""

from collections.abc import Sequence
from typing import Any

from tenure.cli import screen
from tenure.cli.door import open_door
from tenure.cli.options import HERE, AllNamespaces, Objects, Output, Reach, Selector
from tenure.cli.requests import JsonObject
from tenure.cli.targets import parse_targets
from tenure.cli.verbs.events import event_rows, events_about
from tenure.resources import Kind

_LEFT_OUT = ("managedFields", "selfLink")
_LABEL_WIDTH = 2


def describe(
    *what: Objects,
    all_namespaces: AllNamespaces = False,
    selector: Selector = "",
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Show objects in full, with their conditions and events.

    Parameters
    ----------
    what
        KIND, KIND NAME..., or KIND/NAME...
    """
    with open_door(reach) as door:
        found: list[tuple[Kind, JsonObject]] = []
        for target in parse_targets(what):
            if target.name:
                found.append((target.kind, door.get(target.kind, target.name)))
                continue
            items, _ = door.list(target.kind, None if all_namespaces else door.namespace, selector)
            found += [(target.kind, item) for item in items]
        answers = [(content, events_about(door, content)) for _, content in found]
    if output == "json":
        screen.say_as("Described", {"items": [{"object": o, "events": e} for o, e in answers]})
        return
    for index, (content, events) in enumerate(answers):
        if index:
            screen.say("\n")
        _say(content, events)
    if not answers:
        screen.note("No resources found.")


def _say(content: JsonObject, events: Sequence[JsonObject]) -> None:
    metadata = content["metadata"]
    head = {
        "Name": metadata["name"],
        "Namespace": metadata.get("namespace"),
        "Labels": _pairs(metadata.get("labels")),
        "Annotations": _pairs(_shown_annotations(metadata.get("annotations"))),
        "API Version": content["apiVersion"],
        "Kind": content["kind"],
    }
    for label, value in head.items():
        if label != "Namespace" or value:
            _say_lines(f"{label}:", value or "<none>")
    shown = {key: value for key, value in metadata.items() if key not in (*_NAMED, *_LEFT_OUT)}
    _say_tree("Metadata", shown, 0)
    for key, value in content.items():
        if key not in ("apiVersion", "kind", "metadata", "status"):
            _say_tree(_title(key), value, 0)
    status = dict(content.get("status") or {})
    conditions = status.pop("conditions", [])
    if status:
        _say_tree("Status", status, 0)
    _say_conditions(conditions)
    _say_events(events)


_NAMED = ("name", "namespace", "labels", "annotations")


def _shown_annotations(annotations: Any) -> Any:
    if not isinstance(annotations, dict):
        return None
    # The note of the last apply repeats the object; kubectl leaves it out too.
    return {k: v for k, v in annotations.items() if not k.endswith("/last-applied-configuration")}


def _pairs(mapping: Any) -> list[str]:
    return [f"{key}={value}" for key, value in mapping.items()] if mapping else []


def _say_lines(label: str, value: Any) -> None:
    lines = value if isinstance(value, list) else [value]
    for index, line in enumerate(lines):
        screen.say(f"{label if not index else '':<14}{line}")


def _say_tree(label: str, value: Any, depth: int) -> None:
    pad = " " * (_LABEL_WIDTH * depth)
    if isinstance(value, dict) and value:
        screen.say(f"{pad}{label}:")
        for key, inner in value.items():
            _say_tree(_title(key), inner, depth + 1)
    elif isinstance(value, list) and value:
        screen.say(f"{pad}{label}:")
        for item in value:
            if isinstance(item, dict):
                screen.say(f"{pad}  -")
                for key, inner in item.items():
                    _say_tree(_title(key), inner, depth + 2)
            else:
                screen.say(f"{pad}  - {screen.cell_text(item)}")
    else:
        text = "<none>" if value in ({}, []) else screen.cell_text(value)
        screen.say(f"{pad}{label}: {text}")


def _title(key: str) -> str:
    """timeToFirstToken as Time To First Token, as kubectl writes it."""
    words = "".join(f" {c}" if c.isupper() and i and key[i - 1].islower() else c for i, c in enumerate(key))
    return words[:1].upper() + words[1:]


def _say_conditions(conditions: Sequence[JsonObject]) -> None:
    if not conditions:
        return
    screen.say("Conditions:")
    headers = ("  Type", "Status", "Reason", "Since", "Message")
    rows = [
        (f"  {c['type']}", c["status"], c["reason"], c["lastTransitionTime"], c.get("message") or "")
        for c in conditions
    ]
    _say_small_table(headers, rows)


def _say_events(events: Sequence[JsonObject]) -> None:
    if not events:
        screen.say("Events:       <none>")
        return
    screen.say("Events:")
    rows = [(f"  {row[1]}", row[2], row[0], row[4]) for row in event_rows(events)]
    _say_small_table(("  Type", "Reason", "Age", "Message"), rows)


def _say_small_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    lines = [list(headers), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        screen.say("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
