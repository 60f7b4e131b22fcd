"""Verbs as values: each builds one HTTP call or reads one answer, and does no I/O; both clients send them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import quote

from tenure.client.errors import Cause, InvalidName, Unreadable, error_from_status
from tenure.resources import Kind, kind_of

if TYPE_CHECKING:
    from pydantic import ValidationError

    from tenure.resources import ApiObject

T = TypeVar("T", bound="ApiObject")
Propagation = Literal["Background", "Foreground", "Orphan"]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]

PAGE_OBJECTS = 500
WATCH_SECONDS = 290  # real API servers end watches after 5 to 10 minutes; ask for less and resume calmly
MERGE_PATCH = "application/merge-patch+json"
NAME_CHARACTERS_MAX = 253
"""As `resources.base` has it beside models that a list of objects does not need."""
NAME_STEP = "use lower-case letters, digits, '-' and '.'"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to send."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class ObjectList(Generic[T]):
    """What a list saw, all of it at one resource version, from which a watch may start."""

    readable: list[T]
    resource_version: str
    unreadable: tuple[Unreadable, ...] = ()
    """Those that this version refuses as they are stored."""

    @property
    def items(self) -> list[T]:
        """All of them. Raises Unreadable where one cannot be read: whoever counts must not miss any."""
        if self.unreadable:
            raise self.unreadable[0]
        return self.readable


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[T]):
    """One change. For DELETED, `object` is the last state; for BOOKMARK only its resource version means something."""

    type: EventType
    read: T | None
    resource_version: str
    unreadable: Unreadable | None = None
    """Where this version refuses the object as it is stored."""

    @property
    def object(self) -> T | None:
        """What changed. Raises Unreadable where it cannot be read."""
        if self.unreadable is not None:
            raise self.unreadable
        return self.read


def collection_path(kind: Kind, namespace: str | None) -> str:
    """The URL path of a collection; `namespace` None means all of them. Raises InvalidName."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    if kind.namespaced and namespace is not None:
        return f"{root}/namespaces/{segment(namespace, 'namespace')}/{kind.plural}"
    return f"{root}/{kind.plural}"


def object_path(kind: Kind, name: str, namespace: str, subresource: str = "") -> str:
    """The URL path of one object, or of its `status`. Raises InvalidName."""
    path = f"{collection_path(kind, namespace)}/{segment(name, 'name')}"
    return f"{path}/{subresource}" if subresource else path


def segment(name: str, field: str) -> str:
    """A name as one segment of a path, by Kubernetes' own rule (`path.IsValidPathSegmentName`); `field` is name or
    namespace. Raises InvalidName."""
    wrong = _wrong_in(name)
    if wrong:
        message = f"no {'object' if field == 'name' else 'namespace'} can be named {name[:40]!r}: {wrong}"
        raise InvalidName(message, causes=(Cause(f"metadata.{field}", "InvalidName", message, NAME_STEP),))
    return quote(name, safe="")


