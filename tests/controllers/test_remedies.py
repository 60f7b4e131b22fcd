"""The ladder: the cheapest rung that helps, judged by what follows, at rest when it did not help."""

import pytest

from tenure.controllers.remedies.ladder import AGAIN_AFTER_FAILING_WINDOWS, next_rung, outcome_of
from tenure.controllers.remedies.situation import Intruder, Situation
from tenure.controllers.remedies.taking import LADDER
from tenure.measurement.kernel import Cause
from tenure.quantities import Instant
from tenure.resources.kinds.contract import ReadBackFact, RemedyStep

WINDOW_MS = 1000
INTRUDER = Intruder(77, 1, "miner", (1,), 0.9)
MEMORY = ReadBackFact(what="memory", expected="1Gi", found="512Mi", source="memory.max", agrees=False)


def chosen(situation: Situation, *taken: RemedyStep, now_ms: int = 10**6) -> str | None:
    found = next_rung(LADDER, situation, taken, now_ms, WINDOW_MS)
    return found[0].name if found else None


def step(rung: str, outcome: str, finished_ms: int | None = 10**6) -> RemedyStep:
    finished = None if finished_ms is None else Instant(finished_ms)
    return RemedyStep(rung=rung, cause="c", started_at=Instant(0), finished_at=finished, outcome=outcome)


@pytest.mark.parametrize(
    ("situation", "rung"),
    [
        (Situation(intruders=(INTRUDER,)), "repin"),
        (Situation(differing=(MEMORY,)), "restore-limits"),
        (Situation(causes=(Cause("Throttled", 0.4, "its quota held it back"),)), "restore-limits"),
        (Situation(healthy=False), "restart"),
        (Situation(stuck=True), "restart"),
        (Situation(), None),
    ],
)
def test_each_rung_has_its_condition(situation: Situation, rung: str | None) -> None:
    assert chosen(situation) == rung


def test_the_cheapest_rung_that_helps_comes_first() -> None:
    assert chosen(Situation(intruders=(INTRUDER,), healthy=False)) == "repin"


def test_the_cause_names_the_intruder_and_what_it_took() -> None:
    found = next_rung(LADDER, Situation(intruders=(INTRUDER,)), [], 0, WINDOW_MS)
    assert found is not None
    assert found[1].cause == "process 77 (miner) used 90% of the contracted core"


def test_nothing_new_is_tried_while_a_step_is_being_judged() -> None:
    assert chosen(Situation(healthy=False), step("repin", "InProgress", None)) is None


def test_a_rung_that_did_not_help_rests_and_the_next_one_is_tried() -> None:
    situation = Situation(intruders=(INTRUDER,), healthy=False)
    assert chosen(situation, step("repin", "DidNotHelp")) == "restart"
    rested = 10**6 + AGAIN_AFTER_FAILING_WINDOWS * WINDOW_MS
    assert chosen(situation, step("repin", "DidNotHelp"), now_ms=rested) == "repin"


@pytest.mark.parametrize(
    ("kept", "failed", "outcome"),
    [
        (0, 0, "InProgress"),
        (1, 0, "InProgress"),
        (2, 0, "Helped"),
        (2, 1, "InProgress"),
        (4, 1, "Helped"),
        (0, 3, "DidNotHelp"),
    ],
)
def test_a_step_is_judged_by_the_windows_that_began_after_it(kept: int, failed: int, outcome: str) -> None:
    assert outcome_of(kept, failed) == outcome
