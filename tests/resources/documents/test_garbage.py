"""Anything at all as a manifest: objects, or all that is wrong with it by code and place; never another error."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenure.resources import KINDS
from tenure.resources.documents import decode_all, parse_documents
from tenure.resources.problems import Problem, ProblemsFound
from tenure.resources.reasons import BY_CODE
from tenure.resources.schema import structural_schema
from tests.cli.manifests import CHAT

USERS = [kind for kind in KINDS if not kind.controllers_only]
texts = st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
YAML = st.text(alphabet="abc: -[]{}\\\"'\n\t#&*!|>%@`,?0123~", max_size=80)
"""What YAML is made of, and hardly ever YAML."""


def judged(manifest: bytes | str) -> None:
    """Decode it; what is refused has a code of the one table, and says where it stands."""
    problems: tuple[Problem, ...] = ()
    try:
        decode_all(parse_documents(manifest, source="fuzz.yaml"))
    except ProblemsFound as found:
        problems = found.problems
    for problem in problems:
        assert problem.code in BY_CODE, problem
        assert problem.message, problem
        assert problem.source == "fuzz.yaml", problem


@given(data=st.binary(max_size=120))
def test_bytes(data: bytes) -> None:
    judged(data)


@given(text=st.text(max_size=80) | YAML)
def test_text(text: str) -> None:
    judged(text)


@given(cut=st.integers(0, len(CHAT)), piece=YAML, gone=st.integers(0, 20))
def test_a_manifest_with_a_piece_of_something_else_in_it(cut: int, piece: str, gone: int) -> None:
    judged(CHAT[:cut] + piece + CHAT[cut + gone :])


@given(data=st.data())
def test_every_kind_with_anything_in_its_own_fields(data: st.DataObject) -> None:
    judged(json.dumps(an_object(data)))


def an_object(data: st.DataObject) -> dict[str, Any]:
    """An object of some kind that users write, with the kind's own field names and anything in them."""
    kind = data.draw(st.sampled_from(USERS))
    schema = structural_schema(kind)["properties"]
    content: dict[str, Any] = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "fuzz"}}
    for part in ("spec", "data", "stringData"):
        if part in schema:
            names = sorted(schema[part].get("properties", {})) or ["anything"]
            content[part] = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
    return content
