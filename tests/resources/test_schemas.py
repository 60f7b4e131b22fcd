"""What is generated from the models: CRDs, OpenAPI, explanations. Golden files show every change of the API.

`TENURE_UPDATE_GOLDEN=1` writes them anew; the difference then stands in the commit that made it.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenure.resources import KINDS, Kind, crd, openapi
from tenure.resources.explain import NoSuchFieldError, explain
from tenure.resources.registry import kind_named
from tenure.resources.schema import json_schema, structural_schema

GOLDEN = Path(__file__).parent / "golden"
OURS = [kind for kind in KINDS if kind.group == "tenure.dev"]


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("TENURE_UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.exists(), f"{name} is missing: run with TENURE_UPDATE_GOLDEN=1 and look at it"
    assert text == path.read_text(), f"the API changed; if it was meant, run with TENURE_UPDATE_GOLDEN=1 ({name})"


def named(name: str) -> Kind:
    kind = kind_named(name)
    assert kind is not None
    return kind


def nodes(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema, with its path."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"], f"{path}[*]")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.plural)
def test_crds_are_as_agreed(kind: Kind) -> None:
    text = crd.crd_yaml(kind)
    assert yaml.safe_load(text) == crd.custom_resource_definition(kind)
    check_golden(f"{kind.plural}.yaml", text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_schemas_are_structural(kind: Kind) -> None:
    """The rules of "Specifying a structural schema": what breaks one of them, a Kubernetes API server refuses."""
    for path, schema in nodes(structural_schema(kind)):
        assert not {"$ref", "$defs", "anyOf", "oneOf", "allOf", "const", "title", "default"} & set(schema), path
        # What must not be so says only what of the value: nothing of its type or its parts.
        assert set(schema.get("not", {})) <= {"pattern", "enum"}, path
        loose = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
        assert "type" in schema or loose, f"{path} has no type"
        assert not ("properties" in schema and "additionalProperties" in schema), path
        assert schema.get("type") != "array" or "items" in schema, path
        assert schema.get("type") in (None, "object", "array", "string", "integer", "number", "boolean"), path
        for bound in ("exclusiveMinimum", "exclusiveMaximum"):
            assert isinstance(schema.get(bound, True), bool), path


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.plural)
def test_crds_keep_kubernetes_limits(kind: Kind) -> None:
    version = crd.custom_resource_definition(kind)["spec"]["versions"][0]
    assert len(version.get("selectableFields", ())) <= 8
    properties = structural_schema(kind)["properties"]
    assert properties["metadata"] == {"type": "object"}
    for field in version.get("selectableFields", ()):
        schema: Any = {"properties": properties}
        for step in field["jsonPath"].strip(".").split("."):
            assert step in schema.get("properties", {}), f"{field['jsonPath']} is no field of {kind.kind}"
            schema = schema["properties"][step]
        assert schema.get("type") in ("string", "integer", "boolean"), field["jsonPath"]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.plural)
def test_every_field_says_what_it_means(kind: Kind) -> None:
    """`explain` and kubectl say what is written here, and nothing else tells a user."""
    fields = {path: schema for path, schema in nodes(structural_schema(kind)) if path.startswith((".spec", ".status"))}
    named = {path: schema for path, schema in fields.items() if not path.endswith("]")}
    assert [path for path, schema in named.items() if not schema.get("description", "").strip()] == []


def test_an_example_is_one_of_the_field_and_not_of_its_unit_alone() -> None:
    workload = named("workload")
    assert explain(workload, "spec.term.duration").field.example == "8h"
    assert explain(workload, "spec.assurance.retention").field.example == "90d"
    assert "default 60s" in explain(workload, "spec.assurance.window").field.description


def test_columns_point_at_fields_that_exist() -> None:
    for kind in KINDS:
        for column in kind.columns:
            if column.path.startswith(".metadata"):
                continue
            schema: Any = structural_schema(kind)
            for step in column.path.strip(".").split("."):
                name, _, filtered = step.partition("[")
                assert name in schema["properties"], f"{kind.kind}: {column.path}"
                schema = schema["properties"][name]
                if filtered:
                    schema = schema["items"]
                    break


def test_rules_of_the_models_become_cel() -> None:
    with_rules = [
        path for kind in OURS for path, s in nodes(structural_schema(kind)) if "x-kubernetes-validations" in s
    ]
    assert with_rules
    assert any(path == ".spec.objectives.timeToFirstToken" for path in with_rules)


@pytest.mark.parametrize("document", sorted(openapi.documents()))
def test_openapi_documents_are_as_agreed(document: str) -> None:
    made = openapi.document(*openapi.documents()[document])
    outline = {path: sorted(set(operations) - {"parameters"}) for path, operations in made["paths"].items()}
    check_golden(f"openapi.{document.replace('/', '.')}.json", json.dumps(outline, indent=1) + "\n")
    text = json.dumps(made)
    for part in text.split('"$ref": "')[1:]:
        name = part.split('"', 1)[0].removeprefix("#/components/schemas/")
        assert name in made["components"]["schemas"]
    ids = [o["operationId"] for ops in made["paths"].values() for m, o in ops.items() if m != "parameters"]
    assert len(ids) == len(set(ids))


def test_json_schemas_describe_manifests() -> None:
    schema = json_schema(named("workload").model)
    assert schema["additionalProperties"] is False
    assert "spec" in schema["required"]


class TestExplain:
    def test_a_kind(self) -> None:
        explanation = explain(named("wl"))
        assert explanation.field.type == "Object"
        assert {"apiVersion", "kind", "metadata", "spec", "status"} == {f.name for f in explanation.fields}

    def test_a_field_through_lists(self) -> None:
        explanation = explain(named("workload"), "spec.run.env")
        assert explanation.field.type == "[]Object"
        assert [(f.name, f.required) for f in explanation.fields] == [
            ("name", True),
            ("value", False),
            ("secret", False),
        ]

    def test_a_quantity(self) -> None:
        field = explain(named("workload"), "spec.objectives.timeToFirstToken.p95").field
        assert (field.type, field.example) == ("string", "500ms")

    def test_choices(self) -> None:
        assert explain(named("workload"), "spec.acceptance").field.values == ("auto", "manual")

    def test_a_field_that_is_not_there(self) -> None:
        with pytest.raises(NoSuchFieldError, match="'lode' is none of") as missing:
            explain(named("workload"), "spec.lode")
        assert "load" in missing.value.known
