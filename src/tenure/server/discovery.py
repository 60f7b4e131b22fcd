"""What this host serves, in the three forms that clients ask in: one by one, by group, and all at once."""

import json
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from tenure.resources import KINDS, Kind

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_STATUS_VERBS = ("get", "patch", "update")

# Groups that clients look for and that are left out on purpose.
LEFT_OUT = {
    "rbac.authorization.k8s.io": "RBAC objects: there are two identities, user and controllers",
    "admissionregistration.k8s.io": "admission webhooks and policies",
    "apiregistration.k8s.io": "aggregation of other API servers",
    "apiextensions.k8s.io": "custom resource definitions: the kinds are built in",
    "authorization.k8s.io": "access reviews: there are two identities, user and controllers",
    "authentication.k8s.io": "token reviews",
    "apps": "workloads of Kubernetes",
    "batch": "workloads of Kubernetes",
}


def api_versions() -> dict[str, Any]:
    """GET /api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> dict[str, Any]:
    """GET /apis."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(name) for name in group_names()]}


def group(name: str) -> dict[str, Any]:
    """GET /apis/GROUP."""
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions_of(name)]
    head = {"kind": "APIGroup", "apiVersion": "v1", "name": name}
    return {**head, "versions": versions, "preferredVersion": versions[0]}


def resources(group: str, version: str) -> dict[str, Any]:
    """GET /apis/GROUP/VERSION and /api/v1."""
    listed: list[dict[str, Any]] = []
    for kind in kinds_of(group, version):
        listed.append(
            {
                "name": kind.plural,
                "singularName": kind.singular,
                "namespaced": kind.namespaced,
                "kind": kind.kind,
                "verbs": list(VERBS),
                "shortNames": list(kind.short_names),
                "categories": list(kind.categories),
            }
        )
        if kind.status_subresource:
            status = {"name": f"{kind.plural}/status", "singularName": "", "namespaced": kind.namespaced}
            listed.append({**status, "kind": kind.kind, "verbs": list(_STATUS_VERBS)})
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def wants_aggregated(accept: str) -> bool:
    """Whether a client would rather have everything at once."""
    pieces = {piece.strip() for piece in accept.split(",")[0].split(";")}
    return {"g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"} <= pieces


def aggregated_response(names: Iterable[str]) -> Response:
    """All groups named, under the content type by which clients tell this form from the others."""
    content_type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    return Response(json.dumps(aggregated(names)), headers={"content-type": content_type})


def aggregated(names: Iterable[str]) -> dict[str, Any]:
    """All groups named, with their resources, as apidiscovery.k8s.io/v2."""
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
    return {**head, "items": [_group_discovery(name) for name in names]}


def group_names() -> list[str]:
    """Groups other than the core one, in the order of the registry."""
    return list(dict.fromkeys(kind.group for kind in KINDS if kind.group))


def versions_of(group: str) -> list[str]:
    """Versions of a group, the preferred one first."""
    return list(dict.fromkeys(kind.version for kind in KINDS if kind.group == group))


def kinds_of(group: str, version: str) -> list[Kind]:
    """Kinds of a group and version."""
    return [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]


def _group_discovery(name: str) -> dict[str, Any]:
    versions = [
        {"version": v, "freshness": "Current", "resources": [_resource_discovery(k) for k in kinds_of(name, v)]}
        for v in versions_of(name)
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _resource_discovery(kind: Kind) -> dict[str, Any]:
    response = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    resource: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": response,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(VERBS),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    if kind.status_subresource:
        status = {"subresource": "status", "responseKind": response, "verbs": list(_STATUS_VERBS)}
        resource["subresources"] = [status]
    return resource
