"""Answers as the client asked for them: the object, a list, or a Table with the kind's columns."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from starlette.responses import Response

from tenure.resources import Kind, table
from tenure.server.refusals import Refused, refused
from tenure.store import Stored

Form = Literal["plain", "table", "metadata"]
_META = "meta.k8s.io/v1"


def form_of(accept: str) -> Form:
    """Which form the Accept header prefers among those that are served. Raises 406 when it takes none."""
    for part in accept.split(",") if accept else ["*/*"]:
        sort, *parameters = (piece.strip() for piece in part.split(";"))
        wanted = dict(p.split("=", 1) for p in parameters if "=" in p)
        if sort not in ("application/json", "*/*", "application/*"):
            continue
        if wanted.get("g", "meta.k8s.io") != "meta.k8s.io" or wanted.get("v", "v1") != "v1":
            continue
        match wanted.get("as", ""):
            case "":
                return "plain"
            case "Table":
                return "table"
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                return "metadata"
    raise refused(406, "NotAcceptable", f"this host answers in application/json, not in {accept}", "Accept")


def json_response(content: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON text of anything."""
    return raw_response(json.dumps(content, ensure_ascii=False, separators=(",", ":")), code, headers)


def raw_response(body: str, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON text that is there already."""
    return Response(body, code, dict(headers or {}), media_type="application/json")


def refused_response(refused: Refused) -> Response:
    """The Status of a refusal."""
    headers = {"Retry-After": str(refused.retry_seconds)} if refused.retry_seconds else {}
    return json_response(refused.to_status(), refused.code, headers)


def object_text(kind: Kind, stored: Stored, form: Form, include: str, now_ms: int) -> str:
    """One object in the form asked for."""
    if form == "plain":
        return stored.body
    if form == "metadata":
        return _dump(_partial(stored.content))
    return _dump(_table(kind, [stored.content], include, now_ms, {"resourceVersion": str(stored.version)}))


def list_text(
    kind: Kind, items: Iterable[Stored], form: Form, include: str, now_ms: int, metadata: Mapping[str, str]
) -> str:
    """A list in the form asked for. Plain lists are joined from stored text, never parsed."""
    if form == "table":
        return _dump(_table(kind, [item.content for item in items], include, now_ms, metadata))
    if form == "metadata":
        partial = {"kind": "PartialObjectMetadataList", "apiVersion": _META, "metadata": metadata}
        return _dump({**partial, "items": [_partial(item.content) for item in items]})
    head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
    return f'{_dump(head)[:-1]},"items":[{",".join(item.body for item in items)}]}}'


def event_text(kind: Kind, type: str, body: str, form: Form, include: str, now_ms: int, first: bool) -> str:
    """One line of a watch. Column definitions are sent with the first Table only, as Kubernetes does."""
    if form == "plain":
        return f'{{"type":"{type}","object":{body}}}\n'
    content = json.loads(body)
    if form == "metadata":
        rendered = _partial(content)
    else:
        metadata = {"resourceVersion": content["metadata"]["resourceVersion"]}
        rendered = _table(kind, [content], include, now_ms, metadata)
        if not first:
            rendered["columnDefinitions"] = None
    return f'{{"type":"{type}","object":{_dump(rendered)}}}\n'


def _table(
    kind: Kind, contents: list[dict[str, Any]], include: str, now_ms: int, metadata: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": metadata,
        "columnDefinitions": table.column_definitions(kind),
        "rows": [
            {"cells": table.cells(kind, content, now_ms), "object": _included(content, include)} for content in contents
        ],
    }


def _included(content: dict[str, Any], include: str) -> Any:
    if include == "None":
        return None
    return content if include == "Object" else _partial(content)


def _partial(content: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": content["metadata"]}


def _dump(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
