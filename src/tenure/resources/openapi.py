"""OpenAPI v3 documents of the API, one for each group and version, made from the table of kinds."""

from typing import Any

from tenure.resources.registry import KINDS, Kind
from tenure.resources.schema import structural_schema

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"


def documents() -> dict[str, tuple[str, str]]:
    """Where the documents lie: `apis/tenure.dev/v1alpha1` -> (group, version)."""
    return {_root(kind).lstrip("/"): (kind.group, kind.version) for kind in KINDS}


def document(group: str, version: str) -> dict[str, Any]:
    """The OpenAPI 3.0 document of one group and version."""
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    schemas: dict[str, Any] = dict(_META_SCHEMAS)
    paths: dict[str, Any] = {}
    for kind in kinds:
        schemas |= _schemas(kind)
        paths |= _paths(kind)
    title = {"title": "Tenure", "version": version, "description": "A guaranteed hold on infrastructure."}
    bearer = {"BearerToken": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.0.0",
        "info": title,
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": bearer},
        "security": [{"BearerToken": []}],
    }


def schema_name(kind: Kind) -> str:
    """The name of a kind's schema, reversed domain first as Kubernetes writes it."""
    if kind.group == "":
        return f"io.k8s.api.core.{kind.version}.{kind.kind}"
    if kind.group.endswith(".k8s.io"):
        return f"io.k8s.api.{kind.group.removesuffix('.k8s.io')}.{kind.version}.{kind.kind}"
    return f"{'.'.join(reversed(kind.group.split('.')))}.{kind.version}.{kind.kind}"


def _schemas(kind: Kind) -> dict[str, Any]:
    # The reference stands in allOf, so that a description may stand beside it.
    metadata = {"allOf": [_reference(f"{_META}.ObjectMeta")], "description": "names, labels, versions"}
    shared = structural_schema(kind)
    one = {**shared, "properties": {**shared["properties"], "metadata": metadata}}
    one["x-kubernetes-group-version-kind"] = [_gvk(kind)]
    several = {
        "type": "object",
        "description": f"a list of {kind.plural}",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": _reference(f"{_META}.ListMeta"),
            "items": {"type": "array", "items": _reference(schema_name(kind))},
        },
        "x-kubernetes-group-version-kind": [{**_gvk(kind), "kind": f"{kind.kind}List"}],
    }
    return {schema_name(kind): one, f"{schema_name(kind)}List": several}


def _paths(kind: Kind) -> dict[str, Any]:
    root = _root(kind)
    inside = f"{root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
    place = [_path_parameter("namespace")] if kind.namespaced else []
    one_place = [*place, _path_parameter("name")]
    paths = {
        inside: {
            "parameters": place,
            "get": _operation(kind, "list", _LIST_PARAMETERS, answer=f"{schema_name(kind)}List"),
            "post": _operation(kind, "create", _WRITE_PARAMETERS, body=[_JSON], created=True),
            "delete": _operation(kind, "deletecollection", _DELETE_PARAMETERS, answer=f"{schema_name(kind)}List"),
        },
        f"{inside}/{{name}}": {"parameters": one_place, **_one(kind, ""), "delete": _deletion(kind)},
    }
    if kind.status_subresource:
        paths[f"{inside}/{{name}}/status"] = {"parameters": one_place, **_one(kind, "Status")}
    if kind.namespaced:
        everywhere = _operation(kind, "list", _LIST_PARAMETERS, answer=f"{schema_name(kind)}List", suffix="Everywhere")
        paths[f"{root}/{kind.plural}"] = {"get": everywhere}
    return paths


def _one(kind: Kind, suffix: str) -> dict[str, Any]:
    patches = [_MERGE] if kind.group == "tenure.dev" else [_MERGE, _STRATEGIC]
    return {
        "get": _operation(kind, "get", [], suffix=suffix),
        "put": _operation(kind, "put", _WRITE_PARAMETERS, body=[_JSON], suffix=suffix),
        "patch": _operation(kind, "patch", _WRITE_PARAMETERS, body=patches, suffix=suffix),
    }


def _deletion(kind: Kind) -> dict[str, Any]:
    operation = _operation(kind, "delete", _DELETE_PARAMETERS, answer=f"{_META}.Status")
    operation["requestBody"] = {"content": {_JSON: {"schema": _reference(f"{_META}.DeleteOptions")}}}
    return operation


def _operation(
    kind: Kind,
    action: str,
    parameters: list[dict[str, Any]],
    *,
    body: list[str] | None = None,
    answer: str = "",
    created: bool = False,
    suffix: str = "",
) -> dict[str, Any]:
    good = {"description": "OK", "content": {_JSON: {"schema": _reference(answer or schema_name(kind))}}}
    status = {"description": "refused", "content": {_JSON: {"schema": _reference(f"{_META}.Status")}}}
    operation: dict[str, Any] = {
        "operationId": f"{action}{kind.group.title().replace('.', '')}{kind.kind}{suffix}",
        "tags": [f"{kind.group or 'core'}_{kind.version}"],
        "parameters": parameters,
        "responses": {"201" if created else "200": good, "default": status},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(kind),
    }
    if action == "delete":
        # 200 also carries the object itself while finalizers hold it.
        good["content"] = {_JSON: {"schema": {"type": "object"}}}
    if body:
        # A patch is any object: what it may hold is judged once it is merged.
        whole = {"schema": {"type": "object"}} if action == "patch" else {"schema": _reference(schema_name(kind))}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(body, whole)}
    return operation


