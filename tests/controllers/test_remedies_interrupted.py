"""A step that a crash cut off is finished or undone, and the log says which: no beginning without an end."""

import asyncio
from pathlib import Path

import pytest

from tenure.cli.audit.replay import replay
from tenure.controllers.contract.stating import state, state_terms
from tenure.controllers.remedies.unwritten import NOT_TAKEN, as_stated, key_of, undo_unwritten
from tenure.evidence import contract_source
from tenure.quantities import Instant
from tenure.resources.kinds.standing import RemedyStep
from tests.controllers.test_judging import AT_MS, Service


class Interrupted(Service):
    """A control plane that dies between any two of: the statement, the status, the act, the outcome."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        state_terms(self.plane, self.contract)

    def begins(self, rung: str = "repin") -> RemedyStep:
        self.clock.advance(1000)
        step = RemedyStep(rung=rung, cause="an intruder", cost="none", started_at=Instant(self.clock.now_ms()))
        body = {"rung": rung, "cause": step.cause, "cost": step.cost, "stage": "begins"}
        state(self.plane, self.contract, "remedy", f"{key_of(step)}/begins", body)
        return step

    def ends(self, step: RemedyStep, outcome: str) -> None:
        took_ms = self.clock.now_ms() - int(step.started_at)
        body = {"rung": step.rung, "cause": step.cause, "stage": "judged", "outcome": outcome, "tookMs": took_ms}
        state(self.plane, self.contract, "remedy", f"{key_of(step)}/judged", body)

    def restarts(self, *in_status: RemedyStep) -> list[str]:
        self.clock.advance(2000)
        return asyncio.run(undo_unwritten(self.plane, self.contract, in_status))

    def told(self) -> list[tuple[str, str | None]]:
        log = self.plane.log
        found = replay("chat", [log.statement(place) for place in log.places(contract_source(self.contract.uid))])
        return [(one.rung, one.outcome) for one in found.remedies]


@pytest.fixture
def plane(tmp_path: Path) -> Interrupted:
    return Interrupted(tmp_path)


def test_a_step_that_was_stated_and_never_written_is_undone_by_saying_so(plane: Interrupted) -> None:
    first = plane.begins()
    plane.ends(first, "Helped")
    plane.begins()
    assert plane.told() == [("repin", "Helped"), ("repin", None)], "twin: before the restart the log lacks its end"
    assert plane.restarts(first) == [f"{AT_MS + 2000}/repin"]
    assert plane.told() == [("repin", "Helped"), ("repin", NOT_TAKEN)]
    assert plane.restarts(first) == [], "once"


def test_the_step_that_is_then_taken_has_an_end_of_its_own(plane: Interrupted) -> None:
    plane.begins()
    plane.restarts()
    again = plane.begins()
    plane.ends(again, "DidNotHelp")
    assert plane.told() == [("repin", NOT_TAKEN), ("repin", "DidNotHelp")]


def test_twin_a_step_that_the_status_has_is_finished_and_not_undone(plane: Interrupted) -> None:
    step = plane.begins()
    assert plane.restarts(step) == []
    assert plane.told() == [("repin", None)]
    assert as_stated(plane.plane, plane.contract, [step]) == [step]


def test_an_outcome_that_was_stated_stands_though_the_status_had_not_got_it(plane: Interrupted) -> None:
    step = plane.begins()
    plane.clock.advance(5000)
    plane.ends(step, "Helped")
    assert plane.restarts(step) == []
    (shown,) = as_stated(plane.plane, plane.contract, [step])
    assert (shown.outcome, int(shown.finished_at or 0)) == ("Helped", int(step.started_at) + 5000)
    assert as_stated(plane.plane, plane.contract, [shown]) == [shown]


def test_windows_stated_in_between_do_not_hide_it(plane: Interrupted) -> None:
    plane.begins()
    plane.serve(21)
    plane.judge()
    assert len(plane.restarts()) == 1
