"""Requests to one object or its status: get, replace, patch, delete."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tenure.resources import Kind
from tenure.server import aging, answers, patches
from tenure.server.admission import Admitted, admit, keep_equal_text, only_lets_go, without_nulls
from tenure.server.authorization import require_allowed
from tenure.server.collection_requests import place
from tenure.server.documents import media_type, parsed, read_body, read_object
from tenure.server.host import Host, as_rehearsed, resource_of, written
from tenure.server.parameters import deletion_of, dry_run_of, field_validation_of, identity_of, warnings_of
from tenure.server.refusals import Cause, Refused, bad_request, from_store, not_found
from tenure.store import ObjectConflictError, Part, Stored, StoreError

# A patch without a version is laid over whatever is there; under contention it is laid again, up to this often.
PATCH_TRIES = 10


async def get(host: Host, kind: Kind, request: Request, namespace: str, name: str, subresource: str) -> Response:
    """GET."""
    require_allowed(identity_of(request), "get", kind, subresource, name)
    return _answer(host, kind, request, _current(host, kind, namespace, name))


async def replace(host: Host, kind: Kind, request: Request, namespace: str, name: str, subresource: str) -> Response:
    """PUT."""
    require_allowed(identity_of(request), "update", kind, subresource, name)
    content = await read_object(request)
    current = _current(host, kind, namespace, name)
    admitted = _admit(kind, request, content, current, namespace, name, subresource)
    stored = await _write(host, kind, request, admitted, current, subresource)
    return _answer(host, kind, request, stored, admitted)


async def patch(host: Host, kind: Kind, request: Request, namespace: str, name: str, subresource: str) -> Response:
    """PATCH with a merge patch."""
    require_allowed(identity_of(request), "patch", kind, subresource, name)
    sort = media_type(request)
    body = await read_body(request)
    if sort in patches.APPLY or sort == patches.JSON_PATCH:
        patches.require_supported(kind, sort, {})
    change = await parsed(body)
    patches.require_supported(kind, sort, change)
    metadata = change.get("metadata")
    own_version = isinstance(metadata, dict) and metadata.get("resourceVersion")
    for attempt in range(PATCH_TRIES):
        current = _current(host, kind, namespace, name)
        content = patches.merged(json.loads(current.body), change)
        admitted = _admit(kind, request, content, current, namespace, name, subresource)
        try:
            stored = await _write(host, kind, request, admitted, current, subresource)
        except Refused as refused:
            lost_a_race = isinstance(refused.__cause__, ObjectConflictError) and not own_version
            if not lost_a_race or attempt == PATCH_TRIES - 1:
                raise
            continue
        return _answer(host, kind, request, stored, admitted)
    raise AssertionError("the loop returns or raises")


async def delete(host: Host, kind: Kind, request: Request, namespace: str, name: str, subresource: str) -> Response:
    """DELETE: a Status when the object is gone, the object when it is marked and waits for its finalizers."""
    require_allowed(identity_of(request), "delete", kind, subresource, name)
    options = deletion_of(request.query_params, await read_object(request, empty=True))
    deleted = await written(
        host.store.delete(
            resource_of(kind),
            namespace,
            name,
            propagation=options.propagation,
            uid=options.uid,
            version=options.version,
            dry_run=options.dry_run,
        )
    )
    if not deleted.removed:
        return _answer(host, kind, request, deleted.object)
    details = {"name": name, "group": kind.group, "kind": kind.plural, "uid": deleted.object.content["metadata"]["uid"]}
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return answers.json_response({**status, "details": {key: value for key, value in details.items() if value}})


def _current(host: Host, kind: Kind, namespace: str, name: str) -> Stored:
    resource = resource_of(kind)
    try:
        stored = host.store.get(resource, namespace, name)
    except StoreError as error:
        raise from_store(error) from error
    if stored is None:
        raise not_found(resource.key, name)
    return stored


def _admit(
    kind: Kind,
    request: Request,
    content: dict[str, Any],
    current: Stored,
    namespace: str,
    name: str,
    subresource: str,
) -> Admitted:
    metadata = content.get("metadata")
    if isinstance(metadata, dict):
        given = metadata.setdefault("name", name)
        if given != name:
            said = f"the name of the object ({given}) is not that of the request ({name})"
            raise bad_request(Cause("metadata.name", "InvalidValue", said, f"write {name}, or leave it out"))
    place(kind, content, namespace or None)
    if subresource:
        # Through this door only the status changes: the rest is what is there, under the version that was sent.
        content = {**current.content, "status": content.get("status"), "metadata": _status_metadata(content, current)}
    elif kind.status_subresource:
        content = {key: value for key, value in content.items() if key != "status"}
    try:
        return admit(kind, content, field_validation_of(request.query_params))
    except Refused:
        if subresource or not only_lets_go(content, current.content):
            raise
        return Admitted(without_nulls(content), None)


def _status_metadata(content: dict[str, Any], current: Stored) -> dict[str, Any]:
    sent = content.get("metadata")
    metadata = dict(current.content["metadata"])
    if isinstance(sent, dict):
        metadata |= {key: sent[key] for key in ("uid", "resourceVersion") if key in sent}
        if "resourceVersion" not in sent:
            del metadata["resourceVersion"]
    return metadata


async def _write(
    host: Host, kind: Kind, request: Request, admitted: Admitted, current: Stored, subresource: str
) -> Stored:
    part: Part = "status" if subresource else "main"
    content = admitted.content if subresource else keep_equal_text(kind, admitted, current.content)
    dry_run = dry_run_of(request.query_params)
    stored = await written(host.store.update(resource_of(kind), content, part, dry_run=dry_run))
    return as_rehearsed(stored, current.version) if dry_run else stored


def _answer(host: Host, kind: Kind, request: Request, stored: Stored, admitted: Admitted | None = None) -> Response:
    form = answers.form_of(request.headers.get("accept", ""))
    include = request.query_params.get("includeObject", "Metadata")
    shown = aging.shown(host, kind, identity_of(request), stored)
    text = answers.object_text(kind, shown, form, include, host.clock.now_ms())
    return answers.raw_response(text, 200, warnings_of(admitted.warnings if admitted else ()))
