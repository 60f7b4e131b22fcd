"""Requests of the API as values, for objects that stay the JSON that the host or the user wrote."""

import json
from collections.abc import Mapping
from typing import Any

from tenure.client.calls import MERGE_PATCH, Call, collection_path, object_path
from tenure.resources import Kind

JsonObject = dict[str, Any]


def read(kind: Kind, name: str, namespace: str) -> Call:
    """One object."""
    return Call("GET", object_path(kind, name, namespace))


def page(kind: Kind, namespace: str | None, labels: str = "", fields: str = "", token: str = "") -> Call:
    """One page of a list; `namespace` None means all."""
    query = {"limit": "500", "labelSelector": labels, "fieldSelector": fields, "continue": token}
    return Call("GET", collection_path(kind, namespace), {key: value for key, value in query.items() if value})


def create(kind: Kind, content: Mapping[str, Any], namespace: str, *, dry_run: bool = False) -> Call:
    """A new object."""
    return Call("POST", collection_path(kind, namespace), _query(dry_run), json.dumps(content).encode())


def replace(kind: Kind, content: Mapping[str, Any], namespace: str, *, dry_run: bool = False) -> Call:
    """The whole object, by compare-and-swap where it names its resourceVersion."""
    path = object_path(kind, content["metadata"]["name"], namespace)
    return Call("PUT", path, _query(dry_run), json.dumps(content).encode())


def patch(
    kind: Kind,
    name: str,
    change: Mapping[str, Any] | list[Any],
    namespace: str,
    *,
    subresource: str = "",
    content_type: str = MERGE_PATCH,
    dry_run: bool = False,
) -> Call:
    """A change of one object; a JSON merge patch unless said otherwise."""
    path = object_path(kind, name, namespace, subresource)
    return Call("PATCH", path, _query(dry_run), json.dumps(change).encode(), content_type)


def delete(kind: Kind, name: str, namespace: str, *, cascade: str = "Background", dry_run: bool = False) -> Call:
    """Delete it, or mark it where finalizers hold it."""
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": cascade}
    return Call("DELETE", object_path(kind, name, namespace), _query(dry_run), json.dumps(options).encode())


def _query(dry_run: bool) -> dict[str, str]:
    # Strict, so that a field that nobody knows is an error here as it is with kubectl.
    return {"fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
