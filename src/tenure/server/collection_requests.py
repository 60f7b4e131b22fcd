"""Requests to a collection: list, watch, create, and delete what a selector names."""

import asyncio
import base64
import binascii
import json
import random
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tenure.resources import Kind
from tenure.server import aging, answers
from tenure.server.admission import admit
from tenure.server.authorization import require_allowed
from tenure.server.documents import read_object
from tenure.server.host import WATCHES_MAX, Host, as_rehearsed, resource_of, written
from tenure.server.parameters import (
    DeleteOptions,
    deletion_of,
    dry_run_of,
    field_validation_of,
    identity_of,
    integer_of,
    is_true,
    version_of,
    warnings_of,
)
from tenure.server.refusals import Cause, Refused, bad_parameter, bad_request, from_store
from tenure.server.selectors import Selection, selection
from tenure.server.watching import WatchRequest, WatchResponse
from tenure.store import Page, Stored, StoreError

LIST_PIECE = 500
WATCH_SECONDS_MAX = 3600.0


async def get(host: Host, kind: Kind, request: Request, namespace: str | None) -> Response:
    """GET: a list, or with ?watch=true the changes."""
    query = request.query_params
    if is_true(query, "watch"):
        return _watch(host, kind, request, namespace)
    require_allowed(identity_of(request), "list", kind, "", "")
    wanted = selection(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    limit = integer_of(query, "limit")
    after, at = _continue(query.get("continue", "")) if query.get("continue") else (("", ""), _list_version(query))
    try:
        items, page = await asyncio.to_thread(_collect, host, kind, namespace, wanted, after, at, limit)
    except StoreError as error:
        raise from_store(error, "continue" if query.get("continue") else "resourceVersion") from error
    items = await _shown(host, kind, request, items)
    metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
    if page.more:
        metadata["continue"] = _token(page.version, page.items[-1])
    form = answers.form_of(request.headers.get("accept", ""))
    include = query.get("includeObject", "Metadata")
    return answers.raw_response(answers.list_text(kind, items, form, include, host.clock.now_ms(), metadata))


async def create(host: Host, kind: Kind, request: Request, namespace: str | None) -> Response:
    """POST."""
    query = request.query_params
    require_allowed(identity_of(request), "create", kind, "", "")
    content = await read_object(request)
    place(kind, content, namespace)
    admitted = admit(kind, content, field_validation_of(query))
    dry_run = dry_run_of(query)
    stored = await written(host.store.create(resource_of(kind), admitted.content, dry_run=dry_run))
    if dry_run:
        stored = as_rehearsed(stored, None)
    stored = aging.shown(host, kind, identity_of(request), stored)
    form = answers.form_of(request.headers.get("accept", ""))
    text = answers.object_text(kind, stored, form, query.get("includeObject", "Metadata"), host.clock.now_ms())
    return answers.raw_response(text, 201, warnings_of(admitted.warnings))


async def delete(host: Host, kind: Kind, request: Request, namespace: str | None) -> Response:
    """DELETE of a collection: each object that matches, one by one."""
    query = request.query_params
    require_allowed(identity_of(request), "delete", kind, "", "")
    wanted = selection(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    options = deletion_of(query, await read_object(request, empty=True))
    try:
        items, page = await asyncio.to_thread(_collect, host, kind, namespace, wanted, ("", ""), None, 0)
    except StoreError as error:
        raise from_store(error) from error
    for start in range(0, len(items), LIST_PIECE):
        await _delete_each(host, kind, items[start : start + LIST_PIECE], options)
    items = await _shown(host, kind, request, items)
    metadata = {"resourceVersion": str(page.version)}
    return answers.raw_response(answers.list_text(kind, items, "plain", "", host.clock.now_ms(), metadata))


async def _shown(host: Host, kind: Kind, request: Request, items: list[Stored]) -> list[Stored]:
    """As this reader may be shown them. Thousands may have to be parsed, which is not for the loop."""
    if kind.kind != "Contract":
        return items
    identity = identity_of(request)
    return await asyncio.to_thread(lambda: [aging.shown(host, kind, identity, item) for item in items])


async def _delete_each(host: Host, kind: Kind, items: list[Stored], options: DeleteOptions) -> None:
    resource = resource_of(kind)
    futures = [
        host.store.delete(resource, i.namespace, i.name, propagation=options.propagation, dry_run=options.dry_run)
        for i in items
    ]
    for future in futures:
        try:
            await written(future)
        except Refused as refused:
            if refused.code != 404:  # somebody else was faster
                raise


def place(kind: Kind, content: dict[str, Any], namespace: str | None) -> None:
    """Put the address's namespace into the object. Raises 400 where the two differ."""
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        return  # admission says so
    if not kind.namespaced:
        if metadata.get("namespace"):
            said = f"{kind.kind} is cluster-scoped and takes no namespace"
            raise bad_request(Cause("metadata.namespace", "InvalidValue", said, "leave it out"))
        metadata.pop("namespace", None)
    elif metadata.get("namespace") not in (None, "", namespace):
        given = metadata["namespace"]
        said = f"the namespace of the object ({given}) is not that of the request ({namespace})"
        step = f"write {namespace}, or leave it out"
        raise bad_request(Cause("metadata.namespace", "InvalidValue", said, step))
    else:
        metadata["namespace"] = namespace


def _watch(host: Host, kind: Kind, request: Request, namespace: str | None) -> Response:
    query = request.query_params
    require_allowed(identity_of(request), "watch", kind, "", "")
    if is_true(query, "sendInitialEvents"):
        step = "list, then watch from its resourceVersion"
        said = f"sendInitialEvents is left out of the embedded host: {step}"
        raise Refused(422, "Invalid", said, Cause("sendInitialEvents", "InvalidValue", said, step))
    if host.watches >= WATCHES_MAX:
        said = f"{WATCHES_MAX} watches stand already"
        cause = Cause("", "TooManyRequests", said, "end some of them, or try again shortly")
        raise Refused(429, "TooManyRequests", said, cause, retry_seconds=5)
    # Without a wish, watches end at different times, so that not everybody comes back at once.
    seconds = float(integer_of(query, "timeoutSeconds") or random.uniform(0.5, 1) * WATCH_SECONDS_MAX)
    after = version_of(query)
    if after is not None:
        try:
            host.store.changes(resource_of(kind), after, limit=1)
        except StoreError as error:
            raise from_store(error) from error
    wanted = WatchRequest(
        kind=kind,
        resource=resource_of(kind),
        namespace=namespace,
        selection=selection(kind, query.get("labelSelector", ""), query.get("fieldSelector", "")),
        after=after,
        bookmarks=is_true(query, "allowWatchBookmarks"),
        seconds=min(seconds, WATCH_SECONDS_MAX),
        form=answers.form_of(request.headers.get("accept", "")),
        include=query.get("includeObject", "Metadata"),
        shown=aging.body_shown(host, kind, identity_of(request)),
    )
    host.watches += 1

    def closed() -> None:
        host.watches -= 1

    return WatchResponse(host.store, host.pulse, wanted, host.clock.now_ms, closed)  # type: ignore[return-value]


def _collect(
    host: Host,
    kind: Kind,
    namespace: str | None,
    wanted: Selection,
    after: tuple[str, str],
    at: int | None,
    limit: int,
) -> tuple[list[Stored], Page]:
    """Objects that match, up to `limit` (0: all), and the last page read, cut after the last of them."""
    resource = resource_of(kind)
    found: list[Stored] = []
    while True:
        piece = min(limit, LIST_PIECE) if limit and wanted.predicate is None else LIST_PIECE
        page = host.store.list(resource, namespace, name=wanted.name, after=after, at=at, limit=piece)
        for index, item in enumerate(page.items):
            if wanted.matches(item.content) if wanted.predicate else True:
                found.append(item)
            if limit and len(found) == limit:
                rest = page.more or index + 1 < len(page.items)
                return found, Page(page.items[: index + 1], page.version, rest)
        if not page.more:
            return found, page
        at, after = page.version, (page.items[-1].namespace, page.items[-1].name)


def _list_version(query: Any) -> int | None:
    match = query.get("resourceVersionMatch", "")
    if match not in ("", "Exact", "NotOlderThan"):
        said = f"resourceVersionMatch={match[:40]} is no way to match"
        raise bad_parameter("resourceVersionMatch", said, "write Exact or NotOlderThan, or leave it out")
    version = version_of(query)
    if match == "Exact":
        if version is None:
            said = "resourceVersionMatch=Exact needs a resourceVersion"
            step = "name the resourceVersion of a list, or leave resourceVersionMatch out"
            raise bad_request(Cause("resourceVersion", "MissingField", said, step))
        return version
    return None  # NotOlderThan, or nothing said: now is never older


def _token(version: int, last: Stored) -> str:
    text = json.dumps([version, last.namespace, last.name], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _continue(token: str) -> tuple[tuple[str, str], int]:
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if not (isinstance(version, int) and isinstance(namespace, str) and isinstance(name, str)):
            raise ValueError("wrong types")
        f"{namespace}{name}".encode()  # half of a surrogate pair is a text in JSON, and none in the store
    except (ValueError, TypeError, RecursionError, binascii.Error):
        said = "the continue token is none of this host's"
        raise bad_parameter("continue", said, "list again from the start") from None
    return (namespace, name), version
