"""What nothing here can keep is refused by its name, and never ignored in an offer that claims to be one in full."""

from typing import Any

import pytest

from tenure.controllers.answering.unpromised import unpromised
from tests.controllers.builders import NOW_MS, spec

JOB = {"inference": None, "load": None, "assurance": None, "batch": {}, "run": {"command": ["true"]}}
PLAIN = JOB | {"objectives": None}


def names(**changes: Any) -> list[str]:
    return [constraint.id for constraint in unpromised(spec(**changes), "local", NOW_MS)]


def test_an_ordinary_need_is_not_held_up() -> None:
    assert names() == []
    assert names(site="local") == []
    assert names(**PLAIN) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"site": "mars"}, "spec.site: mars"),
        ({"isolation": "shared"}, "spec.isolation: shared"),
        ({"class": "spot"}, "spec.class: spot"),
        (JOB | {"objectives": {"requestsPerSecond": 1.5}}, "spec.objectives (rates)"),
        (PLAIN | {"batch": {"model": "nope"}}, "spec.batch.model"),
        (PLAIN | {"batch": {"dataset": "nope"}}, "spec.batch.dataset"),
        (PLAIN | {"batch": {"runtime": "nope"}}, "spec.batch.runtime"),
        (PLAIN | {"batch": {"steps": 5}}, "spec.batch.steps"),
        (JOB | {"objectives": {"availability": 0.999}}, "spec.objectives.availability"),
        (JOB | {"objectives": {"samplesPerSecond": 10}}, "spec.objectives.samplesPerSecond"),
        (JOB | {"objectives": {"completion": {"by": "2020-01-01T00:00:00Z"}}}, "spec.objectives.completion"),
    ],
)
def test_what_cannot_be_kept_is_named(changes: dict[str, Any], name: str) -> None:
    assert names(**changes) == [name]
