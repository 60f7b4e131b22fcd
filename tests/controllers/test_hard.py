"""Status and audit of one contract say the same verdict: kept, breached or unverifiable, whatever its history was."""

from typing import Any

import pytest

from tenure.cli.audit.replay import replay
from tenure.controllers.contract.hard import HARD, hard_of_statements, hard_of_status, overall
from tenure.controllers.contract.judging import as_status, judge_windows
from tenure.controllers.contract.stating import state, state_terms, stated
from tenure.evidence import contract_source
from tenure.promises import Verdict
from tenure.resources import Contract
from tests.controllers.test_judging import Service, a_contract

AGREES = {"what": "cpus", "expected": "3", "found": "3", "source": "/proc", "agrees": True}
DIFFERS = {**AGREES, "found": "0-3", "agrees": False}


class Story(Service):
    """A contract's life: what the controllers write into its status and what they state, step by step."""

    def __init__(self, home: Any, contract: Contract) -> None:
        super().__init__(home)
        self.contract = contract
        state_terms(self.plane, contract)
        self.conditions: dict[str, str] = {}
        self.because: str | None = None

    def read_back(self, *facts: dict[str, Any]) -> None:
        wrong = any(not fact["agrees"] for fact in facts)
        key = "first-difference" if wrong else "first"
        state(self.plane, self.contract, "read-back", key, {"facts": list(facts)})
        if self.conditions.get(HARD) != "False":
            self.conditions[HARD] = "False" if wrong else "True"

    def end(self, because: str) -> None:
        self.because = because
        state(self.plane, self.contract, "ending", "ending", {"because": because, "at": "2027-01-15T08:10:00Z"})

    def status_verdict(self) -> str:
        said = [
            {"type": name, "status": status, "reason": "R", "message": "", "lastTransitionTime": "2027-01-15T08:00:00Z"}
            for name, status in self.conditions.items()
        ]
        wire = self.contract.to_json()
        wire["status"]["conditions"] = said
        contract = Contract.model_validate(wire)
        standing = judge_windows(self.plane, contract)
        statistical = [found.verdict for _, found in standing.accounts] if standing else []
        if standing is not None:
            assert as_status(standing)["verdict"] in {str(verdict) for verdict in Verdict}
        return str(overall(statistical, hard_of_status(contract), self.because))

    def audit_verdict(self) -> str:
        log = self.plane.log
        source = contract_source(self.contract.uid)
        return str(replay("chat", [log.statement(place) for place in log.places(source)]).verdict)


def a_command() -> Contract:
    """A contract with hard promises alone, as a job has it."""
    wire = a_contract().to_json()
    wire["spec"]["promises"] = {}
    return Contract.model_validate(wire)


def served(story: Story) -> None:
    story.read_back(AGREES)
    story.serve(41)


def slow(story: Story) -> None:
    story.read_back(AGREES)
    story.serve(200, first_token_ms=300)


def moved_away_and_back(story: Story) -> None:
    story.read_back(AGREES)
    story.serve(21)
    story.read_back(DIFFERS)
    story.read_back(AGREES)
    story.serve(20)


def never_read(story: Story) -> None:
    story.serve(41)


def silent(story: Story) -> None:
    story.read_back(AGREES)
    story.serve(21)
    story.clock.advance(60_000)


def failed(story: Story) -> None:
    story.read_back(AGREES)
    story.end("WorkFailed")


def done(story: Story) -> None:
    story.read_back(AGREES)
    story.end("Completed")


def lost(story: Story) -> None:
    story.read_back(AGREES)
    story.end("Lost")


def differing_then_done(story: Story) -> None:
    story.read_back(AGREES)
    story.read_back(DIFFERS)
    story.end("Completed")


def unseen(_story: Story) -> None:
    """Nothing was ever read back."""


@pytest.mark.parametrize(
    ("contract", "history", "verdict"),
    [
        (a_contract, served, "Kept"),
        (a_contract, slow, "Breached"),
        (a_contract, moved_away_and_back, "Breached"),
        (a_contract, never_read, "Unverifiable"),
        (a_contract, silent, "Unverifiable"),
        (a_command, done, "Kept"),
        (a_command, failed, "Kept"),
        (a_command, lost, "Breached"),
        (a_command, differing_then_done, "Breached"),
        (a_command, unseen, "Unverifiable"),
    ],
)
def test_status_and_audit_say_the_same(tmp_path: Any, contract: Any, history: Any, verdict: str) -> None:
    story = Story(tmp_path, contract())
    history(story)
    assert (story.status_verdict(), story.audit_verdict()) == (verdict, verdict)


def test_a_difference_once_stated_is_a_breach_whatever_is_read_later(tmp_path: Any) -> None:
    story = Story(tmp_path, a_command())
    story.read_back(AGREES)
    story.read_back(DIFFERS)
    told = stated(story.plane, story.contract, "read-back", "first-difference")
    assert told is not None
    assert hard_of_statements([told]) is Verdict.BREACHED
    assert stated(story.plane, story.contract, "read-back", "never") is None
