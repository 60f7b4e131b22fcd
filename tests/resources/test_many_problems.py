"""Of hundreds of thousands of problems the first are made out and the rest are counted, whatever they are."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tenure.resources import Kind, Workload
from tenure.resources.documents import decode_all, parse_documents
from tenure.resources.many_problems import KEPT_MAX, MANY, first_errors
from tenure.resources.problems import PROBLEMS_MAX, Problem, ProblemsFound, problems_of
from tenure.resources.registry import kind_named
from tenure.server.admission import admit
from tenure.server.refusals import Refused
from tests.resources.rule_cases import workload

COUNT = MANY + 5
BESIDE = {f"x{number}": 1 for number in range(COUNT)}
JOB: dict[str, Any] = {"inference": None, "load": None, "objectives": None, "command": {}}
FLOODS: dict[str, tuple[dict[str, Any], str, str]] = {
    "fields": (BESIDE, "UnknownField", "spec.x0"),
    "fields of items": (
        {**JOB, "run": {"command": ["a"], "env": [{"name": "A", "y": 1}] * COUNT}},
        "UnknownField",
        "spec.run.env[0].y",
    ),
    "values of a list": ({**JOB, "run": {"command": ["a"], "ports": [0] * COUNT}}, "InvalidValue", "spec.run.ports[0]"),
    "fields far inside": ({"resources": {"roles": [{"name": "a", **BESIDE}]}, **JOB}, "UnknownField", ""),
}


@pytest.fixture
def kind() -> Kind:
    found = kind_named("workload")
    assert found is not None
    return found


def refused(content: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Workload.model_validate(content, by_alias=True, by_name=False)
    return caught.value


@pytest.mark.parametrize("flood", FLOODS)
def test_the_first_are_made_out_and_the_rest_is_counted(flood: str) -> None:
    changes, code, path = FLOODS[flood]
    content = workload(changes)
    error = refused(content)
    assert error.error_count() >= COUNT
    assert 0 < len(first_errors(error, Workload, content, strict=False)) <= KEPT_MAX + 10
    found = problems_of(error, Workload, content, "workload")
    assert (found[0].code, found[0].path.startswith(path)) == (code, True)
    assert found[-1].message == f"and {error.error_count() - PROBLEMS_MAX} more problems in the same document"


def test_a_field_that_is_required_is_missing_only_where_it_is() -> None:
    content = workload(BESIDE | {"term": {"duration": "1h"}})
    content["spec"] = dict(reversed(content["spec"].items()))
    codes = {problem.code for problem in problems_of(refused(content), Workload, content, "workload")[:-1]}
    assert codes == {"UnknownField"}


def test_what_only_a_manifest_is_refused_for_is_made_out_too() -> None:
    """A manifest's numbers stand in no quotes; a client that quotes them is understood."""
    text = json.dumps(workload({**JOB, "run": {"command": ["a"], "ports": ["80"] * COUNT}}))
    with pytest.raises(ProblemsFound) as caught:
        decode_all(parse_documents(text))
    problems: list[Problem] = list(caught.value.problems)
    assert problems[0].path == "spec.run.ports[0]"
    assert problems[-1].message == f"and {COUNT - PROBLEMS_MAX} more problems in the same document"


@pytest.mark.parametrize("strictness", ["Strict", "Warn", "Ignore"])
def test_the_door_leaves_out_many_unknown_fields_and_no_more(kind: Kind, strictness: Any) -> None:
    with pytest.raises(Refused) as caught:
        admit(kind, workload(BESIDE), strictness)
    assert len(caught.value.causes) == PROBLEMS_MAX + 1
    some = workload(dict(list(BESIDE.items())[:200]))
    if strictness != "Strict":
        assert admit(kind, some, strictness).content["spec"].keys() == workload({})["spec"].keys()


def test_labels_that_are_none_are_told_as_far_as_anybody_reads(kind: Kind) -> None:
    content = workload({})
    content["metadata"]["labels"] = {f"?{number}": "" for number in range(PROBLEMS_MAX + 50)}
    with pytest.raises(Refused) as caught:
        admit(kind, content, "Strict")
    causes = caught.value.causes
    assert (len(causes), causes[-1].message) == (PROBLEMS_MAX + 1, "and perhaps more after these")
