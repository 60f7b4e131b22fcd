"""What nothing here can keep is refused by its name, and never ignored in an offer that claims to be one in full."""

from dataclasses import replace
from typing import Any

import pytest

from tenure.controllers.answering.answer import answer
from tenure.controllers.answering.trial_wish import trial_wish
from tenure.controllers.answering.unpromised import unpromised
from tenure.placement import Calendar
from tenure.quantities import format_instant
from tests.controllers.builders import NOW_MS, fleet, knowledge, measured, need, spec

PAST = "2021-01-01T00:00:00Z"

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


@pytest.mark.parametrize(
    ("term", "named"),
    [
        ({"end": PAST}, ["spec.term.end"]),
        ({"start": "2020-01-01T00:00:00Z", "end": PAST}, ["spec.term.end"]),
        ({"start": "2020-01-01T00:00:00Z", "startBy": PAST, "duration": "1h"}, ["spec.term.startBy"]),
        ({"start": "2020-01-01T00:00:00Z", "duration": "1h"}, []),
        ({"startBy": format_instant(NOW_MS), "end": format_instant(NOW_MS + 2000)}, []),
    ],
)
@pytest.mark.parametrize("trial", [False, True], ids=["offer", "trial"])
def test_a_term_that_is_over_is_refused_by_its_name(term: dict[str, str], named: list[str], trial: bool) -> None:
    wanted = need(term=term)
    wish = trial_wish(wanted, [measured([50.0]).shape], [], None) if trial else None
    known = replace(knowledge(wanted, [] if trial else [measured([50.0] * 9)]), trial=wish)
    said = answer(known, fleet(), Calendar.of([]), "group", NOW_MS).answer
    if not named:
        assert said.kind == ("NeedsTrial" if trial else "Offers"), "twin: what is still to come is answered"
        return
    assert said.kind == "Refusal"
    assert said.refusal is not None
    assert said.refusal.binding.constraint == named[0]
    assert "is over; name a later" in (said.refusal.binding.next_step or "")


def test_what_is_over_is_told_by_the_clock_of_the_answer() -> None:
    known = knowledge(need(term={"end": format_instant(NOW_MS + 1000)}), [measured([50.0] * 9)])
    assert answer(known, fleet(), Calendar.of([]), "group", NOW_MS + 1000).answer.kind == "Refusal"


def test_an_end_before_the_first_window_is_over_is_refused_by_the_window() -> None:
    known = knowledge(need(term={"end": format_instant(NOW_MS + 1999)}), [measured([50.0] * 9)])
    said = answer(known, fleet(), Calendar.of([]), "group", NOW_MS).answer
    assert said.refusal is not None
    assert said.refusal.binding.constraint == "spec.assurance.window"
    assert (said.refusal.binding.next_step or "").startswith("no window of 2s lies before 2027-")
