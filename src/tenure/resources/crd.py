"""Custom resource definitions for a real Kubernetes, made from the same models that our own host uses."""

from typing import Any

import yaml

from tenure.resources.group import GROUP
from tenure.resources.registry import KINDS, Column, Kind
from tenure.resources.schema import selectable_paths, structural_schema


def crds_yaml() -> str:
    """All of them as one YAML stream, as `kubectl apply -f` takes it."""
    return "---\n".join(crd_yaml(kind) for kind in KINDS if kind.group == GROUP)


def crd_yaml(kind: Kind) -> str:
    """The CRD of one kind as YAML, without anchors."""
    return yaml.dump(
        custom_resource_definition(kind), Dumper=_PlainDumper, sort_keys=False, width=120, allow_unicode=True
    )


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True


def custom_resource_definitions() -> list[dict[str, Any]]:
    """One CRD (apiextensions.k8s.io/v1) for each kind of our own group, in the order of the registry."""
    return [custom_resource_definition(kind) for kind in KINDS if kind.group == GROUP]


def custom_resource_definition(kind: Kind) -> dict[str, Any]:
    """The CRD of one kind."""
    names: dict[str, Any] = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.singular,
        "categories": list(kind.categories),
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    version: dict[str, Any] = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": structural_schema(kind)},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
    }
    if kind.status_subresource:
        version["subresources"] = {"status": {}}
    fields = [{"jsonPath": path} for path in selectable_paths(kind)]
    if fields:
        version["selectableFields"] = fields
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version],
        },
    }


def _column(column: Column) -> dict[str, Any]:
    printed: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.description:
        printed["description"] = column.description
    return {**printed, "priority": 1} if column.wide else printed
