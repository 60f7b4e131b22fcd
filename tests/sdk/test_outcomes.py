"""Where a need stands, read from its objects."""

from typing import Any

import pytest

from tenure.resources import Inquiry, Workload
from tenure.sdk.outcomes import NothingToAccept, SdkError, blocked, blocked_by, inquiry_blocked, standing_of
from tests.controllers.builders import spec

FAILING = {"type": "Reconciled", "status": "False", "reason": "ReconcileFailed", "message": "keeps failing"}
MISSING = {"type": "ReferencesFound", "status": "False", "reason": "ReferenceNotFound", "message": "no Model"}
AT = {"lastTransitionTime": "2026-12-01T09:00:00Z"}
REFUSAL = {"kind": "Refusal", "answeredAt": "2026-12-01T09:00:00Z"}


def workload(condition: dict[str, Any], **status: Any) -> Workload:
    made = {"observedGeneration": 1, "conditions": [condition | AT], **status}
    return Workload.model_validate({"metadata": {"name": "w", "generation": 1}, "spec": spec(), "status": made})


@pytest.mark.parametrize(
    ("condition", "sort"), [(FAILING, SdkError), (MISSING, NothingToAccept)], ids=["failing", "missing"]
)
def test_what_keeps_failing_is_said_and_not_waited_for(condition: dict[str, Any], sort: type[SdkError]) -> None:
    for phase in ("Pending", "Trialling"):
        standing = standing_of(workload(condition, phase=phase))
        assert (standing.state, standing.words) == ("blocked", condition["message"])
        error = blocked(standing)
        assert (type(error), error.reason) == (sort, condition["reason"])
        assert error.next_step
    asked = {"metadata": {"name": "q"}, "spec": {"workload": spec()}, "status": {"conditions": [condition | AT]}}
    why = inquiry_blocked(Inquiry.model_validate(asked))
    assert why is not None
    assert type(blocked_by(why)) is sort


def test_twin_an_answer_stands_whatever_fails_after_it() -> None:
    assert standing_of(workload(FAILING, answer=REFUSAL, phase="Refused")).state == "answered"
    assert standing_of(workload(FAILING | {"status": "True"})).state == "moving"


def test_an_edit_that_is_not_looked_at_is_not_waited_for_beside_a_contract_either() -> None:
    stands = {"contract": "w-1", "phase": "Running"}
    assert standing_of(workload(FAILING, **stands)).state == "answered"
    assert standing_of(workload(FAILING, **stands, observedGeneration=0)).state == "blocked"