def _wrong_in(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > NAME_CHARACTERS_MAX:
        return f"it is longer than {NAME_CHARACTERS_MAX} characters"
    if name in (".", ".."):
        return "it would name another place"
    wrong = next((character for character in name if character in "/%" or not character.isprintable()), "")
    return f"{wrong!r} is not part of a name" if wrong else ""


def get(model: type[ApiObject], name: str, namespace: str) -> Call:
    return Call("GET", object_path(kind_of(model), name, namespace))


def list_page(
    model: type[ApiObject],
    namespace: str | None,
    label_selector: str | None,
    field_selector: str | None,
    continue_token: str,
    limit: int = PAGE_OBJECTS,
) -> Call:
    query = _selectors(label_selector, field_selector) | {"limit": str(limit)}
    if continue_token:
        query["continue"] = continue_token
    return Call("GET", collection_path(kind_of(model), namespace), query)


def create(obj: ApiObject, namespace: str, dry_run: bool) -> Call:
    kind = kind_of(type(obj))
    return Call("POST", collection_path(kind, namespace), _write_query(dry_run), encode(obj))


def replace(obj: ApiObject, namespace: str, subresource: str, dry_run: bool) -> Call:
    if not obj.metadata.resource_version:
        raise ValueError(f"{obj.kind} {obj.name} has no resourceVersion: replace what you have read, or create it")
    path = object_path(kind_of(type(obj)), obj.name, namespace, subresource)
    return Call("PUT", path, _write_query(dry_run), encode(obj))


def patch(
    model: type[ApiObject], name: str, change: Mapping[str, Any], namespace: str, subresource: str, dry_run: bool
) -> Call:
    body = json.dumps(change).encode()
    path = object_path(kind_of(model), name, namespace, subresource)
    return Call("PATCH", path, _write_query(dry_run), body, MERGE_PATCH)


def delete(
    model: type[ApiObject],
    name: str,
    namespace: str,
    propagation: Propagation,
    uid: str | None,
    resource_version: str | None,
    dry_run: bool,
) -> Call:
    options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
    preconditions = {"uid": uid, "resourceVersion": resource_version}
    if any(preconditions.values()):
        options["preconditions"] = {key: value for key, value in preconditions.items() if value}
    path = object_path(kind_of(model), name, namespace)
    return Call("DELETE", path, _dry(dry_run), json.dumps(options).encode())


def watch(
    model: type[ApiObject],
    namespace: str | None,
    resource_version: str,
    label_selector: str | None,
    field_selector: str | None,
    seconds: float | None = None,
) -> Call:
    whole = WATCH_SECONDS if seconds is None else min(WATCH_SECONDS, math.ceil(seconds))
    query = _selectors(label_selector, field_selector) | {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(whole),
    }
    if resource_version:
        query["resourceVersion"] = resource_version
    return Call("GET", collection_path(kind_of(model), namespace), query)


def read_answer(code: int, body: bytes) -> Any:
    """The JSON of a good answer; raises the typed error of a bad one."""
    try:
        answer = json.loads(body) if body else None
    except ValueError:
        answer = body.decode(errors="replace")
    if code >= 400:
        raise error_from_status(code, answer)
    return answer


def read_event(model: type[T], line: str) -> WatchEvent[T]:
    """One line of a watch. Raises Gone or another typed error where the line says so."""
    event = json.loads(line)
    content = event["object"]
    if event["type"] == "ERROR":
        raise error_from_status(int(content.get("code") or 500), content)
    version = content["metadata"]["resourceVersion"]
    if event["type"] == "BOOKMARK":
        return WatchEvent("BOOKMARK", None, version)
    return as_event(model, event["type"], content)


def as_event(model: type[T], sort: EventType, content: dict[str, Any]) -> WatchEvent[T]:
    """An object as the event that tells of it."""
    version = content["metadata"]["resourceVersion"]
    try:
        return WatchEvent(sort, decode(model, content), version)
    except Unreadable as error:
        return WatchEvent(sort, None, version, error)


def read_page(model: type[T], page: dict[str, Any]) -> list[WatchEvent[T]]:
    """The items of a page, each by itself: one that cannot be read hides no other."""
    kind = kind_of(model)
    return [as_event(model, "ADDED", typed(kind, item)) for item in page["items"]]


def listed(told: list[WatchEvent[T]], version: str) -> ObjectList[T]:
    """All pages of a list."""
    readable = [event.read for event in told if event.read is not None]
    return ObjectList(readable, version, tuple(event.unreadable for event in told if event.unreadable is not None))


def added(found: T | Unreadable) -> WatchEvent[T]:
    """What a list saw, as a watch tells of what is there."""
    if isinstance(found, Unreadable):
        return WatchEvent("ADDED", None, found.version, found)
    return WatchEvent("ADDED", found, found.metadata.resource_version or "")


def typed(kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
    """An item of a list with its apiVersion and kind, which a Kubernetes API server leaves out for core kinds."""
    return {"apiVersion": kind.api_version, "kind": kind.kind, **item}


def encode(obj: ApiObject) -> bytes:
    """An object as the wire wants it."""
    return json.dumps(obj.to_json(), ensure_ascii=False, separators=(",", ":")).encode()


def decode(model: type[T], content: dict[str, Any]) -> T:
    """An object as the host sent it. Fields that this version does not know are dropped: a newer host is no error.

    Raises Unreadable where its kind refuses it all the same: an older version took what this one does not.
    """
    from pydantic import ValidationError  # who only reads tables imports no model

    try:
        return model.model_validate(content)
    except ValidationError as error:
        refused = error
    unknown = [e["loc"] for e in refused.errors(include_url=False) if e["type"] == "extra_forbidden"]
    for path in unknown:
        _remove(content, path)
    if unknown:
        try:
            return model.model_validate(content)
        except ValidationError as error:
            refused = error
    raise _unreadable(model, content, refused) from refused


def _unreadable(model: type[ApiObject], content: dict[str, Any], refused: ValidationError) -> Unreadable:
    from tenure.resources.problems import problems_of

    kind = kind_of(model)
    problems = problems_of(refused, model, content, kind.singular)
    causes = tuple(Cause(p.path, p.code, p.message, p.next_step) for p in problems)
    return Unreadable(kind.kind, content, causes, editable=not kind.controllers_only)


def _remove(content: Any, path: tuple[int | str, ...]) -> None:
    # Pydantic's path also names union members that are no keys; those are stepped over.
    *parents, last = path
    for step in parents:
        inside_list = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if inside_list or (isinstance(content, dict) and step in content):
            content = content[step]
    if isinstance(content, dict):
        content.pop(last, None)


def _selectors(label_selector: str | None, field_selector: str | None) -> dict[str, str]:
    query = {}
    if label_selector:
        query["labelSelector"] = label_selector
    if field_selector:
        query["fieldSelector"] = field_selector
    return query


def _write_query(dry_run: bool) -> dict[str, str]:
    # Kubernetes would drop unknown fields in silence.
    return {"fieldValidation": "Strict", **_dry(dry_run)}


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
