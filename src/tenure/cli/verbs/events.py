"""`tenure events`: what happened, oldest first."""

from collections.abc import Collection, Sequence
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import failures, screen
from tenure.cli.door import Door, open_door
from tenure.cli.options import HERE, AllNamespaces, Output, Reach
from tenure.cli.requests import JsonObject
from tenure.cli.targets import one_target
from tenure.quantities import SystemClock, parse_instant
from tenure.resources import Event, kind_of
from tenure.resources.table import human_age

# Objects without a namespace have their events in this one, as Kubernetes does it.
_CLUSTER_EVENTS = "default"
TYPES = ("Normal", "Warning")


def events(
    *,
    for_: Annotated[str, Parameter(name="--for", help="Only those about this object: KIND/NAME.")] = "",
    types: Annotated[str, Parameter(help="Only these types, such as Warning.")] = "",
    watch: Annotated[bool, Parameter(name=["--watch", "-w"], negative=(), help="Go on showing new ones.")] = False,
    all_namespaces: AllNamespaces = False,
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Show events, oldest first."""
    kind, wanted = kind_of(Event), _types(types)
    with open_door(reach) as door:
        namespace, fields = None if all_namespaces else door.namespace, ""
        if for_:
            target = one_target([for_])
            fields = f"involvedObject.kind={target.kind.kind},involvedObject.name={target.name}"
            namespace = door.namespace if target.kind.namespaced else _CLUSTER_EVENTS
        found, version = door.list(kind, namespace, fields=fields)
        found = sorted((e for e in found if not wanted or e.get("type") in wanted), key=_when)
        if output == "json":
            screen.say_json({"apiVersion": "v1", "kind": "List", "items": found})
        elif found or watch:
            screen.say_table(("Last seen", "Type", "Reason", "Object", "Message"), event_rows(found))
        else:
            screen.note("No events found.")
        if watch:
            for change in door.watch(kind, namespace, version, fields=fields):
                if change.type != "DELETED" and (not wanted or change.content.get("type") in wanted):
                    screen.say_table((), event_rows([change.content]), show_headers=False)
                    screen.flush()


def events_about(door: Door, content: JsonObject) -> list[JsonObject]:
    """The events of one object, oldest first."""
    metadata = content["metadata"]
    namespace = metadata.get("namespace") or _CLUSTER_EVENTS
    found, _ = door.list(kind_of(Event), namespace, fields=f"involvedObject.uid={metadata['uid']}")
    return sorted(found, key=_when)


def event_rows(events: Sequence[JsonObject]) -> list[tuple[object, ...]]:
    """(age, type, reason, object, message) of each."""
    now = SystemClock().now_ms()
    return [
        (
            human_age(now - _when(event)) + (f" (x{event['count']})" if (event.get("count") or 1) > 1 else ""),
            event.get("type"),
            event.get("reason"),
            f"{str(event['involvedObject'].get('kind', '')).lower()}/{event['involvedObject'].get('name', '')}",
            event.get("message") or "",
        )
        for event in events
    ]


def _types(named: str) -> Collection[str]:
    """Those that are named, in any case of letters. Raises Failure."""
    known = {one.lower(): one for one in TYPES}
    words = [word.strip() for word in named.split(",") if word.strip()]
    unknown = next((word for word in words if word.lower() not in known), None)
    if unknown is not None:
        raise failures.usage(f"--types {unknown!r} is no type of events", f"one of {', '.join(TYPES)}, or both")
    return {known[word.lower()] for word in words}


def _when(event: JsonObject) -> int:
    stamps = (event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    text = next((stamp for stamp in stamps if stamp), None)
    return parse_instant(str(text)) if text else 0
