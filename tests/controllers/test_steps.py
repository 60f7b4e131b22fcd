"""A step of the ladder between its statement, its act and its outcome: whoever dies or cannot write in between, log and
status tell the same, and nothing is judged that was not done."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.contract import active
from tenure.controllers.contract.stating import state, stated
from tenure.controllers.remedies.taking import LADDER, STEPS_KEPT, judged, kept_of
from tenure.controllers.remedies.unwritten import key_of
from tenure.evidence import NotWrittenError
from tenure.quantities import Instant
from tenure.resources import Contract
from tenure.resources.kinds.standing import RemedyStep
from tests.controllers.test_judging import AT_MS, a_contract
from tests.controllers.watched import Watched

HOLD = a_contract().to_json()["spec"]["hold"] | {
    "claims": [
        {"machine": "m", "cores": [0], "memory": "1Gi"},
        {"machine": "m", "cores": [1], "memory": "0", "purpose": "reserve"},
    ],
}


class Stepping(Watched):
    """A contract with a reserve whose status shows one open step of `add-capacity`; its run and its log are given."""

    def __init__(self, home: Path, *, did: str = "it may use cores 0, 1", **step: Any) -> None:
        super().__init__(home, hold=HOLD)
        self.moves: list[tuple[int, ...]] = []
        self.step = RemedyStep(
            rung="add-capacity", cause="c", did=did, started_at=Instant(AT_MS), acted_at=step.get("acted_at")
        )
        self.put(remedies=[self.step.to_json()], reserve={"state": "InUse", "since": self.step.to_json()["startedAt"]})

    def put(self, **status: Any) -> None:
        (key,) = (key for key in self.host.objects if key[0] == "Contract")
        self.host.objects[key] = {**self.host.objects[key], "status": {**self.host.objects[key]["status"], **status}}

    def move_to(self, _run_id: str, cpus: Any, _memory_nodes: object = None) -> None:
        self.moves.append(tuple(cpus))

    def told(self) -> str | None:
        found = stated(self.plane, self.contract, "remedy", f"{key_of(self.step)}/judged")
        return None if found is None else str(found.body["outcome"])


def steps(contract: Contract) -> list[RemedyStep]:
    assert contract.status is not None
    return [step for step in contract.status.remedies if step.rung == "add-capacity"]


class TestNeverTaken:
    """The control plane died between the status and the act."""

    def test_windows_that_failed_meanwhile_do_not_judge_it_and_it_is_done_first(self, tmp_path: Path) -> None:
        service = Stepping(tmp_path, did="")
        service.serve(41, first_token_ms=300)
        (step,) = steps(asyncio.run(service.look()))
        assert (step.outcome, step.did) == ("InProgress", "it may use cores 0, 1")
        assert int(step.acted_at or 0) == service.clock.now_ms(), "what follows counts from now on"
        assert service.told() is None
        assert service.moves == [(0, 1)]

    def test_twin_one_that_was_done_is_judged_by_them(self, tmp_path: Path) -> None:
        service = Stepping(tmp_path)
        service.serve(51, first_token_ms=300)
        (step,) = steps(asyncio.run(service.look()))
        assert step.outcome == "DidNotHelp"
        assert service.told() == "DidNotHelp"

    def test_windows_count_from_the_act_and_not_from_the_statement(self, tmp_path: Path) -> None:
        service = Stepping(tmp_path, acted_at=Instant(AT_MS + 30_000))
        service.serve(51, first_token_ms=300)
        (step,) = steps(asyncio.run(service.look()))
        assert step.outcome == "InProgress", "one window began after it, not three"


class TestOutcome:
    """It is stated, then acted on, then written into the status."""

    def test_an_outcome_that_was_stated_stands_though_the_status_was_not_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service = Stepping(tmp_path)
        asyncio.run(service.look())  # what log and status say was compared once
        service.serve(41)
        write = active.set_phase

        async def fails(*args: Any, **more: Any) -> Contract:
            if "remedies" in more:
                raise RuntimeError("no status is written")
            return await write(*args, **more)

        monkeypatch.setattr(active, "set_phase", fails)
        with pytest.raises(RuntimeError):
            asyncio.run(service.look())
        monkeypatch.setattr(active, "set_phase", write)
        assert service.told() == "Helped"
        service.serve(60, first_token_ms=300)
        service.moves.clear()
        (step, *_) = steps(asyncio.run(service.look()))
        assert step.outcome == "Helped"
        assert service.moves == [], "a reserve that helped is not taken back"

    def test_what_cannot_be_stated_is_not_undone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        service = Stepping(tmp_path)
        service.serve(51, first_token_ms=300)
        asyncio.run(asyncio.to_thread(service.judge))
        append = service.plane.log.append

        def refuses(statement: Any, *args: Any, **more: Any) -> Any:
            if statement.predicate == "remedy":
                raise NotWrittenError("disk full")
            return append(statement, *args, **more)

        monkeypatch.setattr(service.plane.log, "append", refuses)
        (step,) = steps(asyncio.run(service.look()))
        assert (step.outcome, service.moves) == ("InProgress", [])

    def test_a_crash_between_the_statement_and_the_undo_is_made_good(self, tmp_path: Path) -> None:
        service = Stepping(tmp_path)
        service.serve(1)
        body = {"rung": "add-capacity", "cause": "c", "stage": "judged", "outcome": "DidNotHelp", "tookMs": 1000}
        state(service.plane, service.contract, "remedy", f"{key_of(service.step)}/judged", body)
        found = asyncio.run(service.look())
        assert [step.outcome for step in steps(found)] == ["DidNotHelp"]
        assert service.moves == [(0,)]
        assert found.status is not None
        assert found.status.reserve is not None
        assert found.status.reserve.state == "Held"


def a_step(rung: str, number: int, outcome: str = "DidNotHelp") -> RemedyStep:
    return RemedyStep(rung=rung, cause="c", did="d", started_at=Instant(number), outcome=outcome)


def test_an_open_renegotiation_and_the_newest_step_of_each_rung_outlive_any_number_of_others() -> None:
    old = [a_step("restart", 0), a_step("restart", 1), a_step("renegotiate", 2, "InProgress")]
    kept = kept_of([*old, *(a_step("repin", number) for number in range(3, 3 + 2 * STEPS_KEPT))])
    assert kept[:2] == old[1:]
    assert len(kept) == STEPS_KEPT + 2
    assert kept_of(kept) == kept
    assert [int(step.started_at) for step in kept] == sorted(int(step.started_at) for step in kept)


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.name)
def test_each_rung_says_how_its_success_is_judged(rung: Any) -> None:
    assert rung.success.__doc__.startswith("By ")


def test_a_step_without_a_window_after_it_stays_open(tmp_path: Path) -> None:
    service = Stepping(tmp_path)
    standing = active.judge_windows(service.plane, service.contract)
    assert standing is not None
    assert judged([service.step], standing, AT_MS) == [service.step]