def _root(kind: Kind) -> str:
    return f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"


def _gvk(kind: Kind) -> dict[str, str]:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query(name: str, type: str, description: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": type, **more}}


_DRY_RUN = _query("dryRun", "string", "All: judge, and keep nothing", enum=["All"])
_LEVELS = ["Strict", "Warn", "Ignore"]
_WRITE_PARAMETERS = [
    _DRY_RUN,
    _query("fieldManager", "string", "accepted and not kept"),
    _query("fieldValidation", "string", "what unknown fields are; Strict when absent", enum=_LEVELS),
]
_POLICIES = ["Background", "Foreground", "Orphan"]
_DELETE_PARAMETERS = [
    _DRY_RUN,
    _query("propagationPolicy", "string", "what becomes of dependents; Background when absent", enum=_POLICIES),
]
_LIST_PARAMETERS = [
    _query("labelSelector", "string", "for example app=chat,tier in (a,b),!legacy"),
    _query("fieldSelector", "string", "for example metadata.name=chat"),
    _query("limit", "integer", "objects in one answer; the rest with continue", minimum=0),
    _query("continue", "string", "the token of the answer before"),
    _query("resourceVersion", "string", "for a watch: the version to go on from"),
    _query("resourceVersionMatch", "string", "Exact: the list as of that version", enum=["Exact", "NotOlderThan"]),
    _query("watch", "boolean", "tell changes instead"),
    _query("allowWatchBookmarks", "boolean", "tell the version now and then, also while nothing changes"),
    _query("timeoutSeconds", "integer", "how long to tell them", minimum=0),
]

_TEXT = {"type": "string"}
_TEXT_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
_TIME = {"type": "string", "format": "date-time"}
_META_SCHEMAS: dict[str, Any] = {
    f"{_META}.ObjectMeta": {
        "type": "object",
        "description": "names, labels and the host's bookkeeping, as Kubernetes defines them",
        "properties": {
            "name": {**_TEXT, "description": "unique among the kind in its namespace"},
            "generateName": {**_TEXT, "description": "prefix of a name that the host completes"},
            "namespace": {**_TEXT, "description": "the scope of the name"},
            "labels": {**_TEXT_MAP, "description": "what selectors match"},
            "annotations": {**_TEXT_MAP, "description": "notes that nothing selects by"},
            "uid": {**_TEXT, "description": "of the host; never used twice"},
            "resourceVersion": {**_TEXT, "description": "of the host; compare and swap"},
            "generation": {"type": "integer", "format": "int64", "description": "of the host; counts changes of spec"},
            "creationTimestamp": {**_TIME, "description": "of the host"},
            "deletionTimestamp": {**_TIME, "description": "of the host; set while finalizers hold the object"},
            "deletionGracePeriodSeconds": {"type": "integer", "format": "int64"},
            "finalizers": {
                "type": "array",
                "items": _TEXT,
                "description": "who must agree before the object goes",
                "x-kubernetes-list-type": "set",
                "x-kubernetes-patch-strategy": "merge",
            },
            "ownerReferences": {
                "type": "array",
                "items": _reference(f"{_META}.OwnerReference"),
                "description": "objects on whose account this one exists",
                "x-kubernetes-list-map-keys": ["uid"],
                "x-kubernetes-list-type": "map",
                "x-kubernetes-patch-merge-key": "uid",
                "x-kubernetes-patch-strategy": "merge",
            },
        },
    },
    f"{_META}.OwnerReference": {
        "type": "object",
        "required": ["apiVersion", "kind", "name", "uid"],
        "properties": {
            **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
            "controller": {"type": "boolean"},
            "blockOwnerDeletion": {"type": "boolean"},
        },
    },
    f"{_META}.ListMeta": {
        "type": "object",
        "properties": {"resourceVersion": _TEXT, "continue": _TEXT, "remainingItemCount": {"type": "integer"}},
    },
    f"{_META}.DeleteOptions": {
        "type": "object",
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "propagationPolicy": {**_TEXT, "enum": _POLICIES},
            "dryRun": {"type": "array", "items": {**_TEXT, "enum": ["All"]}},
            "preconditions": {"type": "object", "properties": {"uid": _TEXT, "resourceVersion": _TEXT}},
        },
    },
    f"{_META}.Status": {
        "type": "object",
        "description": "what became of a request: a stable reason, and a cause for every field at fault",
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": _reference(f"{_META}.ListMeta"),
            "status": {**_TEXT, "enum": ["Success", "Failure"]},
            "message": _TEXT,
            "reason": _TEXT,
            "code": {"type": "integer", "format": "int32"},
            "details": {
                "type": "object",
                "properties": {
                    "name": _TEXT,
                    "group": _TEXT,
                    "kind": _TEXT,
                    "uid": _TEXT,
                    "retryAfterSeconds": {"type": "integer"},
                    "causes": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"field": _TEXT, "reason": _TEXT, "message": _TEXT, "nextStep": _TEXT},
                        },
                    },
                },
            },
        },
    },
}
