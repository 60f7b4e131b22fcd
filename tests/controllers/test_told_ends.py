"""How a contract ended is what was stated of it first, whatever is found after a crash; what it came to follows."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tenure.controllers.contract import ending
from tenure.controllers.contract.active import _lost
from tenure.controllers.contract.checking import Recomputing, owed
from tenure.controllers.contract.counting import counted
from tenure.controllers.contract.stating import checkpoint_of, state, stated
from tenure.controllers.kernel import Wait
from tenure.engines import RunNotFound
from tenure.evidence import Report, contract_source, export_bundle, verify_bundle
from tenure.quantities import format_instant
from tests.controllers.test_credit import SCHEDULE
from tests.controllers.watched import AGREES, Watched

pytestmark = pytest.mark.anyio


class Told(Watched):
    """A contract in service that earns credit where it is lost, from its activation to what it came to."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, price={"total": "3.00 EUR", "credit": [step.to_json() for step in SCHEDULE]})
        self.home = home

        async def nothing(*_: object) -> None: ...

        self.plane.measurements = SimpleNamespace(jobs={}, drop=lambda _: None)  # type: ignore[assignment]
        self.plane.allocator = SimpleNamespace(decide=nothing)  # type: ignore[assignment]
        checkpoint_of(self.plane, self.contract)
        state(self.plane, self.contract, "read-back", "first", {"facts": [AGREES.to_json()]})

    def state(self, run_id: str) -> None:
        raise RunNotFound(run_id)

    def stop(self, run_id: str, _grace_ms: int | None) -> None:
        raise RunNotFound(run_id)

    def say_that_it_ends(self, because: str) -> None:
        body = {"because": because, "at": format_instant(self.clock.now_ms())}
        state(self.plane, self.contract, "ending", "ending", body)

    async def end(self, because: str) -> Wait | None:
        return await ending.end(self.plane, self.now(), because)

    def verified(self) -> Report:
        """What a stranger finds a second later."""
        path = self.home / "bundle.jsonl"
        source, at_ms = contract_source(self.contract.uid), self.clock.now_ms() + 1000
        export_bundle(self.plane.log, path, sources=[source], keys=self.plane.keys, at_ms=at_ms)
        key = self.plane.keys.signing.public
        return verify_bundle(path, public_key=key, recompute=Recomputing(), owed=owed, counted=counted)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


async def test_what_was_stated_before_a_crash_is_why_it_ended_though_its_run_was_lost_since(told: Told) -> None:
    told.serve(31)
    told.say_that_it_ends("Completed")  # killed before its status said so; then the engine knew no run
    await _lost(told.plane, told.now(), "the engine knows no run of this contract")
    await told.end("Lost")
    status = told.now().status
    assert status is not None
    assert (status.ended_because, status.credit, status.verdict) == ("Completed", None, "Kept")
    report = told.verified()
    assert (report.failures, report.uncounted) == ([], [])


async def test_twin_a_run_that_was_lost_earns_the_first_step_and_a_stranger_draws_it_again(told: Told) -> None:
    told.serve(31)
    await _lost(told.plane, told.now(), "the engine knows no run of this contract")
    await told.end("Lost")
    status = told.now().status
    assert status is not None
    assert status.credit is not None
    assert (status.ended_because, status.credit.percent) == ("Lost", 10)
    report = told.verified()
    assert (report.failures, report.uncounted) == ([], [])


async def test_what_is_too_much_for_one_look_is_settled_by_a_later_one(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.serve(31)
    monkeypatch.setattr(ending, "PASSES_MAX", 1)
    await told.end("EndedByUser")
    assert stated(told.plane, told.contract, "ending", "settled") is None
    await told.end("EndedByUser")
    assert stated(told.plane, told.contract, "ending", "settled") is not None
    assert told.verified().verifiable


async def test_of_a_simulated_contract_nothing_is_counted_and_nothing_called_wrong(told: Told) -> None:
    vars(told.plane)["simulated"] = True
    await told.end("Lost")
    report = told.verified()
    assert report.failures == []
    assert [found.statement_id for found in report.uncounted] == [f"{contract_source('c-1')}/ending/settled"]
